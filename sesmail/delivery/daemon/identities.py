"""The credentials files as the daemon sees them: each read once, and again when it has changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from sesmail.delivery import credentials
from sesmail.delivery.credentials import Credentials
from sesmail.sysexits import Failure

_Mark = tuple[int, ...]
_GONE: _Mark = ()


class Identities:
    """What was read, and what the file looked like then."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._known: dict[str, tuple[_Mark, Credentials | Failure]] = {}
        self._changed: set[str] = set()

    def load(self, identity: str) -> Credentials:
        """Return the credentials. Raises NotPermitted, ConfigurationError, as often as asked."""
        mark = self._mark(identity)
        known = self._known.get(identity)
        if known is None or known[0] != mark:
            if known is not None:
                self._changed.add(identity)
            known = mark, self._read(identity)
            self._known[identity] = known
        if isinstance(known[1], Failure):
            raise known[1]
        return known[1]

    def take_changed(self, identities: Iterable[str]) -> list[str]:
        """Return those of ``identities`` whose file has changed since the last call."""
        for identity in identities:
            with contextlib.suppress(Failure):
                self.load(identity)
        changed = [identity for identity in identities if identity in self._changed]
        self._changed.difference_update(changed)
        return changed

    def forget(self) -> None:
        """Read every file again when it is needed next."""
        self._known.clear()

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
