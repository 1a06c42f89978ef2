"""What is left to the real sendmail works with Debian's Postfix, diverted and found unnamed."""

from __future__ import annotations

import email

from tests.clients.machine import Machine
from tests.clients.recorder import Recorder

MESSAGE = b"From: alice@example.org\nTo: bob@example.net\nSubject: hi\n\nHello\n"
DIALOGUE = b"""\
HELO [127.0.0.1]
MAIL FROM:<alice@example.org>
RCPT TO:<bob@example.net>
RCPT TO:<carol@example.net>
DATA
From: alice@example.org
To: bob@example.net

Hello
..dot
.
QUIT
""".replace(b"\n", b"\r\n")


def test_mailq_shows_its_queue(machine: Machine) -> None:
    """Debian's link /usr/bin/mailq now leads to sesmail, which runs Postfix under that name."""
    result = machine.run(["/usr/bin/mailq"])
    assert (result.returncode, result.stdout) == (0, b"Mail queue is empty\n")
    assert machine.run(["/usr/sbin/sendmail", "-bp"]).stdout == result.stdout


def test_newaliases_builds_its_aliases(machine: Machine) -> None:
    """newaliases makes Postfix's table, as package scripts expect."""
    machine.write("/etc/aliases", "postmaster: root\n")
    table = machine.root / "etc/aliases.db"
    table.unlink(missing_ok=True)
    result = machine.run(["/usr/bin/newaliases"], "root")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert table.exists()


def test_a_session_hands_over_to_it(machine: Machine, next_hop: Recorder) -> None:
    """-bs, Symfony's and Laravel's way: Postfix takes each message that is not an identity's."""
    result = machine.run(["/usr/sbin/sendmail", "-bs"], stdin=DIALOGUE)
    assert result.returncode == 0
    codes = [line[:3] for line in result.stdout.splitlines()]
    assert codes == [b"220", b"250", b"250", b"250", b"250", b"354", b"250", b"221"]
    (recorded,) = next_hop.wait(1)
    assert recorded.forward_paths == ["bob@example.net", "carol@example.net"]
    assert email.message_from_bytes(recorded.raw).get_payload() == "Hello\n.dot\n"


def test_its_verdict_on_a_flag_is_the_callers(machine: Machine, next_hop: Recorder) -> None:
    """A flag that only Postfix could know goes there, and its exit code comes back."""
    result = machine.run(["/usr/sbin/sendmail", "-E", "-t"], stdin=MESSAGE)
    assert result.returncode == 75
    assert b"invalid option" in result.stderr
    assert not next_hop.messages


def test_no_new_privileges_is_told_and_does_not_hang(machine: Machine, next_hop: Recorder) -> None:
    """A unit with NoNewPrivileges= cannot use Postfix's set-gid postdrop: 69, and the remedy."""
    words = ["setpriv", "--no-new-privs", "--", "/usr/sbin/sendmail", "-t"]
    result = machine.run(words, stdin=MESSAGE)
    assert (result.returncode, result.stdout) == (69, b"")
    assert b"NoNewPrivileges" in result.stderr
    assert result.stderr.count(b"\n") == 1
    assert not next_hop.messages
