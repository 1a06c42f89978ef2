"""Where the daemon's lines go: to syslog, or to stderr where there is none (a container)."""

from __future__ import annotations

import contextlib
import os
import syslog
from collections.abc import Callable

from sesmail.delivery import maillog
from sesmail.delivery.maillog import Emit, printable

_SOCKET = "/dev/log"
_LONGEST = 1000  # characters


class Stderr:
    """Lines on stderr, those of one turn of the loop in one write."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def emit(self, program: str, priority: int, text: str) -> None:
        """Take a line; see ``maillog.Emit``."""
        self._lines.append(f"sesmail/{program}[{os.getpid()}]: {text}\n")

    def flush(self) -> None:
        """Write what was taken. Nobody reads it: no reason to stop delivering."""
        data = memoryview("".join(self._lines).encode("ascii", "replace"))
        self._lines.clear()
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(2, data) :]


class DaemonLog:
    """Lines about the daemon itself, ``sesmail/sesmaild[pid]: …``.

    ``flush`` is called where nothing more is logged for a while.
    """

    def __init__(self, emit: Emit, flush: Callable[[], None] = lambda: None) -> None:
        self.emit = emit
        self.flush = flush

    def info(self, text: str) -> None:
        """Log what happens in the course of things."""
        self.emit("sesmaild", syslog.LOG_INFO, printable(text, _LONGEST))

    def warning(self, text: str) -> None:
        """Log what somebody should look at."""
        self.emit("sesmaild", syslog.LOG_WARNING, f"warning: {printable(text, _LONGEST)}")

    def error(self, text: str) -> None:
        """Log what somebody must mend."""
        self.emit("sesmaild", syslog.LOG_ERR, f"error: {printable(text, _LONGEST)}")


def opened(facility: str, to_stderr: bool) -> DaemonLog:
    """Return the log that the command writes."""
    if to_stderr or not os.path.exists(_SOCKET):
        stderr = Stderr()
        return DaemonLog(stderr.emit, stderr.flush)
    return DaemonLog(maillog.to_syslog(facility))
