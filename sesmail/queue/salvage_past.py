"""What attempts met, SES told and administrators decided, as far as a damaged queue.db tells it.

It comes back with the forward-paths that come back; what was known of addresses does so by itself.
What somebody holds until he has decided stays held; other holds come of themselves if they must.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress

from sesmail.queue.store import Store
from sesmail.queue.upkeep import ENTRY, OPERATOR

_Rows = dict[int, list[tuple[object, ...]]]  # by the path's id there

_REPLY = "SELECT path, attempt, status, text, relay FROM reply NOT INDEXED WHERE id = ?"
_ATTEMPT = "SELECT started, ended FROM attempt NOT INDEXED WHERE id = ?"
_EVENT = "SELECT path, kind, at, status, text, remote_id FROM event NOT INDEXED WHERE id = ?"
_HOLD = "SELECT key, scope, reason, began, ended FROM hold NOT INDEXED WHERE id = ?"
_ADDRESSES = "SELECT identity, address, reason, since, text FROM suppression ORDER BY {0}"


class Past:
    """Replies, events, holds and suppressed addresses, read from the damaged database at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._replies: _Rows = {}
        self._events: _Rows = {}
        for path, attempt, *reply in _by_id(connection, "reply", _REPLY):
            times = _one(connection, _ATTEMPT, attempt) or (0, 0)
            self._replies.setdefault(path, []).append((*times, *reply))
        for path, *event in _by_id(connection, "event", _EVENT):
            self._events.setdefault(path, []).append(tuple(event))
        self._holds: dict[str, tuple[str, str, int]] = {}  # by queue id
        for key, scope, reason, began, ended in _by_id(connection, "hold", _HOLD):
            if scope in (ENTRY, OPERATOR) and ended is None:
                self._holds[key] = scope, reason, began
        self._suppressed = set(_addresses(connection))

    def restore(self, store: Store, queue_id: str, paths: Mapping[int, int]) -> None:
        """Give the paths of an entry what was theirs; ``paths`` has the ids there, and now."""
        connection = store.connection
        (entry,) = connection.execute(
            "SELECT id FROM entry WHERE queue_id = ?", (queue_id,)
        ).fetchone()
        for there, here in paths.items():
            for started, ended, *reply in self._replies.get(there, ()):
                attempt = connection.execute(
                    "INSERT INTO attempt (entry, started, ended) VALUES (?, ?, ?)",
                    (entry, started, ended),
                ).lastrowid
                connection.execute(
                    "INSERT INTO reply (path, attempt, status, text, relay) VALUES (?, ?, ?, ?, ?)",
                    (here, attempt, *reply),
                )
            connection.executemany(
                "INSERT OR IGNORE INTO event (path, kind, at, status, text, remote_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(here, *event) for event in self._events.get(there, ())],
            )

        if queue_id in self._holds:
            self._hold(connection, entry, queue_id)

    def _hold(self, connection: sqlite3.Connection, entry: int, queue_id: str) -> None:
        scope, reason, began = self._holds[queue_id]
        number = connection.execute(
            "INSERT INTO hold (identity, scope, key, began, reason)"
            " SELECT identity, ?, queue_id, ?, ? FROM entry WHERE id = ?",
            (scope, began, reason, entry),
        ).lastrowid
        connection.execute(
            "UPDATE path SET state = 4, hold = ? WHERE entry = ? AND state = 0", (number, entry)
        )

    def suppress(self, store: Store, names: Mapping[int, str]) -> None:
        """Bring back the suppressed addresses of the identities whose names are known."""
        known = [(names[row[0]], *row[1:]) for row in self._suppressed if row[0] in names]
        store.connection.executemany(
            "INSERT OR IGNORE INTO identity (name) VALUES (?)", [(row[0],) for row in known]
        )
        store.connection.executemany(
            "INSERT OR IGNORE INTO suppression (identity, address, reason, since, text)"
            " SELECT id, ?, ?, ?, ? FROM identity WHERE name = ?",
            [(*row[1:], row[0]) for row in known],
        )


def _by_id(connection: sqlite3.Connection, table: str, query: str) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Yield the rows that can be read, one by one: a bad page costs no others."""
    last = _one(connection, f"SELECT max(id) FROM {table} NOT INDEXED")  # noqa: S608  a name of ours
    for number in range(1, ((last and last[0]) or 0) + 1):
        row = _one(connection, query, number)
        if row is not None:
            yield row


def _one(connection: sqlite3.Connection, query: str, *values: object) -> tuple | None:  # type: ignore[type-arg]
    with suppress(sqlite3.DatabaseError):
        row: tuple | None = connection.execute(query, values).fetchone()  # type: ignore[type-arg]
        return row
    return None


def _addresses(connection: sqlite3.Connection) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Yield rows from both ends, up to what cannot be read."""
    for order in ("identity, address", "identity DESC, address DESC"):
        with suppress(sqlite3.DatabaseError):
            yield from connection.execute(_ADDRESSES.format(order))
