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
    terminal.table(("", "TOTAL", "SHARE", "BY DAY"), _kinds(terminal, identity, total))
    latencies = _latencies(terminal, identity, total)
    if latencies:
        terminal.say()
        names = (name.upper() for name in _PERCENTILES)
        terminal.table(("LATENCY", *names, "MEDIAN BY DAY"), latencies)
    terminal.say()
    terminal.table(("DAY", *(kind.upper() for kind in KINDS)), _days(identity))
    domains = identity.top_domains()
    if domains:
        terminal.say()
        terminal.table(
            ("MAILS", "BOUNCING DOMAIN"), [[f"{count:>5}", domain] for domain, count in domains]
        )


def _kinds(terminal: Terminal, identity: Identity, total: Day) -> list[list[str]]:
    width = max(len(str(total.counts[kind])) for kind in KINDS)
    return [
        [
            kind,
            str(total.counts[kind]).rjust(width),
            wording.percent(total.share(kind)) if kind in (BOUNCED, COMPLAINED) else "",
            _bars(terminal, [day.counts[kind] for day in identity.days.values()]),
        ]
        for kind in KINDS
    ]


def _latencies(terminal: Terminal, identity: Identity, total: Day) -> list[list[str]]:
    return [
        [
            f"drop to {until}",
            *(
                wording.duration(percentile(total.latencies[kind], share))
                for share in _PERCENTILES.values()
            ),
            _bars(
                terminal,
                [percentile(day.latencies[kind], 0.5) or 0 for day in identity.days.values()],
            ),
        ]
        for kind, until in WITH_LATENCY.items()
        if total.latencies[kind]
    ]


def _days(identity: Identity) -> list[list[str]]:
    width = {
        kind: max(len(kind), *(len(str(day.counts[kind])) for day in identity.days.values()))
        for kind in KINDS
    }
    return [
        [str(name), *(str(day.counts[kind]).rjust(width[kind]) for kind in KINDS)]
        for name, day in identity.days.items()
    ]


def _bars(terminal: Terminal, values: Sequence[int]) -> str:
    return sparkline(values, is_unicode=is_unicode(terminal))
