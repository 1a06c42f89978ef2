"""PHP's mail() in a Machine, by the command line and by php-fpm."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.clients import fpm
from tests.clients.machine import Machine

Arguments = list[str | dict[str, str]]
_SCRIPT = "/var/www/mail.php"


@dataclass(frozen=True)
class Answer:
    """What the program sees, and what its user sees of the sendmail command.

    sent is mail()'s value, warning what PHP has to say, output what was printed on stdout before
    the answer, errors what was printed on stderr.
    """

    sent: bool
    warning: str | None
    output: bytes
    errors: bytes


SENT = Answer(True, None, b"", b"")


def install(machine: Machine) -> None:
    """Put the script in place."""
    machine.write(_SCRIPT, Path(__file__).with_name("mail.php").read_bytes())


def mail(machine: Machine, arguments: Arguments, settings: list[str] | None = None) -> Answer:
    """Let the command line send a mail, as www-data."""
    flags = [word for setting in settings or [] for word in ("-d", setting)]
    words = ["php", *flags, _SCRIPT, "php://stdin"]
    result = machine.run(words, stdin=json.dumps(arguments).encode())
    assert result.returncode == 0, result
    return _answer(result.stdout, result.stderr)


def mail_by_fpm(machine: Machine, arguments: Arguments) -> Answer:
    """Let php-fpm send a mail."""
    _, content = fpm.request(machine, _SCRIPT, json.dumps(arguments).encode())
    return _answer(content, b"")


def _answer(stdout: bytes, stderr: bytes) -> Answer:
    output, brace, answer = stdout.rpartition(b"{")
    seen = json.loads(brace + answer)
    return Answer(seen["sent"], seen["error"], output, stderr)
