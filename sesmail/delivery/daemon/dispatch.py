"""What is begun next: claims by turn, rate, concurrency, holds, and the room for content."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from sesmail.delivery.account import Account
from sesmail.delivery.credential_rules import API
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.daemon.answers.frame import Sending
from sesmail.delivery.daemon.clock import Clock
from sesmail.delivery.daemon.delivering import Attempt, Attempted, Question
from sesmail.delivery.daemon.holds import IDENTITY, HoldBook
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.rates import MOST_AT_ONCE, Rate
from sesmail.delivery.daemon.schedule import Lane, Schedule
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.queue import upkeep
from sesmail.queue.store import Job, Store
from sesmail.settings import Settings
from sesmail.sysexits import Failure

MOST_CONTENT = 128 << 20  # bytes of messages in flight
_AHEAD = 16  # attempts in hand for which there is no thread yet
_FAST = 100.0  # recipients per second from which on a commit takes as long as an attempt
_THROTTLED = "4.4.5"  # status of the replies that ask for a lower rate (``reply_rows``)
_OUTAGE = ("4.3.", "4.4.", "4.7.5")
_ASK_EVERY = 900.0  # seconds, for the account's rate


class Dispatcher:
    """Claims from the queue for as long as something may begin."""

    def __init__(
        self,
        store: Store,
        schedule: Schedule,
        holds: HoldBook,
        identities: Identities,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self._store = store
        self._schedule = schedule
        self._holds = holds
        self._identities = identities
        self._clock = clock
        self._rates: dict[str, Rate] = {}
        self._asked: dict[str, float] = {}  # when GetAccount was asked
        self._accounts: dict[str, tuple[Account, float]] = {}  # what it said, and when
        self._claimed: list[Attempt | Question] = []
        self._in_flight: dict[int, int] = {}  # bytes by attempt

    def claim(self, horizon: int) -> None:
        """Begin what is due before ``horizon`` and may begin; inside a transaction."""
        touched: set[Lane] = set()
        while lane := self._schedule.next(horizon, self._may_begin):
            if not self._claim(lane, horizon):
                self.refresh(lane)
            touched.add(lane)
        for lane in touched:
            self.refresh(lane)

    def take_claimed(self) -> list[Attempt | Question]:
        """Return, after the commit, what is to be done now."""
        claimed, self._claimed = self._claimed, []
        return claimed

    def undo(self) -> None:
        """Forget what was claimed: it was rolled back."""
        for work in self.take_claimed():
            if isinstance(work, Attempt):
                del self._in_flight[work.job.attempt]
                self._rate(work.job.identity).in_flight -= 1
            else:
                del self._asked[work.credentials.identity]

    def refresh(self, lane: Lane) -> None:
        """Look up when a lane is due."""
        self._schedule.set(lane, self._store.due(*lane))

    def ended(self, report: Attempted) -> None:
        """Count an attempt that has ended, whatever becomes of its results."""
        job = report.job
        self._in_flight.pop(job.attempt, None)
        rate = self._rate(job.identity)
        rate.end(report.seconds, max(0, report.asked - len(job.paths)))
        _tell(rate, report.results, self._now())

    def answered(self, identity: str, account: Account | None) -> None:
        """Take over what GetAccount said."""
        if account is not None:
            self._rate(identity).set_quota(account.rate)
            self._accounts[identity] = account, self._clock.now() / 1000

    def sending(self) -> dict[str, Sending]:
        """Return how each identity sends."""
        return {
            identity: Sending(
                rate.per_second, rate.in_flight, *self._accounts.get(identity, (None, None))
            )
            for identity, rate in self._rates.items()
        }

    def threads(self) -> int:
        """Return how many threads there may be: all, if more than one identity has work."""
        active = [rate for rate in self._rates.values() if rate.in_flight]
        return max(1, self._threads(active[0])) if len(active) == 1 else MOST_AT_ONCE

    def is_busy(self) -> bool:
        """Tell whether there is work for threads ahead."""
        return len(self._in_flight) >= _AHEAD + self.threads() // 2

    def in_flight(self) -> int:
        """Return the number of attempts that are being made."""
        return len(self._in_flight)

    def delay(self) -> float:
        """Return the seconds until something may begin; infinity: when something has ended."""
        if not self._has_room():
            return math.inf
        return min((self._delay(name) for name in self._schedule.identities()), default=math.inf)

    def has_work(self, horizon: int) -> bool:
        """Tell whether something was due before ``horizon`` and can be tried without a long wait.

        Not what is held, and not where nobody answers.
        """
        return any(
            (self._schedule.due(identity) or math.inf) <= horizon
            and self._holds.may_claim(identity, self._clock.now())
            and not self._rate(identity).is_paused(self._now())
            for identity in self._schedule.identities()
        )

    def _delay(self, identity: str) -> float:
        due = self._schedule.due(identity)
        if due is None:
            return math.inf
        if self._holds.holds_identity(identity):
            due = self._holds.next_probe(identity) or due
        if not self._has_thread(identity):
            return math.inf
        wait = self._rate(identity).wait(self._now())
        return max((due - self._clock.now()) / 1000, wait)

    def _claim(self, lane: Lane, horizon: int) -> bool:
        """Claim from a lane; tell whether there was something."""
        identity, uid = lane
        now = self._clock.now()
        credentials = self._credentials(identity, now)
        if credentials is None:
            return False
        self._rate(identity).set_cap(credentials.max_send_rate)
        job = self._store.claim(identity, uid, horizon)
        if job is None:
            return False
        job = self._keep_held(job, now)
        if job.paths:
            self._ask(credentials)
            message, place = self._store.message(job.entry), self._rate(identity).in_flight
            self._rate(identity).begin(len(job.paths))
            self._in_flight[job.attempt] = job.size
            self._claimed.append(Attempt(job, message, credentials, self.settings, place))
        return True

    def _credentials(self, identity: str, now: int) -> Credentials | None:
        """Return the credentials of an identity; hold it where there are none that can be used."""
        try:
            return self._identities.load(identity)
        except Failure as failure:
            self._holds.begin(identity, IDENTITY, "", str(failure), now)
            self._holds.put_off(identity, now)
            return None

    def _keep_held(self, job: Job, now: int) -> Job:
        """Hold those paths of a claimed job that a hold concerns; return the job of the others."""
        if not self._holds:
            return job
        free = []
        for path in job.paths:
            standing = self._holds.keeps(job, path, now)
            if standing is None:
                free.append(path)
            else:
                upkeep.keep_back(self._store.connection, path.id, standing.hold)
        if not free:
            upkeep.forget_attempt(self._store.connection, job.attempt)
        return dataclasses.replace(job, paths=free)

    def _ask(self, credentials: Credentials) -> None:
        """Ask for the account's rate, if it is time for it."""
        last = self._asked.get(credentials.identity, -math.inf)
        if credentials.transport == API and self._now() - last >= _ASK_EVERY:
            self._asked[credentials.identity] = self._now()
            self._claimed.append(Question(credentials))

    def _may_begin(self, identity: str) -> bool:
        return (
            self._has_room()
            and self._holds.may_claim(identity, self._clock.now())
            and self._has_thread(identity)
            and self._rate(identity).wait(self._now()) <= 0.0
        )

    def _has_room(self) -> bool:
        if len(self._in_flight) >= MOST_AT_ONCE + _AHEAD:
            return False
        content = sum(self._in_flight.values()) + self.settings.message_size_limit
        return content <= MOST_CONTENT or not self._in_flight

    def _has_thread(self, identity: str) -> bool:
        """Tell whether an identity has not yet its share of the threads.

        Some may wait for a thread, so that threads need not wait for a commit; those of an identity
        that has few in flight go first then.
        """
        rate = self._rate(identity)
        ahead = _AHEAD if rate.per_second >= _FAST else 0
        return rate.in_flight < self._threads(rate) + ahead

    def _threads(self, rate: Rate) -> int:
        """Return how many threads one identity may use: never all of them."""
        active = max(1, sum(one.in_flight > 0 for one in self._rates.values()))
        share = MOST_AT_ONCE * 7 // 8 if active == 1 else max(1, MOST_AT_ONCE // active)
        return min(rate.at_once(), share)

    def _rate(self, identity: str) -> Rate:
        if identity not in self._rates:
            self._rates[identity] = Rate(self._now())
        return self._rates[identity]

    def _now(self) -> float:
        return self._clock.monotonic()


def _tell(rate: Rate, results: Sequence[Result], now: float) -> None:
    """Tell a rate what an attempt says about the account and the network."""
    delivered = sum(result.outcome is Outcome.DELIVERED for result in results)
    soon = [result.status for result in results if result.retry is Retry.SOON]
    if _THROTTLED in soon:
        rate.throttled(now)
    elif delivered or not _is_outage(results):
        rate.answered(delivered)
    else:
        rate.unreachable(now)


def _is_outage(results: Sequence[Result]) -> bool:
    """Tell whether nobody answered: no connection, or an answer of a service that is ill."""
    return all(
        result.outcome is Outcome.DEFERRED
        and result.retry in (Retry.SOON, Retry.AMBIGUOUS)
        and result.status.startswith(_OUTAGE)
        for result in results
    )
