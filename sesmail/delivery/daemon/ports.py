"""What the loop asks of pickup, DSNs and events; ``sesmail.delivery`` provides it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sesmail.delivery.daemon.schedule import Lane
from sesmail.queue.store import Finished, Job, NewEntry, Path
from sesmail.settings import Settings


class Pickup(Protocol):
    """Takes drops in three steps around the loop's one transaction."""

    def read(self, names: list[str]) -> Any:
        """Read and judge drops, at most 8 MiB of them; return the batch."""

    def add(self, batch: Any, now: int) -> set[Lane]:
        """Add the batch to the queue, inside a transaction; return the lanes it went to."""

    def clear(self, batch: Any) -> list[str]:
        """Remove from the drop, after the commit; log; return the names there was no room for."""

    def reload(self, settings: Settings) -> None:
        """Go by other settings."""


class Events(Protocol):
    """What SES tells of mail that it took, joined to what was sent, around the same transaction."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when something came."""

    def take(self) -> None:
        """Take what came."""

    def join(self, now: int) -> set[Lane]:
        """Write it down, inside a transaction; return the lanes concerned."""

    def settle(self) -> None:
        """Be done with it, after the commit."""

    def undo(self) -> None:
        """Forget it, after a rollback."""

    def end(self) -> None:
        """Take nothing more."""


# Returns the DSN for the failed forward-paths of a job, to be queued with their results, or None.
MakeDsn = Callable[[Job, Sequence[tuple[Path, Finished]], Callable[[], bytes]], NewEntry | None]
