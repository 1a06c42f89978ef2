"""What the files of a root are, and which of them differ from what was before."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Snapshot = dict[str, "Entry"]  # by path, which begins with /


@dataclass(frozen=True)
class Entry:
    """A file: type and mode, owners by number, and digest, target of a link or device."""

    mode: int
    owner: tuple[int, int]
    content: str

    def __str__(self) -> str:
        """Look like ls -l."""
        return f"{stat.filemode(self.mode)} {self.owner[0]}:{self.owner[1]} {self.content[:40]}"


def take(root: Path) -> Snapshot:
    """Take down every file below, but for what other file systems are mounted on."""
    found: Snapshot = {}
    device = root.stat().st_dev
    for directory, folders, names in os.walk(root):
        # Directories of an overlay have its number; files have that of where they really are.
        folders[:] = [name for name in folders if _device(directory, name) in (device, None)]
        for name in [*folders, *names]:
            path = os.path.join(directory, name)
            found[path.removeprefix(str(root))] = _entry(path)
    return found


def difference(before: Snapshot, after: Snapshot, but: Iterable[str] = ()) -> list[str]:
    """Return a line for each file that came, went or changed, but those that are named.

    A name that ends with / stands for all that is below, too.
    """
    lines = []
    allowed = tuple(but)
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old != new and not any(_covers(name, path) for name in allowed):
            lines.append(f"{path}: {old or 'was not there'} -> {new or 'is gone'}")
    return lines


def _covers(name: str, path: str) -> bool:
    return path == name.rstrip("/") or (name.endswith("/") and path.startswith(name))


def _device(directory: str, name: str) -> int | None:
    """Return the number of a directory's file system, None for a link."""
    status = os.lstat(os.path.join(directory, name))
    return status.st_dev if stat.S_ISDIR(status.st_mode) else None


# What was read before, of this root or of another over the same tree, is not read again.
_digests: dict[tuple[int, ...], str] = {}


def _digest(path: str, status: os.stat_result) -> str:
    version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if version not in _digests:
        with open(path, "rb") as file:
            _digests[version] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[version]


def _entry(path: str) -> Entry:
    status = os.lstat(path)
    owner = (status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        content = "-> " + os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        content = _digest(path, status)
    else:
        content = str(status.st_rdev) if stat.S_ISCHR(status.st_mode) else ""
    return Entry(status.st_mode, owner, content)
