"""Where the daemon's lines go: to syslog, or to stderr where there is none (a container)."""

from __future__ import annotations

import contextlib
import os
import syslog

from sesmail.delivery import maillog
from sesmail.delivery.maillog import Emit, printable

_SOCKET = "/dev/log"
_LONGEST = 1000  # characters


def emitter(facility: str, to_stderr: bool) -> Emit:
    """Return what writes a line of the mail log."""
    if to_stderr or not os.path.exists(_SOCKET):
        return _to_stderr
    return maillog.to_syslog(facility)


class DaemonLog:
    """Lines about the daemon itself, ``sesmail/sesmaild[pid]: …``."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit

    def info(self, text: str) -> None:
        """Log what happens in the course of things."""
        self.emit("sesmaild", syslog.LOG_INFO, printable(text, _LONGEST))

    def warning(self, text: str) -> None:
        """Log what somebody should look at."""
        self.emit("sesmaild", syslog.LOG_WARNING, f"warning: {printable(text, _LONGEST)}")

    def error(self, text: str) -> None:
        """Log what somebody must mend."""
        self.emit("sesmaild", syslog.LOG_ERR, f"error: {printable(text, _LONGEST)}")


def _to_stderr(program: str, priority: int, text: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads it: no reason to stop delivering
        os.write(2, f"sesmail/{program}[{os.getpid()}]: {text}\n".encode("ascii", "replace"))
