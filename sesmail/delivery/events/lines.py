"""The lines of the mail log that events make, kept until what they tell is committed."""

from __future__ import annotations

from collections.abc import Callable

from sesmail.delivery.events.record import Event, Told
from sesmail.delivery.maillog import Emit, MailLog
from sesmail.delivery.outcome import Result
from sesmail.queue import events
from sesmail.queue.events import Known
from sesmail.queue.store import Job

_WORDS = {
    events.DELIVERY: "delivered",
    events.COMPLAINT: "complained",
    events.DELIVERY_DELAY: "deferred",
}


class Lines:
    """Lines to be written after the commit."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._waiting: list[Callable[[], None]] = []

    def told(self, event: Event, told: Told, known: Known) -> None:
        """Say what an event tells; acceptance alone was said already, or is said otherwise."""
        if event.kind == events.SEND:
            return
        word = _WORDS.get(event.kind, "softbounce")
        if event.is_final and told.status:
            word = "bounced"
        address, job = known.path.address, known.job
        relay, delay = event.relay or known.relay or "none", (event.at - job.arrived) / 1000
        log = self._log(job)
        status = told.status or "2.0.0"
        self._waiting.append(
            lambda: log.told(address, relay, delay, status, word, told.text or "no reason given")
        )

    def accepted(self, known: Known, result: Result, now: int) -> None:
        """Say that SES took what was in doubt."""
        delays = (0.0, (now - known.job.arrived) / 1000, 0.0, 0.0)
        log = self._log(known.job)
        self._waiting.append(lambda: log.result(known.path.address, result, delays))

    def removed(self, job: Job) -> None:
        """Say that the message is no longer kept."""
        self._waiting.append(self._log(job).removed)

    def reported(self, job: Job, queue_id: str) -> None:
        """Say which DSN tells the sender."""
        log = self._log(job)
        self._waiting.append(lambda: log.reported(queue_id))

    def write(self) -> None:
        """Write what was committed."""
        for line in self._waiting:
            line()
        self._waiting.clear()

    def forget(self) -> None:
        """Drop what was rolled back."""
        self._waiting.clear()

    def _log(self, job: Job) -> MailLog:
        return MailLog(job.queue_id, self._emit)
