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
_MOST_PATHS = 5000  # in a page of more than one entry

# Those that are held as a whole, since when and why: no row of their paths says so.
HELD_IDENTITIES = """held (identity, began, reason) AS MATERIALIZED (
    SELECT identity, began, reason FROM hold WHERE scope = 'identity' AND ended IS NULL
)"""

_BOUNDS = """
SELECT count(*), coalesce(sum(size), 0), max(id), sum({0}) FROM (
    SELECT id, size, {0} FROM entry INDEXED BY entry_{0}
    WHERE {0} > 0 AND id > ? ORDER BY id LIMIT ?
)
"""
# How many of them may be in a page, so that it has not too many paths: at least one.
_FEWER = """
SELECT count(*) FROM (
    SELECT sum({0}) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - {0} AS before
    FROM entry INDEXED BY entry_{0} WHERE {0} > 0 AND id > ? ORDER BY id LIMIT ?
) WHERE before < ?
"""

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
class Bounds:
    """The entries of a page: how many they are, their bytes, the last, and whether no more come."""

    messages: int
    size: int
    last: int | None
    is_end: bool


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
        raise Unavailable(_why_not(directory, path, error)) from None


def is_begun(directory: str) -> bool:
    """Tell whether there is a queue, or something keeps us from seeing whether there is.

    The first start of sesmaild makes it in the ``directory``, which ``sesmailctl init`` makes.
    """
    try:
        os.stat(os.path.join(directory, schema.FILE))
    except FileNotFoundError:
        return not os.path.isdir(directory)
    except OSError:
        pass
    return True


def _why_not(directory: str, path: str, error: sqlite3.OperationalError) -> str:
    if not os.path.isdir(directory):
        return f"there is no queue, for there is no {directory}; run sesmailctl init as root"
    if not is_begun(directory):
        return f"there is no {path}; restart sesmaild, which makes it"
    return f"cannot open {path}: {error}; sesmailctl check looks at owners, modes and the disk"


def bounds(connection: sqlite3.Connection, after: int, most: int, column: str = "open") -> Bounds:
    """Return the next ``most`` entries, or fewer: so that their forward-paths are not too many.

    ``column``: which have forward-paths that are ``open``, or ``failed``.
    """
    statement = _BOUNDS.format(column)
    found, size, last, paths = connection.execute(statement, (after, most)).fetchone()
    if found < 2 or paths <= _MOST_PATHS:
        return Bounds(found, size, last, is_end=found < most)
    (fewer,) = connection.execute(_FEWER.format(column), (after, most, _MOST_PATHS)).fetchone()
    found, size, last, _ = connection.execute(statement, (after, fewer)).fetchone()
    return Bounds(found, size, last, is_end=False)


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
        piece = bounds(self._connection, after, most)
        rows = self._connection.execute(_ROWS, (after, piece.last, uid)).fetchall()
        entries = [_listed(entry, list(paths)) for entry, paths in groupby(rows, itemgetter(0))]
        return Page(entries, piece.messages, piece.size, None if piece.is_end else piece.last)


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
