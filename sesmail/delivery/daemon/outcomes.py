"""What a result means for a forward-path in the queue: done, due again, or held.

Deferred and held ones expire, but only by an attempt that ended after ``queue_lifetime``: a clock
that jumps must not bounce a queue that nobody tried to deliver. Time held for a configuration
problem does not count, up to once more the lifetime.
"""

from __future__ import annotations

from collections.abc import Callable

from sesmail.delivery.daemon import backoff
from sesmail.delivery.daemon.holds import AUTHOR, ENTRY, IDENTITY, RECIPIENT
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.queue.store import Finished, Job, Path, State
from sesmail.settings import Settings
from sesmail.sysexits import EX_UNAVAILABLE

INTERRUPTED = Result(
    Outcome.DEFERRED,
    "4.4.2",
    "interrupted attempt; may be delivered twice",
    retry=Retry.AMBIGUOUS,
)
_DONE = {Outcome.DELIVERED: State.DELIVERED, Outcome.FAILED: State.FAILED}


def told(relay: str, remote_id: str) -> Result:
    """Return the result of an attempt in doubt of which an event says that SES took it."""
    return Result(
        Outcome.DELIVERED, "2.0.0", f"SES {remote_id}; told by an event", relay, remote_id
    )


def hold_of(job: Job, path: Path, result: Result, settings: Settings) -> tuple[str, str] | None:
    """Return scope and key of the hold that a result asks for, or None."""
    if result.outcome is Outcome.HELD:
        keys = {IDENTITY: "", AUTHOR: job.author, RECIPIENT: path.address}
        return result.scope, keys[result.scope]
    if result.retry is Retry.AMBIGUOUS and settings.on_ambiguous == "hold":
        return ENTRY, job.queue_id
    return None


def finished(
    path: Path, result: Result, now: int, settings: Settings, hold: tuple[str, int] | None
) -> Finished:
    """Return what is written down; ``hold`` is scope and number of the hold that applies."""
    state, due, number = _DONE.get(result.outcome, State.WAITING), now, None
    if state is State.WAITING:
        if hold is None:
            due = backoff.due(result.retry, path.attempts, now, settings)
        elif hold[0] != IDENTITY:
            state, number = State.HELD, hold[1]
    return Finished(
        path.id,
        state,
        due,
        result.status,
        result.text,
        result.relay,
        result.remote_id,
        number,
    )


def expired(
    job: Job, result: Result, now: int, settings: Settings, held: Callable[[], int]
) -> Result | None:
    """Return the failure of a forward-path whose time is over with this attempt, else None.

    ``held`` returns for how many milliseconds it was held.
    """
    lifetime = settings.queue_lifetime * 1000
    age = now - job.arrived
    if result.outcome in _DONE or age <= lifetime or age <= lifetime + min(held(), lifetime):
        return None
    text = f"not delivered in {_duration(age)}; last: {result.text}"
    return Result(Outcome.FAILED, "4.4.7", text, result.relay, "", EX_UNAVAILABLE)


def _duration(milliseconds: int) -> str:
    hours = milliseconds // 3_600_000
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} hours" if hours >= 2 else f"{milliseconds // 1000} seconds"
