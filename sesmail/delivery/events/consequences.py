"""What follows from an event that is new: each thing in the transaction that writes it down.

a path that waited in doubt    SES has it: delivered, under the id that SES gave it
nothing in the mailbox         the sender gets a DSN, unless he had one
a complaint                    ``postmaster`` gets a line
no use to write there again    the address is suppressed
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sesmail.delivery import suppression
from sesmail.delivery.daemon import outcomes
from sesmail.delivery.daemon.holds import ENTRY, HoldBook
from sesmail.delivery.daemon.schedule import Lane
from sesmail.delivery.events.complaints import Complaint, Complaints
from sesmail.delivery.events.lines import Lines
from sesmail.delivery.events.record import Event, Told
from sesmail.delivery.policy import Load
from sesmail.delivery.report_message import Failed
from sesmail.queue import events
from sesmail.queue.events import Known, Suppressed
from sesmail.queue.store import Job, NewEntry, State, Store
from sesmail.sysexits import Failure

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


class Consequences:
    """Does it; DSNs and complaints are gathered, for ``tell``."""

    def __init__(
        self,
        store: Store,
        holds: HoldBook,
        load: Load,
        bounced: Bounced,
        complaints: Complaints,
        lines: Lines,
    ) -> None:
        self._store = store
        self._holds = holds
        self._load = load
        self._bounced = bounced
        self._complaints = complaints
        self._lines = lines
        self._failures: dict[int, _Failures] = {}  # by entry
        self._new_complaints: list[Complaint] = []

    def follow(self, event: Event, told: Told, known: Known, now: int) -> Lane | None:
        """Do what follows for one forward-path; return the lane that has less to do now."""
        job = known.job
        lane: Lane | None = None
        # Without an attempt, too: then it was the foreground's, which left the rest to us.
        if known.state in _WAITING and event.at >= job.arrived - events.SKEW:
            self._accept(event, known, now)
            lane = (job.identity, job.uid)
        self._lines.told(event, told, known)
        if event.is_final and told.status:
            self._fail(event, told, known)
        elif event.kind == events.COMPLAINT:
            address = known.path.address
            self._new_complaints.append(
                Complaint(job.queue_id, job.identity, job.author, job.uid, address, told.text)
            )
        self.suppress(job.identity, known.path.address, event, told)
        return lane

    def suppress(self, name: str, address: str, event: Event, told: Told) -> None:
        """Remember an address, if there is a reason to and the credentials do not forbid it."""
        if not told.suppresses:
            return
        try:
            is_on = suppression.is_on(self._load(name))
        except Failure:
            is_on = False
        if is_on:
            reason = events.COMPLAINT if event.kind == events.COMPLAINT else events.BOUNCE
            suppressed = Suppressed(address, reason, event.at, told.text)
            events.suppress(self._store.connection, name, suppressed)

    def tell(self) -> set[Lane]:
        """Queue DSNs and the mail for ``postmaster``; return their lanes."""
        new: list[NewEntry] = []
        for one in self._failures.values():
            entry = self._bounced(one.job, one.failed, one.section)
            if entry is not None:
                new.append(entry)
                self._lines.reported(one.job, entry.queue_id)
        if self._new_complaints and (notice := self._complaints.make(self._new_complaints)):
            new.append(notice)
        self.forget()
        self._store.add(new)
        return {(entry.identity, entry.uid) for entry in new}

    def forget(self) -> None:
        """Forget what was gathered."""
        self._failures.clear()
        self._new_complaints.clear()

    def _accept(self, event: Event, known: Known, now: int) -> None:
        """SES has what waited for another attempt: there is none."""
        result = outcomes.told(known.relay or "none", event.remote_id)
        is_over = events.accept(self._store, known, result.remote_id, result.text, now)
        if known.hold is not None and not events.is_held(self._store.connection, known.hold):
            job = known.job
            self._holds.release_entry(job.identity, job.queue_id, now, (ENTRY,))
        self._lines.accepted(known, result, now)
        if is_over:
            self._lines.removed(known.job)

    def _fail(self, event: Event, told: Told, known: Known) -> None:
        """Remember for the DSN; not what the sender was told already."""
        if known.state is State.FAILED or events.told_before(
            self._store.connection, known.path.id, event.kind, event.at
        ):
            return
        relay = event.relay or known.relay
        if relay in ("", "none"):  # never none: somebody took it, and it was no policy of ours
            relay = _SES
        diagnostic = "smtp" if event.kind == events.BOUNCE else "X-sesmail"
        failures = self._failures.setdefault(
            known.job.entry, _Failures(known.job, event.section, [])
        )
        failures.failed.append(
            Failed(known.path.address, told.status, told.text, relay, diagnostic)
        )
