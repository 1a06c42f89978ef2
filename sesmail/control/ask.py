"""Asking for what is in the queue: the daemon or, where none runs, ourselves, as its user.

Then what changes the queue takes its lock, and what only reads does not: it would keep a daemon
from starting. Both answer with the same functions (``sesmail.delivery.daemon.answers``).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from sesmail.delivery.daemon import log, privileges
from sesmail.delivery.daemon.administration import Administration
from sesmail.delivery.daemon.answers import registry
from sesmail.delivery.daemon.answers.frame import Client, Desk
from sesmail.delivery.daemon.holds import HoldBook
from sesmail.drop.put import READER, Wake
from sesmail.queue.lock import Lock
from sesmail.queue.schema import DiskFull
from sesmail.queue.store import Store
from sesmail.settings import Settings
from sesmail.submission import daemon
from sesmail.sysexits import DataError, NotPermitted, Unavailable

_END = '{"end":'


def ask(settings: Settings, request: dict[str, object]) -> Iterator[dict[str, Any]]:
    """Yield the documents of an answer; ``request`` has the field ``request``, and its own.

    Raises NotPermitted, DataError where it cannot be done, Unavailable where nobody answers. Where
    no daemon runs root becomes the user of the settings, for good.
    """
    for line in lines(settings, request):
        yield json.loads(line)


def lines(settings: Settings, request: dict[str, object]) -> Iterator[str]:
    """Yield the same as they came, each in a line of ASCII, without its end."""
    text = json.dumps(request, separators=(",", ":"))
    answer = (
        daemon.ask(settings.spool_directory, text, _END)
        if is_running(settings)
        else _alone(settings, request["request"], text)
    )
    for line in answer:
        if line.startswith(_END):
            _end(json.loads(line))
            return
        yield line
    raise Unavailable("the answer broke off; try again")


def is_running(settings: Settings) -> bool:
    """Tell whether a daemon runs."""
    wake = Wake(settings.spool_directory)
    try:
        return wake.state == READER
    finally:
        wake.close()


def _end(document: dict[str, str]) -> None:
    if document["end"] == registry.DENIED:
        raise NotPermitted(document["text"])
    if document["end"] == registry.ERROR:
        raise DataError(document["text"])


def _alone(settings: Settings, name: object, text: str) -> Iterator[str]:
    client = Client(os.getuid(), sees_all=True)  # as far as we get: only root can become the user
    privileges.become(settings.user)  # root's files in the queue would lock sesmaild out for ever
    with _desk(settings, is_changing=name in registry.CHANGING) as desk:
        for piece in registry.answer(desk, text.encode("ascii"), client):
            yield from piece.split("\n")[:-1]


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
