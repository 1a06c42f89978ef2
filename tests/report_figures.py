"""Figures for tests of the report's page: two weeks of three identities, one of them hostile."""

from __future__ import annotations

import datetime

from sesmail.control.report.figures import QUARTER, Figures

TODAY = datetime.date(2026, 11, 24)
HOSTILE = '"><script>console.error("run")</script>.example'
LONG = f"{'a-name-that-nobody-would-think-of-but-that-exists.' * 4}example"
_VOLUMES = {"example.com": 900, "news.example.org": 12_000, HOSTILE: 7}
_QUIET = 3  # the day on which only the largest sends


def figures(days: int = 14) -> Figures:
    """Return the figures; the same each time."""
    made = Figures(days, TODAY)
    start = made.since // 1000 // QUARTER
    counts: list[list[object]] = []
    for name, volume in _VOLUMES.items():
        for day in range(days):
            if day == _QUIET and volume < 10_000:
                continue
            noon = start + day * 96 + 48
            sent = volume * (60 + (day * 37) % 80) // 100
            bounced = sent // (17 if volume > 10_000 else 40)
            counts += [
                [name, "sent", noon, 180 + (day * 53) % 200, sent - sent // 10],
                [name, "sent", noon, 900 + (day * 310) % 2400, sent // 10],
                [name, "delivered", noon, 1500 + (day * 700) % 4000, sent - sent // 10 - bounced],
                [name, "delivered", noon, 30_000 + day * 4000, sent // 10],
                [name, "deferred", noon, None, sent // 30],
                [name, "failed", noon, None, sent // 200],
                [name, "bounced", noon, None, bounced],
                [name, "complained", noon, None, sent // 4000],
            ]
    bounced_to = [[name, domain, 40 - 9 * n] for name in _VOLUMES for n, domain in _domains()]
    made.take({"counts": counts, "bounced": bounced_to})
    return made


def _domains() -> list[tuple[int, str]]:
    return list(enumerate(["gone.example", "full.example", HOSTILE, LONG]))
