"""What can still be read of a damaged queue.db, brought into the queue there is now.

Row by row, by id, skipping what SQLite cannot read. Where its first page is gone, that of a new
database takes its place: it holds nothing but the header and the schema, which never changes
within a version, so its root pages are the same. No index is relied on: one bad page of it would
hide rows that are whole. What was met and told of the messages comes with them (``salvage_past``).

SQLite reads the pages of a long message as bytes, whatever is in them. A message that is not the
one that was stored, by its digest, is brought back as failed: kept, and never sent by itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field

from sesmail.envelope import AMBIGUOUS_WAIT
from sesmail.queue import schema
from sesmail.queue.salvage_past import Past
from sesmail.queue.store import NewEntry, NewPath, State, Store

_BATCH = 100
_PAGE_SIZE = 8192
_DAMAGED = "5.3.0"  # RFC 3463, 3.4: the mail system itself


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry that is not done, and the ids of its paths in the damaged database."""

    entry: NewEntry
    paths: list[int]
    is_damaged: bool


@dataclass(slots=True)
class Outcome:
    """How many entries came back, were here already, and could not be read, or not as a whole.

    ``damaged`` has the queue ids of those that came back with bytes that are not theirs.
    """

    saved: int = 0
    known: int = 0
    lost: int = 0
    damaged: list[str] = field(default_factory=list)


def salvage(path: str, store: Store, now: int) -> Outcome:
    """Bring back what waits, or failed, in the damaged database ``path``, which stays as it is."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as directory:
        copy = _copy(path, directory)
        with (
            closing(sqlite3.connect(copy, isolation_level=None)) as connection,
            closing(sqlite3.connect(os.path.join(directory, "paths"))) as paths,
        ):
            names = _names(connection)
            past = Past(connection)
            batch: list[_Found] = []
            for found in _entries(connection, paths, names, now, outcome):
                batch.append(found)
                if len(batch) == _BATCH:
                    _add(store, batch, past, outcome)
                    batch = []
            _add(store, batch, past, outcome)
            with store.transaction():
                past.suppress(store, names)
    return outcome


def _copy(path: str, directory: str) -> str:
    """Copy the database with its WAL; give the copy a first page that can be read."""
    copy = os.path.join(directory, "copy")
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copyfile(path + suffix, copy + suffix)
    with closing(sqlite3.connect(copy)) as connection, suppress(sqlite3.DatabaseError):
        connection.execute("SELECT count(*) FROM (SELECT 1 FROM entry LIMIT 1)").fetchone()
        return copy
    with suppress(FileNotFoundError):
        os.unlink(f"{copy}-wal")  # it would write the broken page again
    _replace_first_page(copy, directory)
    return copy


def _replace_first_page(copy: str, directory: str) -> None:
    schema.connect(directory).close()
    with open(os.path.join(directory, schema.FILE), "rb") as fresh, open(copy, "r+b") as file:
        page = bytearray(fresh.read(_PAGE_SIZE))
        pages = os.path.getsize(copy) // _PAGE_SIZE
        page[28:32] = pages.to_bytes(4, "big")  # https://sqlite.org/fileformat.html, 1.3
        page[32:40] = bytes(8)  # no free pages: nothing will be written
        file.write(page)


def _names(connection: sqlite3.Connection) -> dict[int, str]:
    with suppress(sqlite3.DatabaseError):
        return dict(connection.execute("SELECT id, name FROM identity"))
    return {}


def _entries(
    connection: sqlite3.Connection,
    paths: sqlite3.Connection,
    names: dict[int, str],
    now: int,
    outcome: Outcome,
) -> Iterator[_Found]:
    """Yield the entries that can be read and are not done; count those that cannot be read."""
    _collect_paths(connection, paths)
    for number in range(1, _last(connection, paths) + 1):
        try:
            found, is_whole = _read(connection, paths, number, names, now)
        except (sqlite3.DatabaseError, KeyError):
            outcome.lost += 1
            continue
        outcome.lost += not is_whole
        if found is not None:
            yield found


def _collect_paths(connection: sqlite3.Connection, paths: sqlite3.Connection) -> None:
    """Copy what can be read of the open and failed forward-paths into a table with an index."""
    paths.execute(
        "CREATE TABLE readable"
        " (id INTEGER, entry INTEGER, address TEXT, state INTEGER, status TEXT, text TEXT)"
    )
    last = _largest(
        connection,
        "SELECT max(id) FROM path NOT INDEXED",
        "SELECT max(id) FROM path INDEXED BY path_entry",
    )
    for number in range(1, last + 1):
        with suppress(sqlite3.DatabaseError):
            row = connection.execute(
                "SELECT id, entry, address, state, status, text FROM path NOT INDEXED"
                " WHERE id = ? AND state NOT IN (2, 5)",
                (number,),
            ).fetchone()
            if row is not None:
                paths.execute("INSERT INTO readable VALUES (?, ?, ?, ?, ?, ?)", row)
    paths.execute("CREATE INDEX readable_entry ON readable (entry)")


def _last(connection: sqlite3.Connection, paths: sqlite3.Connection) -> int:
    """Return the largest id of an entry that some table tells."""
    return max(
        _largest(
            connection,
            "SELECT max(id) FROM entry NOT INDEXED",
            "SELECT max(entry) FROM content",
        ),
        _largest(paths, "SELECT max(entry) FROM readable"),
    )


def _largest(connection: sqlite3.Connection, *queries: str) -> int:
    largest = 0
    for query in queries:
        with suppress(sqlite3.DatabaseError):
            largest = max(largest, connection.execute(query).fetchone()[0] or 0)
    return largest


def _read(
    connection: sqlite3.Connection,
    paths: sqlite3.Connection,
    number: int,
    names: dict[int, str],
    now: int,
) -> tuple[_Found | None, bool]:
    """Return an entry that is not done, if this is one, and whether nothing of it lacks."""
    row = connection.execute(
        "SELECT queue_id, identity, author, reverse_path, uid, arrived, digest, about, open, failed"
        " FROM entry NOT INDEXED WHERE id = ?",
        (number,),
    ).fetchone()
    if row is None or not (row[8] or row[9]):
        return None, True
    queue_id, identity, author, reverse_path, uid, arrived, digest, about = row[:8]
    content = connection.execute(
        "SELECT digest, message FROM content WHERE entry = ?", (number,)
    ).fetchone()
    if content is None:
        raise KeyError(number)
    message_digest, message = content
    is_damaged = hashlib.sha256(message).digest() != message_digest
    rows = paths.execute(
        "SELECT id, address, state, status, text FROM readable WHERE entry = ?", (number,)
    ).fetchall()
    if not rows:
        raise KeyError(number)
    entry = NewEntry(
        queue_id,
        names[identity],
        author,
        reverse_path,
        uid,
        arrived,
        digest,
        message,
        [
            NewPath(address, _due(state, now), _state(state), status, text)
            for _, address, state, status, text in rows
        ],
        about,
    )
    if is_damaged:
        _fail(entry.paths)
    is_whole = len(rows) == row[8] + row[9]
    return _Found(entry, [path for path, *_ in rows], is_damaged), is_whole


def _fail(paths: list[NewPath]) -> None:
    """Let nothing of a damaged message go out by itself."""
    for path in paths:
        if path.state is not State.FAILED:
            path.state, path.status = State.FAILED, _DAMAGED
            path.text = "not sent: the message was damaged in the queue"


def _state(state: int) -> State:
    return State.FAILED if state == State.FAILED else State.WAITING


def _due(state: int, now: int) -> int:
    return now + AMBIGUOUS_WAIT if state == State.ACTIVE else now


def _add(store: Store, batch: list[_Found], past: Past, outcome: Outcome) -> None:
    if not batch:
        return
    with store.transaction():
        added = store.add([found.entry for found in batch])
        for found, one in zip(batch, added, strict=True):
            if one.is_leftover:
                continue
            past.restore(store, one.queue_id, _pairs(store, one.queue_id, found.paths))
            if found.is_damaged:
                outcome.damaged.append(one.queue_id)
    known = sum(entry.is_leftover for entry in added)
    outcome.known += known
    outcome.saved += len(added) - known


def _pairs(store: Store, queue_id: str, paths: list[int]) -> dict[int, int]:
    """Return the ids of paths in the damaged database with those that they have now."""
    here = store.connection.execute(
        "SELECT p.id FROM path p JOIN entry e ON e.id = p.entry WHERE e.queue_id = ? ORDER BY p.id",
        (queue_id,),
    ).fetchall()
    return {there: number for there, (number,) in zip(paths, here, strict=True)}
