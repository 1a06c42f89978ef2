"""Imports go one way: from higher levels to lower ones, or inside a package."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LEVELS = {
    "sesmail": 0,  # the version
    "sesmail.sysexits": 1,
    "sesmail.identity": 2,  # below the others: settings and addresses hold domains as A-labels
    "sesmail.launch": 2,
    "sesmail.settings": 3,
    "sesmail.envelope": 3,
    "sesmail.message": 3,
    "sesmail.drop": 4,
    "sesmail.submission": 5,
    "sesmail.queue": 5,
    "sesmail.delivery": 6,
    "sesmail.control": 7,
}
CLIENT = 5  # up to here: the standard library only
MODULES = {
    ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((CHECKOUT / "sesmail").rglob("*.py"))
}


def part(module: str) -> str:
    """Return the part of the design that a module belongs to."""
    return ".".join(module.split(".")[:2])


def imports(name: str, source: str, is_package: bool = False) -> Iterator[str]:
    """Yield the modules that a source imports, wherever in it; those for types only count too."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in MODULES else base


def wrong_imports(name: str, source: str, is_package: bool = False) -> list[str]:
    """Return what this module must not import but does."""
    own = part(name)
    wrong = []
    for imported in imports(name, source, is_package):
        if imported.split(".")[0] == "sesmail":
            if part(imported) != own and LEVELS[part(imported)] >= LEVELS[own]:
                wrong.append(imported)
        elif LEVELS[own] <= CLIENT and imported.split(".")[0] not in sys.stdlib_module_names:
            wrong.append(imported)
    return wrong


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_lower_levels(module: str) -> None:
    """Each module keeps to the levels, and below delivery there is no third-party import."""
    path = MODULES[module]
    assert wrong_imports(module, path.read_text(), path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("sesmail.submission.main", "from sesmail.delivery import outcome", "sesmail.delivery"),
        ("sesmail.submission.main", "def f():\n    import sesmail.delivery", "sesmail.delivery"),
        ("sesmail.submission.main", "from ..delivery import outcome", "sesmail.delivery"),
        ("sesmail.settings", "from sesmail import envelope", "sesmail.envelope"),
        ("sesmail.settings", "if TYPE_CHECKING:\n    from sesmail import envelope", "sesmail.env"),
        ("sesmail.message.header", "import boto3", "boto3"),
    ],
)
def test_the_check_sees_a_wrong_import(name: str, source: str, found: str) -> None:
    """An import upwards, sideways or from outside is found, at the top and inside a function."""
    (wrong,) = wrong_imports(name, source)
    assert wrong.startswith(found)


def test_a_right_import_is_no_finding() -> None:
    """Downwards, inside a package and from the standard library is allowed."""
    source = "import os\nfrom . import relay\nfrom sesmail import VERSION, settings\n"
    assert wrong_imports("sesmail.submission.main", source) == []
    assert wrong_imports("sesmail.delivery.session", "import boto3") == []


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("sesmail", "sesmail.submission"),
        ("sesmaild", "sesmail.launch"),
        ("sesmailctl", "sesmail.launch"),
    ],
)
def test_a_command_imports_one_thing_of_ours(command: str, wanted: str) -> None:
    """bin/sesmail stands on submission, the others on what starts the rest in its environment."""
    source = (CHECKOUT / "bin" / command).read_text()
    ours = {part(name) for name in imports(command, source) if name.startswith("sesmail")}
    assert ours == {wanted}
