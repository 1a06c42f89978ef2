"""The schema of queue.db, its versions, and what happens to a database that is damaged.

A message is an ``entry``; its bytes are in ``content``, apart, so that listing a million entries
reads none of them. Each forward-path is a row of ``path`` with a state of its own; the partial
index over the waiting ones is the schedule. ``attempt`` is written before a request and completed
after it: one without an end, found at start, may have reached SES. What an attempt met is in
``path`` where it was the last word, else in ``reply``; ``path`` has the latest of them, too, until
the next. ``hold`` remembers what waits for the administrator, ``event`` what SES told after it took
a message, ``suppression`` whom it is of no use to write to.

Ids grow with time, so that taking the millionth entry costs what the first did. Times are
milliseconds since the epoch.
"""

from __future__ import annotations

import os
import sqlite3
import time

from sesmail.sysexits import ConfigurationError, IOFailure

VERSION = 1
FILE = "queue.db"
_SUSPECT = "suspect"  # a file beside it

_TABLES = """
CREATE TABLE identity (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    queue_id TEXT NOT NULL UNIQUE,
    identity INTEGER NOT NULL REFERENCES identity,
    author TEXT NOT NULL,
    reverse_path TEXT,             -- NULL: none was given; '': the null reverse-path
    uid INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    size INTEGER NOT NULL,         -- bytes of the message
    digest BLOB NOT NULL,          -- SHA-256 of the drop, to know a leftover of a crash again
    open INTEGER NOT NULL,         -- paths that are neither delivered nor failed
    failed INTEGER NOT NULL,       -- paths that failed
    finished INTEGER,              -- when the last path was done
    about TEXT                     -- of a DSN: the queue id of what it tells about
) STRICT;
CREATE INDEX entry_finished ON entry (finished) WHERE finished IS NOT NULL;
CREATE INDEX entry_open ON entry (id, uid, size, open) WHERE open > 0;
CREATE INDEX entry_about ON entry (about) WHERE about IS NOT NULL;
CREATE INDEX entry_failed ON entry (id, uid, size, failed) WHERE failed > 0;

CREATE TABLE content (
    entry INTEGER PRIMARY KEY REFERENCES entry,
    digest BLOB NOT NULL,          -- SHA-256 of the message: SQLite does not notice bad bytes
    message BLOB NOT NULL
) STRICT;

CREATE TABLE path (
    id INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entry,
    identity INTEGER NOT NULL,     -- as in entry, as uid is: the schedule is one index
    uid INTEGER NOT NULL,
    address TEXT NOT NULL,
    state INTEGER NOT NULL,        -- see store.State
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER,               -- the last one
    hold INTEGER,                  -- what it waits for when HELD
    status TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    relay TEXT NOT NULL DEFAULT '',
    remote_id TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX path_entry ON path (entry);
CREATE INDEX path_waiting ON path (identity, uid, due, entry) WHERE state = 0;
CREATE INDEX path_active ON path (attempt) WHERE state = 1;
CREATE INDEX path_held ON path (hold, id) WHERE state = 4;
CREATE INDEX path_remote ON path (remote_id) WHERE remote_id <> '';

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entry,
    started INTEGER NOT NULL,
    ended INTEGER
) STRICT;
CREATE INDEX attempt_entry ON attempt (entry);

CREATE TABLE reply (
    id INTEGER PRIMARY KEY,
    path INTEGER NOT NULL REFERENCES path,
    attempt INTEGER NOT NULL REFERENCES attempt,
    status TEXT NOT NULL,
    text TEXT NOT NULL,
    relay TEXT NOT NULL
) STRICT;
CREATE INDEX reply_path ON reply (path);

CREATE TABLE hold (
    id INTEGER PRIMARY KEY,
    identity INTEGER NOT NULL REFERENCES identity,
    scope TEXT NOT NULL,           -- identity, author, recipient, entry, operator
    key TEXT NOT NULL,             -- '', the author, the forward-path, the queue id
    began INTEGER NOT NULL,
    ended INTEGER,                 -- NULL while it lasts
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX hold_identity ON hold (identity, scope, key);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    path INTEGER NOT NULL REFERENCES path,
    kind TEXT NOT NULL,            -- SES's eventType in lower case: send, delivery, bounce, ...
    at INTEGER NOT NULL,           -- when it happened, as SES says
    status TEXT NOT NULL,
    text TEXT NOT NULL,            -- the receiver's words, or why
    remote_id TEXT NOT NULL,
    UNIQUE (path, kind, at)        -- SQS delivers some twice
) STRICT;

CREATE TABLE suppression (
    identity INTEGER NOT NULL REFERENCES identity,
    address TEXT NOT NULL,         -- its domain in lower case
    reason TEXT NOT NULL,          -- bounce, complaint
    since INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (identity, address)
) STRICT, WITHOUT ROWID;
"""


# While the schema is read; later an SQLITE_ERROR would be a mistake of ours.
_DAMAGE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR)


class DiskFull(Exception):
    """Nothing was changed; the connection goes on once there is room."""


class Damaged(IOFailure):
    """What is there cannot be read as a database."""


def suspect(directory: str) -> None:
    """Have the next ``connect`` look through the whole database: something in it was damaged."""
    with open(os.path.join(directory, _SUSPECT), "wb"):
        pass


def connect(directory: str) -> sqlite3.Connection:
    """Open the database for the one writer; create it, or bring it up to this version.

    A damaged one is moved aside, with its -wal and -shm, and a new one begun. Raises
    ConfigurationError for the schema of a newer sesmail, IOFailure where the disk fails.
    """
    path = os.path.join(directory, FILE)
    try:
        return _examined(_open(path), directory)
    except Damaged:
        pass
    try:
        # A second look: moving a queue aside is not done lightly.
        return _examined(_open(path), directory)
    except Damaged:
        move_aside(path)
        return _examined(_open(path), directory)


def empty() -> sqlite3.Connection:
    """Return a database in memory with nothing in it: what a queue is before its first message."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(_TABLES)
    return connection


def moved_aside(directory: str) -> list[str]:
    """Return the paths of damaged databases that wait for ``sesmailctl queue salvage``."""
    names = sorted(os.listdir(directory))
    return [
        os.path.join(directory, name)
        for name in names
        if name.startswith(f"{FILE}.damaged-") and not name.endswith(("-wal", "-shm"))
    ]


def move_aside(path: str) -> str:
    """Move a database with its -wal and -shm to a name of this moment; return that."""
    aside = f"{path}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
    for suffix in ("-wal", "-shm", ""):
        if os.path.exists(path + suffix):
            os.rename(path + suffix, aside + suffix)
    return aside


def _open(path: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    except sqlite3.Error as error:
        raise translate(error) from None
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        if _primary_code(error) in _DAMAGE:
            raise Damaged(str(error)) from None
        raise translate(error) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _examined(connection: sqlite3.Connection, directory: str) -> sqlite3.Connection:
    """Return the connection, after a look at every page where ``suspect`` asked for it."""
    mark = os.path.join(directory, _SUSPECT)
    if not os.path.exists(mark):
        return connection  # the look takes seconds for a million entries
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        connection.close()
        raise Damaged(found)
    os.unlink(mark)
    return connection


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ConfigurationError(
            f"{path} was written by a newer sesmail (schema {version}, here {VERSION}); "
            "install that version again"
        )
    if version == 0:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {32 << 20}")
    connection.execute("PRAGMA temp_store = MEMORY")
    if version == 0:
        connection.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {VERSION};COMMIT;")
    connection.execute("SELECT count(*) FROM (SELECT 1 FROM entry LIMIT 1)").fetchone()


def translate(error: sqlite3.Error) -> Exception:
    """Return what an error of SQLite means for us (https://sqlite.org/rescode.html)."""
    if _primary_code(error) == sqlite3.SQLITE_FULL:
        return DiskFull(str(error))
    if _primary_code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return Damaged(f"{FILE}: {error}; the next start looks through it, and moves it aside")
    return IOFailure(f"{FILE}: {error}; check the disk; the queue stays as it is")


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
