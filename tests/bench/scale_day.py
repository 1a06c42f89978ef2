"""The size of the queue's file over 24 hours of steady mail, with what the daemon does each minute.

By the queue module's own functions and a clock that is only counted: each minute some messages
come and go, history is forgotten, and free pages are given back, or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sesmail.queue import upkeep
from sesmail.queue.schema import FILE
from sesmail.queue.store import Finished, State, Store
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.scale import queues

_MINUTE, _HOUR = 60_000, 3_600_000  # milliseconds
_HISTORY = 2 * _HOUR  # far less than the default, so that the day has an end and a beginning
_BURST_HOURS = range(8, 10)  # with ten times the mail
_HOURS = (2, 8, 10, 14, 24)
_ATTEMPT = ("2.0.0", "SES 0100019", "email.us-east-1.amazonaws.com", "0100019")


def measure(directory: Path, plan: Plan) -> Iterator[Row]:
    """Yield the rows of a day with and without giving pages back."""
    for name, is_given_back in (("pages given back", True), ("pages kept", False)):
        place = directory / name.replace(" ", "-")
        place.mkdir()
        sizes = _day(place, plan.count(20, 2), is_given_back=is_given_back)
        facts = {f"MiB after {hour} h": size for hour, size in sizes.items()}
        title = f"queue.db after a day with a busy morning, {name}"
        yield Row(name=title, value=sizes[24], unit="MiB", facts=facts)


def _day(directory: Path, messages: int, *, is_given_back: bool) -> dict[int, float]:
    """Return the MiB after some hours; ``messages`` come each minute."""
    sizes: dict[int, float] = {}
    store = Store(str(directory))
    store.connection.execute("PRAGMA synchronous = OFF")  # no power is cut here
    for minute in range(24 * 60):
        hour = minute // 60
        clock = 1_700_000_000_000 + minute * _MINUTE
        _send(store, messages * (10 if hour in _BURST_HOURS else 1), clock)
        while _forget(store, clock - _HISTORY):
            pass
        if is_given_back:
            upkeep.vacuum(store.connection)
        if (minute + 1) % 60 == 0 and hour + 1 in _HOURS:
            store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            sizes[hour + 1] = (directory / FILE).stat().st_size / (1 << 20)
    store.close()
    return sizes


def _send(store: Store, messages: int, clock: int) -> None:
    """Take messages in, and let SES take them."""
    with store.transaction():
        store.add(queues.entries(messages, clock, clock))
        ended = []
        while job := store.claim(queues.IDENTITY, queues.UID, clock):
            done = [Finished(p.id, State.DELIVERED, clock, *_ATTEMPT) for p in job.paths]
            ended.append((job, done))
        store.finish_all(ended, clock)


def _forget(store: Store, before: int) -> int:
    with store.transaction():
        return upkeep.purge(store.connection, before)
