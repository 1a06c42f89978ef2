"""The packages, built once for the session by `make deb`, and ones that differ for a test.

Workers of pytest-xdist share them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packages import debs as made
from tests.packages.debs import Debs

__all__ = ["Debs"]


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> Debs:
    """The packages of this tree."""
    return Debs(_once(tmp_path_factory, "debs", made.build))


@pytest.fixture(scope="session")
def previous_debs(debs: Debs, tmp_path_factory: pytest.TempPathFactory) -> Debs:
    """The packages of a lower version: what is upgraded from."""

    def make(directory: Path) -> None:
        made.previous(debs, directory)

    return Debs(_once(tmp_path_factory, "previous", make))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded, which workers of pytest-xdist could not print."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name}: {value}")


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the directory of this name; the first worker that asks has it made."""
    session = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    directory = session / name
    with open(session / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            new = session / f"{name}.new"
            new.mkdir()
            make(new)
            new.rename(directory)
    return directory
