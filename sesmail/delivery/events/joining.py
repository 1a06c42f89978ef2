"""Events joined to what was sent: the main thread's part, around the loop's one transaction.

take      what the pollers handed over
join      which forward-path, by SES's id or by our tag; a row for each, and, if the row is new,
          what follows from it (``consequences``)
settle    after the commit: lines, and the receipts back, for only now an event may be deleted

SQS delivers some events twice, in any order, and some before the result of the attempt is written
down; the rows are unique, and ``Settler`` looks for them where a result is in doubt. An event of
mail that this host does not know is left for another host that shares the queue, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from sesmail import identity
from sesmail.delivery.daemon.schedule import Lane
from sesmail.delivery.events import tally
from sesmail.delivery.events.consequences import Consequences
from sesmail.delivery.events.inbox import Batch, Inbox, News, Received
from sesmail.delivery.events.lines import Lines
from sesmail.delivery.events.pollers import Pollers
from sesmail.delivery.events.record import Event, Told
from sesmail.delivery.events.tally import Tally
from sesmail.queue import events
from sesmail.queue.events import Known
from sesmail.queue.store import Store

MOST_RECEIVED = 40  # times; then no host knows it
_LEFT = 5  # seconds, times how often it was received
_LONGEST_LEFT = 60


class Joiner:
    """Joins events."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        pollers: Pollers,
        consequences: Consequences,
        lines: Lines,
        counts: Tally,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._pollers = pollers
        self._consequences = consequences
        self._lines = lines
        self._tally = counts
        self._waiting: list[Batch] = []
        self._joined: list[Batch] = []
        self._unknown: set[str] = set()  # receipts of what was joined

    def fileno(self) -> int:
        """Return what is readable when something came."""
        return self._inbox.fileno()

    def follow(self, _now: int = 0) -> None:
        """Let there be a thread for each queue that the credentials files name now."""
        self._pollers.follow()
        self._tally.tell()

    def end(self) -> None:
        """Receive nothing more."""
        self._pollers.end()

    def take(self) -> None:
        """Take what the threads handed over."""
        for item in self._inbox.take():
            if isinstance(item, News):
                self._tally.away(item.source.name, item.trouble)
            else:
                self._waiting.append(item)

    def join(self, now: int) -> set[Lane]:
        """Write down what came, inside a transaction; return the lanes concerned."""
        lanes: set[Lane] = set()
        self._joined, self._waiting = self._waiting, []
        for batch in self._joined:
            for one in batch.received:
                if one.event is not None and not self._join(one.event, now, lanes):
                    self._leave(batch.source.name, one, one.event)
        return lanes | self._consequences.tell()

    def settle(self) -> None:
        """After the commit: give the receipts back, and log."""
        for batch in self._joined:
            done: list[str] = []
            left: list[tuple[str, int]] = []
            for one in batch.received:
                self._settle(one, done, left)
            batch.source.settle(len(batch.received), done, left)
        self._joined.clear()
        self._unknown.clear()
        self._lines.write()

    def undo(self) -> None:
        """After a rollback: forget what came; it comes again."""
        for batch in self._joined:
            batch.source.settle(len(batch.received), [], [])
        self._joined.clear()
        self._unknown.clear()
        self._consequences.forget()
        self._lines.forget()

    def _settle(self, one: Received, done: list[str], left: list[tuple[str, int]]) -> None:
        if one.trouble:
            self._tally.note(tally.UNREADABLE, one.trouble)
        if one.receipt not in self._unknown:
            done.append(one.receipt)
        elif one.count < MOST_RECEIVED:
            left.append((one.receipt, min(one.count * _LEFT, _LONGEST_LEFT)))
        else:
            done.append(one.receipt)
            self._tally.note(tally.UNKNOWN, one.event.remote_id if one.event else "")

    # One event.

    def _join(self, event: Event, now: int, lanes: set[Lane]) -> bool:
        """Write down an event; tell whether this host knows the message."""
        found = list(self._find(event))
        for told, known in found:
            if events.add(
                self._store.connection,
                known.path.id,
                event.kind,
                event.at,
                told.status,
                told.text,
                event.remote_id,
            ):
                lane = self._consequences.follow(event, told, known, now)
                lanes.update([lane] if lane else [])
        if found:
            return True
        if event.queue_id and events.has_entry(self._store.connection, event.queue_id):
            self._tally.note(tally.STRANGERS, event.queue_id)
            return True
        return False

    def _leave(self, name: str, one: Received, event: Event) -> None:
        """Leave an event for another host; what nobody wanted suppresses all the same.

        Complaints may come when the message is forgotten.
        """
        self._unknown.add(one.receipt)
        if one.count >= MOST_RECEIVED:
            for told in event.told:
                self._consequences.suppress(name, told.address, event, told)

    def _find(self, event: Event) -> Iterator[tuple[Told, Known]]:
        """Yield the forward-paths that an event is about, each with what it says of it."""
        sent = events.sent_as(self._store.connection, event.remote_id)
        for told in event.told:
            known = _named(told.address, sent)
            if known is None and event.queue_id:
                same = events.tagged(self._store.connection, event.queue_id, told.address)
                known = _named(told.address, same)
            if known is None and len(sent) == len(event.told) == 1:
                known = sent[0]  # the address to which the receiver forwarded it
            if known is not None:
                yield told, known


def _named(address: str, candidates: list[Known]) -> Known | None:
    """Return the path with this address; where there is none, one that differs in case."""
    wanted = _folded(address)
    same = [known for known in candidates if _folded(known.path.address).lower() == wanted.lower()]
    return next((known for known in same if _folded(known.path.address) == wanted), None) or (
        same[0] if same else None
    )


def _folded(address: str) -> str:
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{identity.a_labels(domain)}"
