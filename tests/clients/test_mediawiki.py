"""Debian's MediaWiki, unchanged, sends its own mail: to SES for an identity, else by Postfix."""

from __future__ import annotations

import email
import email.policy
import json
import re
from email.message import EmailMessage

import pytest

from tests.clients import identity, mediawiki
from tests.clients.machine import Machine
from tests.clients.recorder import Recorder
from tests.fakes.ses import SesServer

WIKI = "http://wiki.example.com/index.php?title=Special:"
SEND = """
$to = [%s];
$body = %s;
$from = new MailAddress( 'wiki@%s', 'Wiki für alle' );
$status = UserMailer::send( $to, $from, 'Grüße aus dem Wiki', $body );
echo json_encode( $status->getErrors() );
"""
HTML_BODY = "['text' => 'Schöne Grüße, Bob', 'html' => '<p>Schöne Grüße, <b>Bob</b></p>']"
BOB = "new MailAddress( 'bob@example.net', 'Bob B.' )"


@pytest.fixture(params=["example.com", "example.org"])
def domain(request: pytest.FixtureRequest, machine: Machine, ses: SesServer) -> str:
    """The wiki's domain: an identity, and one that is none."""
    identity.with_api_key(machine, ses)
    mediawiki.set_sender(machine, f"wiki@{request.param}")
    return str(request.param)


@pytest.fixture
def account(machine: Machine, request: pytest.FixtureRequest) -> str:
    """An account name that the wiki does not know yet."""
    return "U" + re.sub("[^0-9a-z]", "", request.node.name)


def test_registration_asks_for_confirmation(
    machine: Machine, ses: SesServer, next_hop: Recorder, domain: str, account: str
) -> None:
    """Whoever registers on the web gets the link with which to confirm the address."""
    visitor = mediawiki.Visitor(machine)
    answer = visitor.create_account(account, "bob@example.net")
    assert answer["createaccount"]["status"] == "PASS"
    message = only_message(ses, next_hop, domain, f"wiki@{domain}", ["bob@example.net"])
    assert message["Subject"] == "Example Wiki email address confirmation"
    assert_from_the_wiki(message, domain, f"{account} <bob@example.net>")
    text = str(message.get_content())
    assert re.search(rf"^{re.escape(WIKI)}ConfirmEmail/[0-9a-f]{{32}}$", text, re.MULTILINE)


def test_password_reset_sends_the_new_password(
    machine: Machine, ses: SesServer, next_hop: Recorder, domain: str, account: str
) -> None:
    """Whoever forgot the password gets another one by mail, and can log in with it."""
    visitor = mediawiki.Visitor(machine)
    visitor.create_account(account, "bob@example.net")
    only_message(ses, next_hop, domain, f"wiki@{domain}", ["bob@example.net"])
    ses.state.messages.clear()
    next_hop.forget()
    assert visitor.reset_password(account)["resetpassword"]["status"] == "success"
    message = only_message(ses, next_hop, domain, f"wiki@{domain}", ["bob@example.net"])
    assert message["Subject"] == "Account details on Example Wiki"
    assert_from_the_wiki(message, domain, f"{account} <bob@example.net>")
    password = re.search(r"^Temporary password:\n(\S+)$", str(message.get_content()), re.MULTILINE)
    assert password
    assert visitor.log_in(account, "guessed")["clientlogin"]["status"] == "FAIL"
    assert visitor.log_in(account, password[1])["clientlogin"]["status"] == "UI"


def test_html_mail_has_both_parts(
    machine: Machine, ses: SesServer, next_hop: Recorder, domain: str
) -> None:
    """HTML mail, whose folded field has LF among CRLF, arrives with text and HTML intact."""
    code = SEND % (BOB, HTML_BODY, domain)
    assert json.loads(mediawiki.evaluate(machine, code)) == []
    message = only_message(ses, next_hop, domain, f"wiki@{domain}", ["bob@example.net"])
    assert message["Subject"] == "Grüße aus dem Wiki"
    assert str(message["From"]) == f"Wiki für alle <wiki@{domain}>"
    assert message.get_content_type() == "multipart/alternative"
    contents = [str(part.get_content()).rstrip("\n") for part in message.iter_parts()]
    assert contents == ["Schöne Grüße, Bob", "<p>Schöne Grüße, <b>Bob</b></p>"]


def test_wiki_without_a_sender_sends_as_the_host(
    machine: Machine, ses: SesServer, next_hop: Recorder
) -> None:
    """A fresh installation gives an empty -f and an empty From: the mail is www-data's."""
    identity.with_api_key(machine, ses)
    code = (SEND % (BOB, "'Hello Bob, a test'", "x")).replace("'wiki@x'", "''")
    assert json.loads(mediawiki.evaluate(machine, code)) == []
    author = "www-data@host.example.com"
    message = only_message(ses, next_hop, "example.com", author, ["bob@example.net"])
    assert [address.addr_spec for address in message["From"].addresses] == [author]
    assert message["Auto-Submitted"] == "auto-generated"


def test_smtp_password_serves_the_wiki(
    machine: Machine, ses: SesServer, next_hop: Recorder, account: str
) -> None:
    """With the SMTP user name and password of the console the wiki's mail goes by SMTP."""
    identity.with_smtp_password(machine, ses)
    mediawiki.set_sender(machine, "wiki@example.com")
    mediawiki.Visitor(machine).create_account(account, "bob@example.net")
    message = only_message(ses, next_hop, "example.com", "wiki@example.com", ["bob@example.net"])
    assert ses.state.messages[0].interface == "smtp"
    assert_from_the_wiki(message, "example.com", f"{account} <bob@example.net>")


def test_wiki_hears_of_a_refusal(machine: Machine, ses: SesServer) -> None:
    """UserMailer returns an error, so that Special:EmailUser and the like can show it."""
    identity.with_api_key(machine, ses)
    ses.state.identities.clear()
    answer = mediawiki.evaluate(machine, SEND % (BOB, HTML_BODY, "example.com"))
    assert "php-mail-error-unknown" in answer
    assert ses.state.requests == 1
    assert not ses.state.messages


def only_message(
    ses: SesServer, next_hop: Recorder, domain: str, source: str, to: list[str]
) -> EmailMessage:
    """The one message, which went to SES or to the next hop, by its author's domain."""
    if domain == identity.DOMAIN:
        (accepted,) = ses.state.wait_for_messages(1)
        assert not next_hop.messages
        envelope, raw = (accepted.source, accepted.destinations), accepted.raw
    else:
        (recorded,) = next_hop.wait(1)
        assert ses.state.requests == 0
        envelope, raw = (recorded.reverse_path, recorded.forward_paths), recorded.raw
    assert envelope == (source, to)
    text = raw.replace(b"\r\n", b"\n")
    return email.message_from_bytes(text, EmailMessage, policy=email.policy.default)


def assert_from_the_wiki(message: EmailMessage, domain: str, to: str) -> None:
    """The wiki's fields are there once, and its Return-Path is gone."""
    assert str(message["From"]) == f"Example Wiki <wiki@{domain}>"
    assert message["To"] == to
    assert len(message.get_all("Date", [])) == 1
    assert message["Message-ID"].endswith("@wiki.example.com>")
    assert message["X-Mailer"] == "MediaWiki mailer"
    assert "Return-Path" not in message
