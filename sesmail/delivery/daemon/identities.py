"""The credentials files as the daemon sees them: each read once, and again when it has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sesmail.delivery import credentials
from sesmail.delivery.credentials import Credentials
from sesmail.sysexits import Failure

_Mark = tuple[int, ...]
_GONE: _Mark = ()
_FRESH = 1.0  # seconds


@dataclass(slots=True)
class _Known:
    """What was read, what the file looked like then, and when it was last looked at."""

    mark: _Mark
    looked: float
    read: Credentials | Failure


class Identities:
    """What was read, and what the file looked like then."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._known: dict[str, _Known] = {}
        self._changed: set[str] = set()

    def load(self, identity: str) -> Credentials:
        """Return the credentials. Raises NotPermitted, ConfigurationError, as often as asked.

        Whether the file has changed is seen within a second.
        """
        known = self._known.get(identity)
        now = time.monotonic()
        if known is None or now - known.looked >= _FRESH:
            known = self._look(identity, known, now)
        if isinstance(known.read, Failure):
            raise known.read
        return known.read

    def take_changed(self, identities: Iterable[str]) -> list[str]:
        """Return those of ``identities`` whose file has changed since the last call."""
        for identity in identities:
            self._look(identity, self._known.get(identity), time.monotonic())
        changed = [identity for identity in identities if identity in self._changed]
        self._changed.difference_update(changed)
        return changed

    def forget(self) -> None:
        """Read every file again when it is needed next."""
        self._known.clear()

    def _look(self, identity: str, known: _Known | None, now: float) -> _Known:
        """Look at a file, and read it if it is not as it was."""
        mark = self._mark(identity)
        if known is not None and known.mark == mark:
            known.looked = now
            return known
        if known is not None:
            self._changed.add(identity)
        self._known[identity] = _Known(mark, now, self._read(identity))
        return self._known[identity]

    def _read(self, identity: str) -> Credentials | Failure:
        try:
            return credentials.load(self._directory, identity)
        except Failure as failure:
            return failure

    def _mark(self, identity: str) -> _Mark:
        try:
            status = os.stat(os.path.join(self._directory, identity))
        except (OSError, ValueError):
            return _GONE
        return (status.st_dev, status.st_ino, status.st_ctime_ns, status.st_size)
