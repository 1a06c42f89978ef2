"""The time that is left: every time-out and every wait of an attempt is cut to it."""

from __future__ import annotations

import time

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0


class Deadline:
    """A moment of the monotonic clock, ``seconds`` from now; None: never."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float | None = None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left: 0.0 when they are over, infinity where there is no end."""
        return float("inf") if self._end is None else max(0.0, self._end - time.monotonic())

    def cut(self, seconds: float) -> float:
        """Return ``seconds``, or what is left if that is less."""
        return min(seconds, self.left())

    def over(self) -> bool:
        """Tell whether no time is left."""
        return self.left() <= 0.0
