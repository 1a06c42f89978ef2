"""AWS's own files: shared credentials and config (profiles), and boto.cfg of boto 2.

A profile whose name is a domain is taken to be for that domain; the region may stand in the
``config`` beside ``credentials``. Profiles without a pair of keys are roles and logins of persons.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping

from sesmail.control.importing import account
from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source

_KEY_ID = "aws_access_key_id"
_SECRETS = ("aws_secret_access_key", "aws_secret_key")
_TOKENS = ("aws_session_token", "aws_security_token")
_BOTO = "Credentials"
_Sections = dict[str, Mapping[str, str]]


def _recognises(source: Source) -> bool:
    return f"\n{_KEY_ID}" in f"\n{source.text}".replace(" ", "") and not _is_boto(source)


def _is_boto(source: Source) -> bool:
    return source.name in ("boto.cfg", ".boto") or f"[{_BOTO}]" in source.text


def _profiles(source: Source) -> Iterator[Account]:
    beside = source.beside("config") if source.name == "credentials" else None
    config = _sections(beside) if beside else {}
    for name, section in _sections(source).items():
        profile = name.removeprefix("profile ").strip()
        elsewhere = config.get(f"profile {profile}") or config.get(profile) or {}
        region = section.get("region") or elsewhere.get("region", "")
        senders = (profile,) if account.is_host(profile) else ()
        if not name.startswith("sso-session "):
            yield _account(source, profile, section, region, senders)


def _boto(source: Source) -> Iterator[Account]:
    sections = _sections(source)
    region = sections.get("Boto", {}).get("ses_region_name", "")
    yield _account(source, "", sections.get(_BOTO, {}), region, ())


def _account(
    source: Source, name: str, keys: Mapping[str, str], region: str, senders: tuple[str, ...]
) -> Account:
    key_id, secret = keys.get(_KEY_ID, ""), _first(keys, _SECRETS)
    return Account(
        source.path,
        0,
        name,
        key_id=key_id,
        secret=secret,
        token=_first(keys, _TOKENS),
        region=region,
        senders=senders,
        obstacle="" if key_id and secret else "there is no pair of keys; see sesmail.conf(5)",
    )


def _first(keys: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((keys[name] for name in names if keys.get(name)), "")


def _sections(source: Source) -> _Sections:
    """Read an INI file. The errors of configparser hold the lines, and those hold secrets."""
    parser = configparser.RawConfigParser(default_section="", comment_prefixes=("#", ";"))
    try:
        parser.read_string(source.text)
    except configparser.MissingSectionHeaderError as error:
        raise source.error(error.lineno, "a line before the first [section]") from None
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        raise source.error(
            error.lineno or 0, "the same section or key for the second time"
        ) from None
    except configparser.ParsingError as error:
        raise source.error(error.errors[0][0], "not of the form key = value") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


KIND = Kind("aws", ("~/.aws/credentials",), _recognises, _profiles)
BOTO = Kind("boto", ("/etc/boto.cfg", "~/.boto"), _is_boto, _boto)
