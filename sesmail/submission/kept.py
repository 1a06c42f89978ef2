"""Bytes that must be read again: in memory up to 1 MiB, in a file without a name beyond.

A message of 500 MB passes through in a few MiB of memory, and nothing is left behind whatever
becomes of the process.
"""

from __future__ import annotations

import errno
import os

from sesmail.sysexits import CannotCreate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

IN_MEMORY = 1 << 20  # bytes; also the largest pipe that Linux grants to everybody
_PIPE_CAPACITY = 1 << 16


class Kept:
    """Takes bytes with ``write``; ``open`` gives a descriptor from which they can be read."""

    __slots__ = ("_directories", "_file", "_pieces", "size")

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._directories = [environ.get("TMPDIR", ""), "/var/tmp", "/tmp"]  # noqa: S108
        self._pieces: list[bytes] = []
        self._file = -1
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises CannotCreate where no file can be made or grown."""
        self.size += len(data)
        self._pieces.append(data)
        if self._file >= 0 or self.size > IN_MEMORY:
            self._spill()

    def open(self) -> int:
        """Return a descriptor that stands at the first byte: a pipe, or the file."""
        if self._file < 0:
            descriptor = self._pipe(b"".join(self._pieces))
            if descriptor >= 0:
                return descriptor
            self._spill()
        os.lseek(self._file, 0, os.SEEK_SET)
        return self._file

    def _pipe(self, data: bytes) -> int:
        """Return the end of a pipe that holds all of ``data``, or -1 if none is large enough."""
        reading, writing = os.pipe()
        try:
            if len(data) > _PIPE_CAPACITY:
                import fcntl  # a rare size

                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, len(data))
            os.set_blocking(writing, False)
            if not data or os.write(writing, data) == len(data):
                return reading
        except OSError:
            pass  # the user's share of pipe memory is used up: a file will do
        finally:
            os.close(writing)
        os.close(reading)
        return -1

    def _spill(self) -> None:
        try:
            if self._file < 0:
                self._file = self._create()
            for piece in self._pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(self._file, view) :]
        except OSError as error:
            raise CannotCreate(
                f"cannot keep the message in a temporary file: {error.strerror}; "
                "make room in /var/tmp"
            ) from None
        self._pieces = []

    def _create(self) -> int:
        failure = OSError(errno.ENOENT, "")
        for directory in self._directories:
            if not directory.startswith("/"):
                continue
            try:
                return _unnamed_file(directory)
            except OSError as error:
                failure = error
        raise failure


def _unnamed_file(directory: str) -> int:
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # not on every file system
            raise
    path = os.path.join(directory, f"sesmail.{os.urandom(12).hex()}")
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    os.unlink(path)
    return descriptor
