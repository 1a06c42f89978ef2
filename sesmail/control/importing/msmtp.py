"""msmtp's configuration: ``account NAME : PARENT, ...``, ``defaults``, and a command a line.

What ``passwordeval`` and ``eval`` name is not run: it belongs to the user whose file this is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sesmail.control.importing import account
from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source

_ACCOUNT = re.compile(r"([^\s:]+)\s*(?::\s*(.*))?")
_START = re.compile(r"(?m)^[ \t]*(account[ \t]+\S|defaults[ \t]*$|passwordeval[ \t])")
_Commands = dict[str, str]


def _recognises(source: Source) -> bool:
    if source.name in ("msmtprc", ".msmtprc"):
        return True
    return bool(_START.search(source.text) and re.search(r"(?m)^[ \t]*host[ \t]", source.text))


def _accounts(source: Source) -> Iterator[Account]:
    for name, (line, commands) in _sections(source).items():
        if commands:
            yield _account(source, line, name, commands)


def _sections(source: Source) -> dict[str, tuple[int, _Commands]]:
    """Return each account with its line and its commands, those that it inherits included."""
    defaults: _Commands = {}
    sections: dict[str, tuple[int, _Commands]] = {}
    commands = defaults
    for line, text in source.lines():
        word, _, argument = text.strip().partition(" ")
        word, argument = (word, argument) if argument else _tabbed(text.strip())
        if word == "defaults":
            commands = defaults = {}
        elif word == "account":
            name, commands = _begin(source, line, argument.strip(), defaults, sections)
            sections[name] = line, commands
        else:
            commands[word] = _unquoted(argument.strip())
    return sections


def _tabbed(text: str) -> tuple[str, str]:
    word, _, argument = text.partition("\t")
    return word, argument


def _begin(
    source: Source,
    line: int,
    text: str,
    defaults: _Commands,
    sections: dict[str, tuple[int, _Commands]],
) -> tuple[str, _Commands]:
    match = _ACCOUNT.fullmatch(text)
    if match is None:
        raise source.error(line, "not of the form account NAME")
    commands = dict(defaults)
    for parent in (match[2] or "").replace(",", " ").split():
        if parent not in sections:
            raise source.error(line, f"there is no account {account.harmless(parent)} above")
        commands.update(sections[parent][1])
    return match[1], commands


def _unquoted(argument: str) -> str:
    if len(argument) > 1 and argument[0] == argument[-1] == '"':
        return argument[1:-1]
    return argument


def _account(source: Source, line: int, name: str, commands: _Commands) -> Account:
    number = account.port(commands.get("port", "587"))
    if number is None:
        raise source.error(line, f"account {account.harmless(name)} has no port that is a number")
    obstacle = ""
    if "password" not in commands:
        obstacle = "the file holds no password"
        if "passwordeval" in commands:
            obstacle = "passwordeval is not run; sesmailctl setup asks for the password"
    return Account(
        source.path,
        line,
        name,
        host=commands.get("host", ""),
        port=number,
        key_id=commands.get("user", ""),
        secret=commands.get("password", ""),
        senders=account.domain_of(commands.get("from", "")),
        obstacle=obstacle,
    )


KIND = Kind(
    "msmtp",
    ("/etc/msmtprc", "~/.msmtprc", "~/.config/msmtp/config"),
    _recognises,
    _accounts,
)
