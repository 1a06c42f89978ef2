"""What SES tells after it took a message: rows of ``event`` and ``suppression``.

Each function works on the writer's connection, inside ``Store.transaction``. Times are
milliseconds since the epoch.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from sesmail.queue.store import Finished, Job, Path, State, Store

SEND = "send"
DELIVERY = "delivery"
BOUNCE = "bounce"
COMPLAINT = "complaint"
REJECT = "reject"
DELIVERY_DELAY = "deliverydelay"
RENDERING_FAILURE = "renderingfailure"
KINDS = (SEND, DELIVERY, BOUNCE, COMPLAINT, REJECT, DELIVERY_DELAY, RENDERING_FAILURE)

# How far the clock of this host may be ahead of that of SES, which refuses requests that are
# signed with one that is further off.
SKEW = 900_000

_COLUMNS = (
    "SELECT p.id, p.address, p.attempts, p.state, p.relay, p.hold, e.id, e.queue_id, i.name,"
    " e.author, e.reverse_path, e.uid, e.arrived, e.size"
    " FROM path p JOIN entry e ON e.id = p.entry JOIN identity i ON i.id = e.identity"
)


@dataclass(frozen=True, slots=True)
class Known:
    """A forward-path of which an event may tell; ``job`` is its entry, and no attempt."""

    path: Path
    state: State
    relay: str
    hold: int | None
    job: Job


@dataclass(frozen=True, slots=True)
class Suppressed:
    """To whom it is of no use to write; ``reason`` is BOUNCE or COMPLAINT, ``text`` one line."""

    address: str
    reason: str
    since: int
    text: str


def sent_as(connection: sqlite3.Connection, remote_id: str) -> list[Known]:
    """Return the forward-paths that SES took under an id: at most 50."""
    # The second condition is the index's.
    rows = connection.execute(
        f"{_COLUMNS} WHERE p.remote_id = ? AND p.remote_id <> '' ORDER BY p.id", (remote_id,)
    )
    return [_known(row) for row in rows]


def tagged(connection: sqlite3.Connection, queue_id: str, address: str) -> list[Known]:
    """Return the forward-paths of an entry that are an address but for upper and lower case."""
    rows = connection.execute(
        f"{_COLUMNS} WHERE e.queue_id = ? AND lower(p.address) = lower(?) ORDER BY p.id",
        (queue_id, address),
    )
    return [_known(row) for row in rows]


def has_entry(connection: sqlite3.Connection, queue_id: str) -> bool:
    """Tell whether an entry is in the queue or its history."""
    found = connection.execute("SELECT 1 FROM entry WHERE queue_id = ?", (queue_id,)).fetchone()
    return found is not None


def add(
    connection: sqlite3.Connection,
    path: int,
    kind: str,
    at: int,
    status: str,
    text: str,
    remote_id: str,
) -> bool:
    """Write down an event; tell whether it is new."""
    return (
        connection.execute(
            "INSERT OR IGNORE INTO event (path, kind, at, status, text, remote_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (path, kind, at, status, text, remote_id),
        ).rowcount
        > 0
    )


def proof(connection: sqlite3.Connection, path: int, arrived: int) -> str | None:
    """Return as which id SES took a forward-path, if any event told of it.

    What happened before the entry arrived counts for nothing: a requeue is an arrival, too.
    """
    row = connection.execute(
        "SELECT remote_id FROM event WHERE path = ? AND at >= ? ORDER BY at LIMIT 1",
        (path, arrived - SKEW),
    ).fetchone()
    return row[0] if row else None


def told_before(connection: sqlite3.Connection, path: int, kind: str, at: int) -> bool:
    """Tell whether another event than this said already that a forward-path got nothing."""
    row = connection.execute(
        "SELECT 1 FROM event WHERE path = ? AND (kind, at) <> (?, ?) AND status GLOB '[45].*'"
        " AND kind <> ?",
        (path, kind, at, DELIVERY_DELAY),
    ).fetchone()
    return row is not None


def accept(store: Store, known: Known, remote_id: str, text: str, now: int) -> bool:
    """Write down that SES took a forward-path that waited; tell whether its entry is over."""
    finished = Finished(known.path.id, State.DELIVERED, now, "2.0.0", text, known.relay, remote_id)
    return store.finish(known.job, [finished], now)


def is_held(connection: sqlite3.Connection, hold: int) -> bool:
    """Tell whether a hold still holds anything."""
    row = connection.execute("SELECT 1 FROM path WHERE state = 4 AND hold = ?", (hold,)).fetchone()
    return row is not None


# Suppression.


def fold(address: str) -> str:
    """Return an address as it stands in ``suppression``: the domain in lower case."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{domain.lower()}"


def suppress(connection: sqlite3.Connection, identity: str, suppressed: Suppressed) -> None:
    """Remember an address of an identity; what was first known of it stays."""
    connection.execute(
        "INSERT OR IGNORE INTO suppression (identity, address, reason, since, text)"
        " SELECT id, ?, ?, ?, ? FROM identity WHERE name = ?",
        (
            fold(suppressed.address),
            suppressed.reason,
            suppressed.since,
            suppressed.text,
            identity,
        ),
    )


def is_any_suppressed(connection: sqlite3.Connection) -> bool:
    """Tell whether there is any address to look for."""
    return connection.execute("SELECT 1 FROM suppression LIMIT 1").fetchone() is not None


def suppressed(
    connection: sqlite3.Connection, identity: str, addresses: Iterable[str]
) -> dict[str, Suppressed]:
    """Return which of these addresses are suppressed, by how ``fold`` writes them."""
    rows = connection.execute(
        "SELECT address, reason, since, text FROM suppression"
        " WHERE identity = (SELECT id FROM identity WHERE name = ?)"
        " AND address IN (SELECT value FROM json_each(?))",
        (identity, json.dumps([fold(address) for address in addresses])),
    )
    return {row[0]: Suppressed(*row) for row in rows}


def _known(row: tuple) -> Known:  # type: ignore[type-arg]
    number, address, attempts, state, relay, hold, entry, queue_id, identity, *rest = row
    author, reverse_path, uid, arrived, size = rest
    path = Path(number, address, attempts)
    job = Job(
        entry, 0, queue_id, identity, author, reverse_path, uid, arrived, size, arrived, [path]
    )
    return Known(path, State(state), relay, hold, job)
