"""All SQS queues of the account.  What one queue does is in `queue`, the requests are in `sqs`."""

from __future__ import annotations

import threading

from .queue import Clock, Habits, Queue

DELETED_FOR = 60.0  # seconds until the name of a deleted queue is free again


class DeletedRecently(Exception):
    """SQS keeps the name of a deleted queue for a minute."""


class Queues:
    """The queues by name.  habits are those of every queue."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.habits = Habits()
        self._away = ""
        self._lock = threading.Lock()
        self._by_name: dict[str, Queue] = {}
        self._deleted_at: dict[str, float] = {}

    @property
    def away(self) -> str:
        """How SQS fails: `` not at all, `dropped` (no answer) or `unavailable` (503).

        Polls that wait already meet it as well.
        """
        return self._away

    @away.setter
    def away(self, how: str) -> None:
        self._away = how
        for queue in self._all():
            queue.interrupt()

    def create(self, arn: str, attributes: dict[str, str]) -> Queue:
        """Make a queue, which must not be there; DeletedRecently if it was until just now."""
        name = arn.rpartition(":")[2]
        with self._lock:
            if self.clock() < self._deleted_at.get(name, 0.0) + DELETED_FOR:
                raise DeletedRecently(name)
            queue = self._by_name[name] = Queue(arn, attributes, self.clock, self.habits)
            return queue

    def find(self, name: str) -> Queue | None:
        """The queue of this name (or URL, or ARN: whatever ends in it)."""
        with self._lock:
            return self._by_name.get(name.rpartition("/")[2].rpartition(":")[2])

    def names(self) -> list[str]:
        """All names, sorted."""
        with self._lock:
            return sorted(self._by_name)

    def delete(self, name: str) -> None:
        """Delete the queue with what is in it."""
        with self._lock:
            queue = self._by_name.pop(name)
            self._deleted_at[name] = self.clock()
        queue.close()

    def advance(self, seconds: float) -> None:
        """Let time pass for all queues at once: visibility, delays, retention."""
        self.clock.ahead += seconds
        for queue in self._all():
            queue.wake()

    def close(self) -> None:
        """The server closes: nobody waits from now on."""
        for queue in self._all():
            queue.close()

    def _all(self) -> list[Queue]:
        with self._lock:
            return list(self._by_name.values())
