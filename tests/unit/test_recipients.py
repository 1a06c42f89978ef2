"""email-validator's opinion on forward-paths, with the pinned version of the library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.delivery import recipients
from sesmail.delivery.outcome import Outcome
from sesmail.sysexits import EX_DATAERR, EX_NOHOST, EX_NOUSER


@pytest.mark.parametrize(
    "path",
    [
        "bob@example.org",
        "Bob.O'Neil+tag@Example.ORG",
        "bob@xn--mnchen-3ya.de",
        "bob@host.test",
        "bob@mail.local",
        "bob@thing.invalid",
        "bob@x.onion",
        "bob@[192.0.2.1]",
        "bounces+" + "x" * 70 + "@example.org",
    ],
)
def test_nothing_wrong(path: str) -> None:
    """Plain addresses pass, and so do special-use domains, without a look at the DNS."""
    assert recipients.check(path) == recipients.Verdict()


@pytest.mark.parametrize(
    "path",
    [
        '"Bob Smith"@example.org',
        r'"a\"b"@example.org',
        '"a..b"@example.org',
        "bob@mail_host.example.org",
        "bob@_srv.example.org",
        "bob..smith@example.org",
        "bob...smith@my_host.example.org",
    ],
)
def test_warnings(path: str) -> None:
    """A quoted local part, an underscore in the domain and two dots are for SES to decide."""
    verdict = recipients.check(path)
    assert verdict.refused is None
    assert verdict.warning


@pytest.mark.parametrize(
    ("path", "exit_code", "status"),
    [
        ("a b@example.org", EX_NOUSER, "5.1.3"),
        (".bob@example.org", EX_NOUSER, "5.1.3"),
        ("bob.@example.org", EX_NOUSER, "5.1.3"),
        ("b<ob@example.org", EX_NOUSER, "5.1.3"),
        ("jos\u00e9@example.org", EX_NOUSER, "5.1.3"),
        ("@example.org", EX_NOUSER, "5.1.3"),
        ('"a\x01b"@example.org', EX_NOUSER, "5.1.3"),
        ("bob@", EX_NOHOST, "5.1.2"),
        ("bob@intranet", EX_NOHOST, "5.1.2"),
        ("bob@-x.example.org", EX_NOHOST, "5.1.2"),
        ("bob@" + "x" * 64 + ".org", EX_NOHOST, "5.1.2"),
        ("bob@xn--ls8h.la", EX_NOHOST, "5.1.2"),
        ("bob@192.0.2.1", EX_NOHOST, "5.1.2"),
        ("bob..smith@-x.example.org", EX_NOHOST, "5.1.2"),
        ("bob@[192.0.2]", EX_NOHOST, "5.1.2"),
        ("x" * 60 + "@" + "abcdefghi." * 20 + "org", EX_DATAERR, "5.1.3"),
    ],
)
def test_refused(path: str, exit_code: int, status: str) -> None:
    """Any other "no" fails the path alone, blames the right part, and says why in ASCII."""
    verdict = recipients.check(path)
    assert verdict.warning == ""
    assert verdict.refused is not None
    assert verdict.refused.outcome is Outcome.FAILED
    assert (verdict.refused.exit_code, verdict.refused.status) == (exit_code, status)
    assert verdict.refused.text.isascii()
    assert verdict.refused.text.isprintable()
    assert len(verdict.refused.text) > 10


@given(st.text(max_size=80))
def test_any_text_gets_a_verdict(path: str) -> None:
    """Whatever the path is, the verdict is a value and its text is one line of ASCII."""
    verdict = recipients.check(path)
    text = verdict.warning + (verdict.refused.text if verdict.refused else "")
    assert text.isascii()
    assert text.isprintable()


WORDS = st.text("abzABZ0189_+-.", min_size=1, max_size=70)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=5))
def test_what_is_plain_needs_no_second_opinion(local_part: str, labels: list[str]) -> None:
    """Against an address that is let through by its form alone the library has nothing."""
    path = f"{local_part}@{'.'.join(labels)}.org"
    if recipients._PLAIN.fullmatch(path):
        assert recipients._objection(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        "bob@example.org\n",
        "bob@ex--ample.org",
        "bob@-example.org",
        "bob@example-.org",
        "bob@example",
        ".bob@example.org",
        "b..b@example.org",
        "bob@" + "x" * 64 + ".org",
        "x" * 65 + "@example.org",
        "bob@" + ".".join(["x" * 60] * 5),
    ],
)
def test_what_is_not_plain(path: str) -> None:
    """Anything that the library could object to is left to it."""
    assert recipients._PLAIN.fullmatch(path) is None
