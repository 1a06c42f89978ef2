"""Submission's lines in the mail log (syslog, in Postfix's shape): ``sesmail/submit[pid]: …``."""

from __future__ import annotations

import posix
import syslog

_FIELD = 200  # characters
_SOCKET = "/dev/log"
_facility = syslog.LOG_MAIL


def set_facility(name: str) -> None:
    """Log under the facility of this name, such as ``mail`` or ``local3``."""
    global _facility
    _facility = getattr(syslog, f"LOG_{name.upper()}")


def submitted(queue_id: str, reverse_path: str) -> None:
    """Log that a message was taken from this uid."""
    _write(
        syslog.LOG_INFO,
        f"{queue_id}: uid={posix.getuid()} from=<{printable(reverse_path)[:_FIELD]}>",
    )


def nobody_delivers(queue_id: str, *, is_asked: bool) -> None:
    """Say that a message is safe but waits for a daemon; on stderr where nobody else would hear."""
    text = f"{queue_id}: queued, but sesmaild does not run; start it"
    _write(syslog.LOG_WARNING, f"warning: {text}")
    if is_asked or posix.isatty(2) or not posix.access(_SOCKET, posix.F_OK):
        posix.write(2, f"sendmail: {text}\n".encode("ascii"))


def warning(text: str) -> None:
    """Log what was passed over."""
    _write(syslog.LOG_WARNING, f"warning: {text}")


def failure(text: str) -> None:
    """Log why a message was not taken."""
    _write(syslog.LOG_ERR, f"fatal: uid={posix.getuid()}: {text}")


def internal_error(error: Exception) -> str:
    """Return what to tell of a bug: its class and place, for its text may be private."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = where and f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
    return f"internal error: {type(error).__name__} at {place}; not sent; please report it"


def printable(text: str) -> str:
    """Return ``text`` with a ``?`` for everything but printable ASCII: one line, no escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if " " <= char <= "~" else "?" for char in text)


def _write(priority: int, text: str) -> None:
    syslog.openlog("sesmail/submit", syslog.LOG_PID, _facility)
    syslog.syslog(priority, text)
