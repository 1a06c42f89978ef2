"""``queue/lock``: one daemon at a time, for as long as it lives, also across PID namespaces."""

from __future__ import annotations

import contextlib
import fcntl
import os

from sesmail.sysexits import CannotCreate


class Lock:
    """The lock, held until ``close`` or the end of the process."""

    def __init__(self, directory: str) -> None:
        """Take it. Raises CannotCreate, naming the holder, where another process has it."""
        self._path = os.path.join(directory, "lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise CannotCreate(
                f"cannot open {self._path}: {error.strerror}; run sesmailctl init as root"
            ) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise CannotCreate(
                f"another sesmaild has {self._path}: process {holder or 'unknown'}; stop it first"
            ) from None
        with contextlib.suppress(OSError):  # a full disk: then nobody is told who we are
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def is_current(self) -> bool:
        """Tell whether the path still leads to the file that is locked."""
        try:
            there, ours = os.lstat(self._path), os.fstat(self._descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)
