"""queue.db read by others than the writer: in short reads, so that the WAL can be written back.

A page is read, and the transaction over, before the next is asked for: a reader that stays in one
keeps the WAL growing for as long.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from sesmail.queue import schema
from sesmail.queue.store import State
from sesmail.sysexits import Unavailable

PAGE = 1000  # entries

# Those that are held as a whole, since when and why: no row of their paths says so.
HELD_IDENTITIES = """held (identity, began, reason) AS MATERIALIZED (
    SELECT identity, began, reason FROM hold WHERE scope = 'identity' AND ended IS NULL
)"""

_ROWS = f"""
WITH {HELD_IDENTITIES}
SELECT e.queue_id, i.name, e.uid, e.arrived, e.size, coalesce(e.reverse_path, e.author),
    w.identity IS NOT NULL, p.address, coalesce(w.reason, h.reason, p.text), p.state
FROM entry e INDEXED BY entry_open
JOIN identity i ON i.id = e.identity
JOIN path p ON p.entry = e.id AND p.state IN (0, 1, 4)
LEFT JOIN held w ON w.identity = e.identity
LEFT JOIN hold h ON h.id = p.hold AND p.state = 4
WHERE e.open > 0 AND e.id > ? AND e.id <= ? AND e.uid = coalesce(?, e.uid)
ORDER BY e.id, p.id
"""  # noqa: S608  nothing but the above is put in


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry with something open; ``arrived`` in milliseconds.

    ``waiting``: an address and why it waits, for each open forward-path. ``is_active``: an attempt
    is being made now; ``is_held``: it, or its whole identity, waits for the administrator.
    """

    queue_id: str
    identity: str
    uid: int
    arrived: int
    size: int
    sender: str
    is_active: bool
    is_held: bool
    waiting: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the listing.

    ``messages`` and ``size`` (bytes) count what everybody has in this piece; ``last`` is where the
    next begins, None at the end.
    """

    entries: list[Listed]
    messages: int
    size: int
    last: int | None


def connect(directory: str) -> sqlite3.Connection:
    """Return a connection to the queue in ``directory`` that only reads. Raises Unavailable."""
    path = os.path.join(directory, schema.FILE)
    try:
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise Unavailable(f"cannot open {path}: {error}; has sesmaild run already?") from None


class Listing:
    """A read-only view of the queue in ``directory``."""

    def __init__(self, directory: str) -> None:
        self._connection = connect(directory)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def totals(self, uid: int | None = None) -> tuple[int, int]:
        """Return messages and bytes that wait, of everybody or of ``uid``."""
        row: tuple[int, int] = self._connection.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM entry"
            " WHERE open > 0 AND uid = coalesce(?, uid)",
            (uid,),
        ).fetchone()
        return row

    def entries(self, uid: int | None = None) -> Iterator[Listed]:
        """Yield what waits, oldest first, of everybody or of ``uid``."""
        last: int | None = 0
        while last is not None:
            page = self.page(last, uid)
            yield from page.entries
            last = page.last

    def page(self, after: int, uid: int | None = None, most: int = PAGE) -> Page:
        """Return what waits among the next ``most`` messages, of everybody or of ``uid``.

        However many others there are, the work is bounded by ``most``; it is two statements.
        """
        messages, size, last = self._connection.execute(
            "SELECT count(*), coalesce(sum(size), 0), max(id) FROM"
            " (SELECT id, size FROM entry INDEXED BY entry_open"
            " WHERE open > 0 AND id > ? ORDER BY id LIMIT ?)",
            (after, most),
        ).fetchone()
        if last is None:
            return Page([], 0, 0, None)
        rows = self._connection.execute(_ROWS, (after, last, uid)).fetchall()
        entries = [_listed(entry, list(paths)) for entry, paths in groupby(rows, itemgetter(0))]
        return Page(entries, messages, size, last if messages == most else None)


def _listed(queue_id: str, rows: list[tuple]) -> Listed:  # type: ignore[type-arg]
    _, identity, uid, arrived, size, sender, is_held, *_ = rows[0]
    states = {row[-1] for row in rows}
    return Listed(
        queue_id,
        identity,
        uid,
        arrived,
        size,
        sender,
        State.ACTIVE in states,
        bool(is_held) or State.HELD in states,
        [(address, reason) for *_, address, reason, _ in rows],
    )
