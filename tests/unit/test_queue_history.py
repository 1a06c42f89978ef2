"""The life of messages: all of one, and the steps of some in the order of time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sesmail.queue import decisions, events, history, upkeep
from sesmail.queue.listing import connect
from sesmail.queue.store import Finished, Job, NewEntry, State, Store
from tests.queue_entries import NOW, entry

LANE = ("example.com", 33)
MINUTE = 60_000


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


def attempt(store: Store, at: int, *states: State, remote_id: str = "0100-1") -> Job:
    """Make an attempt, which ends a second later in a state for each forward-path."""
    job = store.claim(*LANE, at)
    assert job is not None
    results = [
        Finished(
            path.id,
            state,
            at + MINUTE,
            "2.0.0" if state is State.DELIVERED else "4.4.1",
            f"met at {at - NOW}",
            "relay",
            remote_id if state is State.DELIVERED else "",
        )
        for path, state in zip(job.paths, states, strict=True)
    ]
    store.finish(job, results, at + 1000)
    return job


def lived(store: Store) -> NewEntry:
    """Let a message be deferred, then sent to one, given up for the other, and bounce."""
    new = entry("a@x.org", "b@x.org")
    new.arrived = NOW
    with store.transaction():
        store.add([new])
        attempt(store, NOW, State.WAITING, State.WAITING)
        job = attempt(store, NOW + MINUTE, State.DELIVERED, State.FAILED)
        notice = entry("wiki@example.com")
        notice.arrived, notice.about = NOW + MINUTE + 1000, new.queue_id
        store.add([notice])
        events.add(
            store.connection,
            job.paths[0].id,
            events.BOUNCE,
            NOW + 2 * MINUTE,
            "5.1.1",
            "no such user",
            "0100-1",
        )
    return new


def steps(reader: sqlite3.Connection, new: NewEntry) -> list[dict[str, Any]]:
    """Return the steps of an entry."""
    number = history.number_of(reader, new.queue_id, None)
    assert number is not None
    return list(history.steps(reader, [number]))


def test_a_whole_life(store: Store, reader: sqlite3.Connection) -> None:
    """Drop, attempts with their replies, the SES id, the DSN, the end, and what SES told later."""
    new = lived(store)
    found = steps(reader, new)
    assert {step["queue_id"] for step in found} == {new.queue_id}
    assert [(step["step"], step.get("address", "")) for step in found] == [
        ("dropped", ""),
        ("deferred", "a@x.org"),
        ("deferred", "b@x.org"),
        ("sent", "a@x.org"),
        ("failed", "b@x.org"),
        ("dsn", ""),
        ("removed", ""),
        ("event", "a@x.org"),
    ]
    moments = [step["at"] for step in found[1:]]
    assert moments == [NOW / 1000 + seconds for seconds in (1, 1, 61, 61, 61, 61, 120)]
    assert found[0]["uid"] == 33
    assert (found[1]["text"], found[1]["relay"]) == ("met at 0", "relay")
    assert found[3]["remote_id"] == "0100-1"
    assert (found[-1]["kind"], found[-1]["text"]) == ("bounce", "no such user")


@pytest.mark.parametrize("state", ["waiting", "active", "held", "held identity", "deleted"])
def test_what_is_still_to_come(store: Store, reader: sqlite3.Connection, state: str) -> None:
    """The last step says where the message is: when it is tried, since when it is held, and why."""
    new = entry("a@x.org", due=NOW + MINUTE)
    with store.transaction():
        store.add([new])
        connection = store.connection
        scope = upkeep.OPERATOR if state == "held" else upkeep.IDENTITY
        key = new.queue_id if state == "held" else ""
        if state.startswith("held"):
            hold = upkeep.begin_hold(connection, "example.com", scope, key, "why", NOW + 5)
        found = decisions.find(connection, new.queue_id)
        assert found is not None
        if state == "held":
            decisions.hold(connection, found, hold)
        elif state == "active":
            store.claim(*LANE, NOW + MINUTE)
        elif state == "deleted":
            decisions.delete(connection, found, "why", NOW + 7)
    *_, last = [step for step in steps(reader, new) if step["step"] != "removed"]
    assert last["step"] == state.split(maxsplit=1)[0]
    expected = {"waiting": MINUTE, "active": MINUTE, "deleted": 7}.get(state, 5)
    assert last["at"] == (NOW + expected) / 1000
    assert last["text"] == ("" if state in ("waiting", "active") else "why")


def test_show_has_all_of_one(store: Store, reader: sqlite3.Connection) -> None:
    """The envelope, then each forward-path with what attempts met and SES told."""
    new = lived(store)
    first, *paths = [json.loads(line) for line in _lines(reader, new.queue_id)]
    assert (first["author"], first["uid"], first["holds"]) == ("wiki@example.com", 33, [])
    assert len(first["dsns"]) == 1
    assert first["finished"] == (NOW + MINUTE + 1000) / 1000
    assert [path["state"] for path in paths] == ["sent", "failed"]
    met = [[reply["text"] for reply in path["replies"]] for path in paths]
    assert met == [["met at 0", "met at 60000"]] * 2
    assert [event["kind"] for event in paths[0]["events"]] == ["bounce"]
    assert list(history.show(reader, new.queue_id, uid=1000)) == []


def test_show_goes_in_pages(store: Store, reader: sqlite3.Connection) -> None:
    """Of thousands of forward-paths each comes once, in the order of the envelope."""
    addresses = [f"{number}@x.org" for number in range(2 * history.PAGE + 1)]
    new = entry(*addresses)
    with store.transaction():
        store.add([new])
    _, *paths = [json.loads(line) for line in _lines(reader, new.queue_id)]
    assert [path["address"] for path in paths] == addresses


def test_holds_are_those_that_concern_it(store: Store, reader: sqlite3.Connection) -> None:
    """Of its identity, author, recipients and itself; not those of others, nor such as ended."""
    new = entry("a@x.org")
    with store.transaction():
        store.add([new, entry(identity="example.net")])
        for identity, scope, key in (
            ("example.com", upkeep.AUTHOR, "wiki@example.com"),
            ("example.com", upkeep.AUTHOR, "other@example.com"),
            ("example.com", upkeep.RECIPIENT, "a@x.org"),
            ("example.com", upkeep.RECIPIENT, "b@x.org"),
            ("example.com", upkeep.OPERATOR, new.queue_id),
            ("example.net", upkeep.IDENTITY, ""),
        ):
            upkeep.begin_hold(store.connection, identity, scope, key, "", NOW)
        ended = upkeep.begin_hold(store.connection, "example.com", upkeep.IDENTITY, "", "", NOW)
        upkeep.end_hold(store.connection, ended.id, NOW)
    first = json.loads(next(history.show(reader, new.queue_id, None)))
    assert {hold["scope"] for hold in first["holds"]} == {"author", "recipient", "operator"}
    assert len(first["holds"]) == 3


@pytest.mark.parametrize(
    ("address", "since", "expected"),
    [
        (None, 0, 3),
        ("WIKI@example.com", 0, 2),
        ("bounces@example.com", 0, 1),
        ("b@x.org", 0, 1),
        ("nobody@x.org", 0, 0),
        (None, NOW + 3 * MINUTE, 2),  # both wait still
    ],
)
def test_whose_life(
    store: Store, reader: sqlite3.Connection, address: str | None, since: int, expected: int
) -> None:
    """By author, reverse-path or forward-path, and by when something happened last."""
    with store.transaction():
        done = entry("a@x.org", identity="example.net")
        store.add([done])
        job = store.claim("example.net", 33, NOW)
        assert job is not None
        store.finish(job, [Finished(job.paths[0].id, State.DELIVERED, NOW, "", "")], NOW)
        other = entry("b@x.org")
        other.reverse_path = "bounces@example.com"
        store.add([other, entry("c@x.org")])
    found = [number for piece in history.find(reader, None, address, since) for number in piece]
    assert len(found) == expected


def _lines(reader: sqlite3.Connection, queue_id: str) -> list[str]:
    return "".join(history.show(reader, queue_id, None)).splitlines()
