"""queue.db: whether it can be read, and what was moved aside because it could not.

It is read as the user of sesmaild: SQLite makes the -shm of a database that it opens, and one that
is root's would be read-only for the daemon.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator

from sesmail.control.check import as_user, permissions
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.queue import schema
from sesmail.settings import Settings
from sesmail.sysexits import Failure

_SUBJECT = "queue"
_LONGEST_LOOK = 5.0  # seconds; meanwhile the daemon's WAL grows
_STEPS = 100_000  # of SQLite's machine, between two looks at the clock
_DAMAGE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_FINE, _DAMAGED, _UNKNOWN = "fine", "damaged", "unknown"
_RESTART = "restart sesmaild: it moves it aside and goes on; then sesmailctl queue salvage"


def look(settings: Settings) -> Iterator[Finding]:
    """Say how it stands with the database, and with those that were damaged before."""
    user = permissions.user(settings)
    if user is None or not permissions.has_spool(settings):
        return  # said already
    directory = os.path.join(settings.spool_directory, "queue")
    try:
        (state, text), aside = as_user.call(user, lambda: (_examine(directory), _aside(directory)))
    except Failure as failure:
        yield of_failure(warning, _SUBJECT, f"not looked at: {failure}")
        return
    for path in aside:
        yield broken(
            _SUBJECT,
            f"{path} was damaged and is set aside, with the mail in it",
            f"systemctl stop sesmaild; sesmailctl queue salvage {path}; start it, remove the file",
        )
    yield _judged(state, text, os.path.join(directory, schema.FILE))


def _judged(state: str, text: str, path: str) -> Finding:
    if state == _DAMAGED:
        return broken(_SUBJECT, f"{path} is damaged: {text}", _RESTART)
    if state == _UNKNOWN:
        return warning(_SUBJECT, f"{path} was not looked at: {text}", "try again")
    return ok(_SUBJECT, f"{path}: {text}")


def _examine(directory: str) -> tuple[str, str]:
    """Return how it stands with the pages, and a text about it."""
    path = os.path.join(directory, schema.FILE)
    if not os.path.exists(path):
        return _FINE, "not there yet, for nothing was queued so far"
    end = time.monotonic() + _LONGEST_LOOK
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return _of_error(error)
    finally:
        connection.close()
    if found == "ok":
        return _FINE, "every page is as it should be"
    return _DAMAGED, str(found)


def _of_error(error: sqlite3.Error) -> tuple[str, str]:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        return _FINE, f"nothing found in the {_LONGEST_LOOK:.0f} s that were looked"
    return (_DAMAGED if code in _DAMAGE else _UNKNOWN), str(error)


def _aside(directory: str) -> list[str]:
    try:
        return schema.moved_aside(directory)
    except OSError:
        return []  # its owner or mode is wrong, which is said already
