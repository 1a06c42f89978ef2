"""The power fails at the moment the client returns: what it accepted is on the disk.

The spool lies on a file system in a file. That file, copied when the client has returned, is the
disk as the power cut leaves it; the copy is mounted, which replays the journal, and read. A copy
shows neither a disk that loses what it said to have written nor one that reorders.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sesmail.drop.take import DropDirectory
from tests import injection
from tests.fakes.ses import SesServer
from tests.injection import Traced
from tests.installation import Installation
from tests.spool import AUTHOR, RECIPIENT, Spool

pytestmark = pytest.mark.root

SIZE = 320 << 20  # bytes; mkfs.xfs makes nothing smaller than 300 MiB
MESSAGES = 5
LIMIT = 1 << 20


@dataclass(frozen=True)
class FileSystem:
    """How one is made and mounted; ``late``: nothing is written before somebody asks for it."""

    make: tuple[str, ...]
    late: str
    copy: str


FILE_SYSTEMS = {
    "ext4": FileSystem(("mkfs.ext4", "-q", "-F"), "commit=300", "loop"),
    "ext4 with fast commits": FileSystem(
        ("mkfs.ext4", "-q", "-F", "-O", "fast_commit"), "commit=300", "loop"
    ),
    "ext4, data=writeback": FileSystem(
        ("mkfs.ext4", "-q", "-F"), "commit=300,data=writeback", "loop,data=writeback"
    ),
    "xfs": FileSystem(("mkfs.xfs", "-q", "-f"), "logbsize=256k", "loop,nouuid"),
}


class Disk:
    """A file system in a file, mounted, with a spool on it."""

    def __init__(self, kind: FileSystem, directory: Path, ses: SesServer, client: Path) -> None:
        self._kind = kind
        self._image = directory / "image"
        self._directory = directory
        self._client = client
        self.spool = Spool(directory / "mounted", ses)
        subprocess.run(["sync", "-f", self.spool.directory], check=True)

    def send(self, *injections: str) -> Traced:
        """Let the installed client drop a message."""
        message = f"From: {AUTHOR}\nTo: {RECIPIENT}\n\nText.\n".encode()
        environ = {"SESMAIL_CONFIG": str(self.spool.configuration)}
        command: list[str | Path] = [self._client, "-odq", "-i", RECIPIENT]
        return injection.run(command, environ, message, *injections)

    def after_a_power_cut(self) -> list[str]:
        """Return the queue ids of the whole drops that are on the disk at this moment."""
        copy, place = self._directory / "copy", self._directory / "after"
        subprocess.run(["cp", "--sparse=always", self._image, copy], check=True)
        with mounted(copy, place, self._kind.copy):
            relative = self.spool.drop_directory.relative_to(self._directory / "mounted")
            drop = DropDirectory(str(place / relative))
            try:
                return [drop.take(name, LIMIT).queue_id for name, _ in drop.scan()]
            finally:
                drop.close()


@pytest.fixture(params=FILE_SYSTEMS)
def disk(
    request: pytest.FixtureRequest, tmp_path: Path, ses: SesServer, installed: Installation
) -> Iterator[Disk]:
    """A disk with a spool, which its file system writes late."""
    kind = FILE_SYSTEMS[request.param]
    image = tmp_path / "image"
    with open(image, "wb") as file:
        file.truncate(SIZE)
    subprocess.run([*kind.make, image], check=True)
    with mounted(image, tmp_path / "mounted", f"loop,{kind.late}"):
        yield Disk(kind, tmp_path, ses, installed.sendmail)


@contextmanager
def mounted(image: Path, place: Path, options: str) -> Iterator[None]:
    """Mount an image."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", options, image, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def test_without_the_fsync_a_power_cut_loses_mail(disk: Disk) -> None:
    """What this file checks can fail: with an fsync that does nothing the message is not there."""
    assert disk.send().exit_code == 0
    known = disk.after_a_power_cut()
    assert len(known) == 1
    place = disk.send().ordinal("fsync", "/drop/")
    before = disk.after_a_power_cut()

    done = disk.send(place.lie())

    assert done.injected()
    assert done.exit_code == 0
    assert len(disk.spool.dropped()) == 3
    assert disk.after_a_power_cut() == before


def test_what_was_accepted_survives_a_power_cut(disk: Disk) -> None:
    """After each of several messages, all of those so far are there, whole, under their names."""
    for number in range(1, MESSAGES + 1):
        assert disk.send().exit_code == 0
        found = disk.after_a_power_cut()
        assert sorted(found) == disk.spool.dropped()
        assert len(found) == number
