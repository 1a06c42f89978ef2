"""What results mean for forward-paths: back-off, holds, expiry. The clock is the test's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sesmail.delivery.daemon import backoff, outcomes
from sesmail.delivery.outcome import Outcome, Result, Retry, delivered
from sesmail.queue.store import Job, Path, State
from sesmail.settings import Settings

NOW = 1_800_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
PATH = Path(7, "bob@example.org", 1)
JOB = Job(1, 2, "0" * 28, "example.com", "wiki@example.com", None, 33, NOW, 100, NOW, [PATH])
LATER = Result(Outcome.DEFERRED, "4.3.0", "later", retry=Retry.LATER)
AMBIGUOUS = Result(Outcome.DEFERRED, "4.4.2", "perhaps", retry=Retry.AMBIGUOUS)
HELD = Result(Outcome.HELD, "4.7.8", "wrong key")


@pytest.mark.parametrize(
    ("retry", "attempts", "seconds"),
    [
        (Retry.LATER, 1, 60),
        (Retry.LATER, 2, 120),
        (Retry.LATER, 6, 1920),
        (Retry.LATER, 7, 3600),
        (Retry.LATER, 1000, 3600),
        (None, 1, 60),
        (Retry.SOON, 1, 5),
        (Retry.SOON, 3, 20),
        (Retry.SOON, 100, 60),
        (Retry.NOW, 4, 40),
    ],
)
def test_backoff(retry: Retry | None, attempts: int, seconds: int) -> None:
    """Doubling from minimal_backoff to maximal_backoff, or from 5 s; a fifth more or less."""
    for _ in range(50):
        wait = backoff.due(retry, attempts, NOW, Settings()) - NOW
        assert 0.8 * seconds * 1000 <= wait <= 1.2 * seconds * 1000


def test_the_jitter_is_no_constant() -> None:
    """What failed together does not come back together."""
    assert len({backoff.due(Retry.LATER, 1, NOW, Settings()) for _ in range(50)}) > 10


def test_backoff_that_is_no_matter_of_chance() -> None:
    """At once on a new connection, ten minutes after a request without an answer."""
    assert backoff.due(Retry.NOW, 1, NOW, Settings()) == NOW
    assert backoff.due(Retry.AMBIGUOUS, 5, NOW, Settings()) == NOW + 600_000


def test_the_latest_due_time() -> None:
    """No back-off is later than what counts as absurd at the next start."""
    settings = Settings()
    settings.minimal_backoff = settings.maximal_backoff = 7200
    for retry in (*Retry, None):
        assert backoff.due(retry, 50, NOW, settings) <= backoff.latest(NOW, settings)


def test_done() -> None:
    """Delivered and failed are the end, with what SES said."""
    done = outcomes.finished(PATH, delivered("ses.example", "id-1"), NOW, Settings(), None)
    assert (done.path, done.state, done.relay, done.remote_id) == (
        7,
        State.DELIVERED,
        "ses.example",
        "id-1",
    )
    failed = Result(Outcome.FAILED, "5.1.1", "no such user")
    assert outcomes.finished(PATH, failed, NOW, Settings(), None).state is State.FAILED


def test_an_unknown_result_is_deferred() -> None:
    """What nobody understood waits; it does not bounce."""
    unknown = Result(Outcome.DEFERRED, "4.0.0", "?")
    done = outcomes.finished(PATH, unknown, NOW, Settings(), None)
    assert done.state is State.WAITING
    assert done.due > NOW


@pytest.mark.parametrize(
    ("scope", "key"),
    [("identity", ""), ("author", "wiki@example.com"), ("recipient", "bob@example.org")],
)
def test_what_is_held(scope: str, key: str) -> None:
    """The reply says how much waits: all, the author's mail, one forward-path."""
    assert outcomes.hold_of(JOB, PATH, replace(HELD, scope=scope), Settings()) == (scope, key)


def test_ambiguous_is_held_only_if_asked() -> None:
    """on_ambiguous decides."""
    settings = Settings()
    assert outcomes.hold_of(JOB, PATH, AMBIGUOUS, settings) is None
    settings.on_ambiguous = "hold"
    assert outcomes.hold_of(JOB, PATH, AMBIGUOUS, settings) == ("entry", JOB.queue_id)


def test_rows_of_holds() -> None:
    """A held identity leaves its paths waiting and due; a narrow hold marks them."""
    settings = Settings()
    wide = outcomes.finished(PATH, HELD, NOW, settings, ("identity", 5))
    assert (wide.state, wide.due, wide.hold) == (State.WAITING, NOW, None)
    narrow = outcomes.finished(PATH, HELD, NOW, settings, ("author", 5))
    assert (narrow.state, narrow.hold) == (State.HELD, 5)


@pytest.mark.parametrize(
    ("age", "held", "is_expired"),
    [
        (5 * DAY - 1, 0, False),
        (5 * DAY + 1, 0, True),
        (6 * DAY, 2 * DAY, False),
        (7 * DAY + 1, 2 * DAY, True),
        (10 * DAY - 1, 9 * DAY, False),
        (10 * DAY + 1, 9 * DAY, True),
        (-DAY, 0, False),
    ],
)
def test_expiry(age: int, held: int, is_expired: bool) -> None:
    """After queue_lifetime and the time held, which counts up to once more the lifetime."""
    job = replace(JOB, arrived=NOW - age)
    result = outcomes.expired(job, LATER, NOW, Settings(), lambda: held)
    assert (result is not None) is is_expired
    if result is not None:
        assert (result.outcome, result.status) == (Outcome.FAILED, "4.4.7")
        assert "later" in result.text


def test_what_is_delivered_does_not_expire() -> None:
    """However old."""
    job = replace(JOB, arrived=0)
    assert outcomes.expired(job, delivered("r", "i"), NOW, Settings(), lambda: 0) is None
