"""The accounts of AWS behind the credentials, each once: several identities may share one.

An account's list in SES is that of a region. Whose keys cannot ask, or cannot be read, is left out
and said.
"""

from __future__ import annotations

import argparse

from sesmail.control import admin_flags, aws, identity_name
from sesmail.control.aws import Aws
from sesmail.control.verb import Context
from sesmail.delivery import credentials, credentials_file
from sesmail.delivery.credentials import Credentials
from sesmail.sysexits import Failure, NotPermitted


def of(context: Context, arguments: argparse.Namespace) -> list[Aws]:
    """Return the administrator's account, or those of ``--identity``, or of all identities."""
    found: dict[tuple[str, ...], Aws] = {}
    for one in _stored(context, arguments.identity):
        if admin_flags.are_given(arguments):
            return [aws.admin(context, arguments, one.region, one)]
        if aws.can_ask(one):
            key = (one.access_key_id or one.path, one.region, one.endpoint_url)
            if key not in found:
                found[key] = aws.from_credentials(one)
        else:
            context.terminal.note(f"{one.identity}: an SMTP password cannot ask SES")
    if not found and admin_flags.are_given(arguments):
        return [aws.admin(context, arguments, "")]
    return list(found.values())


def _stored(context: Context, identity: str) -> list[Credentials]:
    """Return the credentials that can be read, of one identity or of all."""
    directory = context.settings.credentials_directory
    if identity:
        return [credentials.load(directory, identity_name.read(identity))]
    try:
        names = credentials_file.names(directory)
    except OSError as error:
        raise NotPermitted(f"cannot list {directory}: {error.strerror}") from None
    found = []
    for name in names:
        try:
            found.append(credentials.load(directory, name))
        except Failure as failure:
            context.terminal.note(str(failure))
    return found
