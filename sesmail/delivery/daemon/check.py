"""``sesmaild --check``: what can be known of settings and credentials without the network."""

from __future__ import annotations

import os
import sys

from sesmail.delivery import credentials
from sesmail.settings import Settings
from sesmail.sysexits import EX_CONFIG, EX_OK, Failure


def run(settings: Settings) -> int:
    """Print a line for each trouble; return the exit code, that of the first failure."""
    code = EX_OK
    for warning in settings.warnings:
        _say(warning)
        code = EX_CONFIG
    directory = settings.credentials_directory
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        _say(f"cannot list {directory}: {error.strerror}; run sesmailctl init as root")
        return code or EX_CONFIG
    for name in names:
        try:
            loaded = credentials.load(directory, name)
        except Failure as failure:
            _say(str(failure))
            code = code or failure.exit_code
            continue
        for warning in loaded.warnings:
            _say(f"warning: {warning}")
    return code


def _say(text: str) -> None:
    sys.stderr.write(f"sesmaild: {text.encode('ascii', 'replace').decode()}\n")
