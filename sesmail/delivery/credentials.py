"""The credentials of one identity: the keys of its file, checked, and which way into SES they open.

The secret's shape decides: 40 characters are an API secret, 44 an SES SMTP password (``secret``),
none at all the role of the instance or container; ``transport`` overrules it where both work. A
typo must never mean "use the role", so an unknown key is an error. What a boto3 profile takes
(role_arn, credential_process, sso_*, …) passes through to ``session``. How the file is written is
``credentials_file``'s matter, which keys go together that of ``credential_rules``, and which file
serves an author that of ``sesmail.identity``.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from sesmail.delivery import credential_rules as rules
from sesmail.delivery import credentials_file, secret
from sesmail.delivery.credential_rules import API, PAIR, PROFILE, SMTP, SOURCES
from sesmail.delivery.credential_values import PARSERS, is_loopback
from sesmail.delivery.credentials_file import DEFAULT, File
from sesmail.sysexits import ConfigurationError, NotPermitted


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one credentials file says. Empty text or None: not given.

    ``profile`` holds the sections that botocore is to see beside a plain key pair; ``warnings`` is
    for the mail log.
    """

    path: str
    identity: str
    transport: str
    region: str
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    smtp_password: str = field(default="", repr=False)
    profile: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    endpoint_url: str = ""
    smtp_host: str = ""
    smtp_port: int | None = None
    smtp_tls: str = ""
    ca_file: str = ""
    configuration_set: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    feedback_address: str = ""
    author: str = ""
    submitters: tuple[str, ...] = ()
    max_send_rate: float | None = None
    directory: str = ""
    x_ses_headers: str = "strip"
    events_queue_url: str = ""
    suppression: str = "on"
    warnings: tuple[str, ...] = ()

    def names_a_source(self) -> bool:
        """Tell whether the file says where else than in a key pair the keys are."""
        return not SOURCES.isdisjoint(self.profile.get(DEFAULT, {}))


def load(directory: str, identity: str) -> Credentials:
    """Return the credentials in the file ``identity`` of ``directory``.

    Raises NotPermitted where this user may not read them, ConfigurationError, with the line, where
    they are wrong.
    """
    if os.path.basename(identity) != identity or identity in ("", ".", "..") or "\0" in identity:
        raise ConfigurationError(f"not the name of an identity: {identity[:100]!a}")
    file = credentials_file.read(os.path.join(directory, identity))
    ours = _values(file)
    region = str(ours.pop("region", "us-east-1"))
    rules.check_pair(file)
    rules.check_profile(file)
    transport = str(ours.pop("transport", "")) or _transport_by_shape(file)
    rules.check_transport(file, transport)
    rules.check_events(file)
    key = file.get("aws_secret_access_key")
    return Credentials(
        path=file.path,
        identity=identity,
        transport=transport,
        region=region,
        access_key_id=file.get("aws_access_key_id"),
        secret_access_key=key if secret.is_api_secret(key) else "",
        session_token=file.get("aws_session_token"),
        smtp_password=_smtp_password(file, region),
        profile=_profile(file),
        warnings=_warnings(file),
        **ours,  # type: ignore[arg-type]
    )


def check_submitter(credentials: Credentials, uid: int) -> None:
    """Raise NotPermitted unless the user ``uid`` may send as this identity (``submitters``)."""
    if not credentials.submitters:
        return
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        names = set()
    else:
        names = {user.pw_name} | _groups(user)
    if names.isdisjoint(credentials.submitters):
        raise NotPermitted(
            f"user {uid} may not send as {credentials.identity}: not among the submitters in "
            f"{credentials.path}"
        )


def _groups(user: pwd.struct_passwd) -> set[str]:
    groups = set()
    for gid in os.getgrouplist(user.pw_name, user.pw_gid):
        try:
            groups.add("@" + grp.getgrgid(gid).gr_name)
        except KeyError:
            continue  # a group without a name cannot be listed
    return groups


def _values(file: File) -> dict[str, object]:
    """Return our keys, parsed; raises ConfigurationError for a value or key that cannot be."""
    values: dict[str, object] = {}
    for key, entry in file.default.items():
        parse = PARSERS.get(key)
        if parse is None:
            if key not in PROFILE and key not in PAIR:
                raise file.error(key, _unknown(key))
            continue
        try:
            values[key] = parse(entry.value)
        except ValueError as error:
            raise file.error(key, f"{key}: {error}") from None
    if values.get("smtp_tls") == "none" and not is_loopback(str(values.get("smtp_host", ""))):
        raise file.error("smtp_tls", "smtp_tls: none is only for an smtp_host on this machine")
    return values


def _unknown(key: str) -> str:
    if not (key.isascii() and key.replace("_", "").isalpha() and len(key) <= 32):
        return "unknown key"  # and perhaps a secret in the wrong place: not shown
    from difflib import get_close_matches  # only where somebody has to be told

    near = get_close_matches(key, [*PARSERS, *PAIR, *PROFILE], 1)
    return f"unknown key {key}" + (f"; {near[0]} is meant?" if near else "")


def _transport_by_shape(file: File) -> str:
    return SMTP if secret.smtp_version(file.get("aws_secret_access_key")) else API


def _smtp_password(file: File, region: str) -> str:
    """Return the SMTP password: the one given, or the one of a long-term API secret."""
    key_id, key = file.get("aws_access_key_id"), file.get("aws_secret_access_key")
    if not key or secret.is_temporary(key_id) or "role_arn" in file.default:
        return ""
    return secret.smtp_password(key, region) if secret.is_api_secret(key) else key


def _profile(file: File) -> dict[str, dict[str, str]]:
    """Return the sections for botocore; empty if ``[default]`` has nothing that is botocore's."""
    if PROFILE.isdisjoint(file.default):
        return {}
    sections = {
        name: {key: entry.value for key, entry in section.items() if key not in PARSERS}
        for name, section in file.sections.items()
    }
    own = sections[DEFAULT]
    if {"role_arn", "aws_secret_access_key"} <= own.keys() and "source_profile" not in own:
        own["source_profile"] = DEFAULT  # the pair in this file is what assumes the role
    return sections


def _warnings(file: File) -> tuple[str, ...]:
    warnings = []
    if file.mode & stat.S_IROTH:
        warnings.append(f"{file.path} can be read by every user: take the right from others")
    if secret.smtp_version(file.get("aws_secret_access_key")) == 2:
        warnings.append(f"{file.path} has an SMTP password of before 2019; SES slows it")
    return tuple(warnings)
