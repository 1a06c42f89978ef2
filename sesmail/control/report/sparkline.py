"""A row of numbers as a row of bars, a character each."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCKS = ("\N{MIDDLE DOT}", "▁▂▃▄▅▆▇█")
_ASCII = ("_", ".:-=+*#@")


def sparkline(values: Sequence[int], *, is_unicode: bool) -> str:
    """Return the bars; the largest value fills a character, and 0 is a mark of its own."""
    nothing, bars = _BLOCKS if is_unicode else _ASCII
    largest = max(values, default=0)
    return "".join(
        bars[-(-value * len(bars) // largest) - 1] if value > 0 else nothing for value in values
    )
