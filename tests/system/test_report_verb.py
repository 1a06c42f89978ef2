"""sesmailctl report over a queue with mail in it: text, JSON, the page; with a daemon or not."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sesmail.queue import events
from sesmail.queue.store import Finished, NewEntry, State, Store
from tests import ctl
from tests.fakes.ses import SesServer
from tests.queue_entries import entry
from tests.spool import IDENTITY, Spool
from tests.terminal import Person

OTHER = "example.net"


@contextmanager
def opened(spool: Spool) -> Iterator[Store]:
    """The queue, for writing, while no daemon runs."""
    store = Store(str(spool.queue_directory))
    with store.transaction():
        yield store
    store.close()


def new(address: str, arrived: int, identity: str = IDENTITY) -> NewEntry:
    """Return an entry that came at a moment."""
    made = entry(address, identity=identity, due=arrived)
    made.arrived = arrived
    return made


def send(store: Store, one: NewEntry, took: int = 300) -> int:
    """Queue it, and have SES take it; return its forward-path."""
    store.add([one])
    job = store.claim(one.identity, one.uid, one.arrived)
    assert job is not None
    (path,) = job.paths
    finished = Finished(path.id, State.DELIVERED, 0, "2.0.0", "taken")
    store.finish(job, [finished], one.arrived + took)
    return path.id


def tell(store: Store, path: int, kind: str, at: int, status: str) -> None:
    """Write down what SES told."""
    events.add(store.connection, path, kind, at, status, "words", "id")


def midnight(days_ago: int = 0) -> int:
    """Return when a day of local time began, in milliseconds."""
    today = time.localtime(time.time() - days_ago * 86_400)
    start = time.mktime((today.tm_year, today.tm_mon, today.tm_mday, 0, 0, 0, 0, 0, -1))
    return int(start * 1000)


@pytest.fixture(params=["a daemon", "no daemon"])
def filled(request: pytest.FixtureRequest, spool: Spool) -> Spool:
    """A queue with the mail of today and of two days ago."""
    with opened(spool) as store:
        for number in range(8):
            path = send(store, new(f"u{number}@example.org", midnight()), 300)
            tell(store, path, events.DELIVERY, midnight() + 2000, "2.0.0")
        for domain in ("gone.example", "gone.example", "full.example"):
            path = send(store, new(f"x@{domain}", midnight(2)), 700)
            tell(store, path, events.BOUNCE, midnight(2) + 5000, "5.1.1")
        path = send(store, new("eve@example.org", midnight(), OTHER))
        tell(store, path, events.COMPLAINT, midnight() + 9000, "")
    if request.param == "a daemon":
        spool.start()
    return spool


def test_documents(filled: Spool) -> None:
    """A day each, then the sum, with latencies in seconds and the domains that bounce."""
    result = ctl.run(filled, "report", "--days", "3", "--json")
    assert result.exit_code == 0, result.stderr
    mine = [one for one in result.documents if one["identity"] == IDENTITY]
    assert [(one["sent"], one["bounced"]) for one in mine] == [(3, 3), (0, 0), (8, 0), (11, 3)]
    assert [one.get("day", "") for one in mine] == [
        *(time.strftime("%Y-%m-%d", time.localtime(midnight(ago) / 1000)) for ago in (2, 1, 0)),
        "",
    ]
    assert mine[0]["acceptance"] == {"median": 0.7, "p90": 0.7, "p95": 0.7}
    assert mine[-1]["delivery"] == {"median": 2.0, "p90": 2.0, "p95": 2.0}
    assert mine[-1]["bouncing"] == [
        {"domain": "gone.example", "bounced": 2},
        {"domain": "full.example", "bounced": 1},
    ]
    (total,) = [one for one in result.documents if one["identity"] == OTHER and "days" in one]
    assert (total["sent"], total["complained"]) == (1, 1)


def test_days_and_identity(filled: Spool) -> None:
    """Only what is asked for."""
    result = ctl.run(filled, "report", "--days", "1", "--identity", IDENTITY, "--json")
    assert [(one["identity"], one["sent"]) for one in result.documents] == [(IDENTITY, 8)] * 2
    assert ctl.run(filled, "report", "--identity", "example.edu").stdout.endswith(
        "Nothing was sent.\n"
    )


def test_text(filled: Spool) -> None:
    """Plain, with sparklines of ASCII, for it is no terminal."""
    result = ctl.run(filled, "report", "--days", "3")
    assert result.stdout.isascii()
    assert ["bounced", "3", "27", "%", "@__"] in [
        line.split() for line in result.stdout.splitlines()
    ]
    assert "drop to acceptance  300 ms  700 ms  700 ms" in result.stdout
    assert "    2  gone.example\n" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_on_a_terminal(filled: Spool) -> None:
    """The sparklines are of block characters, and nothing is wider than the screen."""
    environ = {"SESMAIL_CONFIG": str(filled.configuration), "LANG": "C.UTF-8"}
    with Person([*ctl.COMMAND, "report", "--days", "3"], environ) as person:
        assert person.ended() == 0
    assert ["bounced", "3", "27", "%", "█··"] in [line.split() for line in lines(person.screen)]
    assert max(map(len, lines(person.screen))) <= 80


def lines(screen: str) -> list[str]:
    """Return what is seen in each line."""
    return [line.rstrip() for line in screen.splitlines()]


def test_what_is_missing_is_said(filled: Spool) -> None:
    """What history forgot, and events that nobody set up."""
    assert "kept for 14 days" in ctl.run(filled, "report", "--days", "30").stdout
    assert "events setup" not in ctl.run(filled, "report").stdout
    assert "kept for" not in ctl.run(filled, "report", "--days", "14").stdout


def test_without_events_that_is_said(spool: Spool) -> None:
    """Sent is all that is known then."""
    with opened(spool) as store:
        send(store, new("bob@example.org", midnight()))
    assert "SES told nothing" in ctl.run(spool, "report").stdout


def test_page(filled: Spool, tmp_path: Path) -> None:
    """One file, of whoever called, also where asking took the place of the daemon's user."""
    path = tmp_path / "report.html"
    result = ctl.run(filled, "report", "--html", str(path))
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"wrote {path}\n"
    text = path.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "gone.example" in text
    assert path.stat().st_uid == os.geteuid()


@pytest.mark.root
@pytest.mark.parametrize("has_daemon", [True, False])
def test_root_writes_where_only_root_may(ses: SesServer, tmp_path: Path, has_daemon: bool) -> None:
    """Though where no daemon runs the queue is read as its user."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own nobody can enter
        Path(name).chmod(0o755)
        spool = Spool(Path(name), ses, user="nobody")
        if has_daemon:
            spool.start()
        else:
            assert spool.once() == 0  # makes the queue, as nobody
        result = ctl.run(spool, "report", "--html", str(tmp_path / "report.html"))
        spool.close()
    assert result.exit_code == 0, result.stderr
    assert os.listdir(tmp_path) == ["report.html"]
    assert (tmp_path / "report.html").stat().st_uid == 0


@pytest.mark.parametrize("days", ["0", "-1", "367", "x"])
def test_days_that_cannot_be(spool: Spool, days: str) -> None:
    """From today alone to a year."""
    assert ctl.run(spool, "report", "--days", days).exit_code == 64


@pytest.mark.parametrize("flags", [(), ("--html", "/nonexistent/report.html")])
def test_others_may_not(spool: Spool, flags: tuple[str, ...]) -> None:
    """Where the queue cannot be asked the failure comes through, from a child as well."""
    spool.settings(user="nobody-of-this-name")
    result = ctl.run(spool, "report", *flags)
    assert result.exit_code not in (0, 70)
    assert "nobody-of-this-name" in result.stderr
    assert "Traceback" not in result.stderr
