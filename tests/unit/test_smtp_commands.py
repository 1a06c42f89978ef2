"""Command lines of SMTP: verbs, paths, parameters, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.submission.smtp import commands
from sesmail.submission.smtp.replies import Refusal

LIMIT = 1000


def refusal(text: str, of: str = "") -> str:
    """Return the reply that a command line, or the argument of MAIL or RCPT, is refused with."""
    read: Callable[[], object] = {
        "": lambda: commands.split(text.encode("latin-1")),
        "MAIL": lambda: commands.mail(text, LIMIT),
        "RCPT": lambda: commands.rcpt(text),
    }[of]
    with pytest.raises(Refusal) as raised:
        read()
    return raised.value.reply


@pytest.mark.parametrize(
    ("line", "verb", "argument"),
    [
        (b"QUIT\r\n", "QUIT", ""),
        (b"quit \r\n", "QUIT", ""),
        (b"ehlo [127.0.0.1]\r\n", "EHLO", "[127.0.0.1]"),
        (b"Mail  From:<a@b> SIZE=1\r\n", "MAIL", "From:<a@b> SIZE=1"),
        (b"\r\n", "", ""),
        (b"HELO caf\xe9\r\n", "HELO", "caf\udce9"),
    ],
)
def test_a_line_is_a_verb_and_an_argument(line: bytes, verb: str, argument: str) -> None:
    """The verb in any case, blanks around both."""
    assert commands.split(line) == (verb, argument)


@pytest.mark.parametrize(
    "line", ["NOOP", "NOOP\n", "NO\rOP\r\n", "NO\nOP\r\n", "\0\r\n", "a\tb\r\n"]
)
def test_only_crlf_ends_a_line(line: str) -> None:
    """RFC 5321, 2.3.8: no other line end, and no control characters."""
    assert refusal(line).startswith("500 5.5.2 ")


@pytest.mark.parametrize(("verb", "longest"), [("NOOP", 512), ("RCPT", 512), ("MAIL", 555)])
def test_the_longest_line(verb: str, longest: int) -> None:
    """512 bytes with CRLF (RFC 5321, 4.5.3.1.4); SIZE and BODY add to MAIL's."""
    line = f"{verb} ".ljust(longest - 2, "x") + "\r\n"
    assert commands.split(line.encode())[0] == verb
    assert refusal(f"{verb} ".ljust(longest - 1, "x") + "\r\n") == "500 5.5.2 Line too long"


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("FROM:<sue@example.com>", "sue@example.com"),
        ("from: <sue@example.com> ", "sue@example.com"),
        ("FROM:sue@example.com", "sue@example.com"),
        ("FROM:sue@example.com SIZE=1000", "sue@example.com"),
        ("FROM:<sue@example.com> SIZE=0 BODY=8BITMIME", "sue@example.com"),
        ("FROM:<sue@example.com> body=7bit", "sue@example.com"),
        ("FROM:<@relay.example,@b:sue@example.com>", "sue@example.com"),
        ("FROM:<root>", "root"),
        ('FROM:<"a b> \\" c"@example.com>', '"a b> \\" c"@example.com'),
        ('FROM:"a b"@example.com BODY=7BIT', '"a b"@example.com'),
        ("FROM:<-oX@example.com>", "-oX@example.com"),
        ("FROM:<>", ""),
        ("FROM: <> SIZE=3", ""),
        ("FROM:< >", ""),
    ],
)
def test_mail(argument: str, path: str) -> None:
    """The reverse-path of every form that is taken."""
    assert commands.mail(argument, LIMIT) == path


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("TO:<a@b>", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM:", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM:<a@b>x", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("FROM:<a@b", "501 5.1.7 Bad sender address"),
        ("FROM:<a@>", "501 5.1.7 Bad sender address"),
        ("FROM:<a@b,c@d>", "501 5.1.7 Bad sender address"),
        ("FROM:Sue<a@b>", "501 5.1.7 Bad sender address"),
        (f"FROM:<{'a' * 255}@b>", "501 5.1.7 Bad sender address"),
        ("FROM:<\udce4@b>", "553 5.6.7 Not ASCII; use an ASCII address"),
        ("FROM:<a@b> SIZE=1001", "552 5.3.4 Over message_size_limit = 1000 bytes; not sent"),
        ("FROM:<a@b> SIZE=x", "501 5.5.4 Bad value of SIZE"),
        ("FROM:<a@b> SIZE", "501 5.5.4 Bad value of SIZE"),
        (f"FROM:<a@b> SIZE={'9' * 5000}", "501 5.5.4 Bad value of SIZE"),
        ("FROM:<a@b> BODY=BINARYMIME", "501 5.5.4 Bad value of BODY"),
        ("FROM:<a@b> SMTPUTF8", "555 5.5.4 Unsupported parameter SMTPUTF8"),
        ("FROM:<a@b> " + "\udce4" * 200, "555 5.5.4 Unsupported parameter " + "?" * 100),
        ("FROM:<a@b> RET=FULL", "555 5.5.4 Unsupported parameter RET=FULL"),
    ],
)
def test_mail_that_is_refused(argument: str, reply: str) -> None:
    """501 for what cannot be read, 552 for what is too large, 555 for what is not offered."""
    assert refusal(argument, "MAIL") == reply


def test_rcpt() -> None:
    """The forward-path; names without a domain are local."""
    assert commands.rcpt("TO:<bob@example.org>") == "bob@example.org"
    assert commands.rcpt("to: Postmaster") == "Postmaster"


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("FROM:<a@b>", "501 5.5.4 Syntax: RCPT TO:<address>"),
        ("TO:<>", "501 5.1.3 Bad recipient address"),
        ("TO:<a@b> NOTIFY=NEVER", "555 5.5.4 Unsupported parameter NOTIFY=NEVER"),
        ("TO:<a@b>,<c@d>", "501 5.5.4 Syntax: RCPT TO:<address>"),
    ],
)
def test_rcpt_that_is_refused(argument: str, reply: str) -> None:
    """There is no null forward-path and no parameter."""
    assert refusal(argument, "RCPT") == reply


@given(st.binary(max_size=80))
def test_any_line_is_read_or_refused(line: bytes) -> None:
    """Whatever comes, a path is one printable ASCII address, or the reply says why not."""
    for text in (line, b"MAIL FROM:" + line, b"RCPT TO:" + line):
        try:
            verb, argument = commands.split(text + b"\r\n")
            path = commands.rcpt(argument) if verb == "RCPT" else commands.mail(argument, LIMIT)
        except Refusal as error:
            assert error.reply[:3] in ("500", "501", "552", "553", "555")
            assert error.reply.isascii()
            assert error.reply.isprintable()
        else:
            assert path.isascii()
            assert not path or path.isprintable()
