"""Bytes that must be read again: in memory up to 1 MiB, in a file without a name beyond.

A message of 500 MB passes through in a few MiB of memory, and nothing is left behind whatever
becomes of the process.
"""

from __future__ import annotations

import errno
import posix
from io import SEEK_SET

from sesmail.sysexits import CannotCreate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IN_MEMORY = 1 << 20  # bytes; also the largest pipe that Linux grants to everybody
_PIPE_CAPACITY = 1 << 16
_PIECE = 1 << 16  # bytes


class Kept:
    """Takes bytes with ``write``; gives them back with ``pieces``, or as a descriptor by ``open``.

    A process that ends anyway need not ``close`` it.
    """

    __slots__ = ("_directories", "_file", "_pieces", "_reading", "size")

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._directories = [environ.get("TMPDIR", ""), "/var/tmp", "/tmp"]  # noqa: S108
        self._pieces: list[bytes] = []
        self._file = -1
        self._reading = -1  # the pipe that ``open`` gave
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises CannotCreate where no file can be made or grown."""
        self.size += len(data)
        self._pieces.append(data)
        if self._file >= 0 or self.size > IN_MEMORY:
            self._spill()

    def pieces(self) -> Iterator[bytes]:
        """Yield all bytes, from the first one. Raises CannotCreate where they cannot be read."""
        if self._file < 0:
            yield from self._pieces
            return
        position = 0
        while position < self.size:
            try:
                piece = posix.pread(self._file, _PIECE, position)
            except OSError as error:
                raise CannotCreate(f"cannot read a temporary file: {error.strerror}") from None
            position += len(piece)
            yield piece

    def close(self) -> None:
        """Let go of what was kept."""
        for descriptor in (self._file, self._reading):
            if descriptor >= 0:
                posix.close(descriptor)
        self._file = self._reading = -1
        self._pieces = []

    def open(self) -> int:
        """Return a descriptor that stands at the first byte: a pipe, or the file. It stays ours."""
        if self._file < 0:
            self._reading = self._pipe(b"".join(self._pieces))
            if self._reading >= 0:
                return self._reading
            self._spill()
        posix.lseek(self._file, 0, SEEK_SET)
        return self._file

    def _pipe(self, data: bytes) -> int:
        """Return the end of a pipe that holds all of ``data``, or -1 if none is large enough."""
        reading, writing = posix.pipe()
        try:
            if len(data) > _PIPE_CAPACITY:
                import fcntl  # a rare size

                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, len(data))
            posix.set_blocking(writing, False)
            if not data or posix.write(writing, data) == len(data):
                return reading
        except OSError:
            pass  # the user's share of pipe memory is used up: a file will do
        finally:
            posix.close(writing)
        posix.close(reading)
        return -1

    def _spill(self) -> None:
        try:
            if self._file < 0:
                self._file = self._create()
            for piece in self._pieces:
                view = memoryview(piece)
                while view:
                    view = view[posix.write(self._file, view) :]
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
        return posix.open(directory, posix.O_TMPFILE | posix.O_RDWR | posix.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # not on every file system
            raise
    path = f"{directory}/sesmail.{posix.urandom(12).hex()}"
    descriptor = posix.open(
        path, posix.O_CREAT | posix.O_EXCL | posix.O_RDWR | posix.O_CLOEXEC, 0o600
    )
    posix.unlink(path)
    return descriptor
