"""What the administrator decides about an entry, written down.

Each function works on the writer's connection, inside ``Store.transaction``.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sesmail.queue.upkeep import Hold


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry, and how many of its forward-paths are open, and being sent."""

    id: int
    identity: str
    open: int
    active: int


def find(connection: sqlite3.Connection, queue_id: str) -> Entry | None:
    """Return an entry, be it done or not; None if there is none."""
    row = connection.execute(
        "SELECT e.id, i.name, e.open,"
        " (SELECT count(*) FROM path WHERE entry = e.id AND state = 1)"
        " FROM entry e JOIN identity i ON i.id = e.identity WHERE e.queue_id = ?",
        (queue_id,),
    ).fetchone()
    return None if row is None else Entry(*row)


def retry(connection: sqlite3.Connection, entry: Entry, now: int) -> int:
    """Make due what waits; return how many forward-paths."""
    return connection.execute(
        "UPDATE path SET due = ? WHERE entry = ? AND state = 0", (now, entry.id)
    ).rowcount


def hold(connection: sqlite3.Connection, entry: Entry, hold: Hold) -> int:
    """Let what waits wait for a hold; return how many forward-paths."""
    return connection.execute(
        "UPDATE path SET state = 4, hold = ? WHERE entry = ? AND state = 0", (hold.id, entry.id)
    ).rowcount


def requeue(connection: sqlite3.Connection, entry: Entry, now: int) -> int:
    """Try the forward-paths again that failed; return how many.

    The entry counts as new: its age starts again. What its last attempts met goes to ``reply``.
    """
    _keep_replies(connection, entry)
    count = connection.execute(
        "UPDATE path SET state = 0, due = ?, attempts = 0 WHERE entry = ? AND state = 3",
        (now, entry.id),
    ).rowcount
    if count:
        connection.execute(
            "UPDATE entry SET open = open + ?, failed = 0, finished = NULL, arrived = ?"
            " WHERE id = ?",
            (count, now, entry.id),
        )
    return count


def delete(connection: sqlite3.Connection, entry: Entry, text: str, now: int) -> int:
    """Give up what is neither delivered nor deleted, and its content; return how many paths."""
    _keep_replies(connection, entry)
    count = connection.execute(
        "UPDATE path SET state = 5, due = ?, hold = NULL, status = '', text = ?"
        " WHERE entry = ? AND state NOT IN (2, 5)",
        (now, text, entry.id),
    ).rowcount
    if count:
        connection.execute(
            "UPDATE entry SET open = 0, failed = 0, finished = ? WHERE id = ?", (now, entry.id)
        )
        connection.execute("DELETE FROM content WHERE entry = ?", (entry.id,))
    return count


def _keep_replies(connection: sqlite3.Connection, entry: Entry) -> None:
    """Remember why forward-paths failed that are not to be failed any more."""
    connection.execute(
        "INSERT INTO reply (path, attempt, status, text, relay)"
        " SELECT id, attempt, status, text, relay FROM path"
        " WHERE entry = ? AND state = 3 AND attempt IS NOT NULL",
        (entry.id,),
    )
