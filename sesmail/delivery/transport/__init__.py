"""The ways a message can leave: SES's API, its SMTP interface, or a Maildir.

``choose`` picks one; ``open`` holds it to ``max_send_rate``, where nobody else counts recipients.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sesmail.delivery.credential_rules import CAPTURE, SMTP
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.libraries import ONE_AT_A_TIME
from sesmail.delivery.outcome import Result, not_tried
from sesmail.delivery.transport.base import MOST_FORWARD_PATHS, Transport
from sesmail.delivery.transport.deadline import Deadline
from sesmail.delivery.transport.pace import Pace

__all__ = ["MOST_FORWARD_PATHS", "Deadline", "Sender", "Transport", "choose", "open"]


class Sender:
    """A transport held to its deadline and to ``max_send_rate``; a context manager."""

    def __init__(self, way: Transport, pace: Pace, deadline: Deadline) -> None:
        self._way = way
        self._pace = pace
        self._deadline = deadline
        self.relay = way.relay

    def send(
        self, message: bytes, source: str, forward_paths: list[str], queue_id: str
    ) -> list[Result]:
        """Make one attempt for at most ``MOST_FORWARD_PATHS``; see ``Transport.send``."""
        if not self._pace.wait(len(forward_paths), self._deadline):
            result = not_tried("no time was left for this attempt: nothing was sent", self.relay)
            return [result] * len(forward_paths)
        return self._way.send(message, source, forward_paths, queue_id)

    def close(self) -> None:
        """End the session, if there is one."""
        self._way.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open(credentials: Credentials, deadline: Deadline) -> Sender:  # noqa: A001
    """Return the transport that the credentials call for. Nothing is connected yet."""
    return Sender(choose(credentials, deadline), Pace(credentials.max_send_rate), deadline)


def choose(credentials: Credentials, deadline: Deadline) -> Transport:
    """Return the transport itself. Those for the API and for capture may be shared by threads."""
    # Imported where chosen: botocore costs 100 ms, which neither SMTP nor capture has a use for.
    if credentials.transport == CAPTURE:
        with ONE_AT_A_TIME:
            from sesmail.delivery.transport.capture import Capture

        return Capture(credentials)
    if credentials.transport == SMTP:
        with ONE_AT_A_TIME:
            from sesmail.delivery.transport.smtp import Smtp

        return Smtp(credentials, deadline)
    with ONE_AT_A_TIME:
        from sesmail.delivery.transport.api import Api

    return Api(credentials, deadline)
