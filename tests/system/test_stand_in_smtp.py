"""The SMTP session of the SES stand-in: what it offers, its order, and what ends it."""

from __future__ import annotations

import base64
import smtplib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.fakes.client import Caller
from tests.fakes.ses import KEY_ID, SesServer

MESSAGE = b"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: x\r\n\r\nbody\r\n"


@pytest.fixture
def session(caller: Caller) -> Iterator[smtplib.SMTP]:
    """A session over the TLS wrapper, logged in."""
    with caller.smtps() as connection:
        caller.login(connection)
        yield connection


def test_wrapper_offers(caller: Caller) -> None:
    """AUTH PLAIN LOGIN and 8BITMIME; no PIPELINING, no SIZE, no DSN."""
    with caller.smtps() as connection:
        assert connection.ehlo() == (
            250,
            b"email-smtp.amazonaws.com\n8BITMIME\nAUTH PLAIN LOGIN\nOk",
        )
        assert set(connection.esmtp_features) == {"8bitmime", "auth", "ok"}


def test_greeting(ses: SesServer) -> None:
    """It greets as SES does."""
    with socket.create_connection(("127.0.0.1", ses.starttls_port)) as plain:
        greeting = plain.makefile("rb").readline()
    assert greeting.startswith(b"220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-")


def test_starttls(ses: SesServer, caller: Caller) -> None:
    """AUTH is refused before TLS; afterwards it works and STARTTLS is no longer offered."""
    with caller.starttls() as connection:
        connection.ehlo()
        assert "starttls" in connection.esmtp_features
        assert connection.docmd("AUTH", "PLAIN AGEAYg==")[0] == 530
        connection.starttls(context=caller.context())
        connection.ehlo()
        assert "starttls" not in connection.esmtp_features
        assert connection.docmd("STARTTLS")[0] == 503
        caller.login(connection)
        connection.sendmail("ann@example.com", ["bob@example.net"], MESSAGE)
    assert len(ses.state.messages) == 1


def test_commands_before_tls_are_forgotten(ses: SesServer, caller: Caller) -> None:
    """What was sent in the clear behind STARTTLS is not obeyed after it (RFC 3207 4.2)."""
    with socket.create_connection(("127.0.0.1", ses.starttls_port)) as plain:
        plain.settimeout(10)
        assert plain.recv(1000).startswith(b"220")
        plain.sendall(b"STARTTLS\r\nQUIT\r\n")
        assert plain.recv(1000).startswith(b"220")
        with caller.context().wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(b"NOOP\r\n")
            assert secure.recv(1000) == b"250 Ok\r\n"


@pytest.mark.parametrize("initial", [True, False])
def test_auth_plain(ses: SesServer, caller: Caller, initial: bool) -> None:
    """PLAIN with and without an initial response; a wrong password, an empty one, no base64."""
    password = ses.smtp_password()
    pairs = [(password, 235), (password[:-1] + "A", 535), ("", 535)]
    for word, expected in pairs:
        answer = base64.b64encode(f"\0{KEY_ID}\0{word}".encode()).decode()
        with caller.smtps() as connection:
            if initial:
                code, text = connection.docmd("AUTH", f"PLAIN {answer}")
            else:
                assert connection.docmd("AUTH", "PLAIN")[0] == 334
                code, text = connection.docmd(answer)
            assert code == expected
        if code == 535:
            assert text == b"Authentication Credentials Invalid"
    with caller.smtps() as connection:
        assert connection.docmd("AUTH", "PLAIN !!!")[0] == 535
        assert connection.docmd("AUTH", "CRAM-MD5")[0] == 504


def test_auth_login(ses: SesServer, caller: Caller) -> None:
    """LOGIN asks for user and password."""
    user = base64.b64encode(KEY_ID.encode()).decode()
    password = base64.b64encode(ses.smtp_password().encode()).decode()
    with caller.smtps() as connection:
        assert connection.docmd("AUTH", "LOGIN") == (334, base64.b64encode(b"Username:"))
        assert connection.docmd(user) == (334, base64.b64encode(b"Password:"))
        assert connection.docmd(password)[0] == 235


def test_order_of_commands(caller: Caller) -> None:
    """MAIL wants AUTH, RCPT wants MAIL, DATA wants RCPT; RSET and EHLO forget the envelope."""
    with caller.smtps() as connection:
        connection.ehlo()
        assert connection.mail("ann@example.com") == (530, b"Authentication required")
        caller.login(connection)
        assert connection.rcpt("bob@example.net")[0] == 503
        assert connection.docmd("DATA")[0] == 503
        assert connection.mail("ann@example.com")[0] == 250
        assert connection.docmd("DATA")[0] == 503
        connection.rset()
        assert connection.rcpt("bob@example.net")[0] == 503
        connection.mail("ann@example.com")
        connection.docmd("EHLO", "x")
        assert connection.rcpt("bob@example.net")[0] == 503
        assert connection.docmd("VRFY", "ann")[0] == 502
        assert connection.docmd("HELO", "x")[0] == 250


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:<>", (501, b"Invalid MAIL FROM address provided")),
        ("MAIL FROM:ann@example.com", (501, b"Invalid MAIL FROM address provided")),
        ("MAIL FROM:<ann>", (553, b"<ann> Invalid email address")),
        ("MAIL FROM:<ann@example.com> SMTPUTF8", (555, b"Unsupported option: SMTPUTF8")),
        ("MAIL FROM:<ann@example.com> SIZE=10", (555, b"Unsupported option: SIZE=10")),
        ("MAIL FROM:<ann@example.com> BODY=8BITMIME", (250, b"Ok")),
    ],
)
def test_mail(session: smtplib.SMTP, command: str, reply: tuple[int, bytes]) -> None:
    """The null reverse-path, a bare word and parameters that are not offered are refused."""
    assert session.docmd(command) == reply


def test_rcpt(session: smtplib.SMTP) -> None:
    """A malformed forward-path is refused alone; DSN parameters are not offered."""
    session.mail("ann@example.com")
    assert session.docmd("RCPT TO:<root>") == (553, b"<root> address unknown")
    assert session.docmd("RCPT TO:<a@b.org> NOTIFY=NEVER")[0] == 555
    assert session.docmd("RCPT TO:<bob@example.net>") == (250, b"Ok")


def test_too_many_recipients_show_at_the_end(ses: SesServer, session: smtplib.SMTP) -> None:
    """All 51 RCPT are taken; the refusal comes after the final dot."""
    session.mail("ann@example.com")
    replies = [session.rcpt(f"r{number}@example.net")[0] for number in range(51)]
    assert set(replies) == {250}
    assert session.data(MESSAGE) == (554, b"Transaction failed: Recipient count exceeds 50")
    assert ses.state.messages == []


def test_content_is_kept(ses: SesServer, session: smtplib.SMTP) -> None:
    """Dots, long lines, 8 bit and a lone CR or LF arrive as they were sent."""
    body = b".\r\n..\r\n.x\r\ny" + b"." * 100_000 + b"\r\n\xff\x00\xe9\r\nlone \r and \n\r\n"
    session.mail("ann@example.com")
    session.rcpt("bob@example.net")
    assert session.docmd("DATA")[0] == 354
    raw = MESSAGE + body
    stuffed = b"\r\n".join(
        b"." + line if line.startswith(b".") else line for line in raw.split(b"\r\n")
    )
    session.send(stuffed + b".\r\n")
    assert session.getreply()[0] == 250
    assert ses.state.messages[0].raw == raw


def test_several_messages_in_a_session(ses: SesServer, session: smtplib.SMTP) -> None:
    """A session takes one message after the other; a refusal does not end it."""
    session.sendmail("ann@example.com", ["bob@example.net"], MESSAGE)
    with pytest.raises(smtplib.SMTPDataError):
        session.sendmail("ann@example.com", ["bob@example.net"], b"Subject: no author\r\n\r\n")
    session.sendmail("ann@example.com", ["bob@example.net"], MESSAGE)
    assert len(ses.state.messages) == 2
    assert ses.state.requests == 3
    assert ses.state.counts["connection"] == 1


def test_session_cap(caller: Caller, ses: SesServer) -> None:
    """After so many messages SES closes the session with 421."""
    ses.limits.session_cap = 2
    with caller.smtps() as connection:
        caller.login(connection)
        for _ in range(2):
            connection.sendmail("ann@example.com", ["bob@example.net"], MESSAGE)
        reply = connection.mail("ann@example.com")
        assert reply == (
            421,
            b"Connection closed by server. Maximum message count per session reached.",
        )
        with pytest.raises(smtplib.SMTPServerDisconnected):
            connection.noop()


@pytest.mark.parametrize("command", ["NOOP", "DATA"])
def test_idle(ses: SesServer, session: smtplib.SMTP, command: str) -> None:
    """A client that says nothing gets 451 4.4.2, and the connection ends."""
    session.mail("ann@example.com")
    session.rcpt("bob@example.net")
    # From the next line that it waits for: only this client's silence is cut short.
    ses.limits.idle = 0.1
    session.docmd(command)
    assert session.getreply() == (451, b"4.4.2 Timeout waiting for data from client.")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        session.getreply()


def test_closing_ends_every_session(caller: Caller, ses: SesServer) -> None:
    """With sessions open on every port the server closes and leaves no thread behind."""
    with caller.smtps() as secure, caller.starttls() as plain:
        caller.send("v2", MESSAGE)
        ses.close()
        names = [thread.name for thread in threading.enumerate()]
        assert [name for name in names if name.startswith(("serve-", "accept-"))] == []
        for connection in (secure, plain):
            with pytest.raises(smtplib.SMTPServerDisconnected):
                connection.noop()
