"""What a run does: all of it, or what two minutes allow; and whether the machine held still."""

from __future__ import annotations

import statistics

from tests.bench.spawner import FLOOR, Spawner

_AT_ONCE = 20  # runs of the floor
_TOLERANCE = 0.10


class Plan:
    """Given to every part; ``spawner`` is there for all of them."""

    def __init__(self, spawner: Spawner, *, is_quick: bool) -> None:
        self.spawner = spawner
        self.is_quick = is_quick
        self._floor: list[float] = []

    def count(self, full: int, quick: int) -> int:
        """Return one of the two."""
        return quick if self.is_quick else full

    @property
    def pairs(self) -> int:
        """How often whole commands are run in turns."""
        return self.count(200, 6)

    def sample_floor(self) -> None:
        """Start Python a few times. Every part may, and each begins and ends with it."""
        self._floor += self.spawner.times([FLOOR], _AT_ONCE)[FLOOR.name]

    def floor_moved(self) -> str:
        """Return in words that the floor was another at the end than in the beginning, or ''."""
        quarter = len(self._floor) // 4
        first, last = (
            statistics.median(some) for some in (self._floor[:quarter], self._floor[-quarter:])
        )
        moved = last / first - 1
        if abs(moved) <= _TOLERANCE:
            return ""
        return (
            f"the floor moved by {moved:+.0%}, from {first * 1000:.1f} to {last * 1000:.1f} ms: "
            "the machine was busy with something else, or hot; run it again"
        )
