"""Holds: what they keep back, their probes, and what ends them. The clock is the test's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.delivery.daemon.holds import AUTHOR, IDENTITY, LOUD, PROBE, RECIPIENT, HoldBook
from sesmail.queue import upkeep
from sesmail.queue.store import Finished, Job, State, Store
from tests.queue_entries import NOW, entry

IDENTITY_NAME = "default"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A queue with mail of three authors through one identity."""
    opened = Store(str(tmp_path))
    with opened.transaction():
        for author in ("a@one.example", "b@one.example", "c@two.example"):
            new = entry(identity=IDENTITY_NAME)
            new.author = author
            opened.add([new])
    yield opened
    opened.close()


def claim(store: Store, now: int = NOW) -> Job:
    """Begin the next attempt."""
    with store.transaction():
        job = store.claim(IDENTITY_NAME, 33, now)
    assert job is not None
    return job


def held(store: Store, book: HoldBook, job: Job, scope: str, now: int = NOW) -> int:
    """End an attempt with a hold; return its number."""
    key = {IDENTITY: "", AUTHOR: job.author, RECIPIENT: job.paths[0].address}[scope]
    with store.transaction():
        number = book.begin(IDENTITY_NAME, scope, key, "mend it", now).hold.id
        state = State.WAITING if scope == IDENTITY else State.HELD
        hold = None if scope == IDENTITY else number
        done = [Finished(path.id, state, now, "4.7.1", "", hold=hold) for path in job.paths]
        store.finish(job, done, now)
        book.end_attempt(job)
    return number


def test_an_identity(store: Store) -> None:
    """A held identity claims nothing but a probe each quarter of an hour."""
    book = HoldBook(store)
    held(store, book, claim(store), IDENTITY)
    assert not book.may_claim(IDENTITY_NAME, NOW + PROBE - 1)
    assert book.may_claim("other", NOW)
    later = NOW + PROBE
    assert book.may_claim(IDENTITY_NAME, later)
    probe = claim(store, later)
    assert book.keeps(probe, probe.paths[0], later) is None
    assert not book.may_claim(IDENTITY_NAME, later)
    held(store, book, probe, IDENTITY, later)
    assert not book.may_claim(IDENTITY_NAME, later + PROBE - 1)
    assert book.may_claim(IDENTITY_NAME, later + PROBE)


def test_an_author(store: Store) -> None:
    """A held author keeps back its own mail and nobody else's."""
    book = HoldBook(store)
    first = claim(store)
    held(store, book, first, AUTHOR)
    other = claim(store)
    assert book.keeps(other, other.paths[0], NOW) is None
    again = Job(*[getattr(first, name) for name in Job.__slots__])
    standing = book.keeps(again, first.paths[0], NOW)
    assert standing is not None
    assert standing.hold.key == first.author
    assert book.may_claim(IDENTITY_NAME, NOW)


def test_the_probe_of_an_author(store: Store) -> None:
    """One of its paths is released when the probe is due, is let through, and delivered ends it."""
    book = HoldBook(store)
    number = held(store, book, claim(store), AUTHOR)
    for _ in range(2):  # the others
        job = claim(store)
        with store.transaction():
            done = [Finished(path.id, State.DELIVERED, 0, "", "") for path in job.paths]
            store.finish(job, done, NOW)
    with store.transaction():
        assert not book.release_probes(NOW + PROBE - 1)
        assert book.release_probes(NOW + PROBE)
    probe = claim(store, NOW + PROBE)
    assert book.keeps(probe, probe.paths[0], NOW + PROBE) is None
    with store.transaction():
        (ended,) = book.delivered(probe, probe.paths[0], NOW + PROBE)
    assert ended.id == number
    assert not book
    assert upkeep.holds(store.connection) == []


def test_a_verified_domain_releases_its_authors(store: Store) -> None:
    """Delivered mail of one author ends the holds of the others at the same domain."""
    book = HoldBook(store)
    first, second, third = claim(store), claim(store), claim(store)
    for job in (first, second, third):
        held(store, book, job, AUTHOR)
    with store.transaction():
        ended = book.delivered(first, first.paths[0], NOW)
    assert sorted(hold.key for hold in ended) == ["a@one.example", "b@one.example"]
    assert [hold.key for hold in book.standing()] == ["c@two.example"]


def test_a_changed_file_releases_everything(store: Store) -> None:
    """All holds of the identity end, and their paths are due."""
    book = HoldBook(store)
    held(store, book, claim(store), AUTHOR)
    held(store, book, claim(store), RECIPIENT)
    held(store, book, claim(store), IDENTITY)
    with store.transaction():
        assert len(book.release_identity(IDENTITY_NAME, NOW)) == 3
    assert book.may_claim(IDENTITY_NAME, NOW)
    assert len({claim(store).entry for _ in range(3)}) == 3


def test_after_a_restart(store: Store) -> None:
    """Holds outlive the process; a probe is due at once."""
    held(store, HoldBook(store), claim(store), IDENTITY)
    book = HoldBook(store)
    book.load(NOW)
    assert book.holds_identity(IDENTITY_NAME)
    assert book.may_claim(IDENTITY_NAME, NOW)


def test_the_loud_line(store: Store) -> None:
    """At once and then each hour, one line for all holds of a kind, with the remedy."""
    book = HoldBook(store)
    held(store, book, claim(store), AUTHOR)
    held(store, book, claim(store), AUTHOR)
    (line,) = book.lines(NOW)
    assert line == "held: mail of the author <a@one.example> (identity default) and 1 more: mend it"
    assert book.lines(NOW + LOUD - 1) == []
    assert len(book.lines(NOW + LOUD)) == 1
