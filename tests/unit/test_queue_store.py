"""The one writer of queue.db: what comes in, what is tried, what became of it. On a real SQLite."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.drop import layout
from sesmail.queue import schema
from sesmail.queue.schema import Damaged, DiskFull
from sesmail.queue.store import NewPath, State, Store
from sesmail.sysexits import ConfigurationError, IOFailure
from tests.queue_entries import NOW, all_finished, entry

LANE = ("example.com", 33)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty queue."""
    store = Store(str(tmp_path))
    yield store
    store.close()


def add_one(store: Store, message: bytes) -> None:
    """Add an entry in a transaction of its own."""
    with store.transaction():
        store.add([entry(message=message)])


def counts(store: Store) -> dict[str, int]:
    """Return the number of rows of each table."""
    tables = ("entry", "content", "path", "attempt")
    query = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    return dict(zip(tables, store.connection.execute(query).fetchone(), strict=True))


def test_the_files_are_as_designed(store: Store) -> None:
    """WAL, every commit flushed, large pages, space that can be given back."""
    pragma = {
        name: store.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "page_size", "auto_vacuum", "user_version")
    }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "page_size": 8192,
        "auto_vacuum": 2,
        "user_version": schema.VERSION,
    }


def test_a_message_goes_through(store: Store) -> None:
    """Added, claimed with its bytes, delivered; then its bytes go and its history stays."""
    new = entry("a@example.org", "b@example.org", message=b"x" * 1_000_000)
    with store.transaction():
        assert store.add([new])[0].queue_id == new.queue_id
    assert store.lanes() == [LANE]
    assert store.due(*LANE) == NOW
    with store.transaction():
        job = store.claim(*LANE, NOW)
    assert job is not None
    assert [path.address for path in job.paths] == ["a@example.org", "b@example.org"]
    assert store.message(job.entry) == new.message
    assert store.lanes() == []
    with store.transaction():
        assert store.finish(job, all_finished(job, State.DELIVERED), NOW + 5)
    assert counts(store) == {"entry": 1, "content": 0, "path": 2, "attempt": 1}


def test_nothing_is_claimed_before_it_is_due(store: Store) -> None:
    """And what is due first comes first, at most 50 forward-paths at once."""
    with store.transaction():
        store.add([entry("late@x.org", due=NOW + 10), entry(*(f"u{n}@x.org" for n in range(60)))])
        assert store.claim(*LANE, NOW - 1) is None
        first, second = store.claim(*LANE, NOW), store.claim(*LANE, NOW)
        assert store.claim(*LANE, NOW) is None
    assert first is not None
    assert second is not None
    assert (len(first.paths), len(second.paths)) == (50, 10)
    assert first.entry == second.entry
    assert store.due(*LANE) == NOW + 10


def test_a_deferred_one_comes_again(store: Store) -> None:
    """With its due time and the count of its attempts; the content stays."""
    with store.transaction():
        store.add([entry()])
        job = store.claim(*LANE, NOW)
        assert job is not None
        assert not store.finish(job, all_finished(job, State.WAITING, NOW + 60_000), NOW)
        assert store.claim(*LANE, NOW) is None
        again = store.claim(*LANE, NOW + 60_000)
    assert again is not None
    assert again.paths[0].attempts == 2
    assert store.message(again.entry)


def test_failed_content_stays(store: Store) -> None:
    """So that it can be requeued, while that of a delivered one goes."""
    with store.transaction():
        store.add([entry()])
        job = store.claim(*LANE, NOW)
        assert job is not None
        assert store.finish(job, all_finished(job, State.FAILED), NOW)
    assert counts(store)["content"] == 1


def test_lanes_are_told_apart(store: Store) -> None:
    """Every (identity, uid) with something waiting, once."""
    with store.transaction():
        for identity, uid in (("b.example", 1), ("a.example", 0), ("b.example", 0)):
            store.add([entry(identity=identity, uid=uid), entry(identity=identity, uid=uid)])
    assert sorted(store.lanes()) == [("a.example", 0), ("b.example", 0), ("b.example", 1)]


def test_a_leftover_of_a_crash_is_not_added_again(store: Store) -> None:
    """Equal id, owner and digest."""
    new = entry()
    with store.transaction():
        store.add([new])
        assert store.add([new])[0].is_leftover
    assert counts(store)["entry"] == 1


@pytest.mark.parametrize("difference", ["uid", "message"])
def test_a_known_id_with_anything_else_gets_its_own(store: Store, difference: str) -> None:
    """A local user cannot make another's mail vanish by using its name first."""
    first = entry()
    second = (
        entry(queue_id=first.queue_id, uid=1000)
        if difference == "uid"
        else entry(queue_id=first.queue_id, message=b"other")
    )
    with store.transaction():
        [added] = store.add([first, second])[1:]
    assert not added.is_leftover
    assert added.queue_id != first.queue_id
    assert layout.is_queue_id(added.queue_id)
    assert counts(store)["entry"] == 2


def test_a_refused_entry_is_failed_at_once(store: Store) -> None:
    """It is kept with its reason, and nothing of it waits."""
    refused = entry()
    refused.paths = [NewPath("bob@example.org", 0, State.FAILED, "5.7.1", "not allowed")]
    with store.transaction():
        store.add([refused])
    assert store.lanes() == []
    row = store.connection.execute("SELECT open, failed, finished FROM entry").fetchone()
    assert row == (0, 1, NOW)


def test_interrupted_attempts_are_found_at_start(tmp_path: Path) -> None:
    """An attempt without a result may have reached SES."""
    store = Store(str(tmp_path))
    with store.transaction():
        store.add([entry("a@x.org", "b@x.org"), entry()])
        job = store.claim(*LANE, NOW)
    store.close()
    store = Store(str(tmp_path))
    assert store.interrupted() == [job]
    store.close()


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    """Whatever is raised inside, nothing of it stays, also a new identity's number."""

    def fail_inside() -> None:
        with store.transaction():
            store.add([entry(identity="new.example")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert counts(store)["entry"] == 0
    with store.transaction():
        store.add([entry(identity="other.example")])
        store.add([entry(identity="new.example")])
    assert {lane[0] for lane in store.lanes()} == {"new.example", "other.example"}


def test_a_full_disk_changes_nothing(store: Store) -> None:
    """DiskFull, and the same connection goes on when there is room."""
    with store.transaction():
        store.add([entry()])
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull):
        add_one(store, bytes(1_000_000))
    assert counts(store)["entry"] == 1
    store.connection.execute("PRAGMA max_page_count = 100000")
    with store.transaction():
        store.add([entry(message=bytes(1_000_000))])
    assert counts(store)["entry"] == 2


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """An older sesmail leaves a newer one's queue alone, and says so."""
    Store(str(tmp_path)).close()
    with sqlite3.connect(tmp_path / schema.FILE) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    with pytest.raises(ConfigurationError, match="newer sesmail"):
        Store(str(tmp_path))
    assert schema.moved_aside(str(tmp_path)) == []


@pytest.mark.parametrize("damage", ["header", "schema", "truncated"])
def test_a_damaged_database_is_moved_aside(tmp_path: Path, damage: str) -> None:
    """With its WAL; a new one takes its place, and nothing is overwritten."""
    store = Store(str(tmp_path))
    with store.transaction():
        store.add([entry()])
    store.close()
    path = tmp_path / schema.FILE
    with path.open("r+b") as file:
        if damage == "truncated":
            file.truncate(8192 * 2)
        else:
            file.seek(0 if damage == "header" else 100)
            file.write(b"\xff" * 100)
    before = path.read_bytes()
    store = Store(str(tmp_path))
    assert counts(store)["entry"] == 0
    store.close()
    [aside] = schema.moved_aside(str(tmp_path))
    assert Path(aside).read_bytes() == before


def test_damage_found_later_is_moved_aside_at_the_next_start(tmp_path: Path) -> None:
    """It ends the daemon; then every page is looked at, and a sound database stays."""
    directory = str(tmp_path)
    store = Store(directory)
    with store.transaction():
        store.add([entry(message=bytes(5000)) for _ in range(200)])
    store.close()
    path = tmp_path / schema.FILE
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 8192 * 8192)
        file.write(b"\xff" * 8192)
    store = Store(directory)  # the first page is whole
    with pytest.raises(Damaged):
        read_all(store)
    store.close()
    schema.suspect(directory)
    store = Store(directory)
    assert counts(store)["entry"] == 0
    store.close()
    assert len(schema.moved_aside(directory)) == 1
    schema.suspect(directory)
    Store(directory).close()
    assert len(schema.moved_aside(directory)) == 1


def read_all(store: Store) -> None:
    """Read all contents in a transaction."""
    with store.transaction():
        for number in range(1, 201):
            store.message(number)
        counts(store)
        store.connection.execute("SELECT sum(length(message)) FROM content").fetchone()
        store.connection.execute("SELECT sum(length(address)) FROM path NOT INDEXED").fetchone()
        store.connection.execute("SELECT sum(size), max(author) FROM entry").fetchone()


def test_what_is_only_unreadable_is_not_damaged(tmp_path: Path) -> None:
    """A database that cannot be opened stays where it is."""
    os.mkdir(tmp_path / schema.FILE)
    with pytest.raises(IOFailure, match=r"queue\.db: unable to open"):
        Store(str(tmp_path))
    assert schema.moved_aside(str(tmp_path)) == []
