"""sesmail.conf and the credentials files: what is written there, and whether it can be used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from sesmail import settings as settings_file
from sesmail.control import identity_name
from sesmail.control.check.finding import Finding, broken, of_failure, ok, warning
from sesmail.delivery import credentials, credentials_file, secret
from sesmail.delivery.credential_rules import CAPTURE, SMTP
from sesmail.delivery.credentials import Credentials
from sesmail.settings import Settings
from sesmail.sysexits import Failure, NotPermitted, UsageError

_CORRECT = "correct it; its form is in sesmail.conf(5). What follows goes by the default instead"
# What editors and package managers leave; no domain ends or goes on so.
_LEFTOVERS = (
    "~",
    ".bak",
    ".old",
    ".orig",
    ".save",
    ".swp",
    ".tmp",
    ".dpkg-",
    ".rpmnew",
    ".rpmsave",
)


def settings(
    settings: Settings, environ: Mapping[str, str], wrong: Sequence[Failure]
) -> Iterator[Finding]:
    """Say which file counts, what of it cannot be read, and what in it is no key."""
    path = environ.get("SESMAIL_CONFIG") or settings_file.PATH
    yield from faults(wrong)
    for text in settings.warnings:
        yield broken("settings", text, "correct the name of the key, or take the line out")
    if wrong or settings.warnings:
        return
    if path != settings_file.PATH:
        yield ok("settings", f"{path}, named by SESMAIL_CONFIG in this environment alone")
    elif os.path.exists(path):
        yield ok("settings", path)
    else:
        yield ok("settings", f"all at their defaults: there is no {path}")


def faults(wrong: Sequence[Failure]) -> Iterator[Finding]:
    """Say what of the settings cannot be read; until it can, no program of ours sends or runs."""
    for failure in wrong:
        yield broken("settings", f"no mail is taken (78): {failure}", _CORRECT)


def directory(settings: Settings) -> Iterator[Finding]:
    """Say whether there are any credentials, and which of them no author ever leads to."""
    path = settings.credentials_directory
    try:
        found = credentials_file.names(path)
    except PermissionError:
        yield warning("credentials", f"only root can list {path}", "sudo sesmailctl check")
        return
    except OSError as error:
        yield broken(
            "credentials", f"cannot list {path}: {error.strerror}", "run sesmailctl init as root"
        )
        return
    if not found:
        yield warning(
            "credentials",
            f"{path} is empty: all mail goes to the real sendmail",
            "sesmailctl setup DOMAIN",
        )
    for name in found:
        if reason := _unreachable(name):
            yield warning(
                f"{name}: credentials",
                f"no author leads to {os.path.join(path, name)}: {reason}",
                "rename it like the domain, or move it out of this directory",
            )


def is_reachable(name: str) -> bool:
    """Tell whether some author's lookup ends at a file of this name."""
    return not _unreachable(name)


def _unreachable(name: str) -> str:
    """Return why no author's lookup ends at a file of this name, "" if one may."""
    if name.startswith(".") or any(leftover in name for leftover in _LEFTOVERS):
        return "it is named like what an editor or a package manager left"
    try:
        identity_name.check(name)
    except UsageError:
        if name != name.lower() and "@" not in name:
            return "domains are looked up in lower case"
        return "it is neither a domain, in the xn-- form, nor an address, nor default"
    return ""


def load(settings: Settings, name: str) -> Credentials | Finding:
    """Return what a credentials file says, or the finding that says why it cannot be used."""
    subject = f"{name}: credentials"
    try:
        return credentials.load(settings.credentials_directory, name)
    except NotPermitted as failure:
        return of_failure(warning, subject, failure, "sudo sesmailctl check")
    except Failure as failure:
        return of_failure(broken, subject, failure, "correct it; its form is in sesmail.conf(5)")


def read(read: Credentials) -> Iterator[Finding]:
    """Say what a file says that can be used."""
    subject = f"{read.identity}: credentials"
    yield ok(subject, f"{read.path}: {read.transport}, {_keys(read)}, region {read.region}")
    if secret.smtp_version(read.smtp_password) == 2:
        yield warning(
            subject,
            f"{read.path} has an SMTP password from before 2019; SES slows what is sent with it",
            "make new SMTP credentials in the SES console",
        )


def _keys(read: Credentials) -> str:
    if read.transport == CAPTURE:
        return f"nothing is sent: mail goes to {read.directory}"
    if read.names_a_source():
        return "keys as its profile says"
    if not read.access_key_id:
        return "the role of this host"
    if not read.secret_access_key:
        return f"key {read.access_key_id} with an SMTP password"
    kind = "temporary key" if secret.is_temporary(read.access_key_id) else "key"
    derived = "; the SMTP password is made from its secret"
    return f"{kind} {read.access_key_id}{derived if read.transport == SMTP else ''}"
