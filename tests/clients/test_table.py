"""The README's table of callers tells the truth: rows, versions, tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients import table


@pytest.fixture(scope="module")
def collected() -> set[str]:
    """The ids of all client tests, and of those with parameters also what is before the bracket."""
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", str(here)]
    output = subprocess.run(command, cwd=here.parents[1], capture_output=True, text=True)
    assert output.returncode == 0, output.stdout[-2000:]
    ids = {line.removeprefix("tests/clients/") for line in output.stdout.splitlines()}
    return ids | {one.partition("[")[0] for one in ids}


def test_readme_has_the_table() -> None:
    """The README's table is the one of clients.jsonl; thirty callers at least."""
    assert table.in_readme() == table.render()
    assert len({row.client for row in table.rows()}) >= 30


def test_every_row_is_run(collected: set[str]) -> None:
    """Each test that a row names is one of this suite."""
    for row in table.rows():
        assert row.tests, row.client
        assert not [one for one in row.tests if one not in collected], row.client


@pytest.mark.parametrize("row", table.rows(), ids=lambda row: row.client)
def test_version_is_the_installed_one(row: table.Row) -> None:
    """The version in the table is that of the program which the tests run."""
    installed = table.installed_version(row.package)
    assert re.match(rf"{re.escape(row.version)}(?![0-9])", installed), installed
