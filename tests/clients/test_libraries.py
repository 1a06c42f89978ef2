"""The mail libraries of PHP, Ruby, JavaScript and Python, unchanged, as www-data.

Each sends the same letter: to SES for an identity, else by Postfix; and each hears of a failure.
"""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass, replace
from email.message import EmailMessage

import pytest

from tests.clients import daemon, identity, library
from tests.clients.library import Letter
from tests.clients.machine import Machine
from tests.clients.recorder import Recorder
from tests.fakes.ses import SesServer
from tests.installation import Installation

HOST_USER = "www-data@host.example.com"
TO, CC, BCC = "bob@example.net", "carol@example.org", "dave@example.net"
DJANGO = "django_mail.py"
NEW, OLD = ("nodemailer.js", "nodemailer"), ("nodemailer.js", "nodemailer-6")
SYMFONY_T = "sendmail://default?command=/usr/sbin/sendmail%20"


@dataclass(frozen=True)
class Mailer:
    """How a program calls, and what of the letter it changes.

    reverse_path: local part of its -f at the author's domain, None without -f.
    author: From as it sets it, DOMAIN standing for the author's domain.
    to: whom it names as recipients; tail: what it appends to the text.
    dots: "kept" with -i; "doubled" for a sendmail that halves them, as Postfix's does not;
        "unsafe" without either, where a lone dot ends the message.
    hears: False where the library is documented to ignore the exit code.
    tells: whether the reason is to be seen.
    """

    words: tuple[str, ...]
    reverse_path: str | None = "alice"
    author: str = "Alice Müller <alice@DOMAIN>"
    to: tuple[str, ...] = (TO, CC, BCC)
    tail: str = ""
    dots: str = "kept"
    hears: bool = True
    tells: bool = True
    path: str = library.PYTHON_PATH


MAILERS = {
    "wordpress": Mailer(("wordpress.php",), None, "WordPress <wordpress@DOMAIN>", tail="\n"),
    "wordpress-from": Mailer(("wordpress.php", "from"), None, tail="\n"),
    "phpmailer-mail": Mailer(("phpmailer.php", "mail"), "bounce", tail="\n"),
    "phpmailer-sendmail": Mailer(("phpmailer.php", "sendmail"), "bounce"),
    "symfony-bs": Mailer(("symfony.php", "sendmail://default"), tail="\n"),
    "symfony-t": Mailer(("symfony.php", f"{SYMFONY_T}-oi%20-t")),
    "symfony-t-without-i": Mailer(("symfony.php", f"{SYMFONY_T}-t"), dots="doubled"),
    "symfony-native": Mailer(("symfony.php", "native://default")),
    "laravel": Mailer(("symfony.php", f"{SYMFONY_T}-bs%20-i"), tail="\n"),
    "swiftmailer-bs": Mailer(("swiftmailer.php", "/usr/sbin/sendmail -bs"), tail="\n"),
    "swiftmailer-t": Mailer(("swiftmailer.php", "/usr/sbin/sendmail -t -i"), hears=False),
    "swiftmailer-t-without-i": Mailer(
        ("swiftmailer.php", "/usr/sbin/sendmail -t"), dots="doubled", hears=False
    ),
    "pear-sendmail": Mailer(("pear.php", "sendmail", "-i"), author="alice@DOMAIN"),
    "pear-sendmail-f": Mailer(
        ("pear.php", "sendmail", "-i -f bounce@DOMAIN"), author="alice@DOMAIN"
    ),
    "pear-mail": Mailer(
        ("pear.php", "mail", "-fbounce@DOMAIN"), "bounce", "alice@DOMAIN", tail="\n"
    ),
    "mb_send_mail": Mailer(("mb_send_mail.php",), None),
    "ruby-mail": Mailer(("mail.rb", "sendmail", "{}"), hears=False),
    "ruby-mail-t": Mailer(("mail.rb", "sendmail", '{"arguments": "-i -t"}'), hears=False),
    "ruby-mail-exim": Mailer(
        ("mail.rb", "exim", '{"location": "/usr/sbin/sendmail"}'),
        to=(TO, CC),
        hears=False,
    ),
    "actionmailer": Mailer(("action_mailer.rb", "{}"), "bounce", hears=False),
    "actionmailer-t": Mailer(("action_mailer.rb", '{"arguments": "-i -t"}'), "bounce", hears=False),
    "nodemailer": Mailer((*NEW, "{}"), tells=False),
    "nodemailer-windows": Mailer((*NEW, '{"newline": "windows"}'), tells=False),
    "nodemailer-unix": Mailer((*NEW, '{"newline": "unix"}'), tells=False),
    "nodemailer-args": Mailer(
        (*NEW, '{"args": ["-t", "-i", "-f", "bounce@DOMAIN"]}'), "bounce", tells=False
    ),
    "nodemailer-6": Mailer((*OLD, "{}"), tells=False),
    "nodemailer-6-args": Mailer((*OLD, '{"args": ["-f", "bounce@DOMAIN"]}'), "bounce", tells=False),
    "python-email": Mailer(("recipes.py", "email"), None),
    "python-faq": Mailer(("recipes.py", "faq"), None),
    "django-sendmail-backend": Mailer(
        (DJANGO, "django_sendmail_backend.backends.EmailBackend"),
        None,
        to=(TO, CC),
        dots="unsafe",
        path=library.LEGACY_PATH,
    ),
    "cr-sendmail-django": Mailer(
        (DJANGO, "cr_sendmail.backends.SendmailBackend"), None, dots="unsafe"
    ),
    "flask-sendmail": Mailer(("flask_mail.py",), None, "alice@DOMAIN", dots="unsafe", tells=False),
    "repoze.sendmail": Mailer(("repoze_mail.py",)),
}
FAMILIES = ["wordpress", "symfony-t", "pear-sendmail", "actionmailer", "nodemailer", "python-email"]


@pytest.mark.parametrize("name", MAILERS)
def test_letter_of_an_identity_reaches_ses(equipped: Machine, ses: SesServer, name: str) -> None:
    """Recipients, fields and text are the program's, which says that it was sent."""
    identity.with_api_key(equipped, ses)
    mailer, letter = for_domain(MAILERS[name], "example.com")
    assert send(equipped, mailer, letter) == library.SENT
    (accepted,) = ses.state.messages
    assert sorted(accepted.destinations) == sorted(mailer.to)
    assert accepted.source == (mailer.reverse_path or author_address(mailer))
    assert_arrived(accepted.raw, mailer, letter)


@pytest.mark.parametrize("name", MAILERS)
def test_other_letter_reaches_the_real_sendmail(
    equipped: Machine, ses: SesServer, next_hop: Recorder, name: str
) -> None:
    """Postfix sends it on as if sesmail were not there; SES hears nothing of it."""
    identity.with_api_key(equipped, ses)
    mailer, letter = for_domain(MAILERS[name], "example.org")
    assert send(equipped, mailer, letter) == library.SENT
    (recorded,) = next_hop.wait(1)
    assert sorted(recorded.forward_paths) == sorted(mailer.to)
    assert recorded.reverse_path == (mailer.reverse_path or HOST_USER)
    if mailer.dots == "doubled":
        letter["text"] = letter["text"].replace("\n.", "\n..")
    assert_arrived(recorded.raw, mailer, letter)
    assert ses.state.requests == 0


@pytest.mark.parametrize("name", MAILERS)
def test_refusal_of_ses_is_no_success(equipped: Machine, ses: SesServer, name: str) -> None:
    """SES does not know the author: the program reports a failure, where it can, and says why."""
    identity.with_api_key(equipped, ses)
    ses.state.identities.clear()
    mailer, letter = for_domain(MAILERS[name], "example.com")
    assert_failed(send(equipped, mailer, letter), mailer, "not verified")
    assert ses.state.requests == 1
    assert not ses.state.messages


@pytest.mark.parametrize("name", MAILERS)
def test_no_real_sendmail_is_no_success(equipped: Machine, next_hop: Recorder, name: str) -> None:
    """No credentials and no real sendmail: a failure that names the domain."""
    equipped.write("/etc/sesmail/sesmail.conf", "real_sendmail = none\n")
    mailer, letter = for_domain(MAILERS[name], "example.org")
    assert_failed(send(equipped, mailer, letter), mailer, "example.org")
    assert not next_hop.messages


@pytest.mark.parametrize("name", [*FAMILIES, "symfony-bs"])
def test_unreadable_credentials_are_no_success(
    equipped: Machine, ses: SesServer, name: str
) -> None:
    """Without a spool, and with credentials that www-data may not read: a failure, 77."""
    identity.with_api_key(equipped, ses)
    (equipped.root / identity.FILE.lstrip("/")).chmod(0o600)
    mailer, letter = for_domain(MAILERS[name], "example.com")
    assert_failed(send(equipped, mailer, letter), mailer, identity.FILE)
    assert ses.state.requests == 0


@pytest.mark.parametrize("name", [*FAMILIES, "symfony-bs"])
def test_daemon_sends_it(
    equipped: Machine, ses: SesServer, installed: Installation, name: str
) -> None:
    """www-data cannot read the credentials; the letter goes through the drop to sesmaild."""
    mailer, letter = for_domain(MAILERS[name], "example.com")
    with daemon.running(equipped, ses, installed):
        assert send(equipped, mailer, letter) == library.SENT
        (accepted,) = ses.state.wait_for_messages(1)
    assert sorted(accepted.destinations) == sorted(mailer.to)
    assert_arrived(accepted.raw, mailer, letter)


def for_domain(mailer: Mailer, domain: str) -> tuple[Mailer, Letter]:
    """Program and letter with this author domain."""
    letter = library.letter(domain)
    if mailer.dots == "unsafe":
        letter["text"] = "Schöne Grüße\nlast line\n"
    reverse_path = mailer.reverse_path and f"{mailer.reverse_path}@{domain}"
    words = tuple(word.replace("DOMAIN", domain) for word in mailer.words)
    author = mailer.author.replace("DOMAIN", domain)
    return replace(mailer, words=words, reverse_path=reverse_path, author=author), letter


def send(equipped: Machine, mailer: Mailer, letter: Letter) -> library.Answer:
    """Let the program send the letter."""
    return library.send(equipped, mailer.words, letter, mailer.path)


def author_address(mailer: Mailer) -> str:
    """The address in From."""
    return mailer.author.partition("<")[2].rstrip(">") or mailer.author


def assert_arrived(raw: bytes, mailer: Mailer, letter: Letter) -> None:
    """Fields and text are the letter's, and Bcc is gone."""
    message = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
    assert str(message["From"]) == mailer.author
    assert [one.addr_spec for one in message["To"].addresses] == [letter["to"][1]]
    assert str(message["Cc"]) == letter["cc"]
    assert str(message["Subject"]) == letter["subject"]
    assert "Bcc" not in message
    for name in ("From", "To", "Cc", "Subject", "Date", "Message-ID"):
        assert len(message.get_all(name, [])) == 1, name
    content = message.get_payload(decode=True)
    assert isinstance(content, bytes)
    text = content.decode().replace("\r", "")  # Ruby's mail 2.7 encodes CR as =0D, before LF
    assert text == letter["text"] + mailer.tail


def assert_failed(answer: library.Answer, mailer: Mailer, reason: str) -> None:
    """The program knows, unless its library does not look."""
    assert answer.sent is not mailer.hears
    if mailer.hears and mailer.tells:
        assert reason in answer.text()
