"""A list sender: one letter to 500 addresses, each of which gets it once."""

from __future__ import annotations

import pytest

from sesmail.sysexits import EX_CONFIG
from tests.clients import identity, library
from tests.clients.machine import Machine
from tests.clients.recorder import Recorded, Recorder
from tests.fakes.ses import SesServer

SUBSCRIBERS = [f"subscriber{number}@example.net" for number in range(500)]
LETTER = """\
From: Alice <alice@DOMAIN>
To: news@DOMAIN
Subject: News
List-Id: <news.DOMAIN>
Precedence: list
%s
What is new.
"""
BCC = "Bcc: " + ",\n ".join(SUBSCRIBERS) + "\n"
CALLS = {  # as Sympa and its like do, and as a script with a Bcc field does
    "operands": (["-oi", "-f", "news-bounces@DOMAIN", "--", *SUBSCRIBERS], LETTER % ""),
    "bcc": (
        ["-oi", "-t", "-f", "news-bounces@DOMAIN"],
        LETTER.replace("To: news@DOMAIN\n", "") % BCC,
    ),
}


@pytest.mark.parametrize("kind", ["mail", "sendmail"])
def test_list_of_phpmailer(
    equipped: Machine, ses: SesServer, next_hop: Recorder, kind: str
) -> None:
    """A newsletter as many a site sends it: PHPMailer with everybody in Bcc, both ways."""
    identity.with_api_key(equipped, ses)
    everybody = sorted([*SUBSCRIBERS, "bob@example.net", "carol@example.org"])
    for domain in ("example.com", "example.org"):
        letter = library.letter(domain) | {"bcc": SUBSCRIBERS}
        assert library.send(equipped, ("phpmailer.php", kind), letter) == library.SENT
    accepted = ses.state.messages
    assert sorted(to for one in accepted for to in one.destinations) == everybody
    recorded = wait_for_recipients(next_hop, len(everybody))
    assert sorted(to for one in recorded for to in one.forward_paths) == everybody
    raws = [one.raw for one in accepted] + [one.raw for one in recorded]
    assert not [raw for raw in raws if b"subscriber" in raw]


@pytest.mark.parametrize("name", CALLS)
def test_list_of_an_identity(machine: Machine, ses: SesServer, name: str) -> None:
    """SES takes 50 at a time: ten requests, no subscriber missing or served twice."""
    identity.with_api_key(machine, ses)
    assert send(machine, name, "example.com") == (0, b"", b"")
    accepted = ses.state.messages
    assert [len(one.destinations) for one in accepted] == [50] * 10
    assert sorted(to for one in accepted for to in one.destinations) == sorted(SUBSCRIBERS)
    assert {one.source for one in accepted} == {"news-bounces@example.com"}
    assert not [one for one in accepted if b"subscriber" in one.raw]
    assert all(b"\r\nList-Id: <news.example.com>\r\n" in one.raw for one in accepted)


@pytest.mark.parametrize("name", CALLS)
def test_list_of_another_domain(machine: Machine, next_hop: Recorder, name: str) -> None:
    """Postfix gets the list whole, and sends to 50 at a time as well."""
    assert send(machine, name, "example.org") == (0, b"", b"")
    recorded = wait_for_recipients(next_hop, 500)
    assert sorted(to for one in recorded for to in one.forward_paths) == sorted(SUBSCRIBERS)
    assert {one.reverse_path for one in recorded} == {"news-bounces@example.org"}
    assert not [one for one in recorded if b"subscriber" in one.raw]


def test_list_sender_hears_of_a_refusal(machine: Machine, ses: SesServer) -> None:
    """When SES refuses the author the sender gets EX_CONFIG and one line; nothing is sent."""
    identity.with_api_key(machine, ses)
    ses.state.identities.clear()
    status, output, errors = send(machine, "operands", "example.com")
    assert status == EX_CONFIG
    assert output == b""
    assert errors.count(b"\n") == 1
    assert not ses.state.messages


def wait_for_recipients(next_hop: Recorder, number: int) -> list[Recorded]:
    """What Postfix sent on, once this many recipients have it."""
    recorded: list[Recorded] = []
    while sum(len(one.forward_paths) for one in recorded) < number:
        recorded = next_hop.wait(len(recorded) + 1)
    return recorded


def send(machine: Machine, name: str, domain: str) -> tuple[int, bytes, bytes]:
    """Send the letter; exit code and both outputs."""
    words, letter = CALLS[name]
    argv = ["/usr/sbin/sendmail", *(word.replace("DOMAIN", domain) for word in words)]
    result = machine.run(argv, stdin=letter.replace("DOMAIN", domain).encode())
    return result.returncode, result.stdout, result.stderr
