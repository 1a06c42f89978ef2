"""Between the pollers' threads and the main one: events in, by a deque and an eventfd.

What is here is bounded by what each poller may have in hand.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from sesmail.delivery.events.record import Event


@dataclass(frozen=True, slots=True)
class Received:
    """A message of SQS. ``event`` is None for what is nothing to us, or, with ``trouble``, unread.

    ``receipt`` is what deletes it; ``count``: how often it was received.
    """

    receipt: str
    count: int
    event: Event | None
    trouble: str = ""


class Source(Protocol):
    """Where a batch came from: its poller, as the main thread sees it."""

    @property
    def name(self) -> str:
        """The identity whose queue it is."""

    def settle(self, count: int, done: list[str], left: list[tuple[str, int]]) -> None:
        """Take back ``count`` messages: receipts to be deleted, and some left for seconds."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in one call."""

    source: Source
    received: list[Received]


@dataclass(frozen=True, slots=True)
class News:
    """How a queue is: ``trouble`` is what is wrong, or "" when it is well again."""

    source: Source
    trouble: str


class Inbox:
    """The deque and the eventfd."""

    def __init__(self) -> None:
        self._items: deque[Batch | News] = deque()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Return the eventfd, readable when something is here."""
        return self._event

    def put(self, item: Batch | News) -> None:
        """Hand something over; for any thread."""
        self._items.append(item)
        os.eventfd_write(self._event, 1)

    def take(self) -> list[Batch | News]:
        """Return what came since the last call."""
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            pass
        items = []
        while self._items:
            items.append(self._items.popleft())
        return items
