"""How much is in the queue: of everybody, and of each identity. In short reads, over indexes.

What is counted is forward-paths, as SES counts; ``totals`` counts messages, as mailq does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from dataclasses import dataclass

STEP = 20_000  # entries of an index read at once
_ROWS = 2_000  # rows of a table

_LANE = "FROM path WHERE state = 0 AND identity = ? AND uid = ?"


@dataclass(slots=True)
class Backlog:
    """What an identity has; ``oldest`` arrived then, in milliseconds; None: nothing waits."""

    waiting: int = 0
    held: int = 0
    failed: int = 0
    oldest: int | None = None

    def _count(self, connection: sqlite3.Connection, entry: int | None) -> None:
        """Let ``oldest`` be no younger than an entry."""
        row = connection.execute("SELECT arrived FROM entry WHERE id = ?", (entry,)).fetchone()
        if row is not None and (self.oldest is None or row[0] < self.oldest):
            self.oldest = row[0]


Steps = Generator[None, None, None]


def count(
    connection: sqlite3.Connection, step: int = STEP
) -> Generator[None, None, dict[str, Backlog]]:
    """Return what each identity has; yield between two short reads."""
    names: dict[int, str] = dict(connection.execute("SELECT id, name FROM identity").fetchall())
    found = {number: Backlog() for number in names}
    for number, backlog in found.items():
        yield from _waiting(connection, number, backlog, step)
    for hold, number in connection.execute(
        "SELECT id, identity FROM hold WHERE ended IS NULL"
    ).fetchall():
        yield from _held(connection, hold, found[number], step)
    yield from _failed(connection, found)
    return {names[number]: backlog for number, backlog in found.items()}


def totals(
    connection: sqlite3.Connection, step: int = STEP
) -> Generator[None, None, tuple[int, int]]:
    """Return messages and bytes that wait; yield between two short reads."""
    messages = size = 0
    after: int | None = 0
    while after is not None:
        more, bytes_, after = connection.execute(
            "SELECT count(*), coalesce(sum(size), 0), max(id) FROM"
            " (SELECT id, size FROM entry INDEXED BY entry_open"
            " WHERE open > 0 AND id > ? ORDER BY id LIMIT ?)",
            (after, step),
        ).fetchone()
        messages += more
        size += bytes_
        yield
    return messages, size


def _waiting(connection: sqlite3.Connection, number: int, backlog: Backlog, step: int) -> Steps:
    """Count by lane, from one due time to another: those of the same time together."""
    for uid in list(_uids(connection, number)):
        lane = (number, uid)
        after = -1
        while True:
            (last,) = connection.execute(
                f"SELECT max(due) FROM (SELECT due {_LANE} AND due > ? ORDER BY due LIMIT ?)",  # noqa: S608
                (*lane, after, step),
            ).fetchone()
            if last is None:
                break
            waiting, entry = connection.execute(
                f"SELECT count(*), min(entry) {_LANE} AND due > ? AND due <= ?",
                (*lane, after, last),
            ).fetchone()
            backlog.waiting += waiting
            backlog._count(connection, entry)
            after = last
            yield


def _uids(connection: sqlite3.Connection, number: int) -> Iterator[int]:
    uid = -1
    while row := connection.execute(
        "SELECT uid FROM path WHERE state = 0 AND identity = ? AND uid > ? ORDER BY uid LIMIT 1",
        (number, uid),
    ).fetchone():
        uid = row[0]
        yield uid


def _held(connection: sqlite3.Connection, hold: int, backlog: Backlog, step: int) -> Steps:
    after: int | None = 0
    while after is not None:
        held, first, after = connection.execute(
            "SELECT count(*), min(id), max(id) FROM"
            " (SELECT id FROM path WHERE state = 4 AND hold = ? AND id > ? ORDER BY id LIMIT ?)",
            (hold, after, step),
        ).fetchone()
        if held:
            backlog.held += held
            entry = connection.execute("SELECT entry FROM path WHERE id = ?", (first,)).fetchone()
            backlog._count(connection, *(entry or (None,)))
            yield


def _failed(connection: sqlite3.Connection, found: dict[int, Backlog]) -> Steps:
    after = 0
    while last := connection.execute(
        "SELECT max(id) FROM (SELECT id FROM entry INDEXED BY entry_failed"
        " WHERE failed > 0 AND id > ? ORDER BY id LIMIT ?)",
        (after, _ROWS),
    ).fetchone()[0]:
        for number, failed in connection.execute(
            "SELECT identity, sum(failed) FROM entry INDEXED BY entry_failed"
            " WHERE failed > 0 AND id > ? AND id <= ? GROUP BY identity",
            (after, last),
        ).fetchall():
            if number in found:
                found[number].failed += failed
        after = last
        yield
