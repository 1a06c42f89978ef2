"""The README's table of callers: made from clients.jsonl, a JSON object a line.

    client   the program, and how it is set up where that matters
    package  "deb NAME", "pypi NAME" or "npm NAME": where the version comes from
    version  as installed, as far as the proof goes: "8.2" stands for 8.2.36 and its successors
    calls    the command line after /usr/sbin/sendmail, and what is particular
    result   what arrives, and what the program reports when the mail cannot be made safe
    tests    ids below tests/clients that run it: to an identity, to another domain, failing

`python -m tests.clients.table` writes the table into the README.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROWS = Path(__file__).with_name("clients.jsonl")
README = Path(__file__).resolve().parents[2] / "README.md"
_BEGIN = "<!-- tests/clients/clients.jsonl: python -m tests.clients.table -->\n"
_END = "<!-- end of the table -->\n"
_PINS = Path(__file__).with_name("libraries")


@dataclass(frozen=True)
class Row:
    """One caller."""

    client: str
    package: str
    version: str
    calls: str
    result: str
    tests: list[str]


def rows() -> list[Row]:
    """All callers, in the order of the file."""
    return [Row(**json.loads(line)) for line in ROWS.read_text().splitlines()]


def render() -> str:
    """The table in Markdown."""
    head = "| Caller | Version | How it calls | What is checked |\n|---|---|---|---|\n"
    return head + "".join(_line(row.client, row.version, row.calls, row.result) for row in rows())


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def in_readme() -> str:
    """The table as the README has it."""
    return README.read_text().partition(_BEGIN)[2].partition(_END)[0]


def write_readme() -> None:
    """Put the table between its two marks."""
    before, begin, rest = README.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin, "the README has no place for the table"
    assert end, "the README's table has no end"
    README.write_text(before + begin + render() + end + after)


def installed_version(package: str) -> str:
    """The upstream version of an installed Debian package, or of what libraries/ pins."""
    kind, _, name = package.partition(" ")
    if kind == "deb":
        return _debian_version(name)
    if kind == "pypi":
        return _pinned(name)
    modules = json.loads((_PINS / "package-lock.json").read_text())["packages"]
    return str(modules[f"node_modules/{name}"]["version"])


def _debian_version(name: str) -> str:
    command = ["dpkg-query", "--show", "--showformat=${Version}", name]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return version.rpartition(":")[2]


def _pinned(name: str) -> str:
    for path in _PINS.glob("requirements*.txt"):
        for line in path.read_text().splitlines():
            pinned, _, version = line.partition("==")
            if pinned == name:
                return version
    raise LookupError(name)


if __name__ == "__main__":
    write_readme()
