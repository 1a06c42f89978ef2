"""Secrets from files and standard input."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sesmail.control import secret_input
from sesmail.control.terminal import Terminal
from sesmail.control.verb import Context
from sesmail.settings import Settings
from sesmail.sysexits import UsageError

CONTEXT = Context(Settings(), Terminal(), {})


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int) -> None:
    """Its lines without blanks; one that every user can read is told."""
    path = tmp_path / "secret"
    path.write_bytes(b"  first \r\n\nsecond\n")
    path.chmod(mode)
    assert secret_input.read(CONTEXT, str(path), "--secret-file") == ["first", "second"]
    assert ("every user" in capsys.readouterr().err) == (mode == 0o644)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """For ``-``."""
    stream = io.TextIOWrapper(io.BytesIO(b"secret\n"))
    monkeypatch.setattr("sys.stdin", stream)
    assert secret_input.read(CONTEXT, "-", "--secret-file") == ["secret"]


@pytest.mark.parametrize("name", ["missing", "", "nul\0"])
def test_no_file(tmp_path: Path, name: str) -> None:
    """The flag is named."""
    with pytest.raises(UsageError, match="--secret-file: cannot read"):
        secret_input.read(CONTEXT, str(tmp_path / name), "--secret-file")


def test_nothing_in_it(tmp_path: Path) -> None:
    """An empty secret is none."""
    (tmp_path / "secret").write_text("\n \n")
    with pytest.raises(UsageError, match="nothing is in"):
        secret_input.read(CONTEXT, str(tmp_path / "secret"), "--secret-file")
