"""dma: ``auth.conf`` with ``user|host:password``, and ``dma.conf`` with port and masquerade."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sesmail.control.importing import account
from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source

_LOGIN = re.compile(r"([^|]+)\|([^|:]+):(.+)")
_LINE = re.compile(r"(?m)^[ \t]*[^|\s]+\|[^|:\s]+:\S")
_CONF = re.compile(r"(?m)^[ \t]*(SMARTHOST|AUTHPATH)[ \t]")


def _recognises(source: Source) -> bool:
    if source.name in ("auth.conf", "dma.conf"):
        return True
    return bool(_LINE.search(source.text) or _CONF.search(source.text))


def _accounts(source: Source) -> Iterator[Account]:
    is_conf = source.name == "dma.conf" or bool(_CONF.search(source.text))
    conf = source if is_conf else source.beside("dma.conf")
    settings = _settings(conf) if conf else {}
    logins = source.beside(settings.get("AUTHPATH") or "auth.conf") if is_conf else source
    if logins is None:
        raise source.error(0, "there is no auth.conf beside it")
    masquerade = settings.get("MASQUERADE") or settings.get("MAILNAME", "")
    for line, text in logins.lines():
        match = _LOGIN.fullmatch(text.strip())
        if match is None:
            raise logins.error(line, "not of the form user|host:password")
        is_smarthost = match[2] == settings.get("SMARTHOST")
        yield Account(
            logins.path,
            line,
            host=match[2],
            port=_port(source, settings) if is_smarthost else None,
            key_id=match[1],
            secret=match[3],
            senders=account.domain_of(masquerade) if is_smarthost else (),
        )


def _settings(conf: Source) -> dict[str, str]:
    settings = {}
    for _, text in conf.lines():
        name, _, value = text.strip().partition(" ")
        settings[name] = value.strip()
    return settings


def _port(source: Source, settings: dict[str, str]) -> int | None:
    text = settings.get("PORT", "")
    number = account.port(text)
    if text and number is None:
        raise source.error(0, "PORT is no number")
    return number


KIND = Kind("dma", ("/etc/dma/auth.conf",), _recognises, _accounts)
