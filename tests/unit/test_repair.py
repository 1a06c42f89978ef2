"""The header section for SES: which fields stay, and what becomes of each."""

from __future__ import annotations

import email
import email.policy
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail import identity
from sesmail.delivery.repair import Options, repair
from sesmail.envelope import Envelope
from sesmail.sysexits import ConfigurationError, DataError

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


# --- author = ---


@pytest.mark.parametrize(
    ("old", "author", "new", "reply_to"),
    [
        (
            '"(Cron Daemon)" <root@ip-10-0-0-7.ec2.internal>',
            "cron@example.com",
            '"(Cron Daemon)" <cron@example.com>',
            '"(Cron Daemon)" <root@ip-10-0-0-7.ec2.internal>',
        ),
        (
            "root@ip-10-0-0-7.ec2.internal (Cron Daemon)",
            "cron@example.com",
            '"Cron Daemon" <cron@example.com>',
            "root@ip-10-0-0-7.ec2.internal (Cron Daemon)",
        ),
        ("root@host.internal", "cron@example.com", "<cron@example.com>", "root@host.internal"),
        ("Bob <b@x.org>", "Cron <c@example.com>", "Cron <c@example.com>", "Bob <b@x.org>"),
        ("root (Cron Daemon)", "c@example.com", '"Cron Daemon" <c@example.com>', None),
        ("root@localhost", "c@example.com", "<c@example.com>", None),
        ("j\u00f6@example.org", "c@example.com", "<c@example.com>", None),
        ("J\u00f6 <jo@x.org>", "c@example.com", "=?utf-8?q?J=C3=B6?= <c@example.com>",
         "=?utf-8?q?J=C3=B6?= <jo@x.org>"),
        ("a@x.org,\n b@x.org", "c@example.com", "<c@example.com>", "a@x.org,\n b@x.org"),
        ("<broken", "c@example.com", "<c@example.com>", None),
        ("Sue <c@EXAMPLE.com>", "c@example.com", "Sue <c@EXAMPLE.com>", None),
        ("Sue <c@example.com>", "Cron <c@example.com>", "Cron <c@example.com>", None),
    ],
)  # fmt: skip
def test_author(old: str, author: str, new: str, reply_to: str | None) -> None:
    """From becomes the author of the credentials; the old one is where replies go, if they can."""
    expected = f"From: {new}\n" + (f"Reply-To: {reply_to}\n" if reply_to else "")
    assert repaired(f"From: {old}\nX: y\n", "default", author) == expected + "X: y\n"


def test_author_and_a_reply_to() -> None:
    """A Reply-To that is there stays; an empty one is none."""
    rewritten = repaired("From: r@x.org\nReply-To: bob@x.org\n", author="c@example.com")
    assert rewritten == "From: <c@example.com>\nReply-To: bob@x.org\n"
    rewritten = repaired("Reply-To:\nFrom: r@x.org\n", author="c@example.com")
    assert rewritten == "From: <c@example.com>\nReply-To: r@x.org\n"


@pytest.mark.parametrize("author", ["root", "a@x.org, b@x.org", "<a", "a@x.org\n", "j\u00f6@x.org"])
def test_author_that_is_no_address(author: str) -> None:
    """That is for whoever wrote the credentials file: exit code 78."""
    with pytest.raises(ConfigurationError, match="author = "):
        repaired(FROM, author=author)


# --- bytes beyond ASCII ---


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Gr\u00fc\u00dfe", "=?utf-8?b?R3LDvMOfZQ==?="),
        ("all \u00e4 b \u00f6 \u00fc end", "all =?utf-8?q?=C3=A4?= b =?utf-8?b?w7Ygw7w=?= end"),
        ("=?utf-8?q?a?= \u00e4", "=?utf-8?q?a?= =?utf-8?q?_=C3=A4?="),
        ("\u00e4 =?utf-8?q?a?=", "=?utf-8?q?=C3=A4_?= =?utf-8?q?a?="),
        ("\udce4 x", "=?unknown-8bit?q?=E4?= x"),
    ],
)
def test_unstructured(value: str, expected: str) -> None:
    """Words beyond ASCII become encoded-words, the blanks between two of them inside one."""
    assert repaired(FROM + f"Subject: {value}\n") == FROM + f"Subject: {expected}\n"


words = st.lists(
    st.text(
        st.characters(min_codepoint=33, exclude_categories=("C", "Z")), min_size=1, max_size=90
    ),
    min_size=1,
    max_size=20,
)


@given(words.filter(lambda words: not any("=?" in word for word in words)))
def test_unstructured_text_is_read_back(words: list[str]) -> None:
    """The standard library decodes what was written, and lines with encoded-words are short."""
    text = " ".join(words)
    result = repaired(FROM + f"Subject: {text}\n")
    value = result.partition("Subject: ")[2].removesuffix("\n").replace("\n", "")
    assert str(make_header(decode_header(value))) == text
    lines = result.split("\n")
    assert all(len(line) <= 76 for line in lines if "=?" in line and " " in line.strip())


visible = st.lists(st.sampled_from([*range(33, 61), *range(64, 127), *range(128, 256)]), min_size=1)


@given(st.lists(visible.map(bytes), min_size=1, max_size=9))
def test_unknown_bytes_are_read_back(words: list[bytes]) -> None:
    """Bytes of an unknown charset are all there."""
    text = b" ".join(words)
    value = repaired(FROM.encode() + b"X: " + text + b"\n").partition("X: ")[2].replace("\n", "")
    decoded = [
        part if isinstance(part, bytes) else part.encode("latin-1")
        for part, _ in decode_header(value)
    ]
    assert b"".join(decoded) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            "J\u00f6rg M\u00fcller <j@example.org>",
            "=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <j@example.org>",
        ),
        ('"M\u00fcller, J" <j@example.org>', "=?utf-8?q?M=C3=BCller=2C_J?= <j@example.org>"),
        ("j@example.org (J\u00f6)", "j@example.org (=?utf-8?q?J=C3=B6?=)"),
        ("Fr\u00e4nde: a@x.org, b@x.org;", "=?utf-8?q?Fr=C3=A4nde?=: a@x.org, b@x.org;"),
        ("bob@m\u00fcnchen.example", "bob@xn--mnchen-3ya.example"),
        ("B <Bob@M\u00dcNCHEN.example>, c@x.org", "B <Bob@xn--mnchen-3ya.example>, c@x.org"),
        ("=?utf-8?q?a?= \u00e4 <a@x.org>", "=?utf-8?q?a?= =?utf-8?q?_=C3=A4?= <a@x.org>"),
        ("\udce4 <a@x.org>", "=?unknown-8bit?q?=E4?= <a@x.org>"),
        ("A \u00e4 (c) B <a@x.org>", "=?utf-8?q?A_=C3=A4?= (c) B <a@x.org>"),
    ],
)
@pytest.mark.parametrize("name", ["To", "Cc", "Reply-To", "Resent-To", "Errors-To"])
def test_address_fields(name: str, value: str, expected: str) -> None:
    """Names, comments and groups become encoded-words, domains A-labels, the rest stays."""
    assert repaired(FROM + f"{name}: {value}\n") == FROM + f"{name}: {expected}\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@x.org; b@x.org;", "a@x.org, b@x.org,"),
        ('"a;b" <a@x.org>;\n b@x.org (;)', '"a;b" <a@x.org>,\n b@x.org (;)'),
        ("g: a@x.org, b@x.org;, c@x.org; d@x.org", "g: a@x.org, b@x.org;, c@x.org, d@x.org"),
        ("@relay:a@x.org; <@relay:b@x.org>; c@x.org", "@relay:a@x.org, <@relay:b@x.org>, c@x.org"),
        ("<a; b", "<a; b"),
    ],
)
def test_semicolons(value: str, expected: str) -> None:
    """Between addresses a comma is meant; groups, names, comments and folds stay."""
    assert repaired(FROM + f"To: {value}\n") == FROM + f"To: {expected}\n"


names = st.text(st.characters(min_codepoint=32, exclude_categories=("C", "Zl", "Zp")), max_size=60)


@given(
    st.lists(
        st.tuples(names, st.sampled_from(["a@x.org", "b.c@y.example.org"])), min_size=1, max_size=6
    )
)
def test_address_fields_are_read_back(pairs: list[tuple[str, str]]) -> None:
    """The standard library finds the same names and addresses in what was written."""
    pairs = [(name.strip(), address) for name, address in pairs if "=?" not in name]
    quoted = [
        '"{}" <{}>'.format(name.replace("\\", "\\\\").replace('"', '\\"'), address)
        for name, address in pairs
    ]
    value = repaired(FROM + f"To: {', '.join(quoted)}\n").partition("To: ")[2].replace("\n", "")
    read = [
        (str(make_header(decode_header(name))), address) for name, address in getaddresses([value])
    ]
    assert read == pairs or not pairs


@pytest.mark.parametrize("name", ["To", "Cc", "Reply-To", "Resent-From"])
@pytest.mark.parametrize("value", ["j\u00f6@x.org", "a@x.org, J <j\udcf6@x.org>", "a@\udcf6.org"])
def test_addresses_that_ses_refuses(name: str, value: str) -> None:
    """A local part that is not ASCII, or such a domain without A-label, is named: exit code 65."""
    with pytest.raises(DataError, match=f"^{name}: .*x?.org"):
        repaired(FROM + f"{name}: {value}\n")


def test_an_address_field_that_cannot_be_read() -> None:
    """Nothing is guessed: it stays, or if it must be ASCII, goes as text."""
    assert repaired(FROM + "To: <a b\n") == FROM + "To: <a b\n"
    assert repaired(FROM + "To: <\u00e4 b\n") == FROM + "To: =?utf-8?b?PMOk?= b\n"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="\u00c4 b.pdf"', "\u00c4 b.pdf"),
        ("attachment; size=3; filename=\u00c4 b.pdf; x=y", "\u00c4 b.pdf"),
        ('attachment; filename="' + "\u6f22" * 80 + '.pdf"', "\u6f22" * 80 + ".pdf"),
        ('attachment; filename="a\\"\u00e4.pdf', 'a"\u00e4.pdf'),
    ],
)
def test_parameters(value: str, name: str) -> None:
    """File names beyond ASCII go in the form of RFC 2231."""
    result = repaired(FROM + f"Content-Disposition: {value}\n")
    parsed = email.message_from_string(result)
    assert parsed.get_content_disposition() == "attachment"
    assert parsed.get_filename() == name


# --- bytes that may not be there ---


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


@pytest.mark.parametrize(
    "value",
    [
        "word " * 500 + "end",
        "x" * 2500,
        "a@example.org," * 200 + "b@example.org",
        "x" + " " * 2000 + "y",
    ],
)
def test_long_fields(value: str) -> None:
    """A field line over 998 bytes is folded, at blanks if it has them, and loses only blanks."""
    for name in ("Subject", "To", "References"):
        result = repaired(FROM + f"{name}: {value}\n")
        field = result.removeprefix(FROM).removeprefix(f"{name}:")
        assert "".join(field.split()) == "".join(value.split())
        assert "\n" in field.removesuffix("\n") or len(value.split()) == 2


def test_a_long_list_is_broken_after_a_comma() -> None:
    """Addresses without a blank between them are not cut in two."""
    value = ",".join(f"recipient{number}@example.org" for number in range(200))
    result = email.message_from_string(
        repaired(FROM + f"To: {value}\n"), policy=email.policy.compat32
    )
    assert [address for _, address in getaddresses([result["To"]])] == value.split(",")


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
