"""What a transport is: it takes a message for at most 50 forward-paths and answers with values."""

from __future__ import annotations

from typing import Protocol

from sesmail.delivery.outcome import Result

MOST_FORWARD_PATHS = 50  # SES's limit for one message, in all three interfaces


class Transport(Protocol):
    """A way into SES."""

    relay: str
    """The host that takes the mail, for the log."""

    def send(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> list[Result]:
        """Make one attempt; return one result per forward-path, in their order. Raises nothing.

        ``message`` is complete and has CRLF line ends; ``source`` gets what bounces.
        """

    def close(self) -> None:
        """End the session, if there is one."""
