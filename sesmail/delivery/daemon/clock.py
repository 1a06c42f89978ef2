"""The daemon's clock: milliseconds since the epoch, which pass as the monotonic clock does.

A clock that is set while the daemon runs must neither put off what waits nor bring it forward, so
moments are counted from the start; ``follow`` takes over what the system's clock says by now.
"""

from __future__ import annotations

import time

_JUMP = 60_000  # milliseconds; less is the correction of a clock that was right


class Clock:
    """Both clocks in one."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> int:
        """Return this moment in milliseconds since the epoch."""
        return int((time.monotonic() + self._offset) * 1000)

    def monotonic(self) -> float:
        """Return seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let this time pass, if it is any."""
        if seconds > 0:
            time.sleep(seconds)

    def follow(self) -> bool:
        """Take over the system's clock; tell whether that is a jump."""
        offset = time.time() - time.monotonic()
        jump = (offset - self._offset) * 1000
        self._offset = offset
        return abs(jump) > _JUMP
