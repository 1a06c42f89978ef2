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
from sesmail.queue import upkeep
from sesmail.queue.store import Finished, Job, Path, State
from sesmail.queue.upkeep import Hold
from sesmail.sysexits import Failure

if TYPE_CHECKING:
    from sesmail.delivery.daemon.loop import Parts


class Settler:
    """Settles attempts."""

    def __init__(self, parts: Parts, holds: HoldBook) -> None:
        self._parts = parts
        self._store = parts.store
        self._holds = holds
        self._lines: list[Callable[[], None]] = []

    def settle(self, reports: Sequence[Attempted], now: int) -> set[Lane]:
        """Write down what became of attempts, inside a transaction; return the lanes concerned."""
        lanes: set[Lane] = set()
        for report in reports:
            results = self._current(report)
            lanes |= self._settle(report.job, results, now, report.seconds)
        return lanes

    def interrupted(self, job: Job, now: int) -> None:
        """Write down that nobody knows what became of an attempt."""
        self._settle(job, [outcomes.INTERRUPTED] * len(job.paths), now, 0.0)

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

    def _current(self, report: Attempted) -> list[Result]:
        """Return the results; what newer credentials may have mended is tried again, not held."""
        if not any(result.outcome is Outcome.HELD for result in report.results):
            return report.results
        try:
            is_current = self._parts.identities.load(report.job.identity) is report.credentials
        except Failure:
            is_current = False
        return report.results if is_current else [_unheld(result) for result in report.results]

    def _settle(self, job: Job, results: Sequence[Result], now: int, seconds: float) -> set[Lane]:
        lanes = {(job.identity, job.uid)}
        finished: list[tuple[Path, Finished]] = []
        for path, result in zip(job.paths, results, strict=True):
            result = self._expire(job, path, result, now)
            if result.outcome is Outcome.DELIVERED and self._release(job, path, now):
                lanes.update(lane for lane in self._store.lanes() if lane[0] == job.identity)
            hold = self._hold(job, path, result, now)
            written = outcomes.finished(path, result, now, self._parts.settings, hold)
            finished.append((path, written))
            self._note_result(job, path, result, now, seconds)
        self._holds.end_attempt(job)
        is_over = self._store.finish(job, [written for _, written in finished], now)
        failed = [pair for pair in finished if pair[1].state is State.FAILED]
        if failed:
            lanes |= self._bounce(job, failed)
        if is_over:
            self._lines.append(self._log(job).removed)
        return lanes

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

    def _release(self, job: Job, path: Path, now: int) -> bool:
        """End the holds that a delivery disproves; tell whether there were any."""
        ended = self._holds.delivered(job, path, now) if self._holds else []
        for hold in ended:
            self.log_release(hold)
        return bool(ended)

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
