"""A secret from a file or from standard input: a command line can be read by every user."""

from __future__ import annotations

import os
import stat
import sys

from sesmail.control.verb import Context
from sesmail.submission.log import printable
from sesmail.sysexits import UsageError

STDIN = "-"
_LARGEST = 1 << 16  # bytes


def read(context: Context, path: str, flag: str) -> list[str]:
    """Return the lines of a file, or of standard input for ``-``. Raises UsageError."""
    try:
        if path == STDIN:
            content = sys.stdin.buffer.read(_LARGEST)
        else:
            with open(path, "rb") as stream:
                content = stream.read(_LARGEST)
                mode = os.fstat(stream.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & stat.S_IROTH:
                context.terminal.note(f"{path} can be read by every user: take it away afterwards")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise UsageError(f"{flag}: cannot read {printable(path)!a}: {reason}") from None
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        raise UsageError(f"{flag}: nothing is in {printable(path)!a}")
    return lines
