"""``sesmaild --check``: what can be known of settings and credentials without the network."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from sesmail.delivery import credentials, credentials_file
from sesmail.delivery.credentials import Credentials
from sesmail.delivery.maillog import printable
from sesmail.queue import schema
from sesmail.settings import Settings
from sesmail.sysexits import ConfigurationError, Failure

_LONGEST = 500


def run(settings: Settings) -> None:
    """Write a line for each trouble and each warning; raise ConfigurationError if there is trouble.

    Its line is the last.
    """
    for warning in warnings(settings):
        _say(f"warning: {warning}")
    found = list(troubles(settings))
    for trouble in found:
        _say(trouble)
    if found:
        raise ConfigurationError(f"{len(found)} things to correct")


def troubles(settings: Settings) -> Iterator[str]:
    """Yield what is wrong: file, line and remedy."""
    yield from settings.warnings
    directory = settings.credentials_directory
    try:
        os.listdir(directory)
    except OSError as error:
        yield f"cannot list {directory}: {error.strerror}; run sesmailctl init as root"
    for read in _read_all(directory):
        if isinstance(read, Failure):
            yield str(read)


def warnings(settings: Settings) -> Iterator[str]:
    """Yield what works, but not as it should."""
    for read in _read_all(settings.credentials_directory):
        if isinstance(read, Credentials):
            yield from read.warnings
    yield from _damaged(os.path.join(settings.spool_directory, "queue"))


def _damaged(queue: str) -> Iterator[str]:
    """Yield a line for each database that was moved aside: it holds accepted mail."""
    try:
        paths = schema.moved_aside(queue)
    except OSError:
        return  # no spool; or, for --check, none that this user may look into
    for path in paths:
        yield (
            f"{path} could not be read and was moved aside, with the mail in it; bring that back "
            "with sesmailctl queue salvage, then remove the file"
        )


def _read_all(directory: str) -> Iterator[Credentials | Failure]:
    """Yield what each credentials file says, or why it cannot be used."""
    try:
        names = credentials_file.names(directory)
    except OSError:
        return
    for name in names:
        try:
            yield credentials.load(directory, name)
        except Failure as failure:
            yield failure


def _say(text: str) -> None:
    sys.stderr.write(f"sesmaild: {printable(text, _LONGEST)}\n")
