"""``max_send_rate``: attempts spaced so that SES sees no more recipients per second."""

from __future__ import annotations

import time

from sesmail.delivery.transport.deadline import Deadline


class Pace:
    """Grants attempts; each one puts off the next by its number of forward-paths over the rate."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate  # recipients per second; None: no limit
        self._next = 0.0

    def wait(self, forward_paths: int, deadline: Deadline) -> bool:
        """Wait for the attempt's turn; return False, at once, if that is beyond the deadline."""
        pause = max(0.0, self._next - time.monotonic())
        if pause >= deadline.left():
            return False
        time.sleep(pause)
        if self._rate is not None:
            self._next = time.monotonic() + forward_paths / self._rate
        return True
