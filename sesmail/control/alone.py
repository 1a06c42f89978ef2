"""Answering in the daemon's place where none runs, with the same functions, as its user.

What changes the queue takes its lock, and what only reads does not: it would keep a daemon from
starting.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from sesmail.delivery.daemon import log, privileges
from sesmail.delivery.daemon.administration import Administration
from sesmail.delivery.daemon.answers import registry
from sesmail.delivery.daemon.answers.frame import Client, Desk
from sesmail.delivery.daemon.holds import HoldBook
from sesmail.queue.lock import Lock
from sesmail.queue.schema import DiskFull
from sesmail.queue.store import Store
from sesmail.settings import Settings


def answer(settings: Settings, name: str, text: str) -> Iterator[list[str]]:
    """Yield the lines of the answer to a request of this name, ``text`` in JSON.

    Becomes the user of the settings, for good. Raises NotPermitted, and CannotCreate where a daemon
    was just started.
    """
    client = Client(os.getuid(), sees_all=True)  # as far as we get: only root can become the user
    privileges.become(settings.user)  # root's files in the queue would lock sesmaild out for ever
    with _desk(settings, is_changing=name in registry.CHANGING) as desk:
        for piece in registry.answer(desk, text.encode("ascii"), client):
            yield piece.split("\n")[:-1]


@contextmanager
def _desk(settings: Settings, *, is_changing: bool) -> Iterator[Desk]:
    desk = Desk(settings)
    if not is_changing:
        yield desk
        return
    with closing(Lock(desk.directory)), closing(Store(desk.directory)) as store:
        holds = HoldBook(store)
        holds.load(_now())
        journal = log.opened(settings.syslog_facility, to_stderr=False)
        change = _transactions(store)
        yield Desk(settings, Administration(store, holds, change, lambda: None, journal.emit))
        journal.flush()


def _transactions(store: Store) -> Callable[[Callable[[int], object]], bool]:
    def change(function: Callable[[int], object]) -> bool:
        try:
            with store.transaction():
                function(_now())
        except DiskFull:
            return False
        return True

    return change


def _now() -> int:
    return int(time.time() * 1000)
