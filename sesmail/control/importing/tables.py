r"""Tables of Postfix, as text (postmap(5), regexp_table(5)): a key, blanks, a value.

Keys of senders are ``user@example.com``, ``@example.com`` or a regular expression for one of them
(``/.*@example\.com/``). Keys and values of servers are ``[host]:port``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sesmail.control.importing import account
from sesmail.control.importing.source import Source

_PATTERN = re.compile(r"(/(?:[^/\\]|\\.)*/[A-Za-z]*)\s+(.*)", re.DOTALL)
_DOMAIN = r"((?:[A-Za-z0-9_-]|\\?\.)+)"
_OF_A_DOMAIN = re.compile(rf"/\^?(?:\(?\.[*+]\)?|\[\^@\]\+)?@{_DOMAIN}\$?/i?")
_OF_AN_ADDRESS = re.compile(rf"/\^?((?:[A-Za-z0-9_-]|\\?[.+])+)@{_DOMAIN}\$?/i?")
_SERVER = re.compile(
    r"(?:[a-z][a-z0-9-]*:(?=\[))?(?:\[([^\]\s]+)\]|([^\[\]\s:]+))(?::([a-z0-9]+))?"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    path: str
    line: int
    key: str = field(repr=False)
    value: str = field(repr=False)


def rows(source: Source) -> Iterator[Row]:
    """Yield the rows of a table."""
    line, text = 0, ""
    for number, more in source.lines():
        if more[:1].isspace() and text:
            text += more
            continue
        if text:
            yield _row(source, line, text)
        line, text = number, more.strip()
    if text:
        yield _row(source, line, text)


def _row(source: Source, line: int, text: str) -> Row:
    match = _PATTERN.fullmatch(text) if text.startswith("/") else None
    key, value = (match[1], match[2]) if match else (*text.split(None, 1), "")[:2]
    if not value:
        raise source.error(line, "not of the form key, blanks, value")
    return Row(source.path, line, key, value.strip())


def sender(key: str) -> str | None:
    """Return the domain or address that a key stands for; None: it is none of a sender.

    Empty: it is a regular expression that stands for more than one of them.
    """
    if key.startswith("/"):
        if match := _OF_A_DOMAIN.fullmatch(key):
            return match[1].replace("\\", "")
        if match := _OF_AN_ADDRESS.fullmatch(key):
            return f"{match[1]}@{match[2]}".replace("\\", "")
        return ""
    local_part, at, domain = key.rpartition("@")
    if not at or not account.is_host(domain):
        return None
    return f"{local_part}@{domain}" if local_part else domain


def server(text: str) -> tuple[str, int | None] | None:
    """Return host and port of a next hop; None: it is none."""
    match = _SERVER.fullmatch(text)
    if match is None or not account.is_host(match[1] or match[2]):
        return None
    number = account.port(match[3]) if match[3] else None
    if match[3] and number is None:
        return None
    return (match[1] or match[2]).lower(), number
