"""check_mailq of Debian's monitoring-plugins counts what waits for Postfix and for us, together."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.clients.machine import Machine
from tests.installation import Installation

PROGRAM = "/usr/lib/nagios/plugins/check_mailq"
OURS = b"From: wiki@example.com\nSubject: ours\n\nhello\n"
POSTFIX = b"From: alice@example.org\nSubject: Postfix's\n\nhello\n"
PATIENCE = 30.0  # seconds; only a failing test waits for so long


@pytest.fixture
def running(machine: Machine, installed: Installation) -> Iterator[Machine]:
    """The host with a spool, sesmaild, a key that SES would not know, and a Postfix that defers."""
    machine.run([str(installed.command("sesmailctl")), "init"], "root", check=True)
    machine.write("/etc/sesmail/credentials/example.com", "aws_access_key_id = AKIA\n")
    machine.run(["postconf", "-e", "defer_transports=smtp"], "root", check=True)
    machine.run(["postfix", "reload"], "root", check=True)
    daemon = machine.start([str(installed.command("sesmaild"))], "root")
    yield machine
    pid = (machine.root / "var/spool/sesmail/queue/lock").read_text().strip()
    machine.run(["kill", pid], "root", check=True)
    daemon.wait()
    machine.run(["postconf", "-X", "defer_transports"], "root", check=True)
    machine.run(["postsuper", "-d", "ALL"], "root", check=True)
    machine.run(["postfix", "reload"], "root", check=True)
    machine.run(["rm", "-r", "/var/spool/sesmail"], "root", check=True)


def check(machine: Machine, warning: int, critical: int) -> subprocess.CompletedProcess[bytes]:
    """Run the plugin, as a user of its own."""
    words = [PROGRAM, "-M", "postfix", "-w", str(warning), "-c", str(critical)]
    return machine.run(words, "games")


def wait_for(machine: Machine, text: bytes) -> bytes:
    """Return what the plugin says, once it says ``text``."""
    end = time.monotonic() + PATIENCE
    while text not in (said := check(machine, 8, 9).stdout):
        assert time.monotonic() < end, said
    return said


def test_it_sees_the_sum(running: Machine) -> None:
    """Empty, one of Postfix's, then two of ours as well: counts and states follow."""
    wait_for(running, b"OK: postfix mailq reports queue is empty")
    sendmail = ["/usr/sbin/sendmail", "bob@example.net"]
    running.run(sendmail, stdin=POSTFIX, check=True)
    wait_for(running, b"OK: postfix mailq (1) is below threshold (8/9)")
    for _ in range(2):
        running.run(sendmail, stdin=OURS, check=True)
    wait_for(running, b"OK: postfix mailq (3) is below threshold (8/9)")
    warned, alarmed = check(running, 3, 4), check(running, 2, 3)
    assert (warned.returncode, alarmed.returncode) == (1, 2)
    assert alarmed.stdout.startswith(b"CRITICAL: postfix mailq is 3 ")
