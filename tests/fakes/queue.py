"""One SQS queue: what waits, what is in flight, and how both come back.

A standard queue: a message that was received is hidden for the visibility timeout and comes again
unless it was deleted by the handle of its last receive.  Each step costs the logarithm of the
length, so that a test can have 100,000 messages.  All queues of an account are in `queues`, the
requests in `sqs`.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

# What CreateQueue takes, with SQS's defaults; all are text, as in its API.
DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
_SHORTEST_WAIT = 0.01


@dataclass(slots=True)
class Message:
    """One message of a queue.  Times are seconds since the epoch, by the queue's clock."""

    number: int
    id: str
    body: str
    digest: str
    sent: float
    visible_at: float
    received: int = 0
    first_received: float = 0.0

    @property
    def handle(self) -> str:
        """The receipt handle of the last receive."""
        return f"AQEB{self.number:012x}{self.received:08x}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message as one receive got it."""

    handle: str
    message: Message
    received: int


class Clock:
    """The time of all queues: that of the system, and what tests put on top."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.ahead


@dataclass(slots=True)
class Habits:
    """What a standard queue may do, and seldom does: a test has it do so often.

    Every `duplicate`-th message is kept twice (0: none); a message may be overtaken by up to
    `shuffle` later ones.
    """

    duplicate: int = 0
    shuffle: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))


class Queue:
    """One queue.

    counts has `sent`, `received` and `deleted` messages, and `receives`: requests, of which `empty`
    ones got nothing.
    """

    def __init__(self, arn: str, attributes: dict[str, str], clock: Clock, habits: Habits) -> None:
        self.arn = arn
        self.attributes = {**DEFAULTS, **attributes}
        self.created = clock()
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._habits = habits
        self._numbers = itertools.count(1)
        self._kept: dict[int, Message] = {}
        self._ready: list[tuple[float, int]] = []  # (order, number), a heap
        self._hidden: list[tuple[float, int]] = []  # (visible_at, number), a heap
        self._changed = threading.Condition()
        self._closed = False
        self._interrupts = 0

    def __len__(self) -> int:
        """The messages that are not deleted, in flight or not."""
        with self._changed:
            return len(self._kept)

    def bodies(self) -> list[str]:
        """The bodies of what is not deleted, in the order of sending."""
        with self._changed:
            return [message.body for message in self._kept.values()]

    def send(self, body: str, delay: float | None = None) -> Message:
        """Put a message into the queue; delay (None: the queue's) hides it so many seconds."""
        if delay is None:
            delay = float(self.attributes["DelaySeconds"])
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        identifier = str(uuid.uuid4())
        with self._changed:
            self.counts["sent"] += 1
            every = self._habits.duplicate
            for _ in range(2 if every and self.counts["sent"] % every == 0 else 1):
                now = self._clock()
                message = Message(next(self._numbers), identifier, body, digest, now, now + delay)
                self._kept[message.number] = message
                self._place(message, now)
            self._changed.notify_all()
        return message

    def receive(
        self, most: int, visibility: float, wait: float, gone: Callable[[], bool]
    ) -> list[Receipt]:
        """Up to `most` messages, hidden for `visibility` seconds from now on.

        Where there are none it waits up to `wait` seconds of real time; whoever asked may be
        `gone` by then, and takes nothing with him.
        """
        deadline = time.monotonic() + wait
        with self._changed:
            self.counts["receives"] += 1
            self._changed.notify_all()
            interrupts = self._interrupts
            while not self._closed and self._interrupts == interrupts:
                self._surface()
                if self._ready:
                    return [] if gone() else self._take(most, visibility)
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(left, self._next_surfacing()))
            self.counts["empty"] += 1
            self._changed.notify_all()
            return []

    def delete(self, handle: str) -> None:
        """Delete by the handle of the last receive; an older one does nothing, as SQS says.

        ValueError for what is no handle.
        """
        with self._changed:
            message = self._held_by(handle)
            if message is not None:
                del self._kept[message.number]
                self.counts["deleted"] += 1
                self._changed.notify_all()

    def change_visibility(self, handle: str, seconds: float) -> bool:
        """Hide a message in flight for so long from now on; False if it is not in flight.

        ValueError for what is no handle.
        """
        with self._changed:
            message = self._held_by(handle)
            now = self._clock()
            if message is None or message.visible_at <= now:
                return False
            message.visible_at = now + seconds
            self._place(message, now)
            self._changed.notify_all()
            return True

    def purge(self) -> None:
        """Delete everything."""
        with self._changed:
            self._kept.clear()
            self._ready.clear()
            self._hidden.clear()

    def numbers(self) -> dict[str, int]:
        """How many messages wait, are in flight and are delayed, by SQS's attribute names."""
        with self._changed:
            now = self._clock()
            hidden = [one for one in self._kept.values() if one.visible_at > now]
            delayed = sum(1 for one in hidden if not one.received)
            return {
                "ApproximateNumberOfMessages": len(self._kept) - len(hidden),
                "ApproximateNumberOfMessagesNotVisible": len(hidden) - delayed,
                "ApproximateNumberOfMessagesDelayed": delayed,
            }

    def wake(self) -> None:
        """Have who waits look at the clock again."""
        with self._changed:
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Whoever waits gets nothing, at once."""
        with self._changed:
            self._interrupts += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_until(self, settled: Callable[[Queue], bool], seconds: float = 30.0) -> None:
        """Return once `settled(queue)`; TimeoutError if not in time.  For tests.

        It is asked with the lock held, whenever a message is sent or deleted, and at each receive.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: settled(self), seconds):
                raise TimeoutError(f"{self.arn}: {dict(self.counts)}, {len(self)} left")

    def _place(self, message: Message, now: float) -> None:
        """Put it where its time has come, or where it waits for that."""
        if message.visible_at > now:
            heapq.heappush(self._hidden, (message.visible_at, message.number))
            return
        places = self._habits.shuffle
        order = message.number + (self._habits.chance.uniform(0, places) if places else 0)
        heapq.heappush(self._ready, (order, message.number))

    def _surface(self) -> None:
        """Bring back what was hidden and is due, and drop from the front what is deleted or old."""
        now = self._clock()
        while self._hidden and self._hidden[0][0] <= now:
            visible_at, number = heapq.heappop(self._hidden)
            message = self._kept.get(number)
            # Its time may have been changed since: then there is another entry for it.
            if message is not None and message.visible_at == visible_at:
                self._place(message, now)
        oldest = now - float(self.attributes["MessageRetentionPeriod"])
        while self._ready:
            message = self._kept.get(self._ready[0][1])
            if message is not None and message.sent > oldest:
                return
            _, number = heapq.heappop(self._ready)
            self._kept.pop(number, None)

    def _take(self, most: int, visibility: float) -> list[Receipt]:
        now = self._clock()
        taken: list[Receipt] = []
        again: list[Message] = []
        while self._ready and len(taken) < most:
            _, number = heapq.heappop(self._ready)
            message = self._kept.get(number)
            if message is None:
                continue
            message.received += 1
            message.first_received = message.first_received or now
            message.visible_at = now + visibility
            again.append(message)
            taken.append(Receipt(message.handle, message, message.received))
        for message in again:
            self._place(message, now)
        self.counts["received"] += len(taken)
        self._changed.notify_all()
        return taken

    def _held_by(self, handle: str) -> Message | None:
        if not handle.startswith("AQEB") or len(handle) != 24:
            raise ValueError(handle)
        message = self._kept.get(int(handle[4:16], 16))
        return message if message is not None and message.handle == handle else None

    def _next_surfacing(self) -> float:
        if not self._hidden:
            return threading.TIMEOUT_MAX
        return max(_SHORTEST_WAIT, self._hidden[0][0] - self._clock())
