"""What the administrator has done to the queue: by the daemon, or by sesmailctl where none runs.

Each change is a transaction. Where it concerns many entries it is done in pieces, so that neither
the loop nor the mail has to wait for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from sesmail.delivery.daemon.holds import OPERATOR, HoldBook
from sesmail.delivery.maillog import Emit, MailLog
from sesmail.queue import decisions, upkeep
from sesmail.queue.decisions import Entry
from sesmail.queue.store import Store
from sesmail.sysexits import CannotCreate, DataError

PIECE = 2_000  # forward-paths changed in one transaction

Made = TypeVar("Made")


class Administration:
    """Changes to the queue.

    ``change`` runs a function, which gets the moment in milliseconds, in a transaction of the
    store, and returns False where the disk is full. ``refresh`` is called after what may have made
    something due.
    """

    def __init__(
        self,
        store: Store,
        holds: HoldBook,
        change: Callable[[Callable[[int], object]], bool],
        refresh: Callable[[], object],
        emit: Emit,
    ) -> None:
        self.connection = store.connection
        self._store = store
        self._holds = holds
        self._change = change
        self._refresh = refresh
        self._emit = emit

    def change(self, change: Callable[[int], Made]) -> Made:
        """Return what ``change`` made of the queue. Raises CannotCreate where the disk is full."""
        made: list[Made] = []
        if not self._change(lambda now: made.append(change(now))):
            raise CannotCreate("the disk of the queue is full; make room, then try again")
        self._refresh()
        return made[0]

    # Trying.

    def flush(self) -> Iterator[int]:
        """Make everything due that waits; yield how many forward-paths, piece by piece."""
        for lane in self._store.lanes():
            while count := self._hasten(*lane):
                yield count

    def retry_all(self) -> Iterator[int]:
        """Make everything due, and try what is held for its configuration; yield as ``flush``."""
        self.change(self._holds.hasten)
        yield from self.flush()

    def retry(self, queue_id: str) -> int:
        """Make an entry due, and try what holds it; return how many forward-paths wait."""

        def retry(now: int) -> int:
            entry = self._open(queue_id)
            self._holds.hasten(now, entry.identity)
            return decisions.retry(self.connection, entry, now)

        return self.change(retry)

    def requeue(self, queue_id: str) -> int:
        """Try again what failed, or is held for ambiguity; return how many forward-paths."""

        def requeue(now: int) -> int:
            entry = self._entry(queue_id)
            released = self._holds.release_entry(entry.identity, queue_id, now, (upkeep.ENTRY,))
            return released + decisions.requeue(self.connection, entry, now)

        count = self.change(requeue)
        if not count:
            raise DataError(f"nothing of {queue_id} has failed, or is held because SES may have it")
        MailLog(queue_id, self._emit).administered("requeued")
        return count

    # Holding.

    def hold(self, queue_id: str, uid: int) -> int:
        """Hold what waits, until it is released; return how many forward-paths wait for that.

        What is being sent just now is held should it have to be tried again.
        """

        def hold(now: int) -> int:
            entry = self._open(queue_id)
            if self._holds.of_entry(entry.identity, queue_id, (OPERATOR,)):
                raise DataError(f"{queue_id} is held already")
            reason = f"held by uid {uid}; sesmailctl queue release ends that"
            standing = self._holds.begin(entry.identity, OPERATOR, queue_id, reason, now)
            return decisions.hold(self.connection, entry, standing.hold)

        count = self.change(hold)
        MailLog(queue_id, self._emit).administered("placed on hold")
        return count

    def release(self, queue_id: str) -> int:
        """End a hold of the administrator's, or one for ambiguity; return how many were held."""

        def release(now: int) -> int:
            entry = self._entry(queue_id)
            if not self._holds.of_entry(entry.identity, queue_id):
                raise DataError(f"{queue_id} is neither held by an administrator nor for ambiguity")
            return self._holds.release_entry(entry.identity, queue_id, now)

        count = self.change(release)
        MailLog(queue_id, self._emit).administered("released from hold")
        return count

    # Deleting.

    def delete(self, queue_id: str, uid: int) -> int:
        """Give up what is not sent, without a DSN, and remove the content.

        Raises DataError while something of it is being sent. Returns how many forward-paths.
        """

        def delete(now: int) -> int:
            entry = self._entry(queue_id)
            if entry.active:
                raise DataError(f"{queue_id} is being sent just now; try again in a moment")
            self._holds.release_entry(entry.identity, queue_id, now)
            count = decisions.delete(self.connection, entry, f"deleted by uid {uid}", now)
            if not count:
                raise DataError(f"nothing of {queue_id} is left to be deleted")
            return count

        count = self.change(delete)
        MailLog(queue_id, self._emit).administered("removed")
        return count

    def _hasten(self, identity: str, uid: int) -> int:
        return self.change(
            lambda now: upkeep.hasten(self.connection, identity, uid, now, now, PIECE)
        )

    def _entry(self, queue_id: str) -> Entry:
        entry = decisions.find(self.connection, queue_id)
        if entry is None:
            raise DataError(f"no message {queue_id} is in the queue or its history")
        return entry

    def _open(self, queue_id: str) -> Entry:
        entry = self._entry(queue_id)
        if not entry.open:
            raise DataError(f"nothing of {queue_id} waits; requeue tries again what failed")
        return entry
