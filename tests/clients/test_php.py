"""PHP's mail(), unchanged, as www-data: to SES for an identity, else by the real sendmail."""

from __future__ import annotations

import contextlib
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

import pytest

from tests.clients import identity, php
from tests.clients.machine import Machine
from tests.clients.recorder import Recorder
from tests.fakes.ses import SesServer
from tests.installation import Installation

FROM = "From: Alice <alice@DOMAIN>"
HTML = "<p>Schöne Grüße, <b>Bob</b></p>\n"
WWW_DATA = "www-data@host.example.com"


@dataclass(frozen=True)
class Mail:
    """Arguments of one mail() call, and what must arrive; DOMAIN stands for the author's domain.

    sender is the -f address; body the text that PHP was given: it always appends an empty line.
    """

    arguments: php.Arguments
    sender: str | None = None
    to: list[str] = field(default_factory=lambda: ["bob@example.net"])
    fields: dict[str, str] = field(default_factory=dict)
    body: str = "Line one\nLine two\n"


TEXT = "Line one\nLine two\n"
PARTS = """\
--b
Content-Type: text/plain; charset=UTF-8

Grüße
--b
Content-Type: text/html

<p>x</p>
--b--
"""
MAILS = {
    "plain": Mail(
        ["bob@example.net", "Hello", TEXT, FROM],
        fields={"To": "bob@example.net", "Subject": "Hello", "From": "Alice <alice@DOMAIN>"},
    ),
    "f-glued": Mail(
        ["bob@example.net", "Hello", TEXT, FROM, "-fbounce@DOMAIN"],
        sender="bounce@DOMAIN",
        fields={"From": "Alice <alice@DOMAIN>"},
    ),
    "f-spaced": Mail(
        ["bob@example.net", "Hello", TEXT, FROM, "-oi -f bounce@DOMAIN -F 'Web Site'"],
        sender="bounce@DOMAIN",
        fields={"From": "Alice <alice@DOMAIN>"},
    ),
    "utf-8-subject-raw": Mail(
        ["bob@example.net", "Grüße aus Köln, 日本", TEXT, FROM],
        fields={"Subject": "Grüße aus Köln, 日本"},
    ),
    "utf-8-subject-encoded": Mail(
        ["bob@example.net", "=?UTF-8?B?R3LDvMOfZQ==?=", TEXT, FROM], fields={"Subject": "Grüße"}
    ),
    "html": Mail(
        [
            "bob@example.net",
            "HTML",
            HTML,
            f"{FROM}\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=UTF-8",
        ],
        fields={"Content-Type": 'text/html; charset="UTF-8"'},
        body=HTML,
    ),
    "headers-lf": Mail(
        ["bob@example.net", "LF", TEXT, f"{FROM}\nReply-To: carol@example.org\nX-Mailer: mine"],
        fields={"Reply-To": "carol@example.org", "X-Mailer": "mine"},
    ),
    "headers-crlf": Mail(
        ["bob@example.net", "CR", TEXT, f"{FROM}\r\nReply-To: carol@example.org\r\nX-Mailer: mine"],
        fields={"Reply-To": "carol@example.org", "X-Mailer": "mine"},
    ),
    "headers-array": Mail(
        [
            "bob@example.net",
            "Array",
            TEXT,
            {"From": "Alice <alice@DOMAIN>", "Reply-To": "carol@example.org", "X-Mailer": "mine"},
        ],
        fields={"Reply-To": "carol@example.org", "X-Mailer": "mine"},
    ),
    "folded-lf-in-crlf": Mail(
        ["bob@example.net", "Folded", TEXT, f"{FROM}\r\nX-Long: one\n two\r\nX-Mailer: mine"],
        fields={"X-Long": "one two", "X-Mailer": "mine"},
    ),
    "cc-and-bcc": Mail(
        [
            'Bob B. <bob@example.net>, "Doe, Jane" <jane@example.net>',
            "Many",
            TEXT,
            f"{FROM}\r\nCc: carol@example.org\r\nBcc: Dave <dave@example.net>,\r\n eve@example.net",
        ],
        to=[
            "bob@example.net",
            "carol@example.org",
            "dave@example.net",
            "eve@example.net",
            "jane@example.net",
        ],
        fields={"Cc": "carol@example.org"},
    ),
    "dots": Mail(
        ["bob@example.net", "Dots", "one\n.\n..two\nthree\n", FROM], body="one\n.\n..two\nthree\n"
    ),
    "crlf-body": Mail(
        ["bob@example.net", "CRLF", "Line one\r\nLine two\r\n", FROM],
    ),
    "multipart": Mail(
        [
            "bob@example.net",
            "Parts",
            PARTS,
            f'{FROM}\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="b"',
        ],
        fields={"Content-Type": 'multipart/alternative; boundary="b"'},
        body="",
    ),
}


@pytest.mark.parametrize("name", MAILS)
def test_mail_of_an_identity_reaches_ses(machine: Machine, ses: SesServer, name: str) -> None:
    """Recipients, reverse-path, fields and body are the caller's; mail() is true and silent."""
    identity.with_api_key(machine, ses)
    mail = for_domain(MAILS[name], "example.com")
    assert php.mail(machine, mail.arguments) == php.SENT
    (accepted,) = ses.state.messages
    assert accepted.interface == "v2"
    assert sorted(accepted.destinations) == mail.to
    assert accepted.source == (mail.sender or "alice@example.com")
    assert_arrived(accepted.raw, mail)


@pytest.mark.parametrize("name", MAILS)
def test_other_mail_reaches_the_real_sendmail(
    relaying: Machine, next_hop: Recorder, ses: SesServer, name: str
) -> None:
    """Postfix, and msmtp, send it on as if sesmail were not there; SES hears nothing of it."""
    identity.with_api_key(relaying, ses)
    mail = for_domain(MAILS[name], "example.org")
    assert php.mail(relaying, mail.arguments) == php.SENT
    (recorded,) = next_hop.wait(1)
    assert sorted(recorded.forward_paths) == mail.to
    assert recorded.reverse_path == (mail.sender or WWW_DATA)
    assert_arrived(recorded.raw, mail)
    assert ses.state.requests == 0


def test_mail_without_a_from_is_the_users(machine: Machine, ses: SesServer) -> None:
    """The author is the login at the host's mail name, whose parent domain is an identity."""
    identity.with_api_key(machine, ses)
    assert php.mail(machine, ["bob@example.net", "Hello", TEXT]) == php.SENT
    (accepted,) = ses.state.messages
    assert accepted.source == WWW_DATA
    assert_arrived(accepted.raw, Mail([], fields={"From": f"www-data <{WWW_DATA}>"}))


def test_mail_goes_by_smtp_with_an_smtp_password(machine: Machine, ses: SesServer) -> None:
    """The secret's shape chooses SMTP; the stand-in's certificate is checked with ca_file."""
    identity.with_smtp_password(machine, ses)
    for name in ("html", "cc-and-bcc", "f-glued"):
        mail = for_domain(MAILS[name], "example.com")
        assert php.mail(machine, mail.arguments) == php.SENT
        accepted = ses.state.messages[-1]
        assert accepted.interface == "smtp"
        assert sorted(accepted.destinations) == mail.to
        assert accepted.source == (mail.sender or "alice@example.com")
        assert_arrived(accepted.raw, mail)
    assert len(ses.state.messages) == 3


def test_php_fpm_sends_both_ways(machine: Machine, ses: SesServer, next_hop: Recorder) -> None:
    """Under php-fpm, with no PATH and nowhere to print, mail() works as on the command line."""
    identity.with_api_key(machine, ses)
    for domain in ("example.com", "example.org"):
        mail = for_domain(MAILS["html"], domain)
        assert php.mail_by_fpm(machine, mail.arguments) == php.SENT
    assert_arrived(ses.state.messages[0].raw, for_domain(MAILS["html"], "example.com"))
    (recorded,) = next_hop.wait(1)
    assert_arrived(recorded.raw, for_domain(MAILS["html"], "example.org"))


def test_sendmail_path_may_name_the_installed_command(
    machine: Machine, ses: SesServer, installed: Installation, next_hop: Recorder
) -> None:
    """With sendmail_path in php.ini nothing needs to be at /usr/sbin/sendmail."""
    identity.with_api_key(machine, ses)
    path = [f"sendmail_path={installed.sendmail} -t -i"]
    for domain in ("example.com", "example.org"):
        mail = for_domain(MAILS["f-glued"], domain)
        assert php.mail(machine, mail.arguments, path) == php.SENT
    assert [accepted.source for accepted in ses.state.messages] == ["bounce@example.com"]
    assert [recorded.reverse_path for recorded in next_hop.wait(1)] == ["bounce@example.org"]


def test_mail_is_false_when_ses_refuses(machine: Machine, ses: SesServer) -> None:
    """An author that SES does not know: false, one line on stderr, nothing accepted."""
    identity.with_api_key(machine, ses)
    ses.state.identities.clear()
    answer = php.mail(machine, for_domain(MAILS["plain"], "example.com").arguments)
    assert_failed(answer, b"not verified")
    assert ses.state.requests == 1
    assert not ses.state.messages


def test_mail_is_false_when_credentials_are_unreadable(machine: Machine, ses: SesServer) -> None:
    """Credentials that www-data may not read: false, the file is named, the secret is not."""
    identity.with_api_key(machine, ses)
    (machine.root / identity.FILE.lstrip("/")).chmod(0o600)
    answer = php.mail(machine, for_domain(MAILS["plain"], "example.com").arguments)
    assert_failed(answer, identity.FILE.encode())
    assert ses.state.requests == 0


def test_mail_is_false_without_a_real_sendmail(machine: Machine, next_hop: Recorder) -> None:
    """No credentials for the domain and no real sendmail: false, and the domain is named."""
    machine.write("/etc/sesmail/sesmail.conf", "real_sendmail = none\n")
    answer = php.mail(machine, for_domain(MAILS["plain"], "example.org").arguments)
    assert_failed(answer, b"example.org")
    assert not next_hop.messages


def test_mail_is_false_when_the_real_sendmail_fails(machine: Machine, next_hop: Recorder) -> None:
    """The real sendmail's exit code is the caller's: msmtp tells of a refused recipient."""
    machine.write("/etc/sesmail/sesmail.conf", "real_sendmail = /usr/bin/msmtp\n")
    next_hop.refused.add("bob@example.net")
    answer = php.mail(machine, for_domain(MAILS["plain"], "example.org").arguments)
    assert not answer.sent
    assert b"not accepted by the server" in answer.errors
    assert not next_hop.messages


def test_mail_is_false_under_php_fpm_too(machine: Machine, ses: SesServer) -> None:
    """A web page hears of a failure as a program on the command line does."""
    identity.with_api_key(machine, ses)
    ses.script("account-paused")
    answer = php.mail_by_fpm(machine, for_domain(MAILS["plain"], "example.com").arguments)
    assert not answer.sent
    assert answer.output == b""


INJECTED = [
    "-X/var/writable/log",
    "-X /var/writable/log",
    "-OQueueDirectory=/var/writable",
    "-oQ/var/writable",
    "-C/var/writable/settings",
    "-X/var/writable/log -OQueueDirectory=/var/writable -C/etc/passwd $(id) ; touch x",
]


@pytest.mark.parametrize("flags", INJECTED)
def test_injected_flags_do_nothing(machine: Machine, ses: SesServer, flags: str) -> None:
    """User input in mail()'s fifth argument makes no file and does not keep mail from SES."""
    identity.with_api_key(machine, ses)
    mail = for_domain(MAILS["plain"], "example.com")
    with nothing_written(machine):
        assert php.mail(machine, [*mail.arguments, f"-falice@example.com {flags}"]) == php.SENT
    assert [accepted.destinations for accepted in ses.state.messages] == [["bob@example.net"]]


@pytest.mark.parametrize("flags", [*INJECTED, "-D /var/writable/debug"])
def test_injected_flags_are_the_real_sendmails(machine: Machine, flags: str) -> None:
    """On their way to Postfix, which takes or refuses them, they make no file either."""
    mail = for_domain(MAILS["plain"], "example.org")
    with nothing_written(machine):
        answer = php.mail(machine, [*mail.arguments, f"-falice@example.org {flags}"])
    assert answer.sent is not (b"fatal" in answer.errors)


@contextlib.contextmanager
def nothing_written(machine: Machine) -> Iterator[None]:
    """Have an empty /var/writable that every user may fill, and expect nothing in it."""
    machine.run(["rm", "-rf", "/var/writable"], "root", check=True)
    machine.run(["install", "-d", "-m", "0777", "/var/writable"], "root", check=True)
    yield
    assert not list((machine.root / "var/writable").iterdir())


def assert_failed(answer: php.Answer, reason: bytes) -> None:
    """mail() is false, and the reason is the one line on stderr."""
    assert not answer.sent
    assert answer.output == b""
    assert reason in answer.errors
    assert answer.errors.count(b"\n") == 1


def for_domain(mail: Mail, domain: str) -> Mail:
    """The mail with this author domain."""
    return Mail(
        [_put(argument, domain) for argument in mail.arguments],
        None if mail.sender is None else mail.sender.replace("DOMAIN", domain),
        mail.to,
        {name: value.replace("DOMAIN", domain) for name, value in mail.fields.items()},
        mail.body,
    )


def _put(argument: str | dict[str, str], domain: str) -> str | dict[str, str]:
    if isinstance(argument, str):
        return argument.replace("DOMAIN", domain)
    return {name: value.replace("DOMAIN", domain) for name, value in argument.items()}


def assert_arrived(raw: bytes, mail: Mail) -> None:
    """Fields and body are the caller's, what was missing is added once, and Bcc is gone."""
    message = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
    for name, value in mail.fields.items():
        assert [str(text) for text in message.get_all(name, [])] == [value]
    for name in ("Date", "Message-ID", "From"):
        assert len(message.get_all(name, [])) == 1
    assert "Bcc" not in message
    assert contents(message) == expected_contents(mail)


def contents(message: EmailMessage) -> list[str]:
    """The decoded leaf parts with LF line ends."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [str(part.get_content()).replace("\r\n", "\n") for part in parts]


def expected_contents(mail: Mail) -> list[str]:
    """What PHP was given as a body, with the empty line that it appends."""
    if mail.body:
        return [f"{mail.body}\n"]
    return ["Grüße", "<p>x</p>"]
