"""The SMTP transport against the SES stand-in: TLS, login, sessions, and what a reply means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sesmail.delivery import credentials, transport
from sesmail.delivery.outcome import Outcome, Retry
from sesmail.delivery.transport import smtp, smtp_session
from sesmail.delivery.transport.deadline import Deadline
from tests.fakes.faults import DROP, GARBAGE, SMTP, Fault, Strike, reply
from tests.fakes.ses import KEY_ID, SECRET, SesServer

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
SOURCE = "wiki@example.com"
BOB = ["bob@example.net"]
MESSAGE = (
    b"From: Wiki <wiki@example.com>\r\nTo: bob@example.net\r\nSubject: hello\r\n"
    b"Date: Tue, 24 Nov 2026 03:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n"
    b"\r\n.\r\n.dot\r\n..dots\r\nText.\r\n"
)

Open = Callable[..., transport.Sender]


@pytest.fixture
def ses() -> Iterator[SesServer]:
    """The SES stand-in with example.com as its identity."""
    with SesServer(identities=["example.com"]) as server:
        yield server


@pytest.fixture
def connect(ses: SesServer, tmp_path: Path) -> Iterator[Open]:
    """Open the transport of a file with the SMTP password and the given lines.

    Without lines: TLS from the start, at the stand-in.
    """
    opened: list[transport.Sender] = []

    def connect(
        *lines: str,
        deadline: Deadline | None = None,
        server: SesServer = ses,
        secret: str | None = None,
    ) -> transport.Sender:
        lines = lines or ("smtp_tls = wrapper", f"smtp_port = {server.smtps_port}")
        pair = (f"aws_access_key_id={KEY_ID}", f"aws_secret_key={secret or server.smtp_password()}")
        common = ("smtp_host = localhost", f"ca_file = {server.ca_file}")
        (tmp_path / "example.com").write_text("\n".join((*pair, *common, *lines)) + "\n")
        loaded = credentials.load(str(tmp_path), "example.com")
        opened.append(transport.open(loaded, deadline or Deadline(25.0)))
        return opened[-1]

    yield connect
    for sender in opened:
        sender.close()


def test_envelope_and_message(ses: SesServer, connect: Open) -> None:
    """MAIL is the source, RCPT the forward-paths, the text unchanged but for our mark."""
    paths = ["bob@example.net", "sue@example.org"]
    results = connect().send(MESSAGE, SOURCE, paths, QUEUE_ID)
    (accepted,) = ses.state.messages
    assert (accepted.interface, accepted.source) == ("smtp", SOURCE)
    assert accepted.destinations == paths
    assert accepted.raw == f"X-SES-MESSAGE-TAGS: sesmail-id={QUEUE_ID}\r\n".encode() + MESSAGE
    assert accepted.tags == {"sesmail-id": QUEUE_ID}
    assert [result.outcome for result in results] == [Outcome.DELIVERED] * 2
    assert {result.remote_id for result in results} == {accepted.message_id}
    assert results[0].relay == "localhost"


def test_configuration_set_and_tags(ses: SesServer, connect: Open) -> None:
    """Both go as fields before the message's own, for SES takes the first of each."""
    ses.state.configuration_sets |= {"news", "other"}
    port = f"smtp_port = {ses.smtps_port}"
    sender = connect(
        port, "smtp_tls = wrapper", "configuration_set = news", "tags = a=b", "x_ses_headers = keep"
    )
    own = b"X-SES-CONFIGURATION-SET: other\r\nX-SES-MESSAGE-TAGS: a=mine, e=f\r\n"
    sender.send(own + MESSAGE, SOURCE, BOB, QUEUE_ID)
    (accepted,) = ses.state.messages
    assert accepted.configuration_set == "news"
    assert accepted.tags == {"a": "b", "e": "f", "sesmail-id": QUEUE_ID}


def test_eight_bits(ses: SesServer, connect: Open) -> None:
    """8-bit text arrives as it is."""
    text = MESSAGE + b"gr\xfc\xdfe\r\n"
    (result,) = connect().send(text, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED
    assert ses.state.messages[0].raw.endswith(text)


def test_text_without_a_last_line_end(ses: SesServer, connect: Open) -> None:
    """The final dot stands on a line of its own."""
    connect().send(MESSAGE + b"last", SOURCE, BOB, QUEUE_ID)
    assert ses.state.messages[0].raw.endswith(b"Text.\r\nlast\r\n")


def test_starttls(ses: SesServer, connect: Open) -> None:
    """A port of another number than 465 means STARTTLS."""
    (result,) = connect(f"smtp_port = {ses.starttls_port}").send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED


def test_derived_password(ses: SesServer, connect: Open) -> None:
    """transport = smtp with the IAM secret logs in with the password derived from it."""
    sender = connect("transport = smtp", f"smtp_port = {ses.starttls_port}", secret=SECRET)
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED


def test_other_port(ses: SesServer, connect: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """If nobody answers on 465, 587 with STARTTLS is next; a port that is given is the only one."""
    with SesServer() as gone:
        closed = gone.smtps_port
    ports = {"wrapper": closed, "starttls": ses.starttls_port}
    monkeypatch.setattr(smtp_session, "_PORTS", ports)
    (result,) = connect("region = us-east-1").send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED
    (result,) = connect("smtp_tls = wrapper").send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.retry, result.status) == (Outcome.DEFERRED, Retry.SOON, "4.4.1")


@pytest.mark.parametrize("port", ["smtps_port", "starttls_port"])
def test_certificate_for_another_name(ses: SesServer, connect: Open, port: str) -> None:
    """The text says whose certificate it is; nothing, the password least of all, was sent."""
    ses.script("certificate-name")
    tls = "wrapper" if port == "smtps_port" else "starttls"
    sender = connect(f"smtp_port = {getattr(ses, port)}", f"smtp_tls = {tls}")
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.exit_code, result.status) == (Outcome.DEFERRED, 69, "4.7.5")
    assert "certificate of localhost is for mail.elsewhere.example, not for" in result.text
    assert (ses.state.counts["auth"], ses.state.messages) == (0, [])


@pytest.mark.parametrize("fault", ["certificate-expired", "certificate-untrusted"])
def test_certificate_that_is_no_good(ses: SesServer, connect: Open, fault: str) -> None:
    """An expired certificate, or one by an unknown authority, ends the attempt before the login."""
    ses.script(fault)
    (result,) = connect().send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.status) == (Outcome.DEFERRED, "4.7.5")
    assert "certificate verify failed" in result.text
    assert ses.state.counts["auth"] == 0


def test_wrong_password(ses: SesServer, connect: Open) -> None:
    """One login is refused, once: held, 78."""
    ses.state.keys[KEY_ID] = SECRET[::-1]
    sender = connect(secret="BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2")
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert "made for this region" in result.text
    assert ses.state.counts["auth"] == 1


def test_password_of_another_region(ses: SesServer, connect: Open) -> None:
    """A derived password holds for its region only."""
    sender = connect(
        "transport = smtp",
        "region = eu-west-1",
        f"smtp_port = {ses.starttls_port}",
        secret=SECRET,
    )
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)


def test_no_login_without_tls(ses: SesServer, connect: Open) -> None:
    """smtp_tls = none works on loopback, where the server then decides about the login."""
    sender = connect("smtp_tls = none", f"smtp_port = {ses.starttls_port}")
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert "Must issue a STARTTLS command first" in result.text


def test_one_session_for_many_messages(ses: SesServer, connect: Open) -> None:
    """Messages share a session; after 50 a new one begins."""
    sender = connect(deadline=Deadline())
    for _ in range(smtp.MOST_MESSAGES):
        sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (len(ses.state.messages), ses.state.counts["connection"]) == (50, 1)
    sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (len(ses.state.messages), ses.state.counts["connection"]) == (51, 2)


@pytest.mark.parametrize(
    "fault",
    [
        "smtp-timeout",
        "smtp-session-cap",
        "smtp-session-messages",
        "smtp-service-451-mail",
        "drop-mail",
    ],
)
def test_used_session_ends(ses: SesServer, connect: Open, fault: str) -> None:
    """A used session that ends before the text is replaced, and the message goes on."""
    sender = connect()
    sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    ses.script(fault, times=1)
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED
    assert (len(ses.state.messages), ses.state.counts["connection"]) == (2, 2)


@pytest.mark.parametrize("moment", ["RCPT", "DATA"])
def test_used_session_ends_later(ses: SesServer, connect: Open, moment: str) -> None:
    """Also at RCPT or DATA nothing has been sent yet."""
    sender = connect()
    sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    ses.script(reply(moment, 421, "Timeout waiting for data from client."), times=1)
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED
    assert len(ses.state.messages) == 2


@pytest.mark.parametrize(
    ("fault", "retry"),
    [
        ("smtp-timeout", Retry.NOW),
        ("smtp-session-cap", Retry.NOW),
        ("smtp-service-451-mail", Retry.SOON),
        ("drop-mail", Retry.SOON),
        ("smtp-connections", Retry.SOON),
        ("drop-greeting", Retry.SOON),
        ("garbage-greeting", Retry.LATER),
    ],
)
def test_new_session_ends(ses: SesServer, connect: Open, fault: str, retry: Retry) -> None:
    """In a new session the same is a result: deferred, and SES was asked once."""
    ses.script(fault)
    (result,) = connect().send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.exit_code, result.retry) == (Outcome.DEFERRED, 69, retry)
    assert ses.state.counts["connection"] == 1


def test_session_cap(connect: Open) -> None:
    """SES's own limit of messages per session costs a new session, no message."""
    with SesServer(identities=["example.com"], session_cap=2) as capped:
        sender = connect(server=capped)
        results = [sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)[0] for _ in range(5)]
        assert {result.outcome for result in results} == {Outcome.DELIVERED}
        assert capped.state.counts["connection"] == 3


@pytest.mark.parametrize(
    ("moment", "action", "retry"),
    [
        ("DATA", DROP, Retry.SOON),
        ("dot", DROP, Retry.AMBIGUOUS),
        ("dot", GARBAGE, Retry.AMBIGUOUS),
        ("accepted", DROP, Retry.AMBIGUOUS),
    ],
)
def test_connection_lost(
    ses: SesServer, connect: Open, moment: str, action: str, retry: Retry
) -> None:
    """Before the final dot it is safe to repeat; after it nobody knows, and we do not try."""
    ses.script(Fault("lost", "", {SMTP: Strike(moment, action)}))
    (result,) = connect().send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.exit_code, result.retry) == (Outcome.DEFERRED, 69, retry)
    assert ses.state.requests == 1


def test_connection_lost_in_a_used_session(ses: SesServer, connect: Open) -> None:
    """After the final dot a used session is not repeated either."""
    sender = connect()
    sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    ses.script("accept-then-drop", times=1)
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.retry is Retry.AMBIGUOUS
    assert len(ses.state.messages) == 2
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED


def test_no_answer_in_time(ses: SesServer, connect: Open) -> None:
    """The wait for the final reply is cut to the deadline, and ambiguous."""
    ses.script("slow")
    sender = connect(deadline=Deadline(1.0))
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.retry) == (Outcome.DEFERRED, Retry.AMBIGUOUS)


def test_one_forward_path_is_refused(ses: SesServer, connect: Open) -> None:
    """Each RCPT has its own result; the others get the message."""
    ses.script("smtp-recipient", recipient="nobody@example.net")
    results = connect().send(
        MESSAGE, SOURCE, ["a@example.net", "nobody@example.net", "c@example.net"], QUEUE_ID
    )
    assert [result.outcome for result in results] == [
        Outcome.DELIVERED,
        Outcome.FAILED,
        Outcome.DELIVERED,
    ]
    assert (results[1].exit_code, results[1].status) == (67, "5.1.1")
    assert ses.state.messages[0].destinations == ["a@example.net", "c@example.net"]


def test_all_forward_paths_are_refused(ses: SesServer, connect: Open) -> None:
    """Then no DATA follows, and the session can be used for the next message."""
    sender = connect()
    ses.script("smtp-recipient", times=2)
    results = sender.send(MESSAGE, SOURCE, ["a@example.net", "b@example.net"], QUEUE_ID)
    assert [result.exit_code for result in results] == [67, 67]
    assert ses.state.counts["data"] == 0
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED
    assert ses.state.counts["connection"] == 1


def test_a_refused_text(ses: SesServer, connect: Open) -> None:
    """A message that SES refuses after the final dot leaves the session usable."""
    sender = connect()
    (result,) = sender.send(b"Subject: 1\r\nSubject: 2\r\n" + MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.FAILED, 65)
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, ses.state.counts["connection"]) == (Outcome.DELIVERED, 1)


def test_nobody_listens(ses: SesServer, connect: Open) -> None:
    """A refused connection is safe to repeat, and no session is left behind."""
    ses.script("refuse")
    sender = connect()
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert (result.outcome, result.retry) == (Outcome.DEFERRED, Retry.SOON)
    ses.script(None)
    (result,) = sender.send(MESSAGE, SOURCE, BOB, QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED
