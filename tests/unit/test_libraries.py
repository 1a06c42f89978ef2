"""What threads import late, they import one at a time: see sesmail/delivery/libraries.py."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

DELIVERY = Path(__file__).resolve().parents[2] / "sesmail" / "delivery"
# They have one thread when they import.
ALONE = {DELIVERY / "main.py", DELIVERY / "foreground.py"}


def unguarded(node: ast.AST, is_late: bool = False) -> Iterator[str]:
    """Yield the modules that functions import without the lock, Python's own left out."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            is_late = True
        case ast.With(items=[ast.withitem(context_expr=ast.Name(id="ONE_AT_A_TIME"))]):
            is_late = False
        case ast.Import(names=names) if is_late:
            yield from (name.name for name in names if not is_standard(name.name))
        case ast.ImportFrom(module=str(module)) if is_late and not is_standard(module):
            yield module
    for child in ast.iter_child_nodes(node):
        yield from unguarded(child, is_late)


def is_standard(module: str) -> bool:
    """Tell whether a module is Python's own."""
    return module.partition(".")[0] in sys.stdlib_module_names


def test_late_imports_take_the_lock() -> None:
    """Else the daemon could stand still for ever."""
    found = {
        f"{path.relative_to(DELIVERY)}: {module}"
        for path in sorted(set(DELIVERY.rglob("*.py")) - ALONE)
        for module in unguarded(ast.parse(path.read_text()))
    }
    assert found == set()


def test_an_import_without_it_is_seen() -> None:
    """So that the other test can fail."""
    source = "import a\ndef f():\n    import b, os\n    with ONE_AT_A_TIME:\n        import c\n"
    assert list(unguarded(ast.parse(source))) == ["b"]
