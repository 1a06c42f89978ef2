"""How a report words its numbers: the same in text and on the page."""

from __future__ import annotations

import datetime

from sesmail.control.report.figures import BOUNCED, COMPLAINED, DEFERRED, DELIVERED, FAILED, SENT

TITLES = {
    SENT: "Sent",
    DELIVERED: "Delivered",
    DEFERRED: "Deferred",
    FAILED: "Failed",
    BOUNCED: "Bounced",
    COMPLAINED: "Complained",
}
MEANINGS = (
    "Sent: SES took it. Delivered: the receiver's server took it. Deferred: attempts that had to "
    "be repeated. Failed: not taken by SES, and given up. Bounced: taken by SES, refused by the "
    "receiver for good. Complained: the receiver called it spam. All but Deferred count "
    "recipients. Days are those of the host."
)
_UNITS = (("h", 3_600_000), ("min", 60_000), ("s", 1000))


def duration(milliseconds: int | None) -> str:
    """Return a latency: ``80 ms``, ``1.5 s``, ``12 min``, ``3.1 h``; ``-`` for none."""
    if milliseconds is None:
        return "-"
    for unit, size in _UNITS:
        if milliseconds >= size:
            value = milliseconds / size
            return f"{value:.2g} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{milliseconds} ms"


def percent(share: float) -> str:
    """Return a share (0 to 1) with as many digits as it takes to see it."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 or not value else f"{value:.2g} %"


def span(days: list[datetime.date]) -> str:
    """Return the days of a report in words."""
    if len(days) == 1:
        return f"{days[0]}"
    return f"{days[0]} to {days[-1]}"
