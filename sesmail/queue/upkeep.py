"""What happens to the queue beside taking and finishing: holds, history, space.

Each function works on the writer's connection, inside ``Store.transaction``.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

IDENTITY = "identity"  # nothing of it is tried; no path is changed
AUTHOR = "author"  # mail of this author domain
RECIPIENT = "recipient"  # this forward-path
ENTRY = "entry"  # this entry: SES may have it, and sending again was forbidden
OPERATOR = "operator"  # this entry: the administrator said so
_PIECE = 10_000  # rows changed by one statement: SQLite keeps in memory which they are


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that waits for the administrator; ``began`` in milliseconds."""

    id: int
    identity: str
    scope: str
    key: str
    began: int
    reason: str


def begin_hold(
    connection: sqlite3.Connection, identity: str, scope: str, key: str, reason: str, now: int
) -> Hold:
    """Write down that a hold begins."""
    number = connection.execute(
        "INSERT INTO hold (identity, scope, key, began, reason)"
        " SELECT id, ?, ?, ?, ? FROM identity WHERE name = ?",
        (scope, key, now, reason, identity),
    ).lastrowid
    return Hold(number or 0, identity, scope, key, now, reason)


def holds(connection: sqlite3.Connection) -> list[Hold]:
    """Return the holds that last."""
    rows = connection.execute(
        "SELECT h.id, i.name, h.scope, h.key, h.began, h.reason FROM hold h"
        " JOIN identity i ON i.id = h.identity WHERE h.ended IS NULL ORDER BY h.id"
    )
    return [Hold(*row) for row in rows]


def keep_back(connection: sqlite3.Connection, path: int, hold: Hold) -> None:
    """Hold a path that was claimed, as if it had not been."""
    connection.execute(
        "UPDATE path SET state = 4, hold = ?, text = ?, attempts = attempts - 1 WHERE id = ?",
        (hold.id, hold.reason, path),
    )


def forget_attempt(connection: sqlite3.Connection, attempt: int) -> None:
    """Forget an attempt that was not made after all."""
    connection.execute("DELETE FROM attempt WHERE id = ?", (attempt,))


def release(connection: sqlite3.Connection, hold: int, now: int, most: int = -1) -> int:
    """Let held paths wait for their turn again, ``most`` of them or all; return how many."""
    return connection.execute(
        "UPDATE path SET state = 0, due = ?, hold = NULL WHERE id IN"
        " (SELECT id FROM path WHERE state = 4 AND hold = ? ORDER BY id LIMIT ?)",
        (now, hold, most),
    ).rowcount


def end_hold(connection: sqlite3.Connection, hold: int, now: int) -> int:
    """Write down that a hold is over, and release what it held; return how many paths."""
    total = 0
    while count := release(connection, hold, now, _PIECE):
        total += count
    connection.execute("UPDATE hold SET ended = ? WHERE id = ?", (now, hold))
    return total


def held_time(
    connection: sqlite3.Connection, identity: str, keys: tuple[str, ...], since: int, now: int
) -> int:
    """Return for how many milliseconds since ``since`` an entry was held.

    ``keys``: "" for the identity itself, the author's domain, the forward-path. Holds of the same
    time count once.
    """
    rows = connection.execute(
        "SELECT max(h.began, ?1), min(coalesce(h.ended, ?2), ?2) FROM hold h"
        " JOIN identity i ON i.id = h.identity WHERE i.name = ?3"
        " AND h.key IN (SELECT value FROM json_each(?4)) AND coalesce(h.ended, ?2) > ?1 ORDER BY 1",
        (since, now, identity, json.dumps(keys)),
    )
    total = 0
    end = since
    for began, ended in rows:
        total += max(0, ended - max(began, end))
        end = max(end, ended)
    return total


def purge(connection: sqlite3.Connection, before: int, most: int = 500) -> int:
    """Forget entries that were finished before a moment; return how many, at most ``most``."""
    numbers = connection.execute(
        "SELECT id FROM entry WHERE finished < ? ORDER BY finished LIMIT ?", (before, most)
    ).fetchall()
    for statement in (
        "DELETE FROM content WHERE entry = ?",
        "DELETE FROM reply WHERE path IN (SELECT id FROM path WHERE entry = ?)",
        "DELETE FROM event WHERE path IN (SELECT id FROM path WHERE entry = ?)",
        "DELETE FROM path WHERE entry = ?",
        "DELETE FROM attempt WHERE entry = ?",
        "DELETE FROM entry WHERE id = ?",
    ):
        connection.executemany(statement, numbers)
    if not numbers:
        connection.execute("DELETE FROM hold WHERE ended < ?", (before,))
    return len(numbers)


def vacuum(connection: sqlite3.Connection, pages: int = 64) -> None:
    """Give a few free pages back to the file system; not inside a transaction."""
    connection.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()


def overdue(connection: sqlite3.Connection, identity: str, uid: int, limit: int, now: int) -> int:
    """Make due at once what a lane has absurdly far ahead: the clock was wrong then, or is now."""
    total = 0
    while count := hasten(connection, identity, uid, limit, now, _PIECE):
        total += count
    return total


def hasten(
    connection: sqlite3.Connection, identity: str, uid: int, limit: int, now: int, most: int
) -> int:
    """Make due now what a lane has due after ``limit``, at most ``most``; return how many."""
    return connection.execute(
        "UPDATE path SET due = ? WHERE id IN (SELECT id FROM path"
        " WHERE state = 0 AND identity = (SELECT id FROM identity WHERE name = ?) AND uid = ?"
        " AND due > ? LIMIT ?)",
        (now, identity, uid, limit, most),
    ).rowcount
