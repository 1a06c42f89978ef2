"""sesmailctl suppression: our list and that of SES, with a daemon and without one."""

from __future__ import annotations

import pytest

from sesmail.queue import events
from sesmail.queue.events import Suppressed
from sesmail.queue.store import Store
from tests import ctl
from tests.fakes.ses import KEY_ID
from tests.queue_entries import NOW, entry
from tests.spool import IDENTITY, Spool

OTHER = "example.net"
SINCE = NOW / 1000


@pytest.fixture(params=["a daemon", "no daemon"])
def filled(request: pytest.FixtureRequest, spool: Spool) -> Spool:
    """A spool with addresses suppressed here and at SES."""
    store = Store(str(spool.queue_directory))
    with store.transaction():
        store.add([entry(identity=IDENTITY, due=NOW * 2), entry(identity=OTHER, due=NOW * 2)])
        for name, address, reason in (
            (IDENTITY, "bob@gone.example", events.BOUNCE),
            (IDENTITY, "eve@example.org", events.COMPLAINT),
            (OTHER, "bob@gone.example", events.BOUNCE),
        ):
            one = Suppressed(address, reason, NOW, "550 no such user")
            events.suppress(store.connection, name, one)
    store.close()
    spool.ses.state.suppress("bob@gone.example", "BOUNCE")
    spool.ses.state.suppress("mallory@example.org", "COMPLAINT")
    if request.param == "a daemon":
        spool.start()
    return spool


def listed(spool: Spool, *flags: str) -> list[tuple[str, str]]:
    """Return where and who."""
    result = ctl.run(spool, "suppression", "list", "--json", *flags)
    assert result.exit_code == 0, result.stderr
    return [(one["where"], one["address"]) for one in result.documents]


def test_ours(filled: Spool) -> None:
    """By identity, with reason, moment and words."""
    assert listed(filled) == [
        (IDENTITY, "bob@gone.example"),
        (IDENTITY, "eve@example.org"),
        (OTHER, "bob@gone.example"),
    ]
    assert listed(filled, "--identity", OTHER) == [(OTHER, "bob@gone.example")]
    result = ctl.run(filled, "suppression", "list", "--identity", OTHER, "--json")
    assert result.documents[0] == {
        "where": OTHER,
        "address": "bob@gone.example",
        "reason": "bounce",
        "since": SINCE,
        "text": "550 no such user",
    }
    shown = ctl.run(filled, "suppression", "list").stdout
    assert "eve@example.org" in shown
    assert "complaint" in shown


def test_those_of_ses(filled: Spool) -> None:
    """Beside ours, and in pages."""
    filled.ses.state.suppressed.clear()
    for number in range(1500):
        filled.ses.state.suppress(f"u{number:04}@example.org", "BOUNCE")
    found = listed(filled, "--ses", "--identity", IDENTITY)
    assert found[0] == (IDENTITY, "bob@gone.example")
    assert [address for where, address in found if where == "SES in us-east-1"] == sorted(
        filled.ses.state.suppressed
    )


def test_removed_from_both(filled: Spool) -> None:
    """Of all identities, whatever the case of the domain."""
    result = ctl.run(filled, "suppression", "remove", "bob@Gone.example")
    assert result.exit_code == 0, result.stderr
    assert "SES in us-east-1: removed" in result.stdout
    assert "here: removed, of 2 identities" in result.stdout
    assert listed(filled) == [(IDENTITY, "eve@example.org")]
    assert list(filled.ses.state.suppressed) == ["mallory@example.org"]
    again = ctl.run(filled, "suppression", "remove", "bob@gone.example")
    assert again.exit_code == 0
    assert again.stdout.count("was not on the list") == 2


def test_removed_here_of_one_identity(filled: Spool) -> None:
    """SES is not asked."""
    asked = filled.ses.state.requests
    flags = ("--identity", OTHER, "--here-only", "--json")
    result = ctl.run(filled, "suppression", "remove", "bob@gone.example", *flags)
    assert result.documents == [{"where": "here", "identities": 1}]
    assert (IDENTITY, "bob@gone.example") in listed(filled)
    assert "bob@gone.example" in filled.ses.state.suppressed
    assert filled.ses.state.requests == asked


def test_without_the_right_at_ses(filled: Spool) -> None:
    """That is said, with the right by name, and ours is done."""
    filled.ses.state.denied[KEY_ID] = {"ses:DeleteSuppressedDestination"}
    result = ctl.run(filled, "suppression", "remove", "bob@gone.example")
    assert result.exit_code == 77
    assert "lacks the right ses:DeleteSuppressedDestination" in result.stdout
    assert "here: removed, of 2 identities" in result.stdout
    assert "bob@gone.example" in filled.ses.state.suppressed


def test_with_the_rights_of_an_administrator(filled: Spool) -> None:
    """His key goes to SES, and not into the file."""
    filled.ses.state.denied[KEY_ID] = {"ses:DeleteSuppressedDestination"}
    filled.ses.state.keys["AKIAADMINISTRATOR123"] = secret = "A" * 40
    flags = ("--admin-key-id", "AKIAADMINISTRATOR123", "--admin-secret-file", "-")
    result = ctl.run(filled, "suppression", "remove", "bob@gone.example", *flags, stdin=secret)
    assert result.exit_code == 0, result.stderr
    assert "bob@gone.example" not in filled.ses.state.suppressed
    assert secret not in (filled.credentials / IDENTITY).read_text()


def test_an_smtp_password_asks_nobody(filled: Spool) -> None:
    """It is said whose list was left alone."""
    filled.use_smtp()
    result = ctl.run(filled, "suppression", "remove", "bob@gone.example")
    assert result.exit_code == 0
    assert "an SMTP password cannot ask SES" in result.stderr
    assert "here: removed" in result.stdout


@pytest.mark.parametrize("address", ["", "bob", "@example.org", "a b@example.org", "bob@"])
def test_what_is_no_address(spool: Spool, address: str) -> None:
    """It is refused before anybody is asked."""
    result = ctl.run(spool, "suppression", "remove", address)
    assert result.exit_code == 64
    assert "is no address" in result.stderr


def test_nobody_is_suppressed(spool: Spool) -> None:
    """It is said in words; in JSON nothing is said."""
    Store(str(spool.queue_directory)).close()
    assert ctl.run(spool, "suppression", "list").stdout == "nobody is suppressed\n"
    assert ctl.run(spool, "suppression", "list", "--json").stdout == ""
