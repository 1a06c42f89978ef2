"""What waits in the drop: names that clients told, and names that a scan found, fairly by uid.

Names from the FIFO come first and need no look at the directory, so that a good drop is picked up
at once however much junk lies there. A scan finds the rest (``-odq``, drops from before our start)
in pieces: it neither blocks nor holds the whole directory in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Protocol

MOST_TOLD = 10_000  # names that are remembered before a scan must find the rest
MOST_PER_UID = 5_000
PIECE = 1_000  # directory entries looked at in one turn of the loop


class Scannable(Protocol):
    """The part of ``DropDirectory`` that is needed here."""

    def scan(self) -> Iterator[tuple[str, int]]:
        """Yield name and owner uid of what lies there."""


class Intake:
    """The names to be picked up next."""

    def __init__(self, directory: Scannable) -> None:
        self._directory = directory
        self._told: dict[str, None] = {}  # a set in the order of arrival
        self._found: dict[int, deque[str]] = {}
        self._scan: Iterator[tuple[str, int]] | None = None
        self._again = False  # a scan left something out, or another was asked for meanwhile

    def tell(self, names: list[str]) -> None:
        """Remember names from the FIFO."""
        for name in names:
            if len(self._told) >= MOST_TOLD:
                self.start_scan()
                return
            self._told[name] = None

    def start_scan(self) -> None:
        """Look through the whole directory, from the next turn on."""
        if self._scan is None:
            self._scan = self._directory.scan()
        else:
            self._again = True

    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self._told or self._found or self._scan or self._again)

    def take(self, most: int) -> list[str]:
        """Return up to ``most`` names, those that were told first, then round robin by uid."""
        self._look()
        names: list[str] = []
        while self._told and len(names) < most:
            name = next(iter(self._told))
            del self._told[name]
            names.append(name)
        while self._found and len(names) < most:
            uid = next(iter(self._found))
            waiting = self._found.pop(uid)
            names.append(waiting.popleft())
            if waiting:
                self._found[uid] = waiting  # to the end of the row
        return list(dict.fromkeys(names))

    def put_back(self, names: list[str]) -> None:
        """Take again, first, what the last batch had no room for."""
        self._told = dict.fromkeys(names) | self._told

    def _look(self) -> None:
        """Go on with the scan for one piece; begin the next when nothing is left of the last."""
        if self._again and self._scan is None and not self._found:
            self._again = False
            self._scan = self._directory.scan()
        for _ in range(PIECE if self._scan else 0):
            found = next(self._scan, None) if self._scan else None
            if found is None:
                self._scan = None
                return
            if len(waiting := self._found.setdefault(found[1], deque())) < MOST_PER_UID:
                waiting.append(found[0])
            else:
                self._again = True
