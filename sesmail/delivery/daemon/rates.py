"""How fast an identity may send: recipients per second, and attempts at the same time.

A token bucket counted in recipients, as SES counts. Its rate is 0.9 of what GetAccount says. Where
SES does not tell (SMTP, a key without that right) it starts at 10 and doubles each second until the
first throttle. A throttle halves it, at most once a second; then it grows by one each second. SES
lets a burst pass whole while one token is left, and refuses everything until the debt is paid: so
does this bucket. ``max_send_rate`` caps it all.

An account or network that does not answer at all is asked by one attempt at a time, with pauses
that double: ten thousand messages must not each find out for themselves.
"""

from __future__ import annotations

import math

MOST_AT_ONCE = 32
_SHARE = 0.9  # of the account's quota; other hosts and the clocks of both sides need some
_FIRST = 10.0  # recipients per second
_FASTEST = 10_000.0
_SLOWEST = 0.2
_DOUBLING = math.log(2)
_WEIGHT = 0.2  # of the latest latency in the mean
_ROOM = 1.2
_HOST = 1000.0  # requests per second that a processor can make: then more threads only wait longer
_BURST = 0.25  # seconds of the rate that may be saved up
_PATIENCE = 3  # attempts in a row that may find nobody, before all have to wait
_LONGEST_PAUSE = 30.0  # seconds


class Rate:
    """The bucket of one identity. Times are seconds of the monotonic clock."""

    def __init__(self, now: float, cap: float | None = None) -> None:
        self._cap = cap
        self._quota: float | None = None
        self._rate = min(_FIRST, self._limit())
        self._is_starting = True  # no throttle yet
        self._tokens = 1.0
        self._filled = now
        self._decreased = -math.inf
        self._latency = 0.1  # seconds of an attempt, moving means
        self._recipients = 1.0
        self.in_flight = 0
        self._failures = 0  # attempts in a row that found nobody
        self._resumes = -math.inf

    @property
    def per_second(self) -> float:
        """The rate in recipients per second."""
        return self._rate

    def set_quota(self, quota: float | None) -> None:
        """Take over what GetAccount says, in recipients per second; None: it did not say."""
        if quota is None or quota == self._quota:
            return
        self._quota = quota
        self._is_starting = False
        self._rate = self._limit()

    def set_cap(self, cap: float | None) -> None:
        """Take over ``max_send_rate``."""
        self._cap = cap
        self._rate = min(self._rate, self._limit())

    def wait(self, now: float) -> float:
        """Return the seconds until the next attempt may begin."""
        self._fill(now)
        missing = (1.0 - self._tokens) / self._rate
        return max(0.0, missing, self._resumes - now)

    def at_once(self) -> int:
        """Return how many attempts at the same time the rate needs."""
        if self._failures > _PATIENCE:
            return 1
        requests = min(self._rate / max(self._recipients, 1.0), _HOST)
        return min(math.ceil(requests * self._latency * _ROOM) + 1, MOST_AT_ONCE)

    def begin(self, recipients: int) -> None:
        """Count an attempt that begins."""
        self._tokens -= recipients
        self.in_flight += 1
        self._recipients += _WEIGHT * (recipients - self._recipients)

    def end(self, seconds: float, extra_recipients: int = 0) -> None:
        """Count its end; ``extra_recipients`` were asked for again, singly."""
        self.in_flight -= 1
        self._tokens -= extra_recipients
        self._latency += _WEIGHT * (seconds - self._latency)

    def answered(self, recipients: int) -> None:
        """Grow by the recipients that SES took; it answers."""
        self._failures = 0
        step = recipients * (_DOUBLING if self._is_starting else 1.0 / self._rate)
        self._rate = min(self._rate + step, self._limit())

    def throttled(self, now: float) -> None:
        """Shrink: SES says that this is too fast."""
        if now - self._decreased >= 1.0:
            self._rate = max(self._rate / 2, _SLOWEST)
            self._decreased = now
            self._tokens = min(self._tokens, 0.0)
        self._is_starting = False

    def unreachable(self, now: float) -> None:
        """Pause: nobody answered."""
        if now < self._resumes:
            return  # an attempt from before the pause
        self._failures += 1
        if self._failures > _PATIENCE:
            doubled = 2.0 ** min(self._failures - _PATIENCE - 1, 10)
            self._resumes = now + min(doubled, _LONGEST_PAUSE)

    def is_paused(self, now: float) -> bool:
        """Tell whether nothing is begun because nobody answered."""
        return now < self._resumes

    def _limit(self) -> float:
        quota = _FASTEST if self._quota is None else self._quota * _SHARE
        return max(min(quota, self._cap or math.inf), 0.001)

    def _fill(self, now: float) -> None:
        capacity = max(1.0, self._rate * _BURST)
        self._tokens = min(capacity, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
