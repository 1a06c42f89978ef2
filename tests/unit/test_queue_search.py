"""Entries chosen by identity, forward-path and state: what is found, and in how many statements."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sesmail.queue import listing, search, upkeep
from sesmail.queue.listing import Listing, connect
from sesmail.queue.search import Wanted
from sesmail.queue.store import Finished, State, Store
from tests.queue_entries import NOW, all_finished, entry

LANE = ("example.com", 33)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty queue."""
    with closing(Store(str(tmp_path))) as store:
        yield store


@pytest.fixture
def reader(store: Store, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads it."""
    with closing(connect(str(tmp_path))) as reader:
        yield reader


def found(reader: sqlite3.Connection, most: int = 1000, **wanted: Any) -> list[dict[str, Any]]:
    """Return the forward-paths that are found."""
    text = "".join(search.pages(reader, Wanted(**wanted), most=most))
    return [json.loads(line) for line in text.splitlines()]


def recipients(found: list[dict[str, Any]]) -> list[str]:
    """Return the addresses of what is found."""
    return [one["address"] for one in found]


def finish_next(store: Store, state: State, hold: int | None = None) -> None:
    """Let the next attempt end in a state."""
    job = store.claim(*LANE, NOW)
    assert job is not None
    store.finish(
        job, [Finished(p.id, state, NOW, "4.4.1", "no route", hold=hold) for p in job.paths], NOW
    )


def test_a_path_has_all_that_is_known(store: Store, reader: sqlite3.Connection) -> None:
    """One that waits for another attempt: why, since when, until when."""
    new = entry("bob@example.org")
    with store.transaction():
        store.add([new])
        finish_next(store, State.WAITING)
    assert found(reader) == [
        {
            "queue_id": new.queue_id,
            "identity": "example.com",
            "uid": 33,
            "arrived": NOW // 1000,
            "size": len(new.message),
            "author": "wiki@example.com",
            "reverse_path": None,
            "address": "bob@example.org",
            "state": "waiting",
            "due": NOW // 1000,
            "attempts": 1,
            "status": "4.4.1",
            "reason": "no route",
        }
    ]
    (line,) = search.pages(reader, Wanted(), as_arrays=True)
    assert json.loads(line) == [[found(reader)[0][name] for name in search.SHOWN]]
    assert tuple(found(reader)[0]) == search.FIELDS


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("waiting", ["waiting@x.org"]),
        ("active", ["active@x.org"]),
        ("held", ["held@x.org", "identity@x.org"]),
        ("failed", ["failed@x.org"]),
        (None, ["held@x.org", "active@x.org", "waiting@x.org", "identity@x.org"]),
    ],
)
def test_by_state(
    store: Store, reader: sqlite3.Connection, state: str | None, expected: list[str]
) -> None:
    """Each state alone; what failed only if asked for; a held identity holds what it has."""
    with store.transaction():
        store.add([entry("failed@x.org")])
        finish_next(store, State.FAILED)
        store.add([entry("held@x.org")])
        hold = upkeep.begin_hold(
            store.connection, "example.com", upkeep.AUTHOR, "wiki@example.com", "unknown", NOW
        )
        finish_next(store, State.HELD, hold.id)
        store.add([entry("active@x.org")])
        assert store.claim(*LANE, NOW) is not None
        store.add([entry("waiting@x.org"), entry("identity@x.org", identity="example.net")])
        upkeep.begin_hold(store.connection, "example.net", upkeep.IDENTITY, "", "wrong key", NOW)
    entries = found(reader, state=state)
    assert recipients(entries) == expected
    assert state is None or {one["state"] for one in entries} == {state}
    reasons = {one["address"]: one["reason"] for one in entries}
    assert reasons.get("identity@x.org", "wrong key") == "wrong key"
    assert reasons.get("held@x.org", "unknown") == "unknown"


def test_by_identity_recipient_and_owner(store: Store, reader: sqlite3.Connection) -> None:
    """Filters go together; upper and lower case of an address do not count."""
    with store.transaction():
        store.add(
            [
                entry("a@x.org", "b@x.org"),
                entry("c@x.org", uid=1000),
                entry("b@x.org", identity="example.net"),
            ]
        )
    assert recipients(found(reader, address="B@X.ORG")) == ["b@x.org", "b@x.org"]
    assert recipients(found(reader, address="b@x.org", identity="example.net")) == ["b@x.org"]
    assert recipients(found(reader, uid=1000)) == ["c@x.org"]
    assert found(reader, identity="unknown.example") == []


@pytest.mark.parametrize("text", ['a"b\\c', "line\nend\r", "\x1b[2J", "é\u2028\x85", "\x7f"])
def test_any_text_is_one_line_of_json(store: Store, reader: sqlite3.Connection, text: str) -> None:
    """Whatever a caller chose, SQLite writes it so that it can be read again."""
    hostile = entry(f"{text}@x.org")
    hostile.reverse_path = text
    with store.transaction():
        store.add([hostile])
    (page,) = search.pages(reader, Wanted())
    assert page.count("\n") == 1
    assert json.loads(page)["reverse_path"] == text
    assert json.loads(page)["address"] == f"{text}@x.org"


@pytest.mark.parametrize("read", ["search", "listing"])
def test_statements_grow_with_pages_only(
    store: Store, reader: sqlite3.Connection, tmp_path: Path, read: str
) -> None:
    """Two for each page, and none for an entry or a forward-path."""
    number, page = 100, 20
    with store.transaction():
        store.add([entry("a@x.org", "b@x.org", "c@x.org") for _ in range(number)])
    statements: list[str] = []
    if read == "search":
        reader.set_trace_callback(statements.append)
        assert len(found(reader, page)) == 3 * number
    else:
        with closing(Listing(str(tmp_path))) as listing:
            listing._connection.set_trace_callback(statements.append)
            last: int | None = 0
            while last is not None:
                last = listing.page(last, most=page).last
    # The last finds that there is no more.
    assert len(statements) - 2 * (number // page) in (1, 2)


@pytest.mark.parametrize("failed", [False, True])
def test_a_page_has_so_many_paths_at_most(
    store: Store, reader: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, failed: bool
) -> None:
    """Messages to thousands do not make a read long: then a page has fewer of them."""
    monkeypatch.setattr(listing, "_MOST_PATHS", 25)
    with store.transaction():
        for number in (10, 10, 10, 40, 1):
            store.add([entry(*(f"{n}@x.org" for n in range(number)))])
            if failed:
                finish_next(store, State.FAILED)
    wanted = Wanted(state="failed") if failed else Wanted()
    pages = list(search.pages(reader, wanted))
    assert [page.count("\n") for page in pages] == [30, 40, 1]


def test_what_is_deleted_or_sent_is_not_found(store: Store, reader: sqlite3.Connection) -> None:
    """Neither among what waits nor among what failed."""
    with store.transaction():
        store.add([entry("a@x.org")])
        job = store.claim(*LANE, NOW)
        assert job is not None
        store.finish(job, all_finished(job, State.DELIVERED), NOW)
    assert found(reader) == found(reader, state="failed") == []
