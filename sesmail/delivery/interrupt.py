"""What ends the foreground from outside: a signal, or the clock.

Each becomes an exception where the code stands, so that the caller still gets its one line and exit
code. A time-out of a socket counts from byte to byte; the alarm is what holds the whole budget.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)


class Interrupted(BaseException):
    """Not an Exception: a library that catches those must not swallow it."""


@contextlib.contextmanager
def raised(seconds: float) -> Iterator[None]:
    """Raise Interrupted inside at SIGTERM, SIGINT, SIGHUP, and after ``seconds``.

    What the caller had ignored (nohup, a shell's background job) stays ignored.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, _raise)
    signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        ignore()
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore() -> None:
    """Pass over all of them from now on: what is known is only to be told."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _raise(number: int, frame: FrameType | None) -> None:
    ignore()
    if number == signal.SIGALRM:
        raise Interrupted("time ran out")
    raise Interrupted(f"interrupted by {signal.Signals(number).name}")
