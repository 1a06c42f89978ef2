"""packaging/*.lock: made from the setup.cfg that is there, whole, and of no particular registry."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import locks
from tests.installation import CHECKOUT

PACKAGING = CHECKOUT / "packaging"
HEAD = "# Made by `make lock` from setup.cfg; not edited by hand. It asked for:"


def lists() -> Iterator[tuple[str, list[str]]]:
    """Yield the lists of setup.cfg: the name of the lock, and what it asks for."""
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    yield "requirements.lock", setup["options"]["install_requires"].split("\n")[1:]
    for name, text in setup["options.extras_require"].items():
        yield f"requirements-{name}.lock", text.split("\n")[1:]


LISTS = dict(lists())


def heading(lock: Path) -> list[str]:
    """Return the lines before the first pin, without their number signs."""
    head, *lines = lock.read_text().splitlines()
    assert head == HEAD
    told = lines[: next(at for at, line in enumerate(lines) if not line.startswith("# "))]
    return [line.removeprefix("# ").strip() for line in told]


def test_each_list_has_a_lock_and_each_lock_a_list() -> None:
    """One that nobody renews would be forgotten."""
    assert {path.name for path in PACKAGING.glob("*.lock")} == LISTS.keys()


@pytest.mark.parametrize("name", LISTS)
def test_made_from_this_setup_cfg(name: str) -> None:
    """Who changes a requirement, and be it by taking one away, has `make lock` to run."""
    assert heading(PACKAGING / name) == LISTS[name]


@pytest.mark.parametrize("name", LISTS)
def test_within_the_bounds(name: str) -> None:
    """Every requirement is pinned to a version that it allows, and every file has a hash."""
    pins = locks.read(PACKAGING / name)
    for line in LISTS[name]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(pins[requirement.name].version), line
    assert all(pin.hashes for pin in pins.values())


@pytest.mark.parametrize("name", LISTS)
def test_no_registry(name: str) -> None:
    """Whoever installs says where from: neither a host nor an option of pip is in a lock."""
    text = (PACKAGING / name).read_text()
    assert "://" not in text
    options = {word for word in text.split() if word.startswith("-")}
    assert all(word.startswith("--hash=sha256:") for word in options)


def test_one_version_for_host_and_tests() -> None:
    """The tests run with what is installed: where both locks name a package they agree."""
    run, dev = (locks.read(PACKAGING / f"requirements{kind}.lock") for kind in ("", "-dev"))
    both = run.keys() & dev.keys()
    assert both
    assert {name: run[name] for name in both} == {name: dev[name] for name in both}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("boto3>=1.26 --hash=sha256:" + "0" * 64, "no exact version"),
        ("boto3 @ file:///tmp/boto3.whl", "no exact version"),
        ("-r other.txt", "no exact version"),
        ("boto3==1.0 --hash=md5:" + "0" * 32, "besides hashes"),
        ("boto3==1.0 --index-url=https://registry.invalid/simple", "besides hashes"),
        ("boto3==1.0\nboto3==1.1", "twice"),
    ],
)
def test_what_is_no_lock(tmp_path: Path, text: str, why: str) -> None:
    """The tests would see it."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"# a comment\n{text}\n")
    with pytest.raises(AssertionError, match=why):
        locks.read(lock)
