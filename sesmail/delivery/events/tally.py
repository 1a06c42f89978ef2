"""What is counted and said once an hour: queues that are away, events that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable

from sesmail.delivery.daemon.log import DaemonLog

HOUR = 3_600_000  # milliseconds
UNREADABLE = "events could not be read and were deleted; the last: {last}"
UNKNOWN = "events of mail that no host knows were deleted; the last: {last}"
STRANGERS = "events name a recipient that the message did not have; the last: {last}"


class Tally:
    """Counts by kind; ``now`` returns this moment in milliseconds."""

    def __init__(self, now: Callable[[], int], log: DaemonLog) -> None:
        self._now = now
        self._log = log
        self._counts: dict[str, int] = {}
        self._last: dict[str, str] = {}
        self._due: dict[str, int] = {}
        self._away: dict[str, int] = {}  # failures by identity

    def note(self, kind: str, last: str) -> None:
        """Count something of a kind; what comes alone is said at once."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._last[kind] = last

    def away(self, identity: str, trouble: str) -> None:
        """Note that a queue cannot be read, or with "" that it can be again."""
        if trouble:
            self._away[identity] = self._away.get(identity, 0) + 1
            if self._is_due(f"away {identity}"):
                self._log.warning(
                    f"the queue of events of {identity} cannot be read "
                    f"(tries: {self._away[identity]}): {trouble}"
                )
        elif self._away.pop(identity, 0):
            self._log.info(f"the queue of events of {identity} can be read again")
            self._due.pop(f"away {identity}", None)

    def tell(self) -> None:
        """Say what was counted, each kind once an hour."""
        for kind in [kind for kind in self._counts if self._is_due(kind)]:
            text = kind.format(last=self._last.pop(kind))
            self._log.warning(f"{self._counts.pop(kind)} {text}")

    def _is_due(self, what: str) -> bool:
        now = self._now()
        if self._due.get(what, now) > now:
            return False
        self._due[what] = now + HOUR
        return True
