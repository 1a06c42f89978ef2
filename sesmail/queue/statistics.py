"""What became of the mail, counted: for ``sesmailctl report`` and the health in ``status``.

SQLite counts, a range of ids at a time, and what comes out is small: whoever asks adds it up. So a
million forward-paths take neither memory nor more than some milliseconds in one read, and between
two reads the WAL can be written back.

    kind        counted when                        latency from the drop to
    sent        SES took it                         that
    failed      it was given up, by SES or by us
    deferred    an attempt was to be repeated
    delivered   SES tells of its delivery           that
    bounced     SES tells that it bounced for good
    complained  SES tells of a complaint

All count forward-paths but ``deferred``, which counts attempts for them. A time is a quarter of an
hour since the epoch: days begin on one in every time zone. A latency is in milliseconds with two
significant digits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from dataclasses import dataclass

QUARTER = 900_000  # milliseconds
STEP = 2000  # rows looked at in one read

# A latency (?), to two significant digits: SQLite of Debian has no logarithm for certain.
_ROUNDED = """CASE
    WHEN {0} < 0 THEN 0
    WHEN {0} < 100 THEN {0}
    WHEN {0} < 1000 THEN ({0} + 5) / 10 * 10
    WHEN {0} < 10000 THEN ({0} + 50) / 100 * 100
    WHEN {0} < 100000 THEN ({0} + 500) / 1000 * 1000
    WHEN {0} < 1000000 THEN ({0} + 5000) / 10000 * 10000
    WHEN {0} < 10000000 THEN ({0} + 50000) / 100000 * 100000
    ELSE ({0} + 500000) / 1000000 * 1000000 END"""

_ENDED = f"""
SELECT p.identity, iif(p.state = 2, 'sent', 'failed'),
    coalesce(a.ended, e.finished, e.arrived) / {QUARTER} AS quarter,
    iif(p.state = 2, {_ROUNDED.format("(a.ended - e.arrived)")}, NULL), count(*)
FROM path p JOIN entry e ON e.id = p.entry LEFT JOIN attempt a ON a.id = p.attempt
WHERE p.id > ?1 AND p.id <= ?2 AND p.state IN (2, 3) AND quarter >= ?3
GROUP BY 1, 2, 3, 4
"""  # noqa: S608  nothing but the two above is put in

_REPEATED = f"""
SELECT p.identity, 'deferred', a.ended / {QUARTER} AS quarter, NULL, count(*)
FROM path p JOIN reply r ON r.path = p.id JOIN attempt a ON a.id = r.attempt
WHERE p.id > ?1 AND p.id <= ?2 AND r.status LIKE '4%' AND quarter >= ?3
GROUP BY 1, 3
"""  # noqa: S608

# SES tells of mail to its own suppression list as a bounce, or as a complaint with a status.
_BOUNCE = "(v.kind IN ('bounce', 'complaint') AND v.status LIKE '5%')"
_COMPLAINT = "(v.kind = 'complaint' AND v.status NOT LIKE '5%')"

_TOLD = f"""
SELECT p.identity,
    CASE WHEN v.kind = 'delivery' THEN 'delivered' WHEN {_BOUNCE} THEN 'bounced'
        ELSE 'complained' END,
    v.at / {QUARTER} AS quarter,
    iif(v.kind = 'delivery', {_ROUNDED.format("(v.at - e.arrived)")}, NULL), count(*)
FROM path p JOIN entry e ON e.id = p.entry JOIN event v ON v.path = p.id
WHERE p.id > ?1 AND p.id <= ?2 AND quarter >= ?3
    AND (v.kind = 'delivery' OR {_BOUNCE} OR {_COMPLAINT})
GROUP BY 1, 2, 3, 4
"""  # noqa: S608

_BOUNCED = f"""
SELECT p.identity, p.address, count(*)
FROM path p JOIN event v ON v.path = p.id
WHERE p.id > ?1 AND p.id <= ?2 AND {_BOUNCE} AND v.at / {QUARTER} >= ?3
GROUP BY 1, 2
"""  # noqa: S608

_SENT_SINCE = """
SELECT p.identity, count(*) FROM attempt a
JOIN path p ON p.entry = a.entry AND p.attempt = a.id AND p.state = 2
WHERE a.id > ? AND a.id <= ? AND a.ended >= ? GROUP BY 1
"""

_TOLD_SINCE = f"""
SELECT p.identity, sum({_BOUNCE}), sum({_COMPLAINT})
FROM event v JOIN path p ON p.id = v.path
WHERE v.id > ? AND v.id <= ? AND v.at >= ? AND v.kind IN ('bounce', 'complaint') GROUP BY 1
"""  # noqa: S608

_LAST = "SELECT max(id) FROM (SELECT id FROM path WHERE id > ? ORDER BY id LIMIT ?)"


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened; ``latency`` is None where the kind has none."""

    identity: str
    kind: str
    quarter: int
    latency: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Bounced:
    """How many mails to a domain bounced for good."""

    identity: str
    domain: str
    count: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What was found in one range of ids. The same key comes again in others."""

    counts: list[Count]
    bounced: list[Bounced]


@dataclass(slots=True)
class Recent:
    """What became of an identity's mail of late, in forward-paths."""

    sent: int = 0
    bounced: int = 0
    complained: int = 0


def pieces(connection: sqlite3.Connection, since: int, step: int = STEP) -> Iterator[Piece]:
    """Yield what happened from the quarter of an hour of ``since`` (milliseconds) on."""
    names = _identities(connection)
    after, quarter = 0, since // QUARTER
    while (last := connection.execute(_LAST, (after, step)).fetchone()[0]) is not None:
        span = (after, last, quarter)
        counts = [
            Count(names.get(number, "?"), kind, at, latency, count)
            for query in (_ENDED, _REPEATED, _TOLD)
            for number, kind, at, latency, count in connection.execute(query, span).fetchall()
        ]
        bounced = [
            Bounced(names.get(number, "?"), address.rpartition("@")[2].lower(), count)
            for number, address, count in connection.execute(_BOUNCED, span).fetchall()
        ]
        yield Piece(counts, bounced)
        after = last


def recent(
    connection: sqlite3.Connection, since: int, step: int = STEP
) -> Generator[None, None, dict[str, Recent]]:
    """Return, by identity, what happened since a moment; yield between two short reads.

    From the newest attempts and events backwards: it costs what happened, not what is kept.
    """
    names = _identities(connection)
    found: dict[str, Recent] = {}
    for span in _backwards(connection, "attempt", "started", since, step):
        for number, sent in connection.execute(_SENT_SINCE, (*span, since)).fetchall():
            found.setdefault(names.get(number, "?"), Recent()).sent += sent
        yield
    for span in _backwards(connection, "event", "at", since, step):
        rows = connection.execute(_TOLD_SINCE, (*span, since)).fetchall()
        for number, bounced, complained in rows:
            of = found.setdefault(names.get(number, "?"), Recent())
            of.bounced += bounced
            of.complained += complained
        yield
    return found


def _backwards(
    connection: sqlite3.Connection, table: str, time: str, since: int, step: int
) -> Iterator[tuple[int, int]]:
    """Yield ranges of ids, (after, last], from the newest on, until one is wholly older."""
    last = connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0]  # noqa: S608
    while last:
        after, newest = connection.execute(
            f"SELECT min(id) - 1, max({time}) FROM"  # noqa: S608  both are names of ours
            f" (SELECT id, {time} FROM {table} WHERE id <= ? ORDER BY id DESC LIMIT ?)",
            (last, step),
        ).fetchone()
        if newest is None or newest < since:
            return
        yield after, last
        last = after


def _identities(connection: sqlite3.Connection) -> dict[int, str]:
    return dict(connection.execute("SELECT id, name FROM identity").fetchall())
