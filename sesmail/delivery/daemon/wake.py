"""The daemon's end of the FIFO ``wake``: clients name what they dropped.

Opened for reading and writing: with a reader only, the end of the last writer would wake us for
ever. Everybody may write, so a line that is no queue id only asks for a scan.
"""

from __future__ import annotations

import os
import stat

from sesmail.drop import layout
from sesmail.sysexits import CannotCreate

_CAPACITY = 1 << 16  # bytes of a pipe (pipe(7))
# A write goes whole into a page, so a pipe can be full, and lose names, when half its bytes are.
_PERHAPS_FULL = _CAPACITY // 2


class WakeReader:
    """The FIFO, open; ``fileno`` is for a selector."""

    def __init__(self, spool_directory: str) -> None:
        path = os.path.join(spool_directory, "wake")
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags)
        except OSError as error:
            raise CannotCreate(
                f"cannot open {path}: {error.strerror}; run sesmailctl init as root"
            ) from None
        if not stat.S_ISFIFO(os.fstat(self._descriptor).st_mode):
            os.close(self._descriptor)
            raise CannotCreate(f"{path} is no FIFO; remove it and run sesmailctl init as root")
        self._rest = b""

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Let clients see that no daemon runs."""
        os.close(self._descriptor)

    def read(self) -> tuple[list[str], bool]:
        """Return the names that came, and whether something else came or names may be lost."""
        try:
            data = os.read(self._descriptor, _CAPACITY)
        except BlockingIOError:
            return [], False
        *lines, self._rest = (self._rest + data).split(b"\n")
        names = [line.decode("latin-1") for line in lines]
        good = [name for name in names if layout.is_queue_id(name)]
        is_garbage = len(good) < len(names) or len(self._rest) > layout.ID_LENGTH
        if len(self._rest) > layout.ID_LENGTH:
            self._rest = b""
        return good, is_garbage or len(data) >= _PERHAPS_FULL
