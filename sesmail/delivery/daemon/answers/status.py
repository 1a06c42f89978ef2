"""The request ``status``: how each identity is doing, and the whole.

A document for each identity, with forward-paths counted and times in seconds since the epoch; null:
not known. The account's part is what SES told the daemon last.

    identity waiting held failed oldest     what is in the queue; failed: of what the history has
    holds hold                              how many holds there are, the widest of them
    sent bounced complained                 in the last 24 hours
    rate active                             recipients per second now, attempts being made
    max_rate quota sent_24_hours enforcement production asked         the account's

and at last the only one that everybody gets:

    {"total": {"messages", "bytes", "drops", "running", "uptime", "version"}}
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from typing import Any

from sesmail import VERSION
from sesmail.delivery.daemon.answers.frame import Answer, Client, Desk, Part, Request, Sending
from sesmail.queue import backlog, upkeep
from sesmail.queue.backlog import Backlog
from sesmail.queue.statistics import Recent
from sesmail.queue.upkeep import Hold

_NAMES = 5_000  # of the drop, read in one step
_WIDEST = (upkeep.IDENTITY, upkeep.AUTHOR, upkeep.RECIPIENT, upkeep.ENTRY, upkeep.OPERATOR)

Steps = Generator[Part, None, Any]


def status(desk: Desk, request: Request, client: Client) -> Iterator[Part]:
    """Without fields."""
    with closing(desk.read()) as connection:
        if client.sees_all:
            yield from _identities(desk, connection)
        messages, size = yield from _silent(backlog.totals(connection))
    drops = yield from _drops(desk) if client.sees_all else _silent(_nothing())
    daemon = desk.daemon
    total = {
        "messages": messages,
        "bytes": size,
        "drops": drops,
        "running": daemon is not None,
        "uptime": daemon.uptime() if daemon else None,
        "version": VERSION,
    }
    yield {"total": total}


def _identities(desk: Desk, connection: sqlite3.Connection) -> Steps:
    waiting: dict[str, Backlog] = yield from _silent(backlog.count(connection))
    recent: dict[str, Recent] = yield from _silent(desk.lately.get(connection))
    sending = desk.daemon.sending() if desk.daemon else {}
    holds: dict[str, list[Hold]] = {}
    for hold in upkeep.holds(connection):
        holds.setdefault(hold.identity, []).append(hold)
    for name in sorted({*waiting, *sending, *_configured(desk)}):
        yield {
            "identity": name,
            **_queued(waiting.get(name, Backlog()), holds.get(name, [])),
            **_counted(recent.get(name, Recent())),
            **_sent(sending.get(name)),
        }


def _queued(found: Backlog, holds: list[Hold]) -> dict[str, Any]:
    """Return what is in the queue. While a whole identity is held, all that waits is."""
    hold = min(holds, key=lambda one: _WIDEST.index(one.scope), default=None)
    is_held = hold is not None and hold.scope == upkeep.IDENTITY
    return {
        "waiting": 0 if is_held else found.waiting,
        "held": found.held + (found.waiting if is_held else 0),
        "failed": found.failed,
        "oldest": None if found.oldest is None else found.oldest / 1000,
        "holds": len(holds),
        "hold": hold
        and {
            "scope": hold.scope,
            "key": hold.key,
            "since": hold.began / 1000,
            "reason": hold.reason,
        },
    }


def _counted(recent: Recent) -> dict[str, Any]:
    return {"sent": recent.sent, "bounced": recent.bounced, "complained": recent.complained}


def _sent(sending: Sending | None) -> dict[str, Any]:
    account = sending and sending.account
    return {
        "rate": sending and sending.rate,
        "active": sending.active if sending else 0,
        "max_rate": account and account.rate,
        "quota": account and account.quota,
        "sent_24_hours": account and account.sent,
        "enforcement": account and account.enforcement,
        "production": account and account.is_production,
        "asked": sending and sending.asked,
    }


def _configured(desk: Desk) -> list[str]:
    """Return the identities that have a credentials file."""
    with suppress(OSError):
        names = os.listdir(desk.settings.credentials_directory)
        return [name for name in names if not name.startswith(".")]
    return []


def _drops(desk: Desk) -> Steps:
    """Return how many messages lie in the drop, None where that cannot be read."""
    number = 0
    try:
        with os.scandir(os.path.join(desk.settings.spool_directory, "drop")) as names:
            for name in names:
                number += not name.name.startswith(".")
                if number % _NAMES == 0:
                    yield ""
    except OSError:
        return None
    return number


def _nothing() -> Generator[None, None, None]:
    yield from ()


def _silent(steps: Generator[None, None, Any]) -> Steps:
    """Return what ``steps`` returns; let others have their turn at each."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        yield ""


ANSWERS: dict[str, Answer] = {"status": status}
