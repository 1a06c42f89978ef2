"""What the loop asks of pickup and of DSNs; ``sesmail.delivery.pickup`` and ``dsn`` provide it."""

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


# Returns the DSN for the failed forward-paths of a job, to be queued with their results, or None.
MakeDsn = Callable[[Job, Sequence[tuple[Path, Finished]], Callable[[], bytes]], NewEntry | None]
