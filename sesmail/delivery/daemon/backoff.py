"""When a forward-path is tried again.

``minimal_backoff``, doubled from attempt to attempt up to ``maximal_backoff``, and a fifth of it
more or less at random, so that what failed together does not come back together. What needs only
seconds (a throttle, a lost connection) begins with five of them.
"""

from __future__ import annotations

import random

from sesmail.delivery.outcome import Retry
from sesmail.envelope import AMBIGUOUS_WAIT
from sesmail.settings import Settings

_FIRST_SOON = 5_000
_JITTER = 0.2
_MOST_AT_ONCE = 3  # repetitions that need no wait


def due(retry: Retry | None, attempts: int, now: int, settings: Settings) -> int:
    """Return when to try again after ``attempts`` attempts, in milliseconds."""
    if retry is Retry.AMBIGUOUS:
        return now + AMBIGUOUS_WAIT
    if retry is Retry.NOW and attempts <= _MOST_AT_ONCE:
        return now
    doubled = 2 ** min(attempts - 1, 30)
    least, most = settings.minimal_backoff * 1000, settings.maximal_backoff * 1000
    if retry in (Retry.NOW, Retry.SOON):
        wait = min(_FIRST_SOON * doubled, least)
    else:
        wait = min(least * doubled, max(most, least))
    return now + _jitter(wait)


def latest(now: int, settings: Settings) -> int:
    """Return the latest moment that can be due, if the clock was right when it was written."""
    return now + max(int(settings.maximal_backoff * 1000 * (1 + _JITTER)), AMBIGUOUS_WAIT) + 1000


def _jitter(wait: int) -> int:
    return int(wait * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311  no secret
