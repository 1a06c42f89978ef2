"""ssmtp.conf: ``key=value`` lines for one server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sesmail.control.importing import account, tables
from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source

_KEY = re.compile(r"(?mi)^[ \t]*(mailhub|authuser|authpass)[ \t]*=")


def _recognises(source: Source) -> bool:
    return source.name == "ssmtp.conf" or bool(_KEY.search(source.text))


def _accounts(source: Source) -> Iterator[Account]:
    values: dict[str, tuple[int, str]] = {}
    for line, text in source.lines():
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise source.error(line, "not of the form key=value")
        values[key.lower()] = line, value.strip('"')
    if "mailhub" not in values:
        raise source.error(0, "there is no mailhub")
    line, mailhub = values["mailhub"]
    server = tables.server(mailhub)
    if server is None:
        raise source.error(line, "mailhub is not of the form host:port")
    user_line, user = values.get("authuser", (line, ""))
    _, password = values.get("authpass", (line, ""))
    yield Account(
        source.path,
        user_line,
        host=server[0],
        port=server[1],
        key_id=user,
        secret=password,
        senders=account.domain_of(values.get("rewritedomain", (0, ""))[1]),
        obstacle="" if user and password else "the file holds no AuthUser and AuthPass",
    )


KIND = Kind("ssmtp", ("/etc/ssmtp/ssmtp.conf",), _recognises, _accounts)
