"""What is begun, and when the loop has to wake for it. The clock is the test's."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.delivery.daemon.clock import Clock
from sesmail.delivery.daemon.delivering import Attempt, Attempted, Question
from sesmail.delivery.daemon.dispatch import MOST_CONTENT, Dispatcher
from sesmail.delivery.daemon.holds import IDENTITY, PROBE, HoldBook
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.schedule import Schedule
from sesmail.delivery.outcome import Outcome, Result, Retry, delivered
from sesmail.queue.store import Store
from sesmail.settings import Settings
from tests.queue_entries import NOW, entry

SENT = delivered("ses.example", "id")
REFUSED = Result(Outcome.DEFERRED, "4.4.1", "refused", retry=Retry.SOON)
MEGABYTE = b"x" * (1 << 20)


class Still(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        return NOW + int(self.seconds * 1000)

    def monotonic(self) -> float:
        """Return seconds."""
        return self.seconds


class Desk:
    """A dispatcher over a queue of its own, with two identities for capture."""

    def __init__(self, directory: Path) -> None:
        self.clock = Still()
        self.settings = Settings()
        self.settings.credentials_directory = str(directory)
        for name in ("a.example", "b.example"):
            (directory / name).write_text("transport = capture\ndirectory = /mail\n")
        (directory / "queue").mkdir()
        self.store = Store(str(directory / "queue"))
        self.holds = HoldBook(self.store)
        schedule, identities = Schedule(), Identities(str(directory))
        self.dispatcher = Dispatcher(
            self.store, schedule, self.holds, identities, self.settings, self.clock
        )

    def queue(self, identity: str, number: int, message: bytes = b"x", due: int = NOW) -> None:
        """Let some mail wait."""
        with self.store.transaction():
            new = [entry(identity=identity, message=message, due=due) for _ in range(number)]
            self.store.add(new)
        self.dispatcher.refresh((identity, 33))

    def claim(self) -> list[Attempt]:
        """Begin what may begin."""
        with self.store.transaction():
            self.dispatcher.claim(self.clock.now())
        claimed = self.dispatcher.take_claimed()
        return [work for work in claimed if not isinstance(work, Question)]

    def end(self, attempt: Attempt, result: Result = SENT) -> None:
        """Let an attempt end."""
        results = [result] * len(attempt.job.paths)
        self.dispatcher.ended(Attempted(attempt.job, attempt.credentials, results, 0.1, 1))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A dispatcher with nothing to do."""
    made = Desk(tmp_path)
    yield made
    made.store.close()


def test_nothing_to_do(desk: Desk) -> None:
    """Then it never asks to be woken."""
    assert desk.claim() == []
    assert desk.dispatcher.delay() == math.inf


def test_what_is_due_later(desk: Desk) -> None:
    """It asks to be woken when the first is due, and begins it then."""
    desk.queue("a.example", 1, due=NOW + 5000)
    assert desk.claim() == []
    assert desk.dispatcher.delay() == 5.0
    desk.clock.seconds = 5.0
    assert len(desk.claim()) == 1
    assert desk.dispatcher.delay() == math.inf


def test_at_most_so_much_content(desk: Desk) -> None:
    """Large messages in flight stay below the budget; one too large for it goes alone."""
    desk.queue("a.example", 200, MEGABYTE)
    in_flight: list[Attempt] = []
    for _ in range(400):
        desk.clock.seconds += 1.0
        new = desk.claim()
        in_flight += new
        assert sum(attempt.job.size for attempt in in_flight) <= MOST_CONTENT
        for attempt in in_flight[: len(in_flight) // 2]:
            in_flight.remove(attempt)
            desk.end(attempt)
    desk.settings.message_size_limit = 2 * MOST_CONTENT
    while in_flight:
        desk.end(in_flight.pop())
    desk.queue("b.example", 3, MEGABYTE)
    desk.clock.seconds += 1.0
    assert len(desk.claim()) == 1


def test_one_identity_never_has_all_threads(desk: Desk) -> None:
    """However slow and busy one is, another still begins at once."""
    desk.queue("a.example", 500)
    for _ in range(200):  # none of them ends
        desk.clock.seconds += 1.0
        desk.claim()
    desk.queue("b.example", 1)
    (attempt,) = desk.claim()
    assert (attempt.job.identity, attempt.place) == ("b.example", 0)


def test_nobody_answers(desk: Desk) -> None:
    """After some failures in a row there is a pause, and then one attempt at a time."""
    desk.queue("a.example", 50)
    for _ in range(4):
        desk.clock.seconds += 0.2
        for attempt in desk.claim():
            desk.end(attempt, REFUSED)
    assert desk.claim() == []
    assert 0 < desk.dispatcher.delay() <= 1.0
    assert not desk.dispatcher.has_work(desk.clock.now())
    desk.clock.seconds += 1.0
    (probe,) = desk.claim()
    desk.end(probe)
    desk.clock.seconds += 1.0
    assert len(desk.claim()) > 1


def test_a_held_identity(desk: Desk) -> None:
    """Nothing of it is begun before the probe is due, and the loop sleeps until then."""
    desk.queue("a.example", 5)
    with desk.store.transaction():
        desk.holds.begin("a.example", IDENTITY, "", "wrong key", NOW)
    assert desk.claim() == []
    assert desk.dispatcher.delay() == PROBE / 1000
    desk.clock.seconds = PROBE / 1000
    assert len(desk.claim()) == 1
    assert desk.claim() == []


def test_credentials_that_cannot_be_read(desk: Desk) -> None:
    """Their identity is held without an attempt, and the others go on."""
    (Path(desk.settings.credentials_directory) / "a.example").write_text("nonsense")
    desk.queue("a.example", 1)
    desk.queue("b.example", 1)
    assert [attempt.job.identity for attempt in desk.claim()] == ["b.example"]
    assert desk.holds.holds_identity("a.example")
    assert desk.dispatcher.delay() == PROBE / 1000


def test_a_claim_that_was_rolled_back(desk: Desk) -> None:
    """It counts for nothing: the same mail is begun once there is room."""
    desk.queue("a.example", 1)
    with contextlib.suppress(ZeroDivisionError), desk.store.transaction():
        desk.dispatcher.claim(NOW)
        raise ZeroDivisionError
    desk.dispatcher.undo()
    assert desk.dispatcher.in_flight() == 0
    desk.dispatcher.refresh(("a.example", 33))
    desk.clock.seconds += 1.0
    assert len(desk.claim()) == 1
