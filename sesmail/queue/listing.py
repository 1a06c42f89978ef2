"""queue.db read by others than the writer: in short reads, so that the WAL can be written back.

A page is read, and the transaction over, before the next is asked for: a reader that stays in one
keeps the WAL growing for as long.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.queue import schema
from sesmail.queue.store import State

PAGE = 1000  # entries


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry with something open, or something failed; ``arrived`` in milliseconds.

    ``waiting``: an address and why it waits, for each open forward-path. ``is_active``: an attempt
    is being made now; ``is_held``: it waits for the administrator.
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


class Listing:
    """A read-only view of the queue in ``directory``."""

    def __init__(self, directory: str) -> None:
        path = os.path.join(directory, schema.FILE)
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)

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

        However many others there are, the work is bounded by ``most``.
        """
        messages, size, last = self._connection.execute(
            "SELECT count(*), coalesce(sum(size), 0), max(id) FROM"
            " (SELECT id, size FROM entry INDEXED BY entry_open"
            " WHERE open > 0 AND id > ? ORDER BY id LIMIT ?)",
            (after, most),
        ).fetchone()
        if last is None:
            return Page([], 0, 0, None)
        rows = self._connection.execute(
            "SELECT e.id, e.queue_id, i.name, e.uid, e.arrived, e.size,"
            " coalesce(e.reverse_path, e.author)"
            " FROM entry e INDEXED BY entry_open JOIN identity i ON i.id = e.identity"
            " WHERE e.open > 0 AND e.id > ? AND e.id <= ? AND e.uid = coalesce(?, e.uid)"
            " ORDER BY e.id",
            (after, last, uid),
        ).fetchall()
        entries = [self._listed(*row) for row in rows]
        return Page(entries, messages, size, last if messages == most else None)

    def _listed(
        self,
        number: int,
        queue_id: str,
        identity: str,
        uid: int,
        arrived: int,
        size: int,
        sender: str,
    ) -> Listed:
        paths = self._connection.execute(
            "SELECT address, text, state FROM path WHERE entry = ? AND state IN (0, 1, 4)"
            " ORDER BY id",
            (number,),
        ).fetchall()
        states = {state for _, _, state in paths}
        waiting = [(address, text) for address, text, _ in paths]
        is_active, is_held = State.ACTIVE in states, State.HELD in states
        return Listed(queue_id, identity, uid, arrived, size, sender, is_active, is_held, waiting)
