"""A login as a file of another program has it, and what may be shown of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sesmail.control.importing.source import Source

_NAME = re.compile(r"[A-Za-z0-9@._/:-]{1,32}")  # shorter than any secret
_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")  # no secret has dots
_PORTS = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Account:
    """A login; empty: the file does not say.

    ``senders`` are the domains and addresses that it is for. ``obstacle`` is why it cannot be taken
    over, in the file's own matters: whether it is one of SES is for ``proposal`` to judge.
    """

    path: str
    line: int  # 0: of no line
    name: str = ""  # of an account, a profile
    host: str = ""
    port: int | None = None
    key_id: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    region: str = ""
    senders: tuple[str, ...] = ()
    obstacle: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for a person."""
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where} ({self.shown_name})" if self.name else where

    @property
    def shown_name(self) -> str:
        """The name, unless it could be a secret in the wrong place."""
        return harmless(self.name) if self.name else ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A format: its name, where such files usually are, how they look, and how they are read.

    A path that begins with ``~`` is looked for in the home of whoever runs this.
    """

    name: str
    places: tuple[str, ...]
    recognises: Callable[[Source], bool]
    accounts: Callable[[Source], Iterator[Account]]


def harmless(name: str) -> str:
    """Return a name, or only its length where it could be a secret in the wrong place."""
    if _NAME.fullmatch(name) or is_host(name):
        return name
    return f"({len(name)} characters)"


def is_host(text: str) -> bool:
    """Tell whether ``text`` is shaped like the name or the IPv4 address of a host."""
    return text.lower() == "localhost" or (len(text) < 254 and _HOST.fullmatch(text) is not None)


def port(text: str) -> int | None:
    """Return the number of a port that is given by number or by the name of its service."""
    number = _PORTS.get(text.lower())
    if number is None and text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        number = int(text)
    return number


def domain_of(address: str) -> tuple[str, ...]:
    """Return the domain of an address, or of ``@domain``, ``*@domain``; empty: it has none."""
    domain = address.strip("<>").rpartition("@")[2]
    return (domain,) if is_host(domain) else ()
