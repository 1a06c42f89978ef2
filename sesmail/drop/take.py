"""The daemon's side of the drop: what lies there, whose it is, and whether it is whole.

Everybody may write here, so nothing but the owner uid is trusted. Three kinds of trouble: what can
be parsed and is refused is ``pickup``'s business; what is irregular or cannot be read raises
Irregular, is logged by uid, size and reason, never by its bytes, and removed; what cannot even be
removed (a directory that is not empty, a foreign mount) is remembered by inode and passed over.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import time
from binascii import crc32
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail import envelope as wire
from sesmail.drop import layout
from sesmail.sysexits import DataError

_TORN_AFTER = 3600  # seconds since the last change; a client writes no file for that long
_ABANDONED_AFTER = 86400  # seconds, for temporary names
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o640
# What the kernel says of names that are no drop; any other error may be ours, and so may the mail.
_NO_DROP = (errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP)
_MOST_REMEMBERED = 100_000  # inodes; each further one costs an attempt a scan


@dataclass(frozen=True, slots=True)
class Taken:
    """A whole drop; ``arrived`` in milliseconds.

    ``message_digest`` is the SHA-256 of the message, ``digest`` that of message and envelope.
    """

    queue_id: str
    uid: int
    arrived: int
    digest: bytes
    envelope: wire.Envelope
    message: bytes
    message_digest: bytes


class NotTaken(Exception):
    """A file that is not taken; ``uid`` is -1 where it is not known."""

    def __init__(self, reason: str, uid: int = -1, size: int = 0) -> None:
        super().__init__(reason)
        self.uid = uid
        self.size = size


class Irregular(NotTaken):
    """Not a drop, or one that was changed: to be logged and removed."""


class Incomplete(NotTaken):
    """Perhaps still being written, or under a lease: to be left for a later look."""


class Newer(NotTaken):
    """Written by a newer client: to be left for a newer daemon."""


class DropDirectory:
    """The directory ``drop``, held open: a volume mounted over it later is another one."""

    def __init__(self, path: str) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        self._path = path
        self._descriptor = os.open(path, flags)
        status = os.fstat(self._descriptor)
        self._inode = (status.st_dev, status.st_ino)
        self._gid = status.st_gid
        self._is_reader = os.geteuid() == 0 or self._gid in (os.getegid(), *os.getgroups())
        self._unremovable: set[tuple[int, int]] = set()

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._descriptor)

    def is_current(self) -> bool:
        """Tell whether the path still leads to the directory that is held open."""
        try:
            status = os.lstat(self._path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._inode

    def scan(self) -> Iterator[tuple[str, int]]:
        """Yield name and owner uid of everything that lies there, in the directory's order.

        What is known to be unremovable is left out, and so are temporary names of the last day.
        """
        now = time.time()
        with os.scandir(self._descriptor) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                is_young = now - status.st_ctime < _ABANDONED_AFTER
                if not self._is_passed_over(status) and not (
                    entry.name.startswith(".") and is_young
                ):
                    yield entry.name, status.st_uid

    @property
    def unremovable(self) -> int:
        """How many names could not be removed, though not how many of them are still there."""
        return len(self._unremovable)

    def _is_passed_over(self, status: os.stat_result) -> bool:
        """Tell whether it is known to be unremovable.

        A directory, or a mount: a file of ours may have got the inode of a directory that is gone.
        """
        is_foreign = status.st_dev != self._inode[0]
        if not (is_foreign or stat.S_ISDIR(status.st_mode)):
            return False
        return (status.st_dev, status.st_ino) in self._unremovable

    def take(self, name: str, size_limit: int) -> Taken:
        """Read the drop ``name``, whose message has at most ``size_limit`` bytes.

        Raises NotTaken, and FileNotFoundError where it is gone.
        """
        if not layout.is_queue_id(name):
            raise self._irregular(name, "not a queue id")
        try:
            descriptor = os.open(name, _READING, dir_fd=self._descriptor)
        except FileNotFoundError:
            raise
        except BlockingIOError:
            raise Incomplete("under a lease") from None
        except OSError as error:
            reason = error.strerror or "cannot be opened"
            if error.errno not in _NO_DROP or not self._is_reader:
                raise Incomplete(reason) from None
            raise self._irregular(name, reason) from None
        try:
            status = os.fstat(descriptor)
            if reason := self._irregularity(status, size_limit):
                raise Irregular(reason, status.st_uid, status.st_size)
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                return _read(name, file, status)
        except OSError as error:  # the disk's, and the mail may be whole
            raise Incomplete(error.strerror or "cannot be read") from None
        finally:
            os.close(descriptor)

    def _irregular(self, name: str, reason: str) -> Irregular:
        """Return what to raise for a name that cannot be opened."""
        try:
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return Irregular(reason)
        return Irregular(reason, status.st_uid, status.st_size)

    def _irregularity(self, status: os.stat_result, size_limit: int) -> str:
        """Return why this is no drop, "" if it may be one. Hard links are somebody else's file."""
        if not stat.S_ISREG(status.st_mode):
            return "not a regular file"
        if status.st_nlink != 1:
            return f"{status.st_nlink} links"
        if status.st_gid != self._gid or stat.S_IMODE(status.st_mode) != _MODE:
            return "another group or mode"
        if status.st_size > size_limit + layout.LARGEST_ENVELOPE:
            return "too large"
        return ""

    def remove(self, name: str) -> bool:
        """Remove whatever has this name; False where that is impossible, which is remembered."""
        try:
            try:
                os.unlink(name, dir_fd=self._descriptor)
            except IsADirectoryError:
                os.rmdir(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            pass
        except OSError:
            self._remember(name)
            return False
        return True

    def _remember(self, name: str) -> None:
        try:
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return
        if len(self._unremovable) < _MOST_REMEMBERED:
            self._unremovable.add((status.st_dev, status.st_ino))


def _read(name: str, file: io.FileIO, status: os.stat_result) -> Taken:
    uid, size = status.st_uid, status.st_size
    declared, checksum = _leading_line(name, file.read(layout.LEADING_LENGTH), uid, size)
    content = b""
    if size == layout.LEADING_LENGTH + declared:
        content = _read_at_most(file, declared + 1)
    if len(content) != declared or crc32(content) != checksum:
        if time.time() - status.st_ctime > _TORN_AFTER:
            raise Irregular("torn", uid, size)
        raise Incomplete("not complete", uid, size)
    stream = io.BytesIO(content)
    try:
        envelope = wire.decode(stream)
    except DataError as error:
        raise Irregular(str(error), uid, size) from None
    message = stream.read()
    digest = hashlib.sha256(message)
    message_digest = digest.digest()
    digest.update(content[: declared - len(message)])
    arrived = status.st_ctime_ns // 1_000_000
    return Taken(name, uid, arrived, digest.digest(), envelope, message, message_digest)


def _leading_line(name: str, line: bytes, uid: int, size: int) -> tuple[int, int]:
    """Return the size and the checksum that a drop declares."""
    words = line.decode("ascii", "replace").split(" ")
    if len(words) < 3 or words[0] != "sesmail-drop" or not words[1].isdigit():
        raise Irregular("not a drop", uid, size)
    if int(words[1]) > layout.VERSION:
        raise Newer("written by a newer sesmail", uid, size)
    try:
        declared, checksum = int(words[3]), int(words[4], 16)
    except (ValueError, IndexError):
        raise Irregular("not a drop", uid, size) from None
    if line != layout.leading_line(name, declared, checksum):
        raise Irregular("not a drop of this name", uid, size)
    return declared, checksum


def _read_at_most(file: io.FileIO, most: int) -> bytes:
    """Read to the end or to ``most`` bytes; the file may grow or shrink meanwhile."""
    pieces = []
    while most > 0 and (piece := file.read(most)):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)
