"""Forward-paths that wait or failed, with their entries, chosen by identity, address and state.

SQLite puts the text together: of a hundred thousand it costs little more than their rows. A
forward-path is an object, a line; times are in seconds since the epoch:

    queue_id identity uid arrived size author reverse_path      of the entry
    address state due attempts status reason                    ``due``: when it is tried next

or, for a table, an array of what it shows (``SHOWN``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from sesmail.queue import states
from sesmail.queue.listing import HELD_IDENTITIES, bounds

PAGE = 1000  # entries looked at in one read

_COLUMNS = {
    "queue_id": "e.queue_id",
    "identity": "i.name",
    "uid": "e.uid",
    "arrived": "e.arrived / 1000",
    "size": "e.size",
    "author": "e.author",
    "reverse_path": "e.reverse_path",
    "address": "p.address",
    "state": f"""CASE p.state WHEN 1 THEN '{states.ACTIVE}' WHEN 3 THEN '{states.FAILED}'
        WHEN 4 THEN '{states.HELD}'
        ELSE iif(w.identity IS NULL, '{states.WAITING}', '{states.HELD}') END""",
    "due": "p.due / 1000",
    "attempts": "p.attempts",
    "status": "p.status",
    "reason": "coalesce(iif(p.state = 3, NULL, w.reason), h.reason, p.text)",
}
FIELDS = tuple(_COLUMNS)
SHOWN = ("queue_id", "arrived", "size", "author", "reverse_path", "address", "state", "reason")

_OBJECTS = "group_concat(json_object({columns}), char(10))".format(
    columns=", ".join(f"'{name}', {expression}" for name, expression in _COLUMNS.items())
)
_ARRAYS = f"json_group_array(json_array({', '.join(_COLUMNS[name] for name in SHOWN)}))"

_PAGE = """
WITH {held}
SELECT {text} || char(10)
FROM entry e INDEXED BY entry_{column}
CROSS JOIN path p INDEXED BY path_entry ON p.entry = e.id AND p.state IN {numbers}
JOIN identity i ON i.id = e.identity
LEFT JOIN held w ON w.identity = e.identity
LEFT JOIN hold h ON h.id = p.hold AND p.state = 4
WHERE e.{column} > 0 AND e.id > :after AND e.id <= :last AND e.uid = coalesce(:uid, e.uid){more}
"""
_CONDITIONS = {
    "identity": " AND i.name = :identity",
    "address": " AND p.address = :address COLLATE NOCASE",
    "state": f" AND {_COLUMNS['state']} = :state",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None: any. Without ``state`` whatever is open."""

    identity: str | None = None
    address: str | None = None
    state: str | None = None
    uid: int | None = None


def pages(
    connection: sqlite3.Connection,
    wanted: Wanted,
    *,
    as_arrays: bool = False,
    most: int = PAGE,
) -> Iterator[str]:
    """Yield what is found, oldest entries first, as text of whole lines, perhaps none.

    A line is an object or, with ``as_arrays``, an array of arrays. Each page is two statements, and
    what they cost is bounded.
    """
    is_failed = wanted.state == states.FAILED
    column = "failed" if is_failed else "open"
    values = {name: getattr(wanted, name) for name in ("identity", "address", "state", "uid")}
    more = "".join(text for name, text in _CONDITIONS.items() if values[name] is not None)
    page = _PAGE.format(
        held=HELD_IDENTITIES,
        text=_ARRAYS if as_arrays else _OBJECTS,
        numbers="(3)" if is_failed else "(0, 1, 4)",
        column=column,
        more=more,
    )
    after: int | None = 0
    while after is not None:
        piece = bounds(connection, after, most, column)
        if piece.messages:
            (text,) = connection.execute(
                page, {**values, "after": after, "last": piece.last}
            ).fetchone()
            yield text or ""
        after = None if piece.is_end else piece.last
