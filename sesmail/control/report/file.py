"""Writing the page: the whole of it under its name, or what was there before."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile

from sesmail.sysexits import CannotCreate, UsageError


def write(path: str, text: str) -> None:
    """Write a file that takes the place of ``path`` at once. Raises CannotCreate, UsageError.

    No link is followed, and no device replaced: root may name a path below somebody else's
    directory. The mode of a file that is there stays; a new one is for its owner alone.
    """
    try:
        mode = _mode(path)
        directory, name = os.path.split(path)
        descriptor, new = tempfile.mkstemp(prefix=f".{name}.", dir=directory or ".")
        try:
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                os.fchmod(descriptor, mode)
                stream.flush()
                os.fsync(descriptor)
            os.rename(new, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise
    except OSError as error:
        raise CannotCreate(f"cannot write {path!a}: {error.strerror}") from None


def _mode(path: str) -> int:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return 0o600
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path!a} is there and no file; name one, or a path that is free")
    return stat.S_IMODE(status.st_mode) & 0o666
