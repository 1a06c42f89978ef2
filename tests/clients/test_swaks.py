"""swaks, the SMTP tester, on ``sendmail -bs``: it judges each reply, and what pipelining makes."""

from __future__ import annotations

import email
import subprocess

import pytest

from tests.clients import identity
from tests.clients.machine import Machine
from tests.clients.recorder import Recorder
from tests.fakes.ses import SesServer

PIPELINING = pytest.mark.parametrize("flags", [[], ["--pipeline"]])
RECIPIENTS = ["bob@example.net", "carol@example.net", "dave@example.net"]


def swaks(machine: Machine, author: str, *flags: str) -> subprocess.CompletedProcess[bytes]:
    """Send a letter to three; swaks ends with 0 only where every reply was 2xx, or 354."""
    command = ["swaks", "--pipe", "/usr/sbin/sendmail -bs", "--from", author]
    command += ["--to", ",".join(RECIPIENTS), "--body", "Hello\n.dot", *flags]
    return machine.run(command)


@PIPELINING
def test_letter_of_an_identity_reaches_ses(
    machine: Machine, ses: SesServer, flags: list[str]
) -> None:
    """With and without pipelining, and all of it."""
    identity.with_api_key(machine, ses)
    result = swaks(machine, "alice@example.com", *flags)
    assert result.returncode == 0, result
    assert b"250 2.0.0 Ok: queued as " in result.stdout
    (accepted,) = ses.state.messages
    assert sorted(accepted.destinations) == RECIPIENTS
    assert str(email.message_from_bytes(accepted.raw).get_payload()).split() == ["Hello", ".dot"]


@PIPELINING
def test_other_letter_reaches_the_real_sendmail(
    machine: Machine, next_hop: Recorder, flags: list[str]
) -> None:
    """By Postfix, to all three."""
    result = swaks(machine, "alice@example.org", *flags)
    assert result.returncode == 0, result
    (recorded,) = next_hop.wait(1)
    assert recorded.forward_paths == RECIPIENTS
    assert recorded.reverse_path == "alice@example.org"
    assert str(email.message_from_bytes(recorded.raw).get_payload()).split() == ["Hello", ".dot"]


@PIPELINING
def test_refusal_is_its_failure(machine: Machine, ses: SesServer, flags: list[str]) -> None:
    """A reply of 4xx or 5xx to the final dot is the end that swaks numbers 26."""
    identity.with_api_key(machine, ses)
    ses.state.identities.clear()
    result = swaks(machine, "alice@example.com", *flags)
    assert result.returncode == 26, result
    assert b"451 4.3.5 " in result.stdout


def test_what_it_asks_for_is_offered(machine: Machine) -> None:
    """It can stop after each step, and leaves with QUIT."""
    for step in ("CONNECT", "FIRST-HELO", "MAIL", "RCPT"):
        result = swaks(machine, "alice@example.org", "--quit-after", step)
        assert result.returncode == 0, result
        assert b"221 2.0.0 Bye" in result.stdout
