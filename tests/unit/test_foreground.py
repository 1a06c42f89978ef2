"""The foreground without a network: with ``transport = capture`` a Maildir takes SES's place."""

from __future__ import annotations

import email
import errno
import io
import os
import pwd
import signal
from collections.abc import Sequence
from email.message import Message
from pathlib import Path

import pytest

from sesmail.delivery import foreground
from sesmail.envelope import Envelope
from sesmail.settings import Settings

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
MESSAGE = (
    b"From: wiki@example.com\nTo: bob@example.org\nSubject: hello\n"
    b"Date: Tue, 24 Nov 2026 03:00:00 +0000\nMessage-ID: <1@example.com>\n\nText.\n"
)


def envelope(
    forward_paths: Sequence[str] = ("bob@example.org",), verbose: bool = False
) -> Envelope:
    """An envelope of wiki@example.com."""
    return Envelope(QUEUE_ID, "example.com", "wiki@example.com", None, list(forward_paths), verbose)


class Machine:
    """Settings, a credentials file for example.com and the Maildir behind it; the mail log."""

    def __init__(self, directory: Path) -> None:
        self.credentials = directory / "credentials"
        self.maildir = directory / "mail"
        self.file = self.credentials / "example.com"
        self.credentials.mkdir()
        self.settings = Settings()
        self.settings.credentials_directory = str(self.credentials)
        self.log: list[tuple[str, int, str]] = []
        self.configure()

    def configure(self, *lines: str) -> None:
        """Write the credentials file: capture, and these lines."""
        text = ["transport = capture", f"directory = {self.maildir}", *lines]
        self.file.write_text("\n".join(text) + "\n")
        self.file.chmod(0o640)

    def deliver(
        self,
        message: bytes = MESSAGE,
        forward_paths: tuple[str, ...] = ("bob@example.org",),
        verbose: bool = False,
    ) -> int:
        """Run the foreground for a message of wiki@example.com; return the exit code."""
        stream = io.BytesIO(envelope(forward_paths, verbose).encode() + message)
        return self.run(stream)

    def run(self, stream: io.BytesIO, budget: float = 25.0) -> int:
        """Run the foreground on a stream; return the exit code."""
        return foreground.run(stream, self.settings, budget, lambda *line: self.log.append(line))

    def mail(self) -> list[Message]:
        """What the Maildir got."""
        files = sorted((self.maildir / "new").glob("*")) if self.maildir.exists() else []
        return [email.message_from_bytes(file.read_bytes()) for file in files]

    def lines(self) -> list[str]:
        """The mail log: ``program: text``."""
        return [f"{program}: {text}" for program, _, text in self.log]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with credentials for example.com."""
    return Machine(tmp_path)


def said(capfd: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr, and nothing on stdout."""
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("sendmail: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err[:-1].isascii()
    assert err[:-1].isprintable()
    return err.removeprefix("sendmail: ").removesuffix("\n")


def test_silent_on_success(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """Delivered: 0, and nothing on either output."""
    assert machine.deliver() == 0
    assert capfd.readouterr() == ("", "")
    (mail,) = machine.mail()
    assert mail["Subject"] == "hello"


def test_the_mail_log_tells_the_life_of_the_message(machine: Machine) -> None:
    """Sender, Message-ID and identity, source and size, each forward-path, and the end."""
    machine.deliver(forward_paths=("bob@example.org", "carol@example.org"))
    sender, first, second, *results, last = machine.lines()
    assert sender == f"pickup: {QUEUE_ID}: sender: uid={os.getuid()} from=<wiki@example.com>"
    assert first == f"cleanup: {QUEUE_ID}: message-id=<1@example.com>, identity=example.com"
    assert second.startswith(f"qmgr: {QUEUE_ID}: from=<wiki@example.com>, size=")
    assert second.endswith(", nrcpt=2 (queue active)")
    assert len(results) == 2
    assert results[0].startswith(f"ses: {QUEUE_ID}: to=<bob@example.org>, relay=")
    assert results[1].startswith(f"ses: {QUEUE_ID}: to=<carol@example.org>, relay=")
    assert all("dsn=2.0.0, status=sent (" in line for line in results)
    assert last == f"qmgr: {QUEUE_ID}: removed"


def test_verbose_tells_of_the_transaction(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    """With -v one line per transaction."""
    assert machine.deliver(forward_paths=("b@example.org", "c@example.org"), verbose=True) == 0
    assert said(capfd).endswith("recipients: 2")


def test_malformed_credentials(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """78, with file and line; nothing is sent."""
    machine.configure("regoin = eu-west-1")
    assert machine.deliver() == 78
    text = said(capfd)
    assert f"{machine.file}, line 3: " in text
    assert machine.lines() == [f"ses: fatal: {QUEUE_ID}: {text}"]
    assert machine.mail() == []


def test_no_secret_in_an_error(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """What stands in a malformed file is not repeated."""
    machine.configure("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert machine.deliver() == 78
    assert "wJalrXUtnFEMI" not in said(capfd)
    assert "wJalrXUtnFEMI" not in str(machine.lines())


def test_missing_credentials(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that is gone since submission looked: 78."""
    machine.file.unlink()
    assert machine.deliver() == 78
    assert str(machine.file) in said(capfd)


def test_not_among_the_submitters(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """77 for a user that ``submitters`` does not name; 0 for one that it does."""
    machine.configure("submitters = nobody-at-all, @no-such-group")
    assert machine.deliver() == 77
    assert "submitters" in said(capfd)
    machine.configure(f"submitters = {pwd.getpwuid(os.getuid()).pw_name}")
    assert machine.deliver() == 0


def test_more_than_a_thousand_forward_paths(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    """69 before anything is sent; a thousand are sent."""
    paths = tuple(f"r{number}@example.org" for number in range(1001))
    assert machine.deliver(forward_paths=paths) == 69
    text = said(capfd)
    assert "1001 recipients" in text
    assert "not sent, not queued" in text
    assert machine.mail() == []
    assert machine.deliver(forward_paths=paths[1:]) == 0
    assert sum("status=sent" in line for line in machine.lines()) == 1000


def test_no_forward_path(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """Nobody to send to: 64."""
    assert machine.deliver(forward_paths=()) == 64
    assert said(capfd) == "no recipients"


def test_no_envelope(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """A stream that submission did not write: 65, and the log has no queue id for it."""
    assert machine.run(io.BytesIO(MESSAGE)) == 65
    text = said(capfd)
    assert machine.lines() == [f"ses: fatal: NOQUEUE: {text}"]


def test_a_message_that_cannot_be_repaired(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two From fields: 65, nothing sent."""
    assert machine.deliver(b"From: sue@example.com\n" + MESSAGE) == 65
    assert "From" in said(capfd)
    assert machine.mail() == []


def test_a_binary_body(machine: Machine) -> None:
    """NUL and 8-bit bytes go as base64 and come out as they went in."""
    body = bytes(range(256)) * 8
    assert machine.deliver(MESSAGE.replace(b"Text.\n", body)) == 0
    (mail,) = machine.mail()
    assert mail["Content-Transfer-Encoding"] == "base64"
    decoded = mail.get_payload(decode=True)
    assert isinstance(decoded, bytes)
    assert decoded.startswith(b"\x00\x01\x02")


def test_too_large_after_repair(
    machine: Machine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What grows beyond SES's limit in the repair is refused: 69, nothing sent."""
    body = b"\x80" * 3000
    monkeypatch.setattr(foreground, "LARGEST_MESSAGE", 4000)
    assert machine.deliver(MESSAGE.replace(b"Text.\n", body[:2000])) == 0
    assert machine.deliver(MESSAGE.replace(b"Text.\n", body)) == 69
    assert "takes 4000" in said(capfd)
    assert len(machine.mail()) == 1


def test_a_bad_forward_path_fails_alone(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    """The others get the message; the exit code and the line are about the bad one."""
    paths = ("bob@example.org", "b ob@@x", "carol@example.org")
    assert machine.deliver(forward_paths=paths) in (65, 67, 68)
    text = said(capfd)
    assert text.startswith("not sent to b ob@@x: ")
    assert text.endswith("; sent to the other 2")
    assert len(machine.mail()) == 1
    bounced = [line for line in machine.lines() if "status=bounced" in line]
    assert len(bounced) == 1
    assert "to=<b ob@@x>, relay=none," in bounced[0]


def test_only_bad_forward_paths(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """Nobody is left: nothing is sent, and the failure is told."""
    assert machine.deliver(forward_paths=("b ob@@x",)) in (65, 67, 68)
    assert said(capfd).startswith("not sent to b ob@@x: ")
    assert machine.mail() == []


@pytest.mark.parametrize("path", ["b..ob@example.org", '"b ob"@example.org', "bob@a_b.example"])
def test_an_odd_forward_path_is_only_logged(machine: Machine, path: str) -> None:
    """Quoted local parts, two dots and underscores are for SES to judge: a warning, and sent."""
    assert machine.deliver(forward_paths=(path,)) == 0
    (warning,) = [line for line in machine.lines() if "warning: " in line]
    assert warning.startswith(f"ses: warning: {QUEUE_ID}: to=<{path}>: ")


class Breaking(io.BytesIO):
    """A message that cannot be read."""

    def read(self, size: int | None = -1) -> bytes:
        """Fail with a text that is nobody's business."""
        raise ValueError("the body says: my secret")


def test_a_bug_is_one_line(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """Anything unexpected: 70, the class and the place, no traceback and none of its text."""
    assert machine.run(Breaking(envelope().encode())) == 70
    text = said(capfd)
    assert "ValueError at sesmail.delivery.foreground:" in text
    assert "not sent, not queued" in text
    assert "secret" not in text + str(machine.lines())


class Unreadable(io.BytesIO):
    """A message on a broken disk."""

    def read(self, size: int | None = -1) -> bytes:
        """Fail with the error of a broken disk."""
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_message_that_cannot_be_read(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    """An I/O error is no bug of ours: 74."""
    assert machine.run(Unreadable(envelope().encode())) == 74
    assert said(capfd) == "cannot read the message: Input/output error"


class Endless(io.BytesIO):
    """A message that never ends."""

    def read(self, size: int | None = -1) -> bytes:
        """Wait for a signal."""
        while True:
            signal.pause()


def test_the_budget_ends_any_wait(
    machine: Machine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no time-out of a socket would end, the alarm does: 69."""
    monkeypatch.setattr(foreground, "GRACE", 0.01)
    assert machine.run(Endless(envelope().encode()), budget=0.0) == 69
    assert said(capfd) == "time ran out; not sent, not queued"


class Slow(io.BytesIO):
    """A message during whose reading SIGTERM comes."""

    def read(self, size: int | None = -1) -> bytes:
        """Send the signal, then read."""
        os.kill(os.getpid(), signal.SIGTERM)
        return super().read(size)


def test_a_signal_before_anything_is_sent(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM while the message is prepared: 69, and it is certain that nothing was sent."""
    assert machine.run(Slow(envelope().encode() + MESSAGE)) == 69
    assert said(capfd) == "interrupted by SIGTERM; not sent, not queued"
    assert machine.mail() == []
