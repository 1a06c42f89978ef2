"""Postfix as a client with SASL: passwords by server or by sender, and who goes to which server.

``main.cf`` names the tables and ``relayhost``; where a table is given instead, the ``main.cf``
beside it does. A table is read as text; one that is kept elsewhere (``ldap:``, ``mysql:``) is not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from sesmail.control.importing import account, tables
from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source
from sesmail.control.importing.tables import Row

_TEXT = frozenset("btree cdb dbm hash lmdb pcre regexp sdbm texthash".split())
_PASSWORDS = "smtp_sasl_password_maps"
_SERVERS = ("sender_dependent_relayhost_maps", "sender_dependent_default_transport_maps")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")
_MAIN = re.compile(rf"(?m)^({_PASSWORDS}|relayhost|{'|'.join(_SERVERS)})[ \t]*=")
_ROW = re.compile(r"(?m)^(\[[^\]\s]+\]|[^@\s]*@[^@\s]+|[\w.-]+)(:\w+)?[ \t]+[^:\s]+:\S+[ \t]*$")
_TABLE = re.compile(r"[^\s,{}]+:\{[^}]*\}|[^\s,]+")
_LONGEST = 2000  # characters of a setting that counts
_DEEPEST = 10  # variables in variables


def _recognises(source: Source) -> bool:
    if source.name.startswith("sasl_passwd"):
        return True
    return _is_main(source) or bool(_ROW.search(source.text))


def _is_main(source: Source) -> bool:
    return source.name == "main.cf" or bool(_MAIN.search(source.text))


def _accounts(source: Source) -> Iterator[Account]:
    main = source if _is_main(source) else source.beside("main.cf")
    settings = _settings(main) if main else {}
    servers, not_read = _tables(main, settings, *_SERVERS)
    if main is source:
        passwords, more = _tables(main, settings, _PASSWORDS)
        not_read += more
    else:
        passwords = list(tables.rows(source))
    yield from not_read
    yield from join(passwords, servers, _value(settings, "relayhost"))


def join(passwords: list[Row], servers: list[Row], relayhost: str = "") -> Iterator[Account]:
    """Yield the login of each row of passwords, with its server, and its senders."""
    for row in passwords:
        key_id, colon, secret = row.value.partition(":")
        sender = tables.sender(row.key)
        obstacle = "" if colon else "not of the form user:password"
        if sender is None:
            server = tables.server(row.key)
            senders = _senders(servers, server)
        else:
            server = tables.server(_next_hop(servers, row.key) or relayhost)
            senders = (sender,) if sender else ()
            if not sender:
                obstacle = "a regular expression that does not stand for one domain"
        if server is None:
            obstacle = obstacle or "it is not said which server this login is for"
        host, port = server or ("", None)
        yield Account(
            row.path,
            row.line,
            host=host,
            port=port,
            key_id=key_id,
            secret=secret,
            senders=senders,
            obstacle=obstacle,
        )


def _next_hop(servers: list[Row], key: str) -> str:
    """Return the server for a sender: by the whole address, then by its domain."""
    by_key = {row.key: row.value for row in servers}
    return by_key.get(key) or by_key.get("@" + key.rpartition("@")[2]) or ""


def _senders(servers: list[Row], server: tuple[str, int | None] | None) -> tuple[str, ...]:
    """Return the senders whose mail goes to a server."""
    names = [tables.sender(row.key) for row in servers if tables.server(row.value) == server]
    return tuple(dict.fromkeys(name for name in names if name))


def _settings(main: Source) -> dict[str, str]:
    """Return the settings of main.cf (postconf(5))."""
    settings = {"config_directory": main.directory}
    name = ""
    for line, text in main.lines():
        if text[:1].isspace() and name:
            settings[name] += " " + text.strip()
            continue
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise main.error(line, "not of the form name = value")
        settings[name] = value
    return settings


def _value(settings: dict[str, str], name: str) -> str:
    """Return a setting, the variables in it replaced; they may refer to each other in a circle."""
    value = settings.get(name, "")[:_LONGEST]
    for _ in range(_DEEPEST):
        if "$" not in value:
            break
        value = _VARIABLE.sub(lambda m: settings.get(m[1] or m[2] or m[3], ""), value)[:_LONGEST]
    return value


def _tables(
    main: Source | None, settings: dict[str, str], *names: str
) -> tuple[list[Row], list[Account]]:
    """Return the rows of the tables that settings name, and what could not be read of them."""
    rows: list[Row] = []
    not_read: list[Account] = []
    if main is None:
        return rows, not_read
    for name in names:
        for table in _TABLE.findall(_value(settings, name)):
            found = _table(main, settings, name, table.removeprefix("proxy:"))
            if isinstance(found, Account):
                not_read.append(found)
            else:
                rows += found
    return rows, not_read


def _table(main: Source, settings: dict[str, str], name: str, table: str) -> list[Row] | Account:
    """Return the rows of a table, or what stands in the way."""
    kind, _, path = table.partition(":")
    if kind == "static" and name == _PASSWORDS:
        return [Row(main.path, 0, _value(settings, "relayhost"), path)]
    if kind not in _TEXT:
        obstacle = f"{name}: a table of the type {account.harmless(kind)}, which is not read"
    elif source := main.beside(path):
        return list(tables.rows(source))
    else:
        obstacle = f"{name}: {os.path.join(main.directory, path)} is not there as text"
    return Account(main.path, 0, obstacle=obstacle)


KIND = Kind("postfix", ("/etc/postfix/main.cf",), _recognises, _accounts)
