"""One way in which a program of the system calls sendmail: how to start it, what must arrive.

A Program is a row: a few lines of shell as a user in his home, and the envelope, fields and text
that its mail has. DOMAIN stands for the author's domain, of which the host is host.DOMAIN.
"""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
from dataclasses import dataclass, field
from email.message import EmailMessage

from tests.clients.machine import Machine

TEXT = "Hello Bob\n.\n..dots\nend\n"  # of programs that say -i, or -oi
PLAIN = "Hello Bob\nend\n"  # of those that do not
UTF8 = "Grüße\n.\nend\n"
_FILES = {"text": TEXT, "plain": PLAIN, "utf8": UTF8}


@dataclass(frozen=True)
class Program:
    """One row.

    sender is the -f address, None where there is none; author the address of From, or the one that
    must be made where the program writes none; user who calls. body is the first text part, or None
    where `has` says what is in it. failure is a regular expression for what is printed when the
    mail cannot be sent, with a non-zero exit; None where the program does not want to know.
    queued: it says -odq, so the daemon is not woken. login is whose mail it is, if not user's.
    relayed_to and relayed_from are what the real sendmail makes of local names and of the null
    reverse-path, which SES does not have.
    """

    script: str
    to: tuple[str, ...] = ("bob@example.net",)
    sender: str | None = None
    author: str = "alice@DOMAIN"
    fields: dict[str, str] = field(default_factory=dict)
    body: str | None = TEXT
    has: str = ""
    user: str = "alice"
    failure: str | None = ""
    fails_silently: bool = False
    prints: bool = False
    queued: bool = False
    login: str = ""
    relayed_to: tuple[str, ...] = ()
    relayed_from: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)


def prepare(machine: Machine) -> None:
    """Make alice, who calls most programs, and the names of the host."""
    machine.run(
        ["useradd", "-m", "-c", "Alice Example", "-s", "/bin/sh", "alice"], "root", check=True
    )
    machine.write("/etc/aliases", "root: bob@example.net\nalice: bob@example.net\n")
    for home in ("/home/alice", "/root"):
        for name, text in _FILES.items():
            machine.write(f"{home}/{name}", text)


def run(machine: Machine, program: Program, domain: str) -> subprocess.CompletedProcess[bytes]:
    """Run the script in the user's home."""
    home = "/root" if program.user == "root" else f"/home/{program.user}"
    for path, text in program.files.items():
        machine.write(path, text.replace("DOMAIN", domain))
    environ = {"HOME": home, "USER": program.user, "LOGNAME": program.user, "SHELL": "/bin/sh"}
    script = f"cd {home}\n{program.script}".replace("DOMAIN", domain)
    return machine.run(["sh", "-c", script], program.user, environ=environ | program.environ)


def assert_succeeded(result: subprocess.CompletedProcess[bytes], program: Program) -> None:
    """The program says that all is well, and sendmail printed nothing."""
    assert result.returncode == 0, result
    if not program.prints:
        assert result.stdout + result.stderr == b"", result


def assert_failed(result: subprocess.CompletedProcess[bytes], program: Program) -> None:
    """The program says that it failed, as it does where any sendmail fails."""
    assert program.failure is not None
    output = (result.stdout + result.stderr).decode()
    assert re.search(program.failure, output), result
    assert (result.returncode == 0) == program.fails_silently, result


def assert_arrived(raw: bytes, program: Program, domain: str) -> None:
    """Author, fields and text are the program's; what was missing is added once; no Bcc."""
    message = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
    for name in ("Date", "Message-ID", "From"):
        assert len(message.get_all(name, [])) == 1, (name, raw)
    assert message["From"].addresses[0].addr_spec == program.author.replace("DOMAIN", domain)
    for name, value in program.fields.items():
        expected = [value.replace("DOMAIN", domain)]
        assert [str(text) for text in message.get_all(name, [])] == expected, raw
    assert "Bcc" not in message
    text = _first_text(message)
    if program.body is not None:
        assert text == program.body, raw
    assert program.has.replace("DOMAIN", domain) in text, raw


def _first_text(message: EmailMessage) -> str:
    parts = [part for part in message.walk() if not part.is_multipart()]
    return str(parts[0].get_content()).replace("\r\n", "\n")
