"""Results written down: rows, holds, DSNs, log lines.

Rows are written inside the loop's transaction, lines only after it, for it may be rolled back and
done again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sesmail.delivery.daemon import outcomes
from sesmail.delivery.daemon.delivering import Attempt, Attempted
from sesmail.delivery.daemon.holds import HoldBook
from sesmail.delivery.daemon.schedule import Lane
from sesmail.delivery.maillog import MailLog
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.queue import events, upkeep
from sesmail.queue.store import Finished, Job, Path, State
from sesmail.queue.upkeep import Hold
from sesmail.sysexits import Failure

if TYPE_CHECKING:
    from sesmail.delivery.daemon.loop import Parts


_Ended = list[tuple[Job, list[tuple[Path, Finished]]]]


class Settler:
    """Settles attempts."""

    def __init__(self, parts: Parts, holds: HoldBook) -> None:
        self._parts = parts
        self._store = parts.store
        self._holds = holds
        self._lines: list[Callable[[], None]] = []
        self._released: set[str] = set()  # identities of which held paths wait again

    def settle(self, reports: Sequence[Attempted], now: int) -> set[Lane]:
        """Write down what became of attempts, inside a transaction; return the lanes concerned."""
        ended: _Ended = []
        for report in reports:
            if report.suppressed is not None:
                identity = report.job.identity
                events.suppress(self._store.connection, identity, report.suppressed)
            self._settle(report.job, self._current(report), now, report.seconds, ended)
        return self._finish(ended, now) if ended else set()

    def interrupted(self, job: Job, now: int) -> None:
        """Write down that nobody knows what became of an attempt."""
        ended: _Ended = []
        self._settle(job, [outcomes.INTERRUPTED] * len(job.paths), now, 0.0, ended)
        self._finish(ended, now)

    def begun(self, attempt: Attempt) -> None:
        """Log that an attempt begins."""
        job = attempt.job
        sender = job.author if job.reverse_path is None else job.reverse_path
        self._log(job).active(sender, job.size, len(job.paths))

    def log_release(self, hold: Hold) -> None:
        """Log, after the transaction, that something is no longer held."""
        what = hold.key or hold.identity
        self._lines.append(lambda: self._parts.log.info(f"no longer held: {what}"))

    def tell(self) -> None:
        """Write the lines of what was committed, and those of what is held."""
        for line in self._lines:
            line()
        self._lines.clear()
        if self._holds:
            for text in self._holds.lines(self._parts.clock.now()):
                self._parts.log.error(text)

    def forget(self) -> None:
        """Drop the lines of what was rolled back."""
        self._lines.clear()
        self._released.clear()

    def _current(self, report: Attempted) -> list[Result]:
        """Return the results; what newer credentials may have mended is tried again, not held."""
        if not any(result.outcome is Outcome.HELD for result in report.results):
            return report.results
        try:
            is_current = self._parts.identities.load(report.job.identity) is report.credentials
        except Failure:
            is_current = False
        return report.results if is_current else [_unheld(result) for result in report.results]

    def _settle(
        self, job: Job, results: Sequence[Result], now: int, seconds: float, ended: _Ended
    ) -> None:
        """Append to ``ended`` what is to be written down of an attempt."""
        finished: list[tuple[Path, Finished]] = []
        for path, result in zip(job.paths, results, strict=True):
            if result.outcome is Outcome.DELIVERED:
                self._release(job, path, now)
            else:
                result = self._expire(job, path, self._told(job, path, result), now)
            hold = self._hold(job, path, result, now)
            written = outcomes.finished(path, result, now, self._parts.settings, hold)
            finished.append((path, written))
            self._note_result(job, path, result, now, seconds)
        self._holds.end_attempt(job)
        ended.append((job, finished))

    def _finish(self, ended: _Ended, now: int) -> set[Lane]:
        """Write it down, with the DSNs; return the lanes concerned."""
        over = self._store.finish_all(
            [(job, [written for _, written in finished]) for job, finished in ended], now
        )
        lanes = {(job.identity, job.uid) for job, _ in ended}
        if self._released:
            lanes.update(lane for lane in self._store.lanes() if lane[0] in self._released)
            self._released.clear()
        for job, finished in ended:
            failed = [pair for pair in finished if pair[1].state is State.FAILED]
            if failed:
                lanes |= self._bounce(job, failed)
        for job in {job.entry: job for job, _ in ended if job.entry in over}.values():
            if self._holds:
                self._holds.release_entry(job.identity, job.queue_id, now)
            self._lines.append(self._log(job).removed)
        return lanes

    def _told(self, job: Job, path: Path, result: Result) -> Result:
        """Return the result; a delivery, if an event told meanwhile that SES has the message.

        Of this attempt or one before: a 500 may come after SES took it, too.
        """
        remote_id = events.proof(self._store.connection, path.id, job.arrived)
        return outcomes.told(result.relay, remote_id) if remote_id else result

    def _expire(self, job: Job, path: Path, result: Result, now: int) -> Result:
        def held() -> int:
            keys = ("", job.author, path.address, job.queue_id)
            return upkeep.held_time(self._store.connection, job.identity, keys, job.arrived, now)

        return outcomes.expired(job, result, now, self._parts.settings, held) or result

    def _hold(self, job: Job, path: Path, result: Result, now: int) -> tuple[str, int] | None:
        wanted = outcomes.hold_of(job, path, result, self._parts.settings)
        if wanted is None:
            return None
        scope, key = wanted
        standing = self._holds.begin(job.identity, scope, key, result.text, now)
        return scope, standing.hold.id

    def _release(self, job: Job, path: Path, now: int) -> None:
        """End the holds that a delivery disproves."""
        if self._holds:
            for hold in self._holds.delivered(job, path, now):
                self.log_release(hold)
                self._released.add(job.identity)

    def _bounce(self, job: Job, failed: Sequence[tuple[Path, Finished]]) -> set[Lane]:
        """Queue the DSN, if there is to be one, with the results that it tells."""
        entry = self._parts.make_dsn(job, failed, lambda: self._store.message(job.entry))
        if entry is None:
            return set()
        self._store.add([entry])
        self._lines.append(lambda: self._log(job).reported(entry.queue_id))
        return {(entry.identity, entry.uid)}

    def _note_result(self, job: Job, path: Path, result: Result, now: int, seconds: float) -> None:
        delays = (0.0, (job.started - job.arrived) / 1000, 0.0, seconds)
        log = self._log(job)
        self._lines.append(lambda: log.result(path.address, result, delays))

    def _log(self, job: Job) -> MailLog:
        return MailLog(job.queue_id, self._parts.log.emit)


def _unheld(result: Result) -> Result:
    if result.outcome is not Outcome.HELD:
        return result
    return dataclasses.replace(result, outcome=Outcome.DEFERRED, retry=Retry.NOW)
