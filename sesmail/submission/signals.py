"""Signals that Python changes at its start, put back for those who come after."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal  # ``signal`` without its enums, which would cost half of our start-up time

IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)


def end_at_interrupt() -> None:
    """Let SIGINT end us as it ends any program, without a traceback."""
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def restore() -> None:
    """Before an exec: let the next program start with what Python ignores at its default."""
    for number in IGNORED_BY_PYTHON:
        _signal.signal(number, _signal.SIG_DFL)
