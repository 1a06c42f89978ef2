"""What some libraries do besides: HTML, sessions of many letters, an envelope of one's own."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from tests.clients import daemon, identity, library
from tests.clients.machine import Machine
from tests.clients.recorder import Recorder
from tests.fakes.ses import SesServer
from tests.installation import Installation

HTML = "<p>Schöne Grüße, <b>Bob</b></p>"
TEXT = "Schöne Grüße, Bob"
SYMFONY = ("symfony.php", "sendmail://default")
WITH_HTML = {
    "phpmailer": ("phpmailer.php", "sendmail"),
    "symfony-bs": SYMFONY,
    "symfony-native": ("symfony.php", "native://default"),
    "actionmailer": ("action_mailer.rb", "{}"),
    "ruby-mail": ("mail.rb", "sendmail", "{}"),
    "nodemailer": ("nodemailer.js", "nodemailer", "{}"),
    "django": ("django_mail.py", "cr_sendmail.backends.SendmailBackend"),
}


@pytest.mark.parametrize("name", WITH_HTML)
def test_html_arrives_both_ways(
    equipped: Machine, ses: SesServer, next_hop: Recorder, name: str
) -> None:
    """Text and HTML are the letter's, at SES and at Postfix."""
    identity.with_api_key(equipped, ses)
    for domain in ("example.com", "example.org"):
        letter = library.letter(domain) | {"text": TEXT, "html": HTML}
        assert library.send(equipped, WITH_HTML[name], letter) == library.SENT
    (accepted,) = ses.state.messages
    (recorded,) = next_hop.wait(1)
    for raw in (accepted.raw, recorded.raw):
        message = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
        assert body(message, "plain") == TEXT
        assert body(message, "html") == HTML


def test_session_of_a_hundred_letters(
    equipped: Machine, ses: SesServer, installed: Installation
) -> None:
    """Symfony keeps one `sendmail -bs` for all it sends; the daemon sends every letter on."""
    letter = library.letter("example.com") | {"senders": ["alice@example.com"] * 100}
    with daemon.running(equipped, ses, installed):
        assert library.send(equipped, SYMFONY, letter) == library.SENT
        accepted = ses.state.wait_for_messages(100)
    assert len(accepted) == 100
    assert all(len(one.destinations) == 3 for one in accepted)


def test_session_of_two_domains_with_a_failure_between(
    equipped: Machine, ses: SesServer, next_hop: Recorder
) -> None:
    """In one session: to SES, to Postfix, refused by SES (an exception with the reason), to SES."""
    identity.with_api_key(equipped, ses)
    ses.state.identities.clear()
    ses.state.identities |= {"alice@example.com", "carol@example.com"}
    senders = ["alice@example.com", "alice@example.org", "eve@example.com", "carol@example.com"]
    letter = library.letter("example.com") | {"senders": senders}
    answer = library.send(equipped, SYMFONY, letter)
    assert not answer.sent
    assert answer.error is not None
    assert "not verified" in answer.error
    assert [one.source for one in ses.state.messages] == [senders[0], senders[3]]
    assert [one.reverse_path for one in next_hop.wait(1)] == [senders[1]]


@pytest.mark.parametrize("version", ["nodemailer", "nodemailer-6"])
def test_envelope_of_nodemailer(
    equipped: Machine, ses: SesServer, next_hop: Recorder, version: str
) -> None:
    """The `envelope` option decides who gets it and who hears of bounces, not the fields."""
    identity.with_api_key(equipped, ses)
    to = ["bob@example.net", "eve@example.net"]
    for domain in ("example.com", "example.org"):
        envelope = {"from": f"bounce@{domain}", "to": to}
        letter = library.letter(domain) | {"envelope": envelope}
        assert library.send(equipped, ("nodemailer.js", version, "{}"), letter) == library.SENT
    (accepted,) = ses.state.messages
    assert (accepted.source, sorted(accepted.destinations)) == ("bounce@example.com", to)
    (recorded,) = next_hop.wait(1)
    assert (recorded.reverse_path, sorted(recorded.forward_paths)) == ("bounce@example.org", to)


def body(message: EmailMessage, subtype: str) -> str:
    """The text of the first part of this kind."""
    (part,) = [part for part in message.walk() if part.get_content_subtype() == subtype]
    return str(part.get_content()).replace("\r", "").rstrip("\n")
