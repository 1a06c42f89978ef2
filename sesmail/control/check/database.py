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
_RESTART = "restart sesmaild: it moves it aside and goes on; then sesmailctl queue salvage"


def look(settings: Settings) -> Iterator[Finding]:
    """Say how it stands with the database, and with those that were damaged before."""
    user = permissions.user(settings)
    if user is None or not permissions.has_spool(settings):
        return  # said already
    directory = os.path.join(settings.spool_directory, "queue")
    try:
        found, aside = as_user.call(user, lambda: (_examine(directory), _aside(directory)))
    except Failure as failure:
        yield of_failure(warning, _SUBJECT, f"not looked at: {failure}")
        return
    for path in aside:
        yield broken(
            _SUBJECT,
            f"{path} was damaged and is set aside, with the mail in it",
            f"systemctl stop sesmaild; sesmailctl queue salvage {path}; start it, remove the file",
        )
    yield _judged(found, os.path.join(directory, schema.FILE))


def _judged(found: str, path: str) -> Finding:
    if found in _FINE:
        return ok(_SUBJECT, f"{path}: {_FINE[found]}")
    return broken(_SUBJECT, f"{path} is damaged: {found}", _RESTART)


_FINE = {
    "": "not there yet: nothing was queued so far",
    "ok": "every page is as it should be",
    "interrupted": f"nothing found in the {_LONGEST_LOOK:.0f} s that were looked",
}


def _examine(directory: str) -> str:
    """Return what SQLite says of the pages, "interrupted" if that would take too long."""
    path = os.path.join(directory, schema.FILE)
    if not os.path.exists(path):
        return ""
    end = time.monotonic() + _LONGEST_LOOK
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        found = "interrupted" if str(error) == "interrupted" else str(error)
    finally:
        connection.close()
    return str(found)


def _aside(directory: str) -> list[str]:
    try:
        return schema.moved_aside(directory)
    except OSError:
        return []  # its owner or mode is wrong, which is said already
