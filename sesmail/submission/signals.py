"""Signals that Python changes at its start, put back for those who come after."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Any
else:
    import _signal  # ``signal`` without its enums, which would cost half of our start-up time

IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)
_IGNORED_BY_DROP = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP)


def end_at_interrupt() -> None:
    """Let SIGINT end us as it ends any program, without a traceback."""
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def expect_children() -> None:
    """Before a spawn: a caller that ignores SIGCHLD leaves that to us, and no exit code to read."""
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)


def dispositions() -> dict[int, Any]:
    """Return what becomes of us at the signals that a drop ignores from its rename on."""
    return {number: _signal.getsignal(number) for number in _IGNORED_BY_DROP}


def put_back(dispositions: dict[int, Any]) -> None:
    """Obey signals as before a drop: a session goes on after it, perhaps for hours."""
    for number, disposition in dispositions.items():
        _signal.signal(number, disposition)


def restore() -> None:
    """Before an exec: let the next program start with what Python ignores at its default."""
    for number in IGNORED_BY_PYTHON:
        _signal.signal(number, _signal.SIG_DFL)
