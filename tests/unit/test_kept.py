"""Bytes kept for another reading: in a pipe or in a file without a name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sesmail.submission.kept import IN_MEMORY, Kept
from sesmail.sysexits import CannotCreate


def read_all(descriptor: int) -> bytes:
    """Read a descriptor to its end and close it."""
    with open(descriptor, "rb") as file:
        return file.read()


@pytest.mark.parametrize(
    "size", [0, 1, 1 << 16, (1 << 16) + 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY]
)
def test_all_bytes_come_back(tmp_path: Path, size: int) -> None:
    """In pieces in, in order out, and no file with a name is left."""
    data = os.urandom(size)
    kept = Kept({"TMPDIR": str(tmp_path)})
    for start in range(0, size, 60_000):
        kept.write(data[start : start + 60_000])
    assert read_all(kept.open()) == data
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_used_is_passed_over(tmp_path: Path) -> None:
    """TMPDIR may lead anywhere; /var/tmp is next."""
    for directory in (str(tmp_path / "none"), "relative", ""):
        kept = Kept({"TMPDIR": directory})
        kept.write(bytes(IN_MEMORY + 1))
        assert read_all(kept.open()) == bytes(IN_MEMORY + 1)


def test_no_directory_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file can be made, the failure carries 73."""

    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sesmail.submission.kept.posix.open", refuse)
    with pytest.raises(CannotCreate, match="No space left"):
        Kept({}).write(bytes(IN_MEMORY + 1))


def test_pipes_that_cannot_grow_become_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose pipe memory is used up still gets the bytes."""

    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("fcntl.fcntl", refuse)
    kept = Kept({})
    kept.write(bytes(100_000))
    assert read_all(kept.open()) == bytes(100_000)
