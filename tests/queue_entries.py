"""Entries for tests of the queue."""

from __future__ import annotations

import hashlib

from sesmail.drop import layout
from sesmail.queue.store import Finished, Job, NewEntry, NewPath, State

NOW = 1_800_000_000_000  # milliseconds


def entry(
    *addresses: str,
    identity: str = "example.com",
    uid: int = 33,
    due: int = NOW,
    message: bytes = b"Subject: x\n\nhello\n",
    queue_id: str = "",
) -> NewEntry:
    """Return a new entry for these forward-paths."""
    return NewEntry(
        queue_id or layout.new_queue_id(),
        identity,
        f"wiki@{identity}",
        None,
        uid,
        NOW,
        hashlib.sha256(message).digest(),
        message,
        [NewPath(address, due) for address in addresses or ("bob@example.org",)],
    )


def all_finished(job: Job, state: State, due: int = 0) -> list[Finished]:
    """Return the same result for each forward-path of a job."""
    return [Finished(path.id, state, due, "2.0.0", "text") for path in job.paths]
