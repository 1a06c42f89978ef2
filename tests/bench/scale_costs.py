"""What one thing costs in a queue of some length: take one more, find the next, send one, list.

All queues take turns, and with them the same commit on an empty table. What is compared is measured
with commits that do not wait for the disk (PRAGMA synchronous = OFF): what a flush takes varies by
far more than all that SQLite does, so that nothing is left to compare if it is subtracted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sesmail.queue.listing import Listing
from sesmail.queue.store import Finished, State, Store
from tests.bench import rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.scale import queues

LISTED = 100
BAR = rows.at_most(1.3, "a long queue does not make itself longer")
_WARM = 20  # rounds that are not counted
_ATTEMPT = ("2.0.0", "SES 0100019", "email.us-east-1.amazonaws.com", "0100019")

Work = Callable[[], object]
Times = dict[str, list[float]]  # by length of the queue


def measure(
    directory: Path, lengths: Mapping[str, Path], recipients: int, plan: Plan
) -> Iterator[Row]:
    """Yield the rows of each piece of work; ``lengths``: the directories of queues by length.

    The first of them is what the others are compared with, the last one what the bar is for. All
    messages have so many recipients.
    """
    stores = {length: Store(str(path)) for length, path in lengths.items()}
    listings = {length: Listing(str(path)) for length, path in lengths.items()}
    rounds = plan.count(300, 40)
    takes = {length: _take(store, recipients) for length, store in stores.items()}
    yield from _flushed(_empty_table(directory), takes, rounds)
    for store in stores.values():
        store.connection.execute("PRAGMA synchronous = OFF")
    for name, works in (
        ("take one more", takes),
        ("find the next due", {length: _find(store) for length, store in stores.items()}),
        ("claim and finish one", {length: _send(store) for length, store in stores.items()}),
        (f"list {LISTED}", {length: _list(one) for length, one in listings.items()}),
    ):
        yield from _rows(name, _in_turns(works, rounds))
    for store in stores.values():
        store.close()
    for listing in listings.values():
        listing.close()


def _flushed(empty: Store, takes: Mapping[str, Work], rounds: int) -> Iterator[Row]:
    """Yield what it takes with the disk: to take one more, beside a commit that does no more."""
    works = {"an empty table": _insert(empty), **takes}
    for length, some in _in_turns(works, rounds).items():
        yield rows.amount(f"commit and flush one more, {length}", "ms", _milliseconds(some))
    empty.close()


def _rows(name: str, times: Times) -> Iterator[Row]:
    few, *others = times
    for length, some in times.items():
        yield rows.amount(f"{name}, {length}", "ms", _milliseconds(some))
    for length in others:
        bar = BAR if length == others[-1] else None
        yield rows.ratio(f"{name}: {length} / {few}", times[length], times[few], bar=bar)


def _milliseconds(seconds: list[float]) -> list[float]:
    return [1000 * each for each in seconds]


def _in_turns(works: Mapping[str, Work], rounds: int) -> Times:
    """Return the seconds of each."""
    times: Times = {length: [] for length in works}
    for number in range(_WARM + rounds):
        for length, work in works.items():
            took = _seconds(work)
            if number >= _WARM:
                times[length].append(took)
    return times


def _seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def now() -> int:
    """Return this moment in milliseconds."""
    return int(time.time() * 1000)


def _take(store: Store, recipients: int) -> Work:
    # Made before the clock starts.
    batch = iter(queues.entries(2_000, now(), recipients=recipients))
    return lambda: queues.enqueue(store, [next(batch)])


def _find(store: Store) -> Work:
    return lambda: store.due(queues.IDENTITY, queues.UID)


def _send(store: Store) -> Work:
    """Return what the daemon writes down of a message that SES takes: two commits."""

    def send() -> None:
        moment = now()
        with store.transaction():
            job = store.claim(queues.IDENTITY, queues.UID, moment)
        assert job is not None
        with store.transaction():
            done = [Finished(p.id, State.DELIVERED, moment, *_ATTEMPT) for p in job.paths]
            assert store.finish(job, done, moment)

    return send


def _list(listing: Listing) -> Work:
    return lambda: listing.page(0, most=LISTED)


def _empty_table(directory: Path) -> Store:
    store = Store(str(directory))
    store.connection.execute("CREATE TABLE bare (message BLOB NOT NULL) STRICT")
    return store


def _insert(store: Store) -> Work:
    message = b"x" * queues.SIZE

    def insert() -> None:
        with store.transaction():
            store.connection.execute("DELETE FROM bare")
            store.connection.execute("INSERT INTO bare VALUES (?)", (message,))

    return insert
