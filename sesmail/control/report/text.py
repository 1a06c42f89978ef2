"""The report as text: a table for each identity, with a sparkline, its days, its latencies."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sesmail.control.report import wording
from sesmail.control.report.figures import (
    BOUNCED,
    COMPLAINED,
    KINDS,
    WITH_LATENCY,
    Day,
    Figures,
    Identity,
    percentile,
)
from sesmail.control.report.sparkline import sparkline
from sesmail.control.terminal import Terminal

_PERCENTILES = {"median": 0.5, "90 %": 0.9, "95 %": 0.95}


def show(terminal: Terminal, figures: Figures, notes: Sequence[str]) -> None:
    """Write the report; ``notes`` say where it is not whole."""
    days = len(figures.days)
    terminal.say(f"Mail of {wording.span(figures.days)} ({days} day{'s' if days > 1 else ''})")
    for note in notes:
        terminal.say(note)
    for name, identity in sorted(figures.identities.items()):
        terminal.say()
        terminal.say(name, "bold")
        _show(terminal, identity)
    if not figures.identities:
        terminal.say("Nothing was sent.")


def is_unicode(terminal: Terminal) -> bool:
    """Tell whether block characters can be shown."""
    return terminal.is_rich and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _show(terminal: Terminal, identity: Identity) -> None:
    total = identity.total()
    terminal.table(("", "TOTAL", "SHARE", "BY DAY"), list(_kinds(terminal, identity, total)))
    latencies = [
        [f"drop to {until}", *(_percentile(total, kind, share) for share in _PERCENTILES.values())]
        for kind, until in WITH_LATENCY.items()
        if total.latencies[kind]
    ]
    if latencies:
        terminal.say()
        terminal.table(("LATENCY", *(name.upper() for name in _PERCENTILES)), latencies)
    terminal.say()
    terminal.table(
        ("DAY", *(kind.upper() for kind in KINDS), "ACCEPTED IN", "DELIVERED IN"),
        [_day(str(day), figures) for day, figures in identity.days.items()],
    )
    domains = identity.top_domains()
    if domains:
        terminal.say()
        terminal.table(
            ("BOUNCING DOMAIN", "MAILS"), [[domain, str(count)] for domain, count in domains]
        )


def _kinds(terminal: Terminal, identity: Identity, total: Day) -> list[list[str]]:
    width = max(len(str(total.counts[kind])) for kind in KINDS)
    return [
        [
            kind,
            str(total.counts[kind]).rjust(width),
            wording.percent(total.share(kind)) if kind in (BOUNCED, COMPLAINED) else "",
            sparkline(
                [day.counts[kind] for day in identity.days.values()],
                is_unicode=is_unicode(terminal),
            ),
        ]
        for kind in KINDS
    ]


def _day(name: str, day: Day) -> list[str]:
    return [
        name,
        *(str(day.counts[kind]).rjust(len(kind)) for kind in KINDS),
        *(_percentile(day, kind, 0.5) for kind in WITH_LATENCY),
    ]


def _percentile(day: Day, kind: str, share: float) -> str:
    return wording.duration(percentile(day.latencies[kind], share))
