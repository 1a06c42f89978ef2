"""``sesmailctl queue requeue ID``: through the daemon or, if none runs, under its lock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from sesmail.delivery.daemon import privileges
from sesmail.drop import layout
from sesmail.drop.put import READER, Wake
from sesmail.queue import upkeep
from sesmail.queue.lock import Lock
from sesmail.queue.schema import DiskFull
from sesmail.queue.store import Store
from sesmail.settings import Settings
from sesmail.submission import daemon
from sesmail.sysexits import CannotCreate, DataError, NotPermitted, UsageError


def run(settings: Settings, queue_id: str) -> Iterator[str]:
    """Try an entry again; yield how many forward-paths that concerns.

    Raises UsageError, DataError where nothing of it failed or is held, NotPermitted.
    """
    if not layout.is_queue_id(queue_id):
        raise UsageError(f"{queue_id[:100]!a} is no queue id; the mail log and mailq have them")
    wake = Wake(settings.spool_directory)
    is_running = wake.state == READER
    wake.close()
    count = _ask(settings, queue_id) if is_running else _requeue(settings, queue_id)
    if not count:
        raise DataError(f"nothing of {queue_id} has failed, or is held because SES may have it")
    yield f"{count} to be tried again"


def _ask(settings: Settings, queue_id: str) -> int:
    answer = "".join(daemon.ask(settings.spool_directory, f"requeue {queue_id}", ""))
    word, _, count = answer.partition(" ")
    if word != "done":
        raise NotPermitted(f"only root, {settings.user} and the members of its group may do this")
    return int(count)


def _requeue(settings: Settings, queue_id: str) -> int:
    privileges.become(settings.user)  # root's files in the queue would lock sesmaild out for ever
    directory = os.path.join(settings.spool_directory, "queue")
    lock = Lock(directory)
    store = Store(directory)
    try:
        with store.transaction():
            return upkeep.requeue(store.connection, queue_id, int(time.time() * 1000))
    except DiskFull:
        raise CannotCreate(f"no room under {directory}; make room, then begin again") from None
    finally:
        store.close()
        lock.close()
