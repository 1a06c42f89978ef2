"""What the queue counts for the report and for the health of an identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.queue import events, statistics
from sesmail.queue.statistics import QUARTER, Recent
from sesmail.queue.store import Finished, State, Store
from tests.queue_entries import NOW, entry
from tests.scale.cost import counted

HOUR = 4 * QUARTER


class Queue:
    """A queue in which mail is sent at chosen times."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self.store = Store(str(directory))
        self.store.connection.execute("PRAGMA synchronous = OFF")

    def send(
        self,
        address: str = "bob@example.org",
        *,
        took: int = 250,
        state: State = State.DELIVERED,
        status: str = "2.0.0",
        identity: str = "example.com",
    ) -> int:
        """Queue a mail at NOW and end its attempt ``took`` milliseconds later; return its path."""
        with self.store.transaction():
            self.store.add([entry(address, identity=identity)])
            job = self.store.claim(identity, 33, NOW + max(took, 0))
            assert job is not None
            ((path),) = [path.id for path in job.paths]
            self.store.finish(job, [Finished(path, state, NOW * 2, status, "text")], NOW + took)
        return path

    def event(self, path: int, kind: str, after: int, status: str = "") -> None:
        """Write down what SES told, ``after`` milliseconds after NOW."""
        with self.store.transaction():
            events.add(self.store.connection, path, kind, NOW + after, status, "", "")

    def counts(self, since: int = 0, step: int = 3) -> Counter[tuple[str, str]]:
        """Return the sums by identity and kind."""
        found: Counter[tuple[str, str]] = Counter()
        for piece in statistics.pieces(self.store.connection, since, step):
            for count in piece.counts:
                found[count.identity, count.kind] += count.count
        return found

    def recent(self, since: int, step: int = 3) -> dict[str, Recent]:
        """Return what ``statistics.recent`` does."""
        reading = statistics.recent(self.store.connection, since, step)
        while True:
            try:
                next(reading)
            except StopIteration as end:
                result: dict[str, Recent] = end.value
                return result


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """An empty queue."""
    made = Queue(tmp_path)
    yield made
    made.store.close()


def test_an_empty_queue(queue: Queue) -> None:
    """There is no piece, and nothing of late."""
    assert list(statistics.pieces(queue.store.connection, 0)) == []
    assert queue.recent(0) == {}


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_each_kind_is_counted(queue: Queue, step: int) -> None:
    """By identity, whatever range is read at once."""
    for _ in range(5):
        queue.event(queue.send(), "delivery", 2000)
    queue.event(queue.send("a@gone.example"), "bounce", 3000, "5.1.1")
    queue.event(queue.send("a@full.example"), "bounce", 3000, "4.2.2")
    queue.event(queue.send(), "complaint", 4000)
    queue.event(queue.send("a@suppressed.example"), "complaint", 4000, "5.7.0")
    queue.event(queue.send(), "send", 10)
    queue.send(state=State.FAILED, status="5.1.3")
    queue.send(state=State.WAITING, status="4.4.1", identity="example.net")
    assert queue.counts(step=step) == {
        ("example.com", "sent"): 10,
        ("example.com", "delivered"): 5,
        ("example.com", "bounced"): 2,
        ("example.com", "complained"): 1,
        ("example.com", "failed"): 1,
        ("example.net", "deferred"): 1,
    }
    assert queue.recent(0, step) == {"example.com": Recent(10, 2, 1)}


def test_what_policy_refused_has_failed(queue: Queue) -> None:
    """Without an attempt, at the time it came."""
    refused = entry()
    refused.paths[0].state = State.FAILED
    with queue.store.transaction():
        queue.store.add([refused])
    (piece,) = statistics.pieces(queue.store.connection, 0)
    ((count),) = piece.counts
    assert (count.kind, count.quarter, count.latency) == ("failed", NOW // QUARTER, None)


@pytest.mark.parametrize(
    ("took", "rounded"),
    [(0, 0), (99, 99), (104, 100), (105, 110), (996, 1000), (9949, 9900), (123_456, 120_000)],
)
def test_latencies_have_two_digits(queue: Queue, took: int, rounded: int) -> None:
    """From the drop to SES, and to the receiver."""
    queue.event(queue.send(took=took), "delivery", took)
    (piece,) = statistics.pieces(queue.store.connection, 0)
    assert {count.kind: count.latency for count in piece.counts} == {
        "sent": rounded,
        "delivered": rounded,
    }


def test_a_clock_that_went_back_gives_no_negative_latency(queue: Queue) -> None:
    """It is zero."""
    queue.send(took=-5000)
    (piece,) = statistics.pieces(queue.store.connection, 0)
    assert [count.latency for count in piece.counts] == [0]


def test_what_is_older_is_left_out(queue: Queue) -> None:
    """By when it happened, not by when the mail came."""
    for hour in range(6):
        queue.event(queue.send(took=hour * HOUR), "complaint", hour * HOUR + 1)
    since = NOW + 4 * HOUR
    assert queue.counts(since) == {("example.com", "sent"): 2, ("example.com", "complained"): 2}
    for step in (1, 100):
        assert queue.recent(since, step) == {"example.com": Recent(sent=2, complained=2)}
    assert queue.recent(NOW + 9 * HOUR) == {}


def test_the_domains_that_bounce(queue: Queue) -> None:
    """In lower case, for good only, and behind the last @."""
    for address in ("a@Gone.Example", "b@gone.example", '"x@y"@other.example'):
        queue.event(queue.send(address), "bounce", 1, "5.1.1")
    queue.event(queue.send("a@full.example"), "bounce", 1, "4.2.2")
    found: Counter[str] = Counter()
    for piece in statistics.pieces(queue.store.connection, 0, 2):
        for bounced in piece.bounced:
            found[bounced.domain] += bounced.count
    assert found == {"gone.example": 2, "other.example": 1}


def test_a_read_is_short_however_much_is_kept(tmp_path: Path) -> None:
    """Ten times the mail is ten times the reads, and none of them is longer."""
    longest = []
    for number in (30, 300):
        with counted() as counter:
            queue = Queue(tmp_path / str(number))
            for _ in range(number):
                queue.event(queue.send(), "delivery", 2000)
            reading = statistics.pieces(queue.store.connection, 0, 10)
            costs = [counter.of(lambda r=reading: next(r)).steps for _ in range(number // 10)]  # type: ignore[misc]
            assert next(reading, None) is None
            queue.store.close()
        longest.append(max(costs))
    assert longest[1] <= 1.3 * longest[0]


def test_what_is_recent_costs_what_is_recent(tmp_path: Path) -> None:
    """However much has happened before."""
    steps = []
    for number in (30, 300):
        with counted() as counter:
            queue = Queue(tmp_path / str(number))
            for old in range(number):
                queue.event(queue.send(took=old), "complaint", old)
            for new in range(30):
                queue.event(queue.send(took=HOUR + new), "complaint", HOUR + new)
            cost = counter.of(lambda q=queue: q.recent(NOW + HOUR, 10))  # type: ignore[misc]
            assert queue.recent(NOW + HOUR) == {"example.com": Recent(sent=30, complained=30)}
            queue.store.close()
        steps.append(cost.steps)
    assert steps[1] <= 1.3 * steps[0]
