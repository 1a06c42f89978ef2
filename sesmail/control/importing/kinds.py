"""The formats that can be imported from, and which of them a file is of."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from sesmail.control.importing import aws, dma, key_files, msmtp, nullmailer, postfix, ssmtp, ubos
from sesmail.control.importing.account import Kind
from sesmail.control.importing.source import Source
from sesmail.sysexits import DataError

# In the order of recognition: what is told by a name or a word of its own comes first.
KINDS = {
    kind.name: kind
    for kind in (
        key_files.JSON,
        ubos.KIND,
        key_files.OLD,
        aws.BOTO,
        aws.KIND,
        msmtp.KIND,
        ssmtp.KIND,
        dma.KIND,
        nullmailer.KIND,
        postfix.KIND,
    )
}


def recognise(source: Source) -> Kind:
    """Return the kind of a file. Raises DataError."""
    for kind in KINDS.values():
        if kind.recognises(source):
            return kind
    raise DataError(
        f"{source.path}: of no format that is known here; --from names it: {', '.join(KINDS)}"
    )


def usual_places(environ: Mapping[str, str]) -> list[str]:
    """Return the files of known formats that are where they usually are.

    Homes are those of this user and, under sudo, of the one who called it.
    """
    uids = dict.fromkeys((str(os.getuid()), environ.get("SUDO_UID", "")))
    homes = [home for home in map(_home, uids) if home]
    paths = [
        path.replace("~", home, 1)
        for kind in KINDS.values()
        for path in kind.places
        for home in (homes if path.startswith("~") else [""])
    ]
    return [path for path in paths if os.path.exists(path)]


def _home(uid: str) -> str:
    """Return the home of a user by number, "" where there is none."""
    try:
        return pwd.getpwuid(int(uid)).pw_dir
    except (KeyError, ValueError, OverflowError):
        return ""
