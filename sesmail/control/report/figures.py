"""The figures of a report: what the queue counted, added up by identity and day.

A day is one of this host's local time. Each has a place, also where there was no mail: a gap is a
finding. Latencies stay counts by value, with two significant digits, so that percentiles of days
and of the whole time come from the same numbers, in memory that does not grow with the mail.
"""

from __future__ import annotations

import datetime
import functools
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SENT, DELIVERED, DEFERRED = "sent", "delivered", "deferred"
FAILED, BOUNCED, COMPLAINED = "failed", "bounced", "complained"
KINDS = (SENT, DELIVERED, DEFERRED, FAILED, BOUNCED, COMPLAINED)
WITH_LATENCY = {SENT: "acceptance", DELIVERED: "delivery"}
QUARTER = 900  # seconds
_SHARES = {"median": 0.5, "p90": 0.9, "p95": 0.95}
_MOST_DOMAINS = 20_000  # kept at a time; a forger may invent as many as he likes


@dataclass(slots=True)
class Day:
    """What happened on a day: forward-paths by kind, and latencies in milliseconds by kind."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, Counter[int]] = field(
        default_factory=lambda: {kind: Counter() for kind in WITH_LATENCY}
    )

    def add(self, other: Day) -> None:
        """Add another day's figures."""
        self.counts.update(other.counts)
        for kind, values in other.latencies.items():
            self.latencies[kind].update(values)

    def document(self) -> dict[str, Any]:
        """Return it for a program: counts, and percentiles of latencies in seconds."""
        return {kind: self.counts[kind] for kind in KINDS} | {
            until: {name: _seconds(self.latencies[kind], share) for name, share in _SHARES.items()}
            for kind, until in WITH_LATENCY.items()
        }

    def share(self, kind: str) -> float:
        """Return how many of what SES took this is, 0 to 1; 0 where it took nothing."""
        sent = self.counts[SENT]
        return self.counts[kind] / sent if sent else 0.0


class Identity:
    """The figures of one identity, or of all together."""

    def __init__(self, days: Iterable[datetime.date]) -> None:
        self.days = {day: Day() for day in days}
        self._domains: Counter[str] = Counter()

    def total(self) -> Day:
        """Return the sum of all days."""
        total = Day()
        for day in self.days.values():
            total.add(day)
        return total

    def add_domain(self, domain: str, count: int) -> None:
        """Count mails to a domain that bounced; the rarest are forgotten where there are many."""
        self._domains[domain] += count
        if len(self._domains) > _MOST_DOMAINS:
            self._domains = Counter(dict(self._domains.most_common(_MOST_DOMAINS // 2)))

    def top_domains(self, most: int = 10) -> list[tuple[str, int]]:
        """Return the domains to which most mails bounced, and how many."""
        return sorted(self._domains.items(), key=lambda item: (-item[1], item[0]))[:most]


class Figures:
    """All identities over some days, the last of which is today."""

    def __init__(self, days: int, today: datetime.date | None = None) -> None:
        last = today or datetime.datetime.now().astimezone().date()
        self.days = [last - datetime.timedelta(number) for number in reversed(range(days))]
        self.identities: dict[str, Identity] = {}

    @property
    def since(self) -> int:
        """When the first day began, in milliseconds since the epoch."""
        first = self.days[0]
        return int(time.mktime((first.year, first.month, first.day, 0, 0, 0, 0, 0, -1))) * 1000

    def take(self, document: Mapping[str, Any], only: str = "") -> None:
        """Add a piece of the answer to the request ``report``; of one identity, or of all."""
        for name, kind, quarter, latency, count in document["counts"]:
            if only not in ("", name):
                continue
            day = self._identity(name).days.get(_day(quarter))
            if day is None:
                continue  # after midnight, or by a clock that was wrong
            day.counts[kind] += count
            if latency is not None:
                day.latencies[kind][latency] += count
        for name, domain, count in document["bounced"]:
            if only in ("", name):
                self._identity(name).add_domain(domain, count)

    def everything(self) -> Identity:
        """Return the sum of all identities."""
        whole = Identity(self.days)
        for one in self.identities.values():
            for day, figures in one.days.items():
                whole.days[day].add(figures)
            for domain, count in one.top_domains(_MOST_DOMAINS):
                whole.add_domain(domain, count)
        return whole

    def _identity(self, name: str) -> Identity:
        if name not in self.identities:
            self.identities[name] = Identity(self.days)
        return self.identities[name]


def percentile(values: Mapping[int, int], share: float) -> int | None:
    """Return the value that ``share`` (0 to 1) of what was counted do not exceed; None: nothing."""
    wanted = share * sum(values.values())
    reached = 0
    for value in sorted(values):
        reached += values[value]
        if reached >= wanted:
            return value
    return None


def _seconds(values: Mapping[int, int], share: float) -> float | None:
    found = percentile(values, share)
    return None if found is None else found / 1000


@functools.cache
def _day(quarter: int) -> datetime.date:
    """Return the local day of a quarter of an hour since the epoch."""
    return datetime.datetime.fromtimestamp(quarter * QUARTER).astimezone().date()
