"""Mail to addresses that bounced for good, or from which somebody complained: it fails at once.

SES would accept it, count it against the quota, and drop it without a word. What is known comes
from events (``queue.events``) and, where the key may ask, from the list of the account in SES
(``daemon.lookup``). ``suppression = off`` in a credentials file turns it off.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.maillog import printable
from sesmail.delivery.policy import Load
from sesmail.queue import events
from sesmail.queue.events import Suppressed
from sesmail.queue.store import NewEntry, State
from sesmail.sysexits import Failure

# RFC 3463, 3.2 and 3.8. Not 5.7.1, which is what our own policy says.
STATUS = {events.BOUNCE: "5.1.1", events.COMPLAINT: "5.7.0"}
_HAPPENED = {
    events.BOUNCE: "mail to this address bounced",
    events.COMPLAINT: "somebody complained about mail to this address",
}
_LONGEST = 200  # characters of what was said then


def is_on(credentials: Credentials) -> bool:
    """Tell whether such mail fails."""
    return credentials.suppression == "on"


def text(found: Suppressed) -> str:
    """Return what the sender is told, in a line: what happened when, and the remedy."""
    day = time.strftime("%Y-%m-%d", time.gmtime(found.since / 1000))
    said = f" ({printable(found.text, _LONGEST)})" if found.text else ""
    return (
        f"not sent: {_HAPPENED[found.reason]} on {day}{said}; if it can be used again: "
        f"sesmailctl suppression remove {found.address}"
    )


def fail(connection: sqlite3.Connection, entries: Iterable[NewEntry], load: Load) -> None:
    """Let the suppressed forward-paths of entries that come in fail; inside a transaction."""
    if not events.is_any_suppressed(connection):
        return
    for entry in entries:
        waiting = [path for path in entry.paths if path.state is State.WAITING]
        if not waiting or not _is_on(entry.identity, load):
            continue
        found = events.suppressed(connection, entry.identity, (path.address for path in waiting))
        for path in waiting:
            if known := found.get(events.fold(path.address)):
                path.state, path.status, path.text = State.FAILED, STATUS[known.reason], text(known)


def _is_on(name: str, load: Load) -> bool:
    try:
        return is_on(load(name))
    except Failure:
        return False
