"""Entries chosen by identity, forward-path and state, as JSON objects.

SQLite puts the text together: a hundred thousand entries cost little more than their rows. An
object has, with times in seconds since the epoch:

    queue_id identity uid arrived size author reverse_path
    state       active: an attempt is being made; held; waiting; failed
    paths       of those forward-paths that are open (or, for ``failed``, failed):
                address, state, due (the next attempt), attempts, status, reason
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.queue.listing import HELD_IDENTITIES

PAGE = 1000  # entries looked at in one read
STATES = ("waiting", "active", "held", "failed")
FAILED = "failed"

_NEXT = "SELECT max(id) FROM (SELECT id FROM entry WHERE {open} AND id > ? ORDER BY id LIMIT ?)"

_STATE = """CASE
    WHEN max(p.state = 1) THEN 'active'
    WHEN max(p.state = 4) OR w.identity IS NOT NULL AND max(p.state = 0) THEN 'held'
    WHEN max(p.state = 0) THEN 'waiting'
    ELSE 'failed' END"""

_PAGE = """
WITH {held}
SELECT group_concat(document, char(10)) || char(10) FROM (
    SELECT
        {state} AS state,
        json_object(
            'queue_id', e.queue_id,
            'state', {state},
            'identity', i.name,
            'uid', e.uid,
            'arrived', e.arrived / 1000.0,
            'size', e.size,
            'author', e.author,
            'reverse_path', e.reverse_path,
            'paths', json_group_array(json_object(
                'address', p.address,
                'state', CASE p.state
                    WHEN 1 THEN 'active' WHEN 3 THEN 'failed' WHEN 4 THEN 'held'
                    ELSE iif(w.identity IS NULL, 'waiting', 'held') END,
                'due', p.due / 1000.0,
                'attempts', p.attempts,
                'status', p.status,
                'reason', coalesce(iif(p.state = 3, NULL, w.reason), h.reason, p.text)
            ))
        ) AS document
    FROM entry e
    JOIN identity i ON i.id = e.identity
    JOIN path p ON p.entry = e.id AND p.state IN {states}
    LEFT JOIN held w ON w.identity = e.identity
    LEFT JOIN hold h ON h.id = p.hold AND p.state = 4
    WHERE {open} AND e.id > :after AND e.id <= :last
        AND e.uid = coalesce(:uid, e.uid) AND i.name = coalesce(:identity, i.name)
    GROUP BY e.id
    HAVING :recipient IS NULL OR max(p.address = :recipient COLLATE NOCASE)
)
WHERE state = coalesce(:state, state)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What entries are looked for; None: any. Without ``state`` those with something open."""

    identity: str | None = None
    recipient: str | None = None
    state: str | None = None
    uid: int | None = None


def pages(connection: sqlite3.Connection, wanted: Wanted, most: int = PAGE) -> Iterator[str]:
    """Yield the entries, oldest first: text with an object a line, for each ``most`` looked at.

    Each page is two statements, and what they cost is bounded by ``most``.
    """
    is_failed = wanted.state == FAILED
    open_ = "failed > 0" if is_failed else "open > 0"
    following = _NEXT.format(open=open_)
    states = "(3)" if is_failed else "(0, 1, 4)"
    page = _PAGE.format(held=HELD_IDENTITIES, state=_STATE, open=open_, states=states)
    after = 0
    while last := connection.execute(following, (after, most)).fetchone()[0]:
        (text,) = connection.execute(
            page,
            {
                "after": after,
                "last": last,
                "uid": wanted.uid,
                "identity": wanted.identity,
                "recipient": wanted.recipient,
                "state": wanted.state,
            },
        ).fetchone()
        yield text or ""
        after = last
