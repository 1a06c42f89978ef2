"""The one writer of queue.db. The daemon's main thread owns it; all else reads through ``listing``.

Whatever belongs together is done inside ``transaction``: a batch of drops, or the results of all
threads together with their next attempts, costs one flush of the disk.
"""

from __future__ import annotations

import enum
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sesmail.drop import layout
from sesmail.queue import schema

_PIECE = 256 << 10  # bytes of content read or written at once


class State(enum.IntEnum):
    """What a forward-path is in; ``schema`` has indexes over these numbers."""

    WAITING = 0
    ACTIVE = 1
    DELIVERED = 2
    FAILED = 3
    HELD = 4
    DELETED = 5  # by the administrator


_DONE = (State.DELIVERED, State.FAILED)


@dataclass(slots=True)
class NewPath:
    """A forward-path that comes in: waiting until ``due``, or failed with ``status``, ``text``."""

    address: str
    due: int
    state: State = State.WAITING
    status: str = ""
    text: str = ""


@dataclass(slots=True)
class NewEntry:
    """A message that comes in. ``about``: the queue id of what it, a DSN, tells about.

    ``message_digest`` is the SHA-256 of the message, b"" where nobody has made it yet.
    """

    queue_id: str
    identity: str
    author: str
    reverse_path: str | None
    uid: int
    arrived: int
    digest: bytes
    message: bytes = field(repr=False)
    paths: list[NewPath]
    about: str | None = None
    message_digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Added:
    """How an entry came in: under its own id or, if that was another's, a new one; or not again."""

    queue_id: str
    is_leftover: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A forward-path of a job."""

    id: int
    address: str
    attempts: int  # this one included


@dataclass(frozen=True, slots=True)
class Job:
    """An attempt for some forward-paths of one entry."""

    entry: int
    attempt: int
    queue_id: str
    identity: str
    author: str
    reverse_path: str | None
    uid: int
    arrived: int
    size: int
    started: int
    paths: list[Path]


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a forward-path. ``due`` counts for WAITING, ``hold`` for HELD."""

    path: int
    state: State
    due: int
    status: str
    text: str
    relay: str = ""
    remote_id: str = ""
    hold: int | None = None


class Store:
    """queue.db, open for writing. ``connection`` is there for ``upkeep``."""

    def __init__(self, directory: str) -> None:
        """Open or create it; see ``schema.connect`` for what that raises."""
        self.connection = schema.connect(directory)
        self._identities: dict[str, int] = {}

    def close(self) -> None:
        """Close it; the last connection to leave writes the WAL back."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all inside or nothing. Raises DiskFull (nothing was done) and IOFailure.

        After an IOFailure nobody knows whether it was done: unlink nothing, start nothing, end.
        """
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise schema.translate(error) from None
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self._identities.clear()

    # What comes in.

    def add(self, entries: Sequence[NewEntry]) -> list[Added]:
        """Add entries; one that a crash left in the drop after it was queued is not added again.

        Such a leftover has a known id, and equal owner and digest. A known id with anything else is
        somebody else's message under a guessed or repeated name: it gets an id of its own.
        """
        return [self._add(entry) for entry in entries]

    def _add(self, entry: NewEntry) -> Added:
        known = self._one("SELECT uid, digest FROM entry WHERE queue_id = ?", entry.queue_id)
        if known == (entry.uid, entry.digest):
            return Added(entry.queue_id, is_leftover=True)
        queue_id = layout.new_queue_id() if known else entry.queue_id
        identity = self._identity(entry.identity)
        open_paths = sum(path.state not in _DONE for path in entry.paths)
        failed = sum(path.state is State.FAILED for path in entry.paths)
        number = self._insert(
            "INSERT INTO entry (queue_id, identity, author, reverse_path, uid, arrived, size,"
            " digest, open, failed, finished, about) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            queue_id,
            identity,
            entry.author,
            entry.reverse_path,
            entry.uid,
            entry.arrived,
            len(entry.message),
            entry.digest,
            open_paths,
            failed,
            None if open_paths else entry.arrived,
            entry.about,
        )
        self._write_content(number, entry)
        self.connection.executemany(
            "INSERT INTO path (entry, identity, uid, address, state, due, status, text)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (number, identity, entry.uid, p.address, p.state, p.due, p.status, p.text)
                for p in entry.paths
            ],
        )
        return Added(queue_id)

    def _write_content(self, number: int, entry: NewEntry) -> None:
        """Write the message; a large one in pieces, for SQLite copies what is bound."""
        message = entry.message
        digest = entry.message_digest or hashlib.sha256(message).digest()
        if len(message) <= _PIECE:
            self._insert(
                "INSERT INTO content (entry, digest, message) VALUES (?, ?, ?)",
                number,
                digest,
                message,
            )
            return
        self._insert(
            "INSERT INTO content (entry, digest, message) VALUES (?, ?, zeroblob(?))",
            number,
            digest,
            len(message),
        )
        with self.connection.blobopen("content", "message", number) as blob:
            view = memoryview(message)
            for start in range(0, len(view), _PIECE):
                blob.write(view[start : start + _PIECE])

    # The schedule.

    def lanes(self) -> list[tuple[str, int]]:
        """Return the (identity, uid) pairs for which something waits, at two look-ups each."""
        lanes: list[tuple[str, int]] = []
        names = {number: name for name, number in self._all_identities().items()}
        last = (-1, -1)
        while row := self._next_lane(*last):
            last = (row[0], row[1])
            lanes.append((names[row[0]], row[1]))
        return lanes

    def _next_lane(self, identity: int, uid: int) -> tuple | None:  # type: ignore[type-arg]
        """Return the numbers of the lane after this one.

        Not with (identity, uid) > (?, ?): SQLite seeks the identity and then reads all its rows.
        """
        return self._one(
            "SELECT identity, uid FROM path WHERE state = 0 AND identity = ? AND uid > ?"
            " ORDER BY uid LIMIT 1",
            identity,
            uid,
        ) or self._one(
            "SELECT identity, uid FROM path WHERE state = 0 AND identity > ?"
            " ORDER BY identity, uid LIMIT 1",
            identity,
        )

    def due(self, identity: str, uid: int) -> int | None:
        """Return when the first of a lane's waiting forward-paths is due."""
        row = self._one(
            "SELECT due FROM path WHERE state = 0 AND identity = ? AND uid = ?"
            " ORDER BY due LIMIT 1",
            self._identity(identity),
            uid,
        )
        return row[0] if row else None

    def claim(self, identity: str, uid: int, now: int, most: int = 50) -> Job | None:
        """Begin an attempt for a lane's first due entry, for at most ``most`` of its due paths."""
        row = self._one(
            "SELECT e.id, e.queue_id, e.author, e.reverse_path, e.arrived, e.size"
            " FROM path p JOIN entry e ON e.id = p.entry"
            " WHERE p.state = 0 AND p.identity = ? AND p.uid = ? AND p.due <= ?"
            " ORDER BY p.due, p.entry LIMIT 1",
            self._identity(identity),
            uid,
            now,
        )
        if row is None:
            return None
        entry = row[0]
        attempt = self._insert("INSERT INTO attempt (entry, started) VALUES (?, ?)", entry, now)
        rows = self._all(
            "UPDATE path SET state = 1, attempt = ?, attempts = attempts + 1 WHERE id IN"
            " (SELECT id FROM path WHERE entry = ? AND state = 0 AND due <= ? ORDER BY id LIMIT ?)"
            " RETURNING id, address, attempts",
            attempt,
            entry,
            now,
            most,
        )
        paths = [Path(*row) for row in sorted(rows)]
        _, queue_id, author, reverse_path, arrived, size = row
        return Job(
            entry,
            attempt,
            queue_id,
            identity,
            author,
            reverse_path,
            uid,
            arrived,
            size,
            now,
            paths,
        )

    def message(self, entry: int) -> bytes:
        """Return the bytes of an entry's message, a large one read in pieces."""
        row = self._one(
            "SELECT message FROM content WHERE entry = ? AND length(message) <= ?", entry, _PIECE
        )
        if row is not None:
            small: bytes = row[0]
            return small
        with self.connection.blobopen("content", "message", entry, readonly=True) as blob:
            return b"".join(iter(lambda: blob.read(_PIECE), b""))

    def interrupted(self) -> list[Job]:
        """Return the attempts without a result: at start, those that a crash interrupted."""
        found = self._all(
            "SELECT DISTINCT a.id, a.entry, a.started FROM path p"
            " JOIN attempt a ON a.id = p.attempt WHERE p.state = 1 ORDER BY a.id"
        )
        return [
            self._job(
                entry,
                attempt,
                started,
                [
                    Path(*row)
                    for row in self._all(
                        "SELECT id, address, attempts FROM path WHERE state = 1 AND attempt = ?"
                        " ORDER BY id",
                        attempt,
                    )
                ],
            )
            for attempt, entry, started in found
        ]

    def finish(self, job: Job, finished: Sequence[Finished], now: int) -> bool:
        """End an attempt; return whether the entry has nothing open any more."""
        return job.entry in self.finish_all([(job, finished)], now)

    def finish_all(
        self, ended: Sequence[tuple[Job, Sequence[Finished]]], now: int
    ) -> frozenset[int]:
        """End attempts; return the entries that have nothing open any more.

        The content goes with the last result, unless a forward-path failed: then it is kept for
        ``history``, to be requeued. One statement does each step for all of them: at every step
        of SQLite other threads get the interpreter, and this one would have to queue for it.
        """
        entries = json.dumps([job.entry for job, _ in ended])
        self.connection.execute(
            "UPDATE attempt SET ended = ? WHERE id IN (SELECT value FROM json_each(?))",
            (now, json.dumps([job.attempt for job, _ in ended])),
        )
        self.connection.execute(
            "UPDATE path SET state = v.value ->> 1, due = v.value ->> 2, status = v.value ->> 3,"
            " text = v.value ->> 4, relay = v.value ->> 5, remote_id = v.value ->> 6,"
            " hold = v.value ->> 7 FROM json_each(?) v WHERE path.id = v.value ->> 0",
            (json.dumps([_row(one) for _, finished in ended for one in finished]),),
        )
        self._keep_replies(ended)
        self.connection.execute(
            "UPDATE entry SET (open, failed, finished) ="
            " (SELECT sum(state NOT IN (2, 3)), sum(state = 3),"
            " iif(sum(state NOT IN (2, 3)), NULL, ?) FROM path WHERE path.entry = entry.id)"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (now, entries),
        )
        self.connection.execute(
            "DELETE FROM content WHERE entry IN (SELECT entry.id FROM json_each(?) v"
            " JOIN entry ON entry.id = v.value WHERE open = 0 AND failed = 0)",
            (entries,),
        )
        row = self._one(
            "SELECT json_group_array(entry.id) FROM json_each(?) v"
            " JOIN entry ON entry.id = v.value WHERE open = 0",
            entries,
        )
        return frozenset(json.loads(row[0]) if row else ())

    def _keep_replies(self, ended: Sequence[tuple[Job, Sequence[Finished]]]) -> None:
        """Remember what was not a path's last word: the next attempt writes over it."""
        replies = [
            (one.path, job.attempt, one.status, one.text, one.relay)
            for job, finished in ended
            for one in finished
            if one.state not in _DONE
        ]
        if replies:
            self.connection.execute(
                "INSERT INTO reply (path, attempt, status, text, relay)"
                " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4"
                " FROM json_each(?)",
                (json.dumps(replies),),
            )

    # Small things.

    def _job(self, entry: int, attempt: int, started: int, paths: list[Path]) -> Job:
        ((queue_id, identity, author, reverse_path, uid, arrived, size),) = self._all(
            "SELECT e.queue_id, i.name, e.author, e.reverse_path, e.uid, e.arrived, e.size"
            " FROM entry e JOIN identity i ON i.id = e.identity WHERE e.id = ?",
            entry,
        )
        return Job(
            entry,
            attempt,
            queue_id,
            identity,
            author,
            reverse_path,
            uid,
            arrived,
            size,
            started,
            paths,
        )

    def _all_identities(self) -> dict[str, int]:
        if not self._identities:
            self._identities = dict(self._all("SELECT name, id FROM identity"))
        return self._identities

    def _identity(self, name: str) -> int:
        known = self._all_identities()
        if name not in known:
            known[name] = self._insert("INSERT INTO identity (name) VALUES (?)", name)
        return known[name]

    def _insert(self, statement: str, *values: object) -> int:
        return self.connection.execute(statement, values).lastrowid or 0

    def _all(self, statement: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        return self.connection.execute(statement, values).fetchall()

    def _one(self, statement: str, *values: object) -> tuple | None:  # type: ignore[type-arg]
        row: tuple | None = self.connection.execute(statement, values).fetchone()  # type: ignore[type-arg]
        return row


def _row(one: Finished) -> list[int | str | None]:
    return [
        one.path,
        one.state,
        one.due,
        one.status,
        one.text,
        one.relay,
        one.remote_id,
        one.hold,
    ]
