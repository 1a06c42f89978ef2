"""How much waits, is held and failed, however small the pieces are in which it is counted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from sesmail.queue import backlog, upkeep
from sesmail.queue.backlog import Backlog
from sesmail.queue.listing import connect
from sesmail.queue.store import Finished, State, Store
from tests.queue_entries import NOW, entry

Returned = TypeVar("Returned")


def returned(steps: Generator[None, None, Returned]) -> tuple[Returned, int]:
    """Return what a generator returns, and how often it yielded."""
    number = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, number
        number += 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two identities; of one some is held and some failed."""
    with closing(Store(str(tmp_path))) as store:
        with store.transaction():
            for state in (State.FAILED, State.HELD):
                store.add([entry("a@x.org", "b@x.org", "c@x.org")])
                hold = upkeep.begin_hold(
                    store.connection, "example.com", upkeep.AUTHOR, f"{state}", "", NOW
                )
                job = store.claim("example.com", 33, NOW)
                assert job is not None
                results = [Finished(p.id, state, NOW, "", "", hold=hold.id) for p in job.paths]
                store.finish(job, results, NOW)
            early = entry("f@x.org", due=NOW + 1, uid=1)
            early.arrived = NOW - 5000
            same = [entry(f"{n}@x.org") for n in range(10)]
            later = [entry(f"{n}@x.org", due=NOW + n) for n in range(10)]
            other = entry("d@x.org", "e@x.org", identity="example.net")
            store.add([*same, *later, early, other])
        yield store


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_what_there_is(store: Store, tmp_path: Path, step: int) -> None:
    """Of each identity, in forward-paths; what is due at the same moment is counted once."""
    with closing(connect(str(tmp_path))) as reader:
        found, pieces = returned(backlog.count(reader, step))
        assert found == {
            "example.com": Backlog(waiting=21, held=3, failed=3, oldest=NOW - 5000),
            "example.net": Backlog(waiting=2, oldest=NOW),
        }
        (messages, size), _ = returned(backlog.totals(reader, step))
    assert (messages, size) == (23, 23 * len(entry().message))
    assert step == 1000 or pieces > 21 // step // 2


def test_an_empty_queue(tmp_path: Path) -> None:
    """Nothing, and no identity."""
    Store(str(tmp_path)).close()
    with closing(connect(str(tmp_path))) as reader:
        assert returned(backlog.count(reader))[0] == {}
        assert returned(backlog.totals(reader))[0] == (0, 0)
