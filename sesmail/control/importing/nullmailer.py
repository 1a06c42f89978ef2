"""nullmailer's ``remotes``: ``host protocol options``, a server a line, quoted as in a shell.

``allmailfrom`` beside it, where there is one, has the sender of all mail.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from sesmail.control.importing import account
from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source

_LINE = re.compile(r"(?m)^\S+[ \t]+smtp[ \t].*\b(user|pass)=")


def _recognises(source: Source) -> bool:
    return source.name == "remotes" or bool(_LINE.search(source.text))


def _accounts(source: Source) -> Iterator[Account]:
    beside = source.beside("allmailfrom")
    senders = account.domain_of(beside.text.strip()) if beside else ()
    for line, text in source.lines():
        try:
            host, *words = shlex.split(text)
        except ValueError:
            raise source.error(line, "a quote that does not end") from None
        yield _account(source, line, host, words, senders)


def _account(
    source: Source, line: int, host: str, words: list[str], senders: tuple[str, ...]
) -> Account:
    options = dict(word.lstrip("-").partition("=")[::2] for word in words[1:])
    number = account.port(options["port"]) if "port" in options else None
    if "port" in options and number is None:
        raise source.error(line, "the port is no number")
    has_login = bool(options.get("user") and options.get("pass"))
    return Account(
        source.path,
        line,
        host=host,
        port=number,
        key_id=options.get("user", ""),
        secret=options.get("pass", ""),
        senders=senders,
        obstacle="" if has_login else "there is no --user= and --pass=",
    )


KIND = Kind("nullmailer", ("/etc/nullmailer/remotes",), _recognises, _accounts)
