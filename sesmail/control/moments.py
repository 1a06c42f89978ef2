"""Moments as people write and read them: local time to the second, ``2h``, ``2026-11-24``."""

from __future__ import annotations

import time
from datetime import datetime

from sesmail.sysexits import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def shown(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch, in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def span(seconds: float) -> str:
    """Return how long something takes, with its largest unit: ``40s``, ``3h``, ``2d``."""
    whole = max(int(seconds), 0)
    for unit in ("d", "h", "m"):
        if whole >= 2 * _UNITS[unit] or (unit == "m" and whole >= _UNITS[unit]):
            return f"{whole // _UNITS[unit]}{unit}"
    return f"{whole}s"


def since(text: str, now: float) -> float:
    """Return the moment, in seconds since the epoch, that ``--since`` means. Raises UsageError.

    A number with s, m, h, d or w is that long ago; a date, with a time or without, is local.
    """
    number, unit = text[:-1], text[-1:]
    if number.isascii() and number.isdigit() and unit in _UNITS:
        return max(now - int(number) * _UNITS[unit], 0.0)
    try:
        return max(datetime.fromisoformat(text).timestamp(), 0.0)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{text[:60]!a} is no moment; write 30m, 2h or 3d, or 2026-11-24, or 2026-11-24T08:00"
        ) from None
