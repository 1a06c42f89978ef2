r"""UBOS's amazonses: a fragment per site in two directories, as tables for Postfix.

    sender_dependent_relayhost_map.d/SITE    /.*@example\.com/ [email-smtp.us-east-1...]:587
    smtp_sasl_password_map.d/SITE            /.*@example\.com/ KEY-ID:PASSWORD

Given is the directory above both, one of the two, or a fragment of passwords.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from sesmail.control.importing import postfix, tables
from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source, read
from sesmail.control.importing.tables import Row

_SERVERS = "sender_dependent_relayhost_map.d"
_PASSWORDS = "smtp_sasl_password_map.d"


def _recognises(source: Source) -> bool:
    return _top(source) is not None


def _accounts(source: Source) -> Iterator[Account]:
    top = _top(source)
    if top is None:
        raise source.error(0, f"neither {_PASSWORDS} nor a fragment in it")
    is_fragment = os.path.basename(source.directory) == _PASSWORDS
    passwords = list(tables.rows(source)) if is_fragment else _rows(os.path.join(top, _PASSWORDS))
    yield from postfix.join(passwords, _rows(os.path.join(top, _SERVERS)))


def _top(source: Source) -> str | None:
    """Return the directory above the two."""
    if os.path.isdir(os.path.join(source.path, _PASSWORDS)):
        return source.path
    if source.name in (_PASSWORDS, _SERVERS):
        return source.directory
    if os.path.basename(source.directory) in (_PASSWORDS, _SERVERS):
        return os.path.dirname(source.directory)
    return None


def _rows(directory: str) -> list[Row]:
    if not os.path.isdir(directory):
        return []
    names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    return [row for name in names for row in tables.rows(read(f"{directory}/{name}"))]


KIND = Kind("ubos", ("/etc/amazonses",), _recognises, _accounts)
