"""Queues of a given length, and what work on them costs."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from sesmail.drop import layout
from sesmail.queue.store import NewEntry, NewPath, Store

IDENTITY = "example.com"
UID = 33
SIZE = 2000  # bytes of a message
BATCH = 1000  # messages in a transaction while the queue is filled
ROUNDS = 5
PIECES = 20  # of a round; a tenth of the short queue must not be exceeded by what is measured


def fill(directory: Path, messages: int, due: int) -> None:
    """Queue messages that are due at ``due`` milliseconds since the epoch."""
    store = Store(str(directory))
    for start in range(0, messages, BATCH):
        with store.transaction():
            store.add(entries(min(BATCH, messages - start), due))
    store.close()


def entries(number: int, due: int) -> list[NewEntry]:
    """Return entries of one lane."""
    return [_entry(due) for _ in range(number)]


def _entry(due: int) -> NewEntry:
    queue_id = layout.new_queue_id()
    head = f"From: wiki@{IDENTITY}\nTo: bob@example.org\nSubject: {queue_id}\n\n".encode()
    message = head.ljust(SIZE - 1, b"x") + b"\n"
    digest = hashlib.sha256(message).digest()
    arrived = int(time.time() * 1000)
    path = NewPath("bob@example.org", due)
    return NewEntry(
        queue_id, IDENTITY, f"wiki@{IDENTITY}", None, UID, arrived, digest, message, [path]
    )


def seconds(work: Callable[[], object]) -> float:
    """Return what a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def enqueue(store: Store, due: int) -> float:
    """Return the seconds of a transaction that queues a message."""
    batch = entries(1, due)  # made before the clock starts

    def work() -> None:
        with store.transaction():
            store.add(batch)

    return seconds(work)


def claim_next(store: Store, due: int) -> float:
    """Return the seconds of a look at what is due next, and of its claim, committed."""

    def work() -> None:
        with store.transaction():
            assert store.due(IDENTITY, UID) is not None
            assert store.claim(IDENTITY, UID, due) is not None

    return seconds(work)


def ratio(short: Path, long: Path, cost: Callable[[Store, int], float], due: int) -> float:
    """Return the median cost in a long queue over that in a short one, measured in turns."""
    stores = Store(str(short)), Store(str(long))
    costs: tuple[list[float], list[float]] = [], []
    for _ in range(ROUNDS):
        for store, some in zip(stores, costs, strict=True):
            some += [cost(store, due) for _ in range(PIECES)]
    for store in stores:
        store.close()
    return statistics.median(costs[1]) / statistics.median(costs[0])
