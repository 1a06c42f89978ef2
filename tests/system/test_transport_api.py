"""The API transport against the SES stand-in: what is sent, how often, and by which call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sesmail.delivery import credentials, transport
from sesmail.delivery.outcome import Outcome, Retry
from sesmail.delivery.transport.deadline import Deadline
from tests.fakes.ses import KEY_ID, SECRET, SesServer

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
SOURCE = "wiki@example.com"
HEADER = (
    b"From: Wiki <wiki@example.com>\r\nTo: bob@example.net\r\nSubject: hello\r\n"
    b"Date: Tue, 24 Nov 2026 03:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n"
)
MESSAGE = HEADER + b"\r\n.dot\r\n..dots\r\nText.\r\n"
BIG = HEADER + b"\r\n" + b"0123456789abcdef\r\n" * 600_000  # over the 10 MB of SES v1

Open = Callable[..., transport.Sender]


@pytest.fixture
def ses() -> Iterator[SesServer]:
    """The SES stand-in with example.com as its identity."""
    with SesServer(identities=["example.com"]) as server:
        yield server


@pytest.fixture
def connect(ses: SesServer, tmp_path: Path) -> Iterator[Open]:
    """Open the transport of a credentials file with the stand-in's key and the given lines."""
    opened: list[transport.Sender] = []

    def connect(
        *lines: str, deadline: Deadline | None = None, key_id: str = KEY_ID
    ) -> transport.Sender:
        text = "\n".join((f"aws_access_key_id={key_id}", f"aws_secret_key={SECRET}", *lines))
        if "endpoint_url" not in text:
            text += f"\nendpoint_url = {ses.api_url}"
        (tmp_path / "example.com").write_text(text + "\n")
        loaded = credentials.load(str(tmp_path), "example.com")
        opened.append(transport.open(loaded, deadline or Deadline(25.0)))
        return opened[-1]

    yield connect
    for sender in opened:
        sender.close()


def test_envelope_and_message(ses: SesServer, connect: Open) -> None:
    """SES gets exactly the forward-paths, the source, and the message byte for byte."""
    paths = ["bob@example.net", "sue@example.org"]
    results = connect().send(MESSAGE, SOURCE, paths, QUEUE_ID)
    (accepted,) = ses.state.messages
    assert (accepted.interface, accepted.source) == ("v2", SOURCE)
    assert accepted.destinations == paths
    # FromEmailAddress would have replaced the From field.
    assert accepted.raw == MESSAGE
    assert accepted.tags == {"sesmail-id": QUEUE_ID}
    assert accepted.configuration_set is None
    assert [result.outcome for result in results] == [Outcome.DELIVERED] * 2
    assert {result.remote_id for result in results} == {accepted.message_id}
    assert results[0].relay == "127.0.0.1"


def test_configuration_set_and_tags(ses: SesServer, connect: Open) -> None:
    """What the credentials file names goes along, with the queue id."""
    ses.state.configuration_sets.add("news")
    connect("configuration_set = news", "tags = a=b, c=d").send(
        MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID
    )
    (accepted,) = ses.state.messages
    assert accepted.configuration_set == "news"
    assert accepted.tags == {"a": "b", "c": "d", "sesmail-id": QUEUE_ID}


def test_tags_of_the_message_are_added(ses: SesServer, connect: Open) -> None:
    """Kept X-SES-MESSAGE-TAGS do not get lost; they override neither the file nor the queue id."""
    own = b"X-SES-MESSAGE-TAGS: a=mine, e=f,\r\n sesmail-id=forged, bad tag=x\r\n"
    connect("x_ses_headers = keep", "tags = a=b").send(
        own + MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID
    )
    assert ses.state.messages[0].tags == {"a": "b", "e": "f", "sesmail-id": QUEUE_ID}


def test_relay_of_the_region(connect: Open, tmp_path: Path) -> None:
    """Without endpoint_url the relay is SES's host in the region."""
    (tmp_path / "example.org").write_text("region = eu-west-1\n")
    loaded = credentials.load(str(tmp_path), "example.org")
    with transport.open(loaded, Deadline(25.0)) as sender:
        assert sender.relay == "email.eu-west-1.amazonaws.com"


def test_one_connection_for_many_messages(ses: SesServer, connect: Open) -> None:
    """The client is used again while it fits the deadline."""
    sender = connect(deadline=Deadline())
    for _ in range(3):
        sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (len(ses.state.messages), ses.state.counts["connection"]) == (3, 1)


def test_tls(ses: SesServer, connect: Open) -> None:
    """https with a certificate of ca_file is good; without ca_file nobody trusts it."""
    trusted = connect(f"endpoint_url = {ses.api_tls_url}", f"ca_file = {ses.ca_file}")
    (result,) = trusted.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert result.outcome is Outcome.DELIVERED
    stranger = connect(f"endpoint_url = {ses.api_tls_url}")
    (result,) = stranger.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.status) == (Outcome.DEFERRED, "4.7.5")
    assert "certificate" in result.text
    assert ses.state.requests == 1


@pytest.mark.parametrize(
    ("fault", "retry"),
    [
        ("rate", Retry.SOON),
        ("quota-limit-exceeded", Retry.LATER),
        ("internal-failure", Retry.AMBIGUOUS),
        ("bad-gateway", Retry.AMBIGUOUS),
        ("service-unavailable", Retry.SOON),
        ("request-timeout", Retry.SOON),
        ("drop-before-accept", Retry.AMBIGUOUS),
        ("accept-then-drop", Retry.AMBIGUOUS),
        ("garbage", Retry.AMBIGUOUS),
    ],
)
def test_exactly_one_request(ses: SesServer, connect: Open, fault: str, retry: Retry) -> None:
    """Whatever goes wrong, with all the time in the world botocore does not send a second time."""
    ses.script(fault)
    (result,) = connect(deadline=Deadline()).send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code, result.retry) == (Outcome.DEFERRED, 69, retry)
    assert ses.state.requests == 1


def test_retries_that_the_file_asks_for(ses: SesServer, connect: Open) -> None:
    """A profile's retry settings are for other services: here each would be a second mail."""
    ses.script("service-unavailable")
    connect("retry_mode = adaptive", "max_attempts = 5", "defaults_mode = standard").send(
        MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID
    )
    assert ses.state.requests == 1


def test_no_answer_in_time(ses: SesServer, connect: Open) -> None:
    """The read time-out is cut to the deadline; the result is ambiguous after one request."""
    ses.script("slow")
    sender = connect(deadline=Deadline(0.5))
    (result,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.retry) == (Outcome.DEFERRED, Retry.AMBIGUOUS)
    assert ses.state.requests == 1


def test_nobody_listens(ses: SesServer, connect: Open) -> None:
    """A refused connection is safe to repeat."""
    ses.script("refuse")
    (result,) = connect().send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.retry, result.status) == (
        Outcome.DEFERRED,
        Retry.SOON,
        "4.4.1",
    )


def test_no_time_left(ses: SesServer, connect: Open) -> None:
    """After the deadline nothing is asked any more."""
    sender = connect(deadline=Deadline(0.0))
    (result,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.DEFERRED, 69)
    assert "no time was left" in result.text
    assert ses.state.counts["connection"] == 0


def test_rate(ses: SesServer, connect: Open) -> None:
    """An attempt whose turn would come after the deadline is not made."""
    sender = connect("max_send_rate = 0.01")
    (first,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    (second,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (first.outcome, second.outcome) == (Outcome.DELIVERED, Outcome.DEFERRED)
    assert ses.state.requests == 1


def test_a_key_for_smtp_only(ses: SesServer, connect: Open) -> None:
    """A key that lacks ses:SendEmail: SES v1 sends, and SESv2 is not asked again."""
    ses.state.denied[KEY_ID] = {"ses:SendEmail"}
    ses.state.configuration_sets.add("news")
    sender = connect("configuration_set = news", "tags = a=b")
    for _ in range(2):
        (result,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
        assert result.outcome is Outcome.DELIVERED
    assert (ses.state.counts["v2"], ses.state.counts["v1"]) == (1, 2)
    accepted = ses.state.messages[0]
    assert (accepted.interface, accepted.source) == ("v1", SOURCE)
    assert (accepted.destinations, accepted.raw) == (["bob@example.net"], MESSAGE)
    assert accepted.tags == {"a": "b", "sesmail-id": QUEUE_ID}
    assert accepted.configuration_set == "news"


def test_a_key_for_smtp_only_and_a_big_message(ses: SesServer, connect: Open) -> None:
    """Over the 10 MB of SES v1 the same key sends by SMTP."""
    ses.state.denied[KEY_ID] = {"ses:SendEmail"}
    sender = connect(
        "smtp_host = localhost",
        f"smtp_port = {ses.smtps_port}",
        "smtp_tls = wrapper",
        f"ca_file = {ses.ca_file}",
    )
    (result,) = sender.send(BIG, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.relay) == (Outcome.DELIVERED, "localhost")
    (accepted,) = ses.state.messages
    assert (accepted.interface, accepted.tags) == ("smtp", {"sesmail-id": QUEUE_ID})
    assert accepted.raw.endswith(BIG)
    assert ses.state.counts["v1"] == 0


def test_a_temporary_key_for_smtp_only_and_a_big_message(ses: SesServer, connect: Open) -> None:
    """Temporary keys cannot use SMTP: then the message is held, and what is missing is named."""
    temporary = KEY_ID.replace("AKIA", "ASIA")
    ses.state.keys[temporary] = SECRET
    ses.state.session_tokens[temporary] = "token"
    ses.state.denied[temporary] = {"ses:SendEmail"}
    sender = connect("aws_session_token = token", key_id=temporary)
    (result,) = sender.send(BIG, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 77)
    assert "the key's policy must allow ses:SendEmail" in result.text
    (result,) = sender.send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, ses.state.counts["v1"]) == (Outcome.DELIVERED, 1)


def test_no_right_at_all(ses: SesServer, connect: Open) -> None:
    """A key that may neither is held, 77, after one request to each interface."""
    ses.state.denied[KEY_ID] = {"ses:SendEmail", "ses:SendRawEmail"}
    (result,) = connect().send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 77)
    assert "the key's policy must allow ses:Send" in result.text


def test_wrong_secret(ses: SesServer, connect: Open) -> None:
    """A wrong secret is held, 78; the secret is not shown."""
    ses.state.keys[KEY_ID] = SECRET[::-1]
    (result,) = connect().send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert SECRET not in result.text
    assert "copy both again" in result.text


def test_sandbox(ses: SesServer, connect: Open) -> None:
    """In the sandbox an unverified forward-path is held, 77, and each is to be tried alone."""
    ses.state.sandbox = True
    (result,) = connect().send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code, result.singly) == (Outcome.HELD, 77, True)


def test_unverified_author(ses: SesServer, connect: Open) -> None:
    """An identity that SES does not know is held, 78, with its name."""
    ses.state.identities.clear()
    (result,) = connect().send(MESSAGE, SOURCE, ["bob@example.net"], QUEUE_ID)
    assert (result.outcome, result.exit_code) == (Outcome.HELD, 78)
    assert SOURCE in result.text
