"""``sesmailctl queue salvage FILE``: see ``sesmail.queue.salvage``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from sesmail.delivery.daemon import privileges
from sesmail.queue import salvage
from sesmail.queue.lock import Lock
from sesmail.queue.schema import DiskFull
from sesmail.queue.store import Store
from sesmail.settings import Settings
from sesmail.sysexits import CannotCreate, DataError, IOFailure


def run(settings: Settings, path: str) -> Iterator[str]:
    """Bring back what can be read in ``path``; yield what became of it.

    Raises DataError where ``path`` cannot be read, CannotCreate while sesmaild runs or without
    room, IOFailure.
    """
    path = os.path.abspath(path)
    privileges.become(settings.user)  # root's files in the queue would lock sesmaild out for ever
    if not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise DataError(f"{path!a} is no file that user {settings.user} can read")
    directory = os.path.join(settings.spool_directory, "queue")
    lock = Lock(directory)
    store = Store(directory)
    try:
        outcome = salvage.salvage(path, store, int(time.time() * 1000))
    except DiskFull:
        raise CannotCreate(f"no room under {directory}; make room, then begin again") from None
    except OSError as error:
        raise IOFailure(
            f"cannot copy {path!a}: {error.strerror}; put it into {directory}, where there is "
            "room for it twice"
        ) from None
    finally:
        store.close()
        lock.close()
    yield f"{outcome.saved} brought back, {outcome.known} known already, {outcome.lost} unreadable"
    for queue_id in outcome.damaged:
        yield (
            f"{queue_id}: its content is damaged, so it is kept as failed and not sent: "
            f"sesmailctl queue show {queue_id} --content"
        )
