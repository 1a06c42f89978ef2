"""Attempts that ended badly, while an event told that SES has the message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.daemon.delivering import Attempted
from sesmail.delivery.daemon.holds import IDENTITY, HoldBook
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.daemon.settling import Settler
from sesmail.delivery.outcome import Outcome, Result, Retry
from sesmail.queue import events
from sesmail.queue.store import State, Store
from sesmail.settings import Settings
from tests.queue_entries import NOW, entry

CREDENTIALS = Credentials("/x", "example.com", "api", "us-east-1")
AMBIGUOUS = Result(Outcome.DEFERRED, "4.4.2", "perhaps", retry=Retry.AMBIGUOUS)
SOON = Result(Outcome.DEFERRED, "4.3.0", "InternalFailure", retry=Retry.SOON)
REFUSED = Result(Outcome.FAILED, "5.6.0", "no")
HELD = Result(Outcome.HELD, "4.7.8", "wrong key")


class Desk:
    """A settler with one attempt in flight."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(str(directory))
        self.holds = HoldBook(self.store)
        self.lines: list[str] = []
        self.dsns = 0
        parts: Any = SimpleNamespace(
            store=self.store,
            settings=Settings(),
            make_dsn=self._make_dsn,
            identities=SimpleNamespace(load=lambda _: CREDENTIALS),
            clock=SimpleNamespace(now=lambda: NOW),
            log=DaemonLog(lambda program, _, text: self.lines.append(f"{program}: {text}")),
        )
        self.settler = Settler(parts, self.holds)
        with self.store.transaction():
            self.store.add([entry()])
            job = self.store.claim("example.com", 33, NOW)
        assert job is not None
        self.job = job

    def _make_dsn(self, *_: object) -> None:
        self.dsns += 1

    def tell(self, at: int) -> None:
        """Let an event have been written down."""
        with self.store.transaction():
            path = self.job.paths[0].id
            events.add(self.store.connection, path, "send", at, "", "", "0100-1")

    def settle(self, result: Result) -> State:
        """Let the attempt end; return the state of the path."""
        report = Attempted(self.job, CREDENTIALS, [result], 0.1, 1)
        with self.store.transaction():
            self.settler.settle([report], NOW)
        self.settler.tell()
        (row,) = self.store.connection.execute("SELECT state FROM path").fetchall()
        return State(row[0])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A settler of one's own."""
    made = Desk(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize("result", [AMBIGUOUS, SOON, REFUSED, HELD])
def test_told_meanwhile(desk: Desk, result: Result) -> None:
    """Whatever the attempt ended in: it is not made again, and nobody is told of a failure."""
    desk.tell(NOW)
    assert desk.settle(result) is State.DELIVERED
    assert "status=sent (SES 0100-1; told by an event)" in " ".join(desk.lines)
    assert desk.dsns == 0
    assert not desk.holds


@pytest.mark.parametrize(
    ("at", "state"), [(NOW - events.SKEW - 1, State.WAITING), (NOW - events.SKEW, State.DELIVERED)]
)
def test_told_before(desk: Desk, at: int, state: State) -> None:
    """Before the entry came, by more than clocks differ: that was of a life before a requeue."""
    desk.tell(at)
    assert desk.settle(AMBIGUOUS) is state


def test_not_told(desk: Desk) -> None:
    """Then the result counts."""
    assert desk.settle(REFUSED) is State.FAILED
    assert desk.dsns == 1


def test_an_event_ends_no_hold(desk: Desk) -> None:
    """It does not say that the key is right by now."""
    with desk.store.transaction():
        desk.holds.begin("example.com", IDENTITY, "", "wrong key", NOW)
    desk.tell(NOW)
    assert desk.settle(HELD) is State.DELIVERED
    assert desk.holds.identities() == {"example.com"}
