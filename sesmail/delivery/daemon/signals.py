"""Signals as something to be read in the loop: nothing happens between two lines of it."""

from __future__ import annotations

import signal
import socket
from types import FrameType

LEAVE = (signal.SIGTERM, signal.SIGINT)
RELOAD = signal.SIGHUP
_MOST = 64


class Signals:
    """SIGTERM, SIGINT and SIGHUP, from now on; ``fileno`` is for a selector."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (*LEAVE, RELOAD):
            signal.signal(number, _pass)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._reader.fileno()

    def read(self) -> set[int]:
        """Return the signals that came."""
        try:
            return set(self._reader.recv(_MOST))
        except BlockingIOError:
            return set()

    def close(self) -> None:
        """Leave the signals to themselves again."""
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()


def _pass(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the socket already."""
