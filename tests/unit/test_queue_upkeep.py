"""Holds, requeue, history, listing, salvage, lock and reserve of the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.queue import decisions, events, schema, upkeep
from sesmail.queue.listing import Listing
from sesmail.queue.lock import Lock
from sesmail.queue.reserve import SIZE, Reserve
from sesmail.queue.salvage import salvage
from sesmail.queue.store import Finished, State, Store
from sesmail.sysexits import CannotCreate
from tests.queue_entries import NOW, all_finished, entry

LANE = ("example.com", 33)
KNOWN = {
    "reply": """SELECT p.address, a.ended, r.status, r.text, r.relay FROM reply r
        JOIN path p ON p.id = r.path JOIN attempt a ON a.id = r.attempt""",
    "event": "SELECT p.address, v.kind, v.at FROM event v JOIN path p ON p.id = v.path",
    "suppression": """SELECT i.name, s.address FROM suppression s
        JOIN identity i ON i.id = s.identity""",
}


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
            store.finish(job, all_finished(job, State.WAITING, NOW), ended)
            job = store.claim(*LANE, NOW)
            assert job is not None
            store.finish(job, all_finished(job, State.FAILED), ended)
            events.add(store.connection, job.paths[0].id, events.BOUNCE, ended, "", "", "")
        assert upkeep.purge(store.connection, NOW + 50) == 1
        assert upkeep.purge(store.connection, NOW + 50) == 0
    rows = store.connection.execute(
        "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM path),"
        " (SELECT count(*) FROM content), (SELECT count(*) FROM attempt),"
        " (SELECT count(*) FROM reply), (SELECT count(*) FROM event)"
    ).fetchone()
    assert rows == (2, 2, 2, 2, 1, 1)


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


@pytest.mark.parametrize(
    ("damage", "fewest", "most"),
    [
        ("none", 0, 0),
        ("header", 0, 0),
        ("first page", 0, 0),
        ("content", 1, 1),  # of a message that fills pages of its own
        ("addresses", 1, 60),
        ("all addresses", 199, 199),
    ],
)
def test_salvage_brings_back_what_can_be_read(
    tmp_path: Path, damage: str, fewest: int, most: int
) -> None:
    """All that waits where the first page is gone; all but what was on it for another page."""
    damaged, here = tmp_path / "damaged", tmp_path / "here"
    damaged.mkdir()
    here.mkdir()
    store = Store(str(damaged))
    long = "x" * 200
    new = [
        entry(f"u{n}{long}@x.org", message=b"%d" % n * (17_000 if n == 150 else 1000))
        for n in range(200)
    ]
    with store.transaction():
        store.add(new)
        job = store.claim(*LANE, NOW)
        assert job is not None
        store.finish(job, all_finished(job, State.DELIVERED), NOW)
    root = root_page(store, "path")
    store.close()
    path = damaged / schema.FILE
    data = path.read_bytes()
    place, length = {
        "none": (0, 0),
        "header": (0, 100),
        "first page": (0, 8192),
        "content": (data.index(b"150" * 1000) // 8192 * 8192 + 2 * 8192, 8192),
        "addresses": (data.rindex(b"u120x") // 8192 * 8192, 8192),
        "all addresses": ((root - 1) * 8192, 8192),
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
    assert f"u0{long}@x.org" not in addresses
    assert fewest <= outcome.lost <= most


def test_salvage_brings_back_what_is_known(tmp_path: Path) -> None:
    """With the messages: what attempts met, what SES told, and what an administrator holds."""
    directories = [tmp_path / name for name in ("damaged", "here")]
    for directory in directories:
        directory.mkdir()
    damaged, here = (Store(str(directory)) for directory in directories)
    waiting, held = entry("a@x.org", "b@x.org"), entry("c@x.org")
    with damaged.transaction():
        damaged.add([waiting, held])
        job = damaged.claim(*LANE, NOW)
        assert job is not None
        results = [
            Finished(path.id, state, NOW + 1, "4.4.1", f"met by {path.address}", "relay")
            for path, state in zip(job.paths, (State.DELIVERED, State.WAITING), strict=True)
        ]
        damaged.finish(job, results, NOW)
        connection = damaged.connection
        events.add(connection, job.paths[1].id, events.DELIVERY_DELAY, NOW, "4.2.2", "full", "id")
        hold = upkeep.begin_hold(
            connection, "example.com", upkeep.OPERATOR, held.queue_id, "mine", NOW
        )
        found = decisions.find(connection, held.queue_id)
        assert found is not None
        decisions.hold(connection, found, hold)
        connection.execute("INSERT INTO suppression VALUES (1, 'd@x.org', 'bounce', 5, 'no such')")
    damaged.close()
    with here.transaction():
        here.add([entry(identity="example.net")])  # so that the numbers of identities differ
    assert salvage(str(directories[0] / schema.FILE), here, NOW).saved == 2
    rows = {table: here.connection.execute(query).fetchall() for table, query in KNOWN.items()}
    assert rows == {
        "reply": [("b@x.org", NOW, "4.4.1", "met by b@x.org", "relay")],
        "event": [("b@x.org", events.DELIVERY_DELAY, NOW)],
        "suppression": [("example.com", "d@x.org")],
    }
    with Listing_of(directories[1]) as listing:
        reasons = {address: reason for one in listing.entries() for address, reason in one.waiting}
    assert reasons["c@x.org"] == "mine"
    here.close()


@pytest.mark.parametrize("index", ["path_entry", "path_waiting", "entry_open", "attempt_entry"])
def test_salvage_needs_no_index(tmp_path: Path, index: str) -> None:
    """An index whose first page is gone costs no message."""
    damaged, here = tmp_path / "damaged", tmp_path / "here"
    damaged.mkdir()
    here.mkdir()
    store = Store(str(damaged))
    with store.transaction():
        store.add([entry(f"u{n}@x.org") for n in range(50)])
    page = root_page(store, index)
    store.close()
    path = damaged / schema.FILE
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xff" * 8192)
    store = Store(str(here))
    outcome = salvage(str(path), store, NOW)
    store.close()
    assert (outcome.saved, outcome.lost) == (50, 0)


def root_page(store: Store, name: str) -> int:
    """Return the number of the first page of a table or an index."""
    (page,) = store.connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)
    ).fetchone()
    assert isinstance(page, int)
    return page


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
