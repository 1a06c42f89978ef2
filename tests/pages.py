"""The blocks of README.md and docs/, and what becomes of each in the tests.

In docs/ the first words of a fence tell:

    sh                what root types: run
    sh not-run=WHY    the same, which cannot be run here; WHY is one of REASONS
    text              what the screen shows after the block before; ... stands for anything
    text file=PATH    the content of a file of the host, written before what follows is run
    ini, php, json    a part of a file of another program

A page is run on a host of its own that has sesmail. A comment `<!-- another host -->` begins a
new one, `<!-- a bare host -->` one without sesmail. README.md has no such marks: README has them,
by the first line of each block. A block that nothing is known of is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.installation import CHECKOUT

RUN, NOT_RUN, SHOWN, FILE, PART = "run", "not run", "shown", "file", "part"
HOST, BARE = "host", "bare"
REASONS = {
    "no-program": "a program that no bare Debian has",
    "no-journal": "there is no systemd in the roots of these tests",
    "tested": "a test of its own does this",
    "example": "an example of what may be shown, not what these commands show",
}
PAGES = [
    CHECKOUT / "README.md",
    *sorted(path for path in (CHECKOUT / "docs").rglob("*.md") if path.name != "ARCHITECTURE.md"),
]
# First line of a block: what it is, why it is not run, and the host that it begins.
README: dict[str, tuple[str, str, str]] = {
    "PHP, MediaWiki, cron, git, ...": (PART, "", ""),
    "apt-get install git make python3 python3-venv": (RUN, "", BARE),
    "make demo": (NOT_RUN, "tested", ""),
    "make test": (NOT_RUN, "tested", ""),
    "apt-get install --no-install-recommends build-essential debhelper fakeroot mandoc python3": (
        (RUN, "", BARE)
    ),
    "apt-get install make python3 python3-venv": (RUN, "", BARE),
    "real_sendmail = /usr/sbin/sendmail": (PART, "", ""),
    "sesmailctl activate --php-only": (RUN, "", ""),
    "sesmailctl deactivate": (RUN, "", ""),
    "sesmailctl setup example.com": (RUN, "", HOST),
    "Name                              Type   Value                                     DNS": (
        (NOT_RUN, "example", "")
    ),
    "sesmailctl check": (RUN, "", ""),
    "ok      secrets: user www-data can read none of them": (NOT_RUN, "example", ""),
    "sesmailctl test example.com --to you@example.org": (RUN, "", ""),
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE": (PART, "", ""),
    "root: you@example.org": (PART, "", ""),
    "transport = capture": (PART, "", ""),
    "install -d -o sesmail -g sesmail /srv/caught": (RUN, "", ""),
    "[Service]": (PART, "", ""),
    "mkdir -p /etc/systemd/system/php8.2-fpm.service.d": (RUN, "", ""),
    "postmaster = you@example.org": (PART, "", ""),
    "sesmailctl log bob@example.org": (RUN, "", HOST),
    "0193A5F0C0FFEE00112233445566": (NOT_RUN, "example", ""),
    "journalctl -g 'status=' -t sesmail/ses": (NOT_RUN, "no-journal", ""),
    "pflogsumm --syslog-name=sesmail /var/log/mail.log": (NOT_RUN, "tested", ""),
    "sesmailctl events setup example.com --admin-profile NAME": (NOT_RUN, "tested", ""),
    '{"Version": "2012-10-17", "Statement": [{': (PART, "", ""),
}
_FENCE = re.compile(r"( *)```(.*)")
_MARKS = {"<!-- another host -->": HOST, "<!-- a bare host -->": BARE}


class UnknownBlock(Exception):
    """Nobody has said what is to become of a block."""


@dataclass(frozen=True)
class Block:
    """``kind`` is RUN, ...; ``argument`` a path or a reason; ``host``: HOST or BARE begins here."""

    page: Path
    line: int
    kind: str
    text: str
    argument: str = ""
    info: str = ""
    host: str = ""

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.page.relative_to(CHECKOUT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page. Raises UnknownBlock."""
    found: list[Block] = []
    host = HOST
    for line, info, text, mark in _read(page.read_text()):
        host = mark or host
        kind, argument, own = _of_readme(text) if page.name == "README.md" else _of_info(info)
        if not kind:
            raise UnknownBlock(f"{page.name}:{line}: {info} {text[:60]!r}")
        found.append(Block(page, line, kind, text, argument, info.split(" ")[0], own or host))
        host = ""
    return found


def _of_readme(text: str) -> tuple[str, str, str]:
    return README.get(text.split("\n", 1)[0].strip(), ("", "", ""))


def _of_info(info: str) -> tuple[str, str, str]:
    language, _, rest = info.partition(" ")
    name, _, argument = rest.partition("=")
    kinds = {
        ("sh", ""): RUN,
        ("sh", "not-run"): NOT_RUN,
        ("text", ""): SHOWN,
        ("text", "file"): FILE,
        ("ini", ""): PART,
        ("php", ""): PART,
        ("json", ""): PART,
    }
    return kinds.get((language, name), ""), argument, ""


def _read(page: str) -> list[tuple[int, str, str, str]]:
    """Return line, words of the fence, text, and the mark of a host before it, of each block."""
    found: list[tuple[int, str, str, str]] = []
    lines = page.split("\n")
    mark, number = "", 0
    while number < len(lines):
        line = lines[number]
        mark = _MARKS.get(line, mark)
        if fence := _FENCE.fullmatch(line):
            end = number + 1
            while lines[end].strip() != "```":
                end += 1
            text = _without(fence[1], lines[number + 1 : end])
        elif line.startswith("    ") and not lines[number - 1].strip():
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            text = _without("    ", lines[number:end]).rstrip("\n") + "\n"
        else:
            number += 1
            continue
        found.append((number + 1, fence[2] if fence else "", text, mark))
        mark, number = "", max(end, number + 1) if not fence else end + 1
    return found


def _without(indent: str, lines: list[str]) -> str:
    return "".join(f"{line.removeprefix(indent)}\n" for line in lines)
