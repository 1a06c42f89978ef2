"""Holds, requeue, history, listing, salvage, lock and reserve of the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.queue import decisions, schema, upkeep
from sesmail.queue.listing import Listing
from sesmail.queue.lock import Lock
from sesmail.queue.reserve import SIZE, Reserve
from sesmail.queue.salvage import salvage
from sesmail.queue.store import Finished, State, Store
from sesmail.sysexits import CannotCreate
from tests.queue_entries import NOW, all_finished, entry

LANE = ("example.com", 33)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty queue."""
    store = Store(str(tmp_path))
    yield store
    store.close()


def test_a_hold_takes_and_gives_back(store: Store) -> None:
    """Held paths wait for the hold alone: one as a probe, all at its end."""
    with store.transaction():
        store.add([entry("a@x.org", "b@x.org", "c@x.org")])
        hold = upkeep.begin_hold(store.connection, "example.com", upkeep.RECIPIENT, "k", "why", NOW)
        job = store.claim(*LANE, NOW)
        assert job is not None
        held = [Finished(p.id, State.HELD, 0, "4.7.0", "why", hold=hold.id) for p in job.paths]
        store.finish(job, held, NOW)
        assert store.claim(*LANE, NOW) is None
        assert upkeep.holds(store.connection) == [hold]
        assert upkeep.release(store.connection, hold.id, NOW, 1) == 1
        probe = store.claim(*LANE, NOW)
        assert probe is not None
        assert len(probe.paths) == 1
        upkeep.end_hold(store.connection, hold.id, NOW)
        rest = store.claim(*LANE, NOW)
    assert rest is not None
    assert len(rest.paths) == 2
    assert upkeep.holds(store.connection) == []


def test_time_that_was_held(store: Store) -> None:
    """Only holds of the entry count, each moment once, and one that lasts counts until now."""
    with store.transaction():
        store.add([entry()])
        for scope, key, began, ended in (
            (upkeep.IDENTITY, "", 100, 200),
            (upkeep.AUTHOR, "a.example", 150, 300),
            (upkeep.RECIPIENT, "other@x.org", 300, 900),
            (upkeep.IDENTITY, "", 950, None),
        ):
            hold = upkeep.begin_hold(store.connection, "example.com", scope, key, "", began)
            if ended is not None:
                upkeep.end_hold(store.connection, hold.id, ended)
    keys = ("", "a.example", "bob@x.org")
    connection = store.connection
    assert upkeep.held_time(connection, "example.com", keys, 0, 1000) == 250
    assert upkeep.held_time(connection, "example.com", keys, 180, 1000) == 170
    assert upkeep.held_time(connection, "other.example", keys, 0, 1000) == 0


def test_requeue_starts_again(store: Store) -> None:
    """Failed paths wait again, and the entry's age begins anew; delivered ones stay delivered."""
    new = entry("a@x.org", "b@x.org")
    with store.transaction():
        store.add([new])
        job = store.claim(*LANE, NOW)
        assert job is not None
        good, bad = (
            Finished(path.id, state, 0, "", "")
            for path, state in zip(job.paths, (State.DELIVERED, State.FAILED), strict=True)
        )
        store.finish(job, [good, bad], NOW)
        found = decisions.find(store.connection, new.queue_id)
        assert found is not None
        assert decisions.requeue(store.connection, found, NOW + 9) == 1
        assert decisions.find(store.connection, "unknown") is None
        again = store.claim(*LANE, NOW + 9)
    assert again is not None
    assert [path.address for path in again.paths] == ["b@x.org"]
    assert again.arrived == NOW + 9


def test_purge_forgets_what_is_old(store: Store) -> None:
    """Finished entries before a moment, with all their rows; what is open stays."""
    with store.transaction():
        store.add([entry(), entry(), entry()])
        for ended in (NOW, NOW + 100):
            job = store.claim(*LANE, NOW)
            assert job is not None
            store.finish(job, all_finished(job, State.FAILED), ended)
        assert upkeep.purge(store.connection, NOW + 50) == 1
        assert upkeep.purge(store.connection, NOW + 50) == 0
    rows = store.connection.execute(
        "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM path),"
        " (SELECT count(*) FROM content), (SELECT count(*) FROM attempt)"
    ).fetchone()
    assert rows == (2, 2, 2, 1)


def test_an_absurd_due_time_becomes_now(store: Store) -> None:
    """Written under a wrong clock, it would wait for years."""
    with store.transaction():
        store.add([entry(due=NOW + 10**12), entry(due=NOW + 10)])
        assert upkeep.overdue(store.connection, *LANE, NOW + 1000, NOW) == 1
    assert store.due(*LANE) == NOW


def test_listing_shows_what_waits(store: Store, tmp_path: Path) -> None:
    """To everybody's reader all, to a user's his own; never what is done."""
    with store.transaction():
        store.add([entry("a@x.org", uid=1), entry("b@x.org", uid=2), entry("c@x.org", uid=1)])
        job = store.claim("example.com", 1, NOW)
        assert job is not None
        store.finish(job, all_finished(job, State.DELIVERED), NOW)
        store.claim("example.com", 1, NOW)
    listing = Listing(str(tmp_path))
    try:
        listed = list(listing.entries())
        assert [(e.uid, e.is_active, e.waiting) for e in listed] == [
            (2, False, [("b@x.org", "")]),
            (1, True, [("c@x.org", "")]),
        ]
        assert [e.uid for e in listing.entries(uid=1)] == [1]
        assert listing.totals() == (2, 2 * len(entry().message))
        assert listing.totals(uid=2) == (1, len(entry().message))
    finally:
        listing.close()


@pytest.mark.parametrize("damage", ["none", "header", "first page", "middle page"])
def test_salvage_brings_back_what_can_be_read(tmp_path: Path, damage: str) -> None:
    """All that waits where the first page is gone; all but what was on it for another page."""
    damaged, here = tmp_path / "damaged", tmp_path / "here"
    damaged.mkdir()
    here.mkdir()
    store = Store(str(damaged))
    new = [entry(f"u{n}@x.org", message=b"%d" % n * 5000) for n in range(200)]
    with store.transaction():
        store.add(new)
        job = store.claim(*LANE, NOW)
        assert job is not None
        store.finish(job, all_finished(job, State.DELIVERED), NOW)
    store.close()
    path = damaged / schema.FILE
    size = path.stat().st_size
    place, length = {
        "none": (0, 0),
        "header": (0, 100),
        "first page": (0, 8192),
        "middle page": (size // 2 // 8192 * 8192, 8192),
    }[damage]
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * length)
    before = path.read_bytes()
    store = Store(str(here))
    outcome = salvage(str(path), store, NOW)
    again = salvage(str(path), store, NOW)
    with Listing_of(here) as listing:
        addresses = {address for e in listing.entries() for address, _ in e.waiting}
    store.close()
    assert path.read_bytes() == before
    assert (again.saved, again.known) == (0, outcome.saved)
    assert outcome.saved + outcome.lost == 199
    assert len(addresses) == outcome.saved
    assert "u0@x.org" not in addresses
    assert outcome.lost == 0 if damage != "middle page" else 0 < outcome.lost < 30


@pytest.mark.parametrize("index", ["path_entry", "path_waiting", "entry_open", "attempt_entry"])
def test_salvage_needs_no_index(tmp_path: Path, index: str) -> None:
    """An index whose first page is gone costs no message."""
    damaged, here = tmp_path / "damaged", tmp_path / "here"
    damaged.mkdir()
    here.mkdir()
    store = Store(str(damaged))
    with store.transaction():
        store.add([entry(f"u{n}@x.org") for n in range(50)])
    (page,) = store.connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = ?", (index,)
    ).fetchone()
    store.close()
    path = damaged / schema.FILE
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xff" * 8192)
    store = Store(str(here))
    outcome = salvage(str(path), store, NOW)
    store.close()
    assert (outcome.saved, outcome.lost) == (50, 0)


class Listing_of:  # noqa: N801  reads as a phrase
    """A listing that is closed at the end."""

    def __init__(self, directory: Path) -> None:
        self._listing = Listing(str(directory))

    def __enter__(self) -> Listing:
        return self._listing

    def __exit__(self, *_: object) -> None:
        self._listing.close()


def test_one_daemon_at_a_time(tmp_path: Path) -> None:
    """The second one ends with 73 and names the first; afterwards the lock is free."""
    first = Lock(str(tmp_path))
    with pytest.raises(CannotCreate, match=r"process \d+"):
        Lock(str(tmp_path))
    assert first.is_current()
    first.close()
    second = Lock(str(tmp_path))
    (tmp_path / "lock").unlink()
    assert not second.is_current()
    second.close()


def test_the_reserve_is_real_room(tmp_path: Path) -> None:
    """Allocated, not only as long as it says; given up and taken again."""
    reserve = Reserve(str(tmp_path))
    assert not reserve.is_there()
    assert reserve.make()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= SIZE
    reserve.release()
    reserve.release()
    assert not reserve.is_there()
    assert reserve.make()
