"""The addresses to which it is of no use to write, listed and forgotten by the administrator.

``queue.events`` fills them in, and looks them up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.queue.events import fold

PAGE = 500  # rows in one read


@dataclass(frozen=True, slots=True)
class Listed:
    """A suppressed address; ``since`` in milliseconds, ``reason`` bounce or complaint."""

    identity: str
    address: str
    reason: str
    since: int
    text: str


def pages(connection: sqlite3.Connection, identity: str = "") -> Iterator[list[Listed]]:
    """Yield all, or those of an identity, by identity and address."""
    after: tuple[str, str] = ("", "")
    while rows := connection.execute(
        "SELECT i.name, s.address, s.reason, s.since, s.text FROM suppression s"
        " JOIN identity i ON i.id = s.identity"
        " WHERE (i.name, s.address) > (?, ?) AND (? = '' OR i.name = ?)"
        " ORDER BY i.name, s.address LIMIT ?",
        (*after, identity, identity, PAGE),
    ).fetchall():
        page = [Listed(*row) for row in rows]
        yield page
        after = (page[-1].identity, page[-1].address)


def forget(connection: sqlite3.Connection, address: str, identity: str = "") -> int:
    """Forget an address of all identities, or of one; return of how many."""
    return connection.execute(
        "DELETE FROM suppression WHERE address = ? AND identity IN"
        " (SELECT id FROM identity WHERE ? = '' OR name = ?)",
        (fold(address), identity, identity),
    ).rowcount
