"""Queues of a given length, and pieces of work on them."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from sesmail.drop import layout
from sesmail.queue.store import NewEntry, NewPath, Store

IDENTITY = "example.com"
UID = 33
SIZE = 2000  # bytes of a message
BATCH = 1000  # messages in a transaction while the queue is filled


def fill(directory: Path, messages: int, due: int, recipients: int = 1) -> None:
    """Queue messages that are due at ``due`` milliseconds since the epoch."""
    store = Store(str(directory))
    for start in range(0, messages, BATCH):
        enqueue(store, entries(min(BATCH, messages - start), due, recipients=recipients))
    store.close()


def entries(
    number: int, due: int, arrived: int | None = None, recipients: int = 1
) -> list[NewEntry]:
    """Return entries of one lane, which arrived now or when ``arrived`` says."""
    return [_entry(due, arrived, recipients) for _ in range(number)]


def _entry(due: int, arrived: int | None, recipients: int) -> NewEntry:
    queue_id = layout.new_queue_id()
    head = f"From: wiki@{IDENTITY}\nTo: bob@example.org\nSubject: {queue_id}\n\n".encode()
    message = head.ljust(SIZE - 1, b"x") + b"\n"
    digest = hashlib.sha256(message).digest()
    if arrived is None:
        arrived = int(time.time() * 1000)
    addresses = ["bob@example.org", *(f"bob{n}@example.org" for n in range(1, recipients))]
    paths = [NewPath(address, due) for address in addresses]
    return NewEntry(
        queue_id, IDENTITY, f"wiki@{IDENTITY}", None, UID, arrived, digest, message, paths
    )


def enqueue(store: Store, batch: list[NewEntry]) -> None:
    """Queue some messages in one transaction."""
    with store.transaction():
        store.add(batch)


def claim_next(store: Store, due: int) -> None:
    """Look at what is due next, and claim it."""
    with store.transaction():
        assert store.due(IDENTITY, UID) is not None
        assert store.claim(IDENTITY, UID, due) is not None


def put_back(store: Store) -> None:
    """Let what was claimed wait again."""
    with store.transaction():
        store.connection.execute("UPDATE path SET state = 0, attempt = NULL WHERE state = 1")
        store.connection.execute("DELETE FROM attempt")
