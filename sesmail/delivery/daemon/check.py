"""``sesmaild --check``: what can be known of settings and credentials without the network."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from sesmail.delivery import credentials
from sesmail.delivery.maillog import printable
from sesmail.settings import Settings
from sesmail.sysexits import ConfigurationError, Failure

_LONGEST = 500


def run(settings: Settings) -> None:
    """Write a line for each trouble and each credentials file; raise a failure if there is one.

    Raises ConfigurationError; its line is the last.
    """
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
        names = sorted(os.listdir(directory))
    except OSError as error:
        yield f"cannot list {directory}: {error.strerror}; run sesmailctl init as root"
        return
    for name in names:
        try:
            yield from credentials.load(directory, name).warnings
        except Failure as failure:
            yield str(failure)


def _say(text: str) -> None:
    sys.stderr.write(f"sesmaild: {printable(text, _LONGEST)}\n")
