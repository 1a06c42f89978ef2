"""The header section as it goes on: what is taken out, what is added, what stays byte for byte."""

from __future__ import annotations

import email.utils
import os
import time
from email.utils import parsedate_to_datetime

import pytest

from sesmail.message import header
from sesmail.message.header import Field
from sesmail.submission import compose
from sesmail.sysexits import DataError, Unavailable

ORIGIN = "host.example.net"


def finish(section: bytes) -> bytes:
    """Return what goes on of a header section."""
    return header.join(compose.finish(header.split(section), ORIGIN))


def add_missing(section: bytes, *, is_null: bool = False) -> list[Field]:
    """Return the fields of a header section with the missing ones."""
    fields = header.split(section)
    compose.add_missing(fields, lambda: b"me@example.org", "0" * 28, ORIGIN, is_null)
    return fields


def test_bcc_never_leaves() -> None:
    """Every Bcc and Resent-Bcc goes, whole, with its folds, in any case of letters."""
    section = (
        b"bcc: a@x\n,b@x\n".replace(b"\n,", b",\n ")
        + b"To: c@x\nBCC:\nResent-Bcc: d@x\n\t,e@x\nSubject: Bcc: f@x\nBcc : g@x\n"
    )
    assert finish(section) == b"To: c@x\nSubject: Bcc: f@x\n"


def test_return_path_and_content_length_go() -> None:
    """The one is the last MTA's, the other is wrong after any repair."""
    assert finish(b"Return-Path: <a@x>\nContent-Length: 5\nStatus: RO\n") == b"Status: RO\n"


def test_what_is_not_touched_keeps_its_bytes() -> None:
    """Folds, empty fields, odd white space and 8-bit bytes stay."""
    section = b"X-Fold: a\n  b\n\tc\nX-Empty:\nX-Blank: \nSubject:  \xff two\nTo: A B <a@x> (c)\n"
    assert finish(section) == section


def test_a_blank_before_the_colon_goes() -> None:
    """The obsolete form becomes the current one."""
    assert finish(b"To : a@x\n") == b"To: a@x\n"


def test_a_line_of_blanks_is_never_written() -> None:
    """Some receivers end the header section there."""
    assert finish(b"Subject: a\n \n\t\n b\nX:\n \n") == b"Subject: a\n b\nX:\n"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"From: root (Cron Daemon)", b"From: root@host.example.net (Cron Daemon)"),
        (b"From: Anacron <root>", b"From: Anacron <root@host.example.net>"),
        (b"To: root, a@x, bob", b"To: root@host.example.net, a@x, bob@host.example.net"),
        (b"Cc: T: root, a@x;", b"Cc: T: root@host.example.net, a@x;"),
        (b'Reply-To: "a b"', b'Reply-To: "a b"@host.example.net'),
        (b"Resent-To: \xc3\xbc <x>", b"Resent-To: \xc3\xbc <x@host.example.net>"),
        (b"To: undisclosed-recipients:;", b"To: undisclosed-recipients:;"),
        (b"To: <broken", b"To: <broken"),
        (b"To: a@x b, c", b"To: a@x, b@host.example.net, c@host.example.net"),
        (b"From: a b", b"From: a b"),
        (b"Subject: root", b"Subject: root"),
    ],
)
def test_bare_names_get_this_hosts_domain(field: bytes, expected: bytes) -> None:
    """SES refuses an address without one; nothing else of the field changes."""
    assert finish(field + b"\n") == expected + b"\n"


def test_an_empty_from_goes_and_two_are_refused() -> None:
    """An empty From counts as none; which of two is meant, nobody knows."""
    assert finish(b"From:\nFrom: a@x\n") == b"From: a@x\n"
    with pytest.raises(DataError, match="two From"):
        finish(b"From: a@x\nFrom: b@x\n")


def test_a_message_that_goes_in_circles_is_refused() -> None:
    """Over 100 Received fields: 69; 100 pass."""
    finish(b"Received: x\n" * 100)
    with pytest.raises(Unavailable, match="circles"):
        finish(b"Received: x\n" * 101)


def test_missing_fields_are_added_at_the_end() -> None:
    """From, Date and Message-ID, in RFC 5322's form."""
    fields = add_missing(b"Subject: x\n")
    assert [field.name for field in fields] == [b"Subject", b"From", b"Date", b"Message-ID"]
    assert fields[1].text() == "me@example.org"
    assert abs(parsedate_to_datetime(fields[2].text()).timestamp() - time.time()) < 60
    assert fields[3].text() == f"<{'0' * 28}@{ORIGIN}>"


def test_what_is_there_is_never_touched() -> None:
    """A given field stays, whatever it says."""
    section = b"from: x\nDATE: yesterday\nMessage-Id: y\n"
    assert header.join(add_missing(section)) == section


def test_a_resent_message_gets_the_resent_fields() -> None:
    """RFC 5322, 3.6.6: its own Date and Message-ID stay the first sender's business."""
    names = [field.name for field in add_missing(b"From: a@x\nResent-To: b@x\n")]
    assert names[2:] == [b"Resent-From", b"Resent-Date", b"Resent-Message-ID"]


def test_a_null_reverse_path_is_marked() -> None:
    """SES knows no null sender; the field keeps answers from coming."""
    assert add_missing(b"From: a@x\n", is_null=True)[-1].text() == "auto-generated"
    section = b"From: a@x\nAuto-Submitted: auto-replied\n"
    assert header.first(add_missing(section, is_null=True), b"auto-submitted") is not None
    assert sum(f.key == b"auto-submitted" for f in add_missing(section, is_null=True)) == 1


@pytest.mark.parametrize("zone", ["UTC0", "XXX-5:45", "XXX+3:30", "XXX+12"])
def test_dates_agree_with_the_standard_library(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """In any zone the date is read back as the same second."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for second in (0, 1_790_000_000, 951_782_400):
            assert parsedate_to_datetime(compose.date(second)).timestamp() == second
            assert compose.date(second) == email.utils.formatdate(second, localtime=True)
    finally:
        os.environ.pop("TZ")
        time.tzset()


@pytest.mark.parametrize("name", ["Sue\nX-Evil: 1", "a\r\nBcc: b@x", "a\0b", 'q"\\', "J\u00f6rg"])
def test_a_from_that_we_write_is_one_field(name: str) -> None:
    """No name of a caller ends the field."""
    value = compose.from_value(name, "a@example.org")
    assert not {0, 10, 13} & set(value)
    assert value.endswith(b" <a@example.org>")
