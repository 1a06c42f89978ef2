"""A line of the table: what was measured, and its bar."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A ratio, which is to be at most ``bar``, or at least where ``is_least``."""

    name: str
    value: float
    bar: float
    is_least: bool = False
    note: str = ""

    def is_missed(self) -> bool:
        """Tell whether it is on the wrong side of the bar."""
        return self.value < self.bar if self.is_least else self.value > self.bar

    def line(self) -> str:
        """Return it for people to read."""
        side = "at least" if self.is_least else "at most"
        verdict = "MISSED" if self.is_missed() else "ok"
        return (
            f"{self.name:52} {self.value:6.2f}  {side:8} {self.bar:4.2f}  {verdict:6} {self.note}"
        )
