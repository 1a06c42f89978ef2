"""The header section for SES: which fields stay; and all of repair together."""

from __future__ import annotations

import pytest

from sesmail import identity
from sesmail.delivery.repair import Options, repair
from sesmail.envelope import Envelope
from sesmail.sysexits import DataError

FILES = ("example.com", "wiki@example.net", "default")
FROM = "From: sue@example.com\n"


def found(address: str) -> str | None:
    """Return which of FILES serves an address."""
    return next((name for name in identity.candidates(address) if name in FILES), None)


def repaired(
    section: str | bytes,
    identity: str = "example.com",
    author: str = "",
    keep_x_ses: bool = False,
    body: bytes = b"hello\n",
) -> str:
    """Return the header section, as it came out, of a message with ``section`` and a clean body."""
    given = section if isinstance(section, bytes) else section.encode("utf-8", "surrogateescape")
    envelope = Envelope("0" * 28, identity, "sue@example.com", None, ["bob@example.org"])
    result = repair(given + b"\n" + body, envelope, Options(found, author, keep_x_ses))
    head, blank_line, rest = result.partition(b"\r\n\r\n")
    assert blank_line
    assert rest == body.replace(b"\n", b"\r\n")
    assert not {b"\r", b"\n"} & set(head.replace(b"\r\n", b""))
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert all(line.strip() for line in head.split(b"\r\n"))
    return (head + b"\r\n").decode("ascii").replace("\r\n", "\n")


# --- which fields ---


def test_a_message_that_is_fine_stays() -> None:
    """Fields that SES takes are left byte for byte, their folds, spelling and order included."""
    section = (
        "Received: from a by b;\n\tThu, 1 Jan 1970 00:00:00 +0000\nReceived: from b by c\n"
        "from:sue@example.com (Sue, \\) of (the) office)\nTO: undisclosed-recipients:;\n"
        'Cc: "Smith, Bob" <bob@example.org>,\n    <@relay:eve@example.org>\nSubject:\n  folded  \n'
        "X-Empty:\nSender: sue@example.com\nComments: =?iso-8859-1?q?=E9?=\nX: 1\nx: 2\n"
        'Content-Type: text/plain; name="=?utf-8?q?a?="\nDate: Thu, 1 Jan 1970 00:00:00 +0000\n'
    )
    assert repaired(section) == section


def test_once() -> None:
    """Of a field that SES allows once the first stays; others may come as often as they like."""
    section = FROM + "Subject: a\nMIME-Version: 1.0\nX: 1\nsubject: b\nMime-Version: 2\nX: 2\n"
    assert repaired(section) == FROM + "Subject: a\nMIME-Version: 1.0\nX: 1\nX: 2\n"


@pytest.mark.parametrize(
    "field",
    [
        "Bcc: eve@example.org,\n\tmallory@example.org\n",
        "Resent-Bcc: eve@example.org\n",
        "Return-Path: <eve@example.org>\n",
        "Content-Length: 3\n",
        "DKIM-Signature: v=1;\n b=abc\n",
        "DomainKey-Signature: a=b\n",
        "X-SES-CONFIGURATION-SET: theirs\n",
        "x-ses-source-arn: arn\n",
        "To:\n",
        "Cc: ,;\n",
        "Reply-To: \n \n",
        "Sender:\n",
        "Resent-To:\n",
    ],
)
def test_gone(field: str) -> None:
    """Fields that would tell, mislead or be refused go, all of them, with their folds."""
    assert repaired(field + FROM + field + "X: y\n") == FROM + "X: y\n"


def test_x_ses_fields_that_are_allowed() -> None:
    """With ``x_ses_headers = keep`` the caller chooses the configuration set."""
    section = FROM + "X-SES-CONFIGURATION-SET: ours\n"
    assert repaired(section, keep_x_ses=True) == section


def test_several_to_become_one() -> None:
    """To and Cc add up in the place of the first; an empty one adds nothing."""
    section = "To: a@example.org,\n" + FROM + "To:\nCc: c@example.org\nto:b@example.org\n d\n"
    expected = "To: a@example.org,\n b@example.org\n d\n" + FROM + "Cc: c@example.org\n"
    assert repaired(section) == expected


@pytest.mark.parametrize(
    ("sender", "identity", "stays"),
    [
        ("bot@example.com", "example.com", True),
        ("Bot <bot@sub.EXAMPLE.com>", "example.com", True),
        ("bot@example.org", "example.com", False),
        ("www-data@host", "example.com", False),
        ("www-data", "example.com", False),
        ("a@example.com, b@example.com", "example.com", False),
        ("<broken", "example.com", False),
        ("wiki@example.net", "wiki@example.net", True),
        ("other@example.net", "wiki@example.net", False),
        ("bot@EXAMPLE.com", "default", False),
        ("bot@example.edu", "default", False),
    ],
)
def test_sender(sender: str, identity: str, stays: bool) -> None:
    """Sender stays only if the message's own identity stands for it."""
    field = f"Sender: {sender}\n"
    assert repaired(FROM + field, identity) == FROM + field * stays


def test_sender_of_the_default_identity() -> None:
    """For ``default`` Sender must have the author's domain, which is that of ``author`` if set."""
    section = "From: root@host.example.edu\nSender: cron@HOST.example.edu.\n"
    assert repaired(section, "default") == section
    rewritten = repaired(section, "default", "cron@example.org")
    assert "Sender" not in rewritten


# --- From ---


def test_two_from_fields() -> None:
    """Which one is the author cannot be guessed."""
    with pytest.raises(DataError, match="two From fields"):
        repaired(FROM + "from: eve@example.com\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("jos\u00e9@example.com", r"jos\\xe9@example.com"),
        ("Sue <sue@example.com>, j\u00e9@example.com", r"j\\xe9@example.com"),
        ("sue", "no domain"),
        ("M\u00fcller, Sue <sue@example.com>", "no domain"),
        ("", "no address"),
        ("(Sue)", "no address"),
        ("<sue@example.com", "do not match"),
    ],
)
def test_from_that_cannot_be_sent(value: str, text: str) -> None:
    """A From that SES would refuse is refused by name, with exit code 65."""
    with pytest.raises(DataError, match=text):
        repaired(f"From: {value}\n")


def test_no_from() -> None:
    """SES needs one."""
    with pytest.raises(DataError, match="From"):
        repaired("To: bob@example.org\n")


# --- the whole way ---


def test_bytes_beyond_ascii() -> None:
    """Each kind of field is made ASCII in its own way."""
    section = (
        "From: J\u00f6 <jo@b\u00fccher.example.com>\nSubject: Gr\u00fc\u00dfe\n"
        "To: a@x.org; (\u00e4) b@x.org\n"
        'Content-Type: text/plain; name="\u00e4.txt"\n'
    )
    assert repaired(section) == (
        "From: =?utf-8?q?J=C3=B6?= <jo@xn--bcher-kva.example.com>\n"
        "Subject: =?utf-8?b?R3LDvMOfZQ==?=\nTo: a@x.org, (=?utf-8?q?=C3=A4?=) b@x.org\n"
        "Content-Type: text/plain; name*=utf-8''%C3%A4.txt\n"
    )


def test_author_of_the_credentials() -> None:
    """cron's address, which no identity of SES knows, goes to Reply-To."""
    section = "From: root@ip-10-0-0-7.ec2.internal (Cron Daemon)\nReply-To:\nTo: bob@example.org\n"
    assert repaired(section, "default", "cron@example.com") == (
        'From: "Cron Daemon" <cron@example.com>\n'
        "Reply-To: root@ip-10-0-0-7.ec2.internal (Cron Daemon)\nTo: bob@example.org\n"
    )


def test_a_binary_body() -> None:
    """The message describes its new encoding, once, and is complete."""
    envelope = Envelope("0" * 28, "example.com", "sue@example.com", None, [])
    section = b"From: sue@example.com\nContent-Transfer-Encoding: binary\n\n"
    result = repair(section + b"\0\xff\n", envelope, Options(found))
    assert result == (
        b"From: sue@example.com\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=unknown-8bit\r\n\r\nAP8K\r\n"
    )


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"Subject: a\0b\n", "Subject: ab\n"),
        (b"Subject: a\rBcc: x@y.z\n", "Subject: a Bcc: x@y.z\n"),
        (b"Subject: a\r\r\n \t\r\n b\r\n", "Subject: a\n b\n"),
        (b"Subject: a\n \r \n\t\n", "Subject: a\n"),
        (b"Subject:\n  \n", "Subject:\n"),
        (b"To : bob@x.org\n", "To: bob@x.org\n"),
    ],
)
def test_controls(field: bytes, expected: str) -> None:
    """NUL goes, a lone CR is a blank, a line of blanks is none, CRLF is a line end."""
    assert repaired(FROM.encode() + field) == FROM + expected


def test_a_body_with_carriage_returns() -> None:
    """CRLF and lone CRs in the body are line ends."""
    envelope = Envelope("0" * 28, "example.com", "sue@example.com", None, [])
    result = repair(b"From: sue@example.com\n\na\r\nb\rc\n", envelope, Options(found))
    assert result == b"From: sue@example.com\r\n\r\na\r\nb\r\nc\r\n"


def test_a_body_line_after_the_header_section() -> None:
    """The first line that is no field begins the body, and a blank line parts it."""
    envelope = Envelope("0" * 28, "example.com", "sue@example.com", None, [])
    result = repair(b"From: sue@example.com\nno field\n", envelope, Options(found))
    assert result == b"From: sue@example.com\r\n\r\nno field\r\n"
