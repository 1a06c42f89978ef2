"""The dialogue without what submits: which command may come when, and what it is answered."""

from __future__ import annotations

import os

import pytest

from sesmail.settings import MOST_IN_FOREGROUND, Settings
from sesmail.submission.kept import Kept
from sesmail.submission.smtp.session import MOST_ERRORS, Session
from sesmail.submission.smtp.stream import Stream
from sesmail.sysexits import Failure

MAIL = "MAIL FROM:<a@example.com>"
RCPT = "RCPT TO:<b@example.org>"


class Client:
    """Says everything at once, and keeps what came of it."""

    def __init__(self, *lines: str, answers: tuple[str, ...] = ()) -> None:
        self.submitted: list[tuple[str, list[str], bytes]] = []
        self._answers = list(answers)
        reading, writing = os.memfd_create("input"), os.memfd_create("output")
        written = os.dup(writing)
        os.write(reading, "".join(f"{line}\r\n" for line in lines).encode("latin-1"))
        os.lseek(reading, 0, os.SEEK_SET)
        settings = Settings()
        settings.origin = "host.example.net"
        session = Session(Stream(reading, writing), settings, {}, lambda: self._submit)
        try:
            self.exit_code = session.serve()
            os.close(writing)
        except Failure as failure:  # it closes its output then
            self.exit_code = failure.exit_code
        text = os.pread(written, 1 << 20, 0).decode("ascii")
        self.replies = text.split("\r\n")[:-1]
        for descriptor in (reading, written):
            os.close(descriptor)

    @property
    def codes(self) -> str:
        """Return the reply codes after the greeting; lines that go on are left out."""
        return " ".join(reply[:3] for reply in self.replies[1:] if reply[3] == " ")

    def _submit(self, reverse_path: str, forward_paths: list[str], message: Kept) -> str:
        self.submitted.append((reverse_path, forward_paths, b"".join(message.pieces())))
        return self._answers.pop(0) if self._answers else "250 2.0.0 Ok"


def test_a_message() -> None:
    """The dialogue of Symfony and its like, byte for byte."""
    client = Client("HELO [127.0.0.1]", MAIL, RCPT, "DATA", "Subject: x", "", "..", ".", "QUIT")
    assert client.replies == [
        "220 host.example.net ESMTP sesmail",
        "250 host.example.net",
        "250 2.1.0 Ok",
        "250 2.1.5 Ok",
        "354 End data with <CR><LF>.<CR><LF>",
        "250 2.0.0 Ok",
        "221 2.0.0 Bye",
    ]
    assert client.submitted == [("a@example.com", ["b@example.org"], b"Subject: x\n\n.\n")]
    assert client.exit_code == 0


def test_ehlo_tells_the_extensions() -> None:
    """SIZE with the limit, 8BITMIME, PIPELINING, ENHANCEDSTATUSCODES."""
    assert Client("EHLO x").replies[1:] == [
        "250-host.example.net",
        "250-PIPELINING",
        "250-SIZE 29360128",
        "250-8BITMIME",
        "250-ENHANCEDSTATUSCODES",
        "250 HELP",
    ]


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (["NOOP", "NOOP x y", "RSET", "HELP", "HELP MAIL", "VRFY bob"], "250 250 250 214 214 252"),
        (["EXPN x", "STARTTLS", "AUTH PLAIN x", "BDAT 1", "TURN"], "502 502 502 502 502"),
        (["", "FOO", "MAILFROM:<a@b>", "\xe4", "GET / HTTP/1.1"], "500 500 500 500 500"),
        (["HELO", "EHLO", "VRFY"], "501 501 501"),
        ([MAIL], "503"),
        (["HELO x", RCPT, "DATA"], "250 503 503"),
        (["HELO x", MAIL, "DATA"], "250 250 503"),
        (["HELO x", MAIL, "RCPT TO:<>", "DATA"], "250 250 501 554"),
        (["HELO x", MAIL, MAIL, RCPT], "250 250 503 250"),
        (["HELO x", MAIL, RCPT, "RSET", RCPT, "DATA"], "250 250 250 250 503 503"),
        (["HELO x", MAIL, RCPT, "EHLO x", "DATA", MAIL], "250 250 250 250 503 250"),
        (["HELO x", MAIL, RCPT, "DATA x", "RSET x", "QUIT x"], "250 250 250 501 501 501"),
        (["HELO x", "MAIL FROM:<a@b> SIZE=29360129", RCPT], "250 552 503"),
        (["HELO x", MAIL, "NO\rOP", RCPT], "250 250 500 250"),
        (["NOOP " + "x" * 506, "NOOP " + "x" * 505], "500 250"),
        (["QUIT", "NOOP"], "221"),
    ],
)
def test_replies(lines: list[str], codes: str) -> None:
    """Each command in its place and out of it; nothing is submitted."""
    client = Client(*lines)
    assert client.codes == codes
    assert client.exit_code == 0
    assert client.submitted == []


def test_a_session_with_several_messages() -> None:
    """A refused message ends its transaction and not the session."""
    one = (MAIL, RCPT, "DATA", "x", ".")
    answers = ("451 4.3.0 no", "550 5.1.1 no", "250 2.0.0 Ok")
    client = Client("HELO x", *one, *one, *one, "DATA", answers=answers)
    assert client.codes == "250 250 250 354 451 250 250 354 550 250 250 354 250 503"
    assert len(client.submitted) == 3
    assert client.exit_code == 0


def test_a_message_that_cannot_be_used_is_not_submitted() -> None:
    """554 for a lone dot between other line ends, and the session goes on."""
    client = Client("HELO x", MAIL, RCPT, "DATA", "x\n.", "y", ".", MAIL)
    assert client.codes == "250 250 250 354 554 250"
    assert client.submitted == []


@pytest.mark.parametrize("lines", [["DATA"], ["DATA", "x"], ["DATA", "x", ".."]])
def test_the_end_of_input_in_data(lines: list[str]) -> None:
    """Nothing is submitted; the reply and the exit code tell it."""
    client = Client("HELO x", MAIL, RCPT, *lines)
    assert client.replies[-1] == "421 4.4.2 Input ended within the message; not sent"
    assert client.submitted == []
    assert client.exit_code == 65


@pytest.mark.parametrize("lines", [[], ["HELO x"], ["HELO x", MAIL], ["HELO x", MAIL, RCPT]])
def test_the_end_of_input_elsewhere_is_quit(lines: list[str]) -> None:
    """Without a word."""
    client = Client(*lines)
    assert client.codes == " ".join(["250"] * len(lines))
    assert client.exit_code == 0


def test_too_many_errors() -> None:
    """A client that does not speak SMTP is told so, and left."""
    client = Client(*["FOO"] * (MOST_ERRORS + 5))
    assert client.codes == " ".join(["500"] * MOST_ERRORS + ["421"])
    assert client.exit_code == 64


def test_what_is_not_an_error_of_the_client() -> None:
    """Bad addresses and refused messages may be as many as they like; sent mail clears errors."""
    bad = ["RCPT TO:<@>"] * 50
    message = [MAIL, RCPT, "DATA", "x", "."]
    some = ["FOO"] * (MOST_ERRORS - 1)
    client = Client("HELO x", MAIL, *bad, "RSET", *some, *message, *some, "QUIT")
    assert client.codes.endswith("221")
    refused = Client("HELO x", *message * 50, answers=("554 5.6.0 no",) * 50)
    assert refused.codes.count("554") == 50
    assert refused.exit_code == 0


def test_recipients_are_limited() -> None:
    """452 for the next one (RFC 5321, 4.5.3.1.10), and the others get the message."""
    paths = [f"RCPT TO:<b{number}@example.org>" for number in range(MOST_IN_FOREGROUND + 1)]
    client = Client("HELO x", MAIL, *paths, "DATA", "x", ".")
    assert client.codes.count("452") == 1
    assert len(client.submitted[0][1]) == MOST_IN_FOREGROUND


def test_the_null_reverse_path() -> None:
    """A sender, though an empty one."""
    client = Client("HELO x", "MAIL FROM:<>", RCPT, "DATA", ".")
    assert client.submitted == [("", ["b@example.org"], b"")]
