"""Events joined to what was sent: the main thread's part, around the loop's one transaction.

    take     what the pollers handed over
    join     which forward-path, by SES's id or by our tag; a row for each, and, if the row is new,
             what follows from it: a path that waited is delivered, a DSN, a complaint, an address
             that is suppressed
    settle   after the commit: lines, and the receipts back, for only now an event may be deleted

SQS delivers some events twice, in any order, and some before the result of the attempt is written
down; the rows are unique, and ``Settler`` looks for them where a result is in doubt. An event of
mail that this host does not know is left for another host that shares the queue, up to a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sesmail import identity
from sesmail.delivery.daemon.holds import ENTRY, HoldBook
from sesmail.delivery.daemon.schedule import Lane
from sesmail.delivery.events import tally
from sesmail.delivery.events.complaints import Complaint, Complaints
from sesmail.delivery.events.inbox import Batch, Inbox, News, Received
from sesmail.delivery.events.lines import Lines
from sesmail.delivery.events.pollers import Pollers
from sesmail.delivery.events.record import Event, Told
from sesmail.delivery.events.tally import Tally
from sesmail.delivery.policy import Load
from sesmail.delivery.report_message import Failed
from sesmail.queue import events
from sesmail.queue.events import Known, Suppressed
from sesmail.queue.store import Job, NewEntry, State, Store
from sesmail.sysexits import Failure

MOST_RECEIVED = 40  # times; then no host knows it
_LEFT = 5  # seconds, times how often it was received
_LONGEST_LEFT = 60
_SES = "amazonses.com"
_WAITING = (State.WAITING, State.HELD)

# Makes the DSN for what an event said failed, of a job; the bytes are the header section.
Bounced = Callable[[Job, list[Failed], bytes], NewEntry | None]


@dataclass
class _Failures:
    """The forward-paths of an entry that got nothing, as one batch tells."""

    job: Job
    section: bytes
    failed: list[Failed]


class Joiner:
    """Joins events. ``now`` returns this moment in milliseconds."""

    def __init__(
        self,
        store: Store,
        holds: HoldBook,
        load: Load,
        bounced: Bounced,
        complaints: Complaints,
        inbox: Inbox,
        pollers: Pollers,
        lines: Lines,
        counts: Tally,
    ) -> None:
        self._store = store
        self._holds = holds
        self._load = load
        self._bounced = bounced
        self._complaints = complaints
        self._inbox = inbox
        self._pollers = pollers
        self._lines = lines
        self._tally = counts
        self._waiting: list[Batch] = []
        self._joined: list[Batch] = []
        self._unknown: set[str] = set()  # receipts of what was joined
        self._failures: dict[int, _Failures] = {}
        self._new_complaints: list[Complaint] = []

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
                if one.event is not None:
                    self._join(one, one.event, now, lanes)
        if self._failures or self._new_complaints:
            lanes |= self._tell()
        return lanes

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
        self._failures.clear()
        self._new_complaints.clear()
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

    def _join(self, one: Received, event: Event, now: int, lanes: set[Lane]) -> None:
        found = list(self._find(event))
        if not found:
            if event.queue_id and events.has_entry(self._store.connection, event.queue_id):
                self._tally.note(tally.STRANGERS, event.queue_id)
            else:
                self._unknown.add(one.receipt)
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
                self._follow_from(event, told, known, now, lanes)

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

    def _follow_from(
        self, event: Event, told: Told, known: Known, now: int, lanes: set[Lane]
    ) -> None:
        """Do what follows from an event that is new."""
        job = known.job
        if known.state in _WAITING and event.at >= job.arrived - events.SKEW:
            self._accept(event, known, now)
            lanes.add((job.identity, job.uid))
        self._lines.told(event, told, known)
        is_lost = event.is_final and bool(told.status)
        if is_lost:
            self._fail(event, told, known)
        if event.kind == events.COMPLAINT and not event.is_final:
            self._new_complaints.append(
                Complaint(
                    job.queue_id, job.identity, job.author, job.uid, known.path.address, told.text
                )
            )
        if told.suppresses and self._suppresses(job.identity):
            reason = events.COMPLAINT if event.kind == events.COMPLAINT else events.BOUNCE
            suppressed = Suppressed(known.path.address, reason, event.at, told.text)
            events.suppress(self._store.connection, job.identity, suppressed)

    def _accept(self, event: Event, known: Known, now: int) -> None:
        """SES has what waited for another attempt: there is none."""
        text = f"SES {event.remote_id}; told by an event"
        is_over = events.accept(self._store, known, event.remote_id, text, now)
        if known.hold is not None and not events.is_held(self._store.connection, known.hold):
            self._holds.release_entry(known.job.queue_id, now, (ENTRY,))
        self._lines.accepted(known, event.remote_id, text, now)
        if is_over:
            self._lines.removed(known.job)

    def _fail(self, event: Event, told: Told, known: Known) -> None:
        """Remember for the DSN; not what the sender was told already."""
        connection = self._store.connection
        if known.state is State.FAILED or events.told_before(
            connection, known.path.id, event.kind, event.at
        ):
            return
        job = known.job
        failures = self._failures.setdefault(job.entry, _Failures(job, event.section, []))
        relay = event.relay or known.relay
        if relay in ("", "none"):  # never none: somebody took it, and it was no policy of ours
            relay = _SES
        diagnostic = "smtp" if event.kind == events.BOUNCE else "X-sesmail"
        failures.failed.append(
            Failed(known.path.address, told.status, told.text, relay, diagnostic)
        )

    def _tell(self) -> set[Lane]:
        """Queue DSNs and the notice for postmaster; return their lanes."""
        new: list[NewEntry] = []
        for one in self._failures.values():
            entry = self._bounced(one.job, one.failed, one.section)
            if entry is not None:
                new.append(entry)
                self._lines.reported(one.job, entry.queue_id)
        if self._new_complaints and (notice := self._complaints.make(self._new_complaints)):
            new.append(notice)
        self._failures.clear()
        self._new_complaints.clear()
        self._store.add(new)
        return {(entry.identity, entry.uid) for entry in new}

    def _suppresses(self, name: str) -> bool:
        try:
            return self._load(name).suppression == "on"
        except Failure:
            return False


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
