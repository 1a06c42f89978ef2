"""The summary of refusals for postmaster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.delivery import postmaster
from tests.desk import HOST, Desk, parsed


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """With a postmaster."""
    desk = Desk(tmp_path)
    desk.settings.postmaster = "pm@example.com"
    yield desk
    desk.close()


def test_it_comes_an_hour_after_the_first_refusal(desk: Desk) -> None:
    """With all of that hour; then nothing until there is another."""
    assert desk.summary.take() is None
    desk.summary.note(33, "may not")
    desk.now += postmaster.EVERY - 1
    assert desk.summary.take() is None
    desk.summary.note(33, "may not")
    desk.summary.note(34, "no identity")
    desk.now += 1
    entry = desk.summary.take()
    assert entry is not None
    assert desk.summary.take(at_once=True) is None
    assert [path.address for path in entry.paths] == ["pm@example.com"]
    assert (entry.identity, entry.author) == ("example.com", "MAILER-DAEMON@example.com")
    assert entry.reverse_path == ""
    message = parsed(entry.message)
    assert message["Subject"] == f"Mail refused on {HOST}: 3"
    assert message["Auto-Submitted"] == "auto-generated"
    lines = message.get_content().splitlines()
    assert lines[-2:] == ["2 of uid 33: may not", "1 of uid 34: no identity"]


def test_the_end_of_the_daemon(desk: Desk) -> None:
    """What would be forgotten is told at once."""
    desk.summary.note(33, "may not")
    assert desk.summary.take(at_once=True)


def test_hostile_reasons(desk: Desk) -> None:
    """However many kinds somebody invents, the mail is short, and ASCII."""
    for number in range(1000):
        desk.summary.note(33, f"claims \u2028 {number} " + "x" * 1000)
    entry = desk.summary.take(at_once=True)
    assert entry is not None
    assert len(entry.message) < 40_000
    assert max(map(len, entry.message.split(b"\n"))) <= 998
    assert "900 of other kinds" in parsed(entry.message).get_content()


def test_default_serves_a_foreign_postmaster(desk: Desk) -> None:
    """An identity of the postmaster's domain, else default, else nobody but the log."""
    desk.settings.postmaster = "pm@example.net"
    desk.summary.note(33, "may not")
    assert desk.summary.take(at_once=True) is None
    assert desk.logged("no summary for postmaster")
    desk.identity("default", "author = daemon@example.com")
    desk.summary.note(33, "may not")
    entry = desk.summary.take(at_once=True)
    assert entry is not None
    assert (entry.identity, entry.author) == ("default", "daemon@example.com")


def test_no_postmaster(desk: Desk) -> None:
    """The mail log has said it all."""
    desk.settings.postmaster = ""
    desk.summary.note(33, "may not")
    assert desk.summary.take(at_once=True) is None
    assert desk.lines == []


def test_a_local_postmaster(desk: Desk) -> None:
    """It goes through the aliases file."""
    desk.settings.postmaster = "root@localhost"
    desk.aliases("root: ada@example.com")
    desk.summary.note(33, "may not")
    entry = desk.summary.take(at_once=True)
    assert entry is not None
    assert [path.address for path in entry.paths] == ["ada@example.com"]


def test_credentials_that_cannot_be_read(desk: Desk) -> None:
    """Then it cannot be told, and the log says so."""
    desk.identity("example.com", "no such key = 1")
    desk.summary.note(33, "may not")
    assert desk.summary.take(at_once=True) is None
    assert desk.logged("no summary for postmaster")
