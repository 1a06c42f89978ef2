"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, more: str) -> str:
    """Return a number with what it counts: "1 message waits", "2 messages wait"."""
    return f"{number} {one if number == 1 else more}"
