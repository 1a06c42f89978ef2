"""The report as a page: one file of HTML with its style and charts, and nothing that runs.

Names of identities and domains come from mail and from receivers: all text is escaped, and the
page's own policy forbids whatever else a browser could load or run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from sesmail import VERSION
from sesmail.control import health
from sesmail.control.report import style, svg, wording
from sesmail.control.report.figures import (
    BOUNCED,
    COMPLAINED,
    DEFERRED,
    DELIVERED,
    FAILED,
    KINDS,
    SENT,
    WITH_LATENCY,
    Day,
    Figures,
    Identity,
    percentile,
)
from sesmail.control.report.svg import Series
from sesmail.control.terminal import visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_PERCENTILES = (("median", 0.5), ("90 %", 0.9), ("95 %", 0.95))
_OF_SENT = (DELIVERED, BOUNCED, COMPLAINED)
_TROUBLES = (DEFERRED, FAILED, BOUNCED, COMPLAINED)
_LATENCY_TITLES = {SENT: "From drop to acceptance by SES", DELIVERED: "From drop to delivery"}


def page(figures: Figures, host: str, made: str, notes: Sequence[str]) -> str:
    """Return the page of what ``host`` sent; ``made`` is when, ``notes`` where it is not whole."""
    title = f"Mail of {host}"
    body = "".join(_body(figures, notes))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{style.sheet()}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{_text(title)}</h1>\n"
        f"<p>{_text(wording.span(figures.days))}. Made {_text(made)}.</p>\n</header>\n"
        f"<main>\n{body}</main>\n"
        f"<footer>{_text(wording.MEANINGS)} sesmail {VERSION}</footer>\n"
        "</body>\n</html>\n"
    )


def _body(figures: Figures, notes: Sequence[str]) -> Iterator[str]:
    for note in notes:
        yield f'<p class="note">{_text(note)}</p>\n'
    if not figures.identities:
        yield "<p>Nothing was sent.</p>\n"
    elif len(figures.identities) > 1:
        yield _section("All identities", figures.everything())
    for name, identity in sorted(figures.identities.items()):
        yield _section(name, identity)


def _section(name: str, identity: Identity) -> str:
    total = identity.total()
    return (
        f"<section>\n<h2>{_text(name)}</h2>\n{_tiles(total)}"
        f'<div class="charts">\n{"".join(_charts(identity))}</div>\n'
        f'{_days(identity)}<div class="tables">\n{_latencies(total)}{_domains(identity)}</div>\n'
        "</section>\n"
    )


def _tiles(total: Day) -> str:
    parts = []
    for kind in KINDS:
        count, sent = total.counts[kind], total.counts[SENT]
        share = wording.percent(total.share(kind)) if kind in _OF_SENT else ""
        is_bad = kind in health.LIMITS and health.is_too_much(kind, count, sent)
        parts.append(
            f'<div class="{"bad" if is_bad else "well"}"><dt>{wording.TITLES[kind]}</dt>'
            f"<dd>{count:,} <small>{share}</small></dd></div>\n"
        )
    return f'<dl class="tiles">\n{"".join(parts)}</dl>\n'


def _charts(identity: Identity) -> Iterator[str]:
    days = list(identity.days)
    sent = [_series(identity, SENT)]
    yield _figure("Sent by day", sent, svg.columns("Sent by day", days, sent))
    troubles = [_series(identity, kind) for kind in _TROUBLES]
    yield _figure("Trouble by day", troubles, svg.columns("Trouble by day", days, troubles))
    for kind, title in _LATENCY_TITLES.items():
        if any(day.latencies[kind] for day in identity.days.values()):
            series = [
                Series(
                    css, label, [percentile(d.latencies[kind], p) for d in identity.days.values()]
                )
                for css, label, p in ((kind, "median", 0.5), ("slow", "95 %", 0.95))
            ]
            chart = svg.lines(title, days, series, wording.duration)
            yield _figure(title, series, chart)


def _series(identity: Identity, kind: str) -> Series:
    values = [day.counts[kind] for day in identity.days.values()]
    return Series(kind, wording.TITLES[kind].lower(), values)


def _figure(title: str, series: Sequence[Series], chart: str) -> str:
    keys = "".join(
        f'<span><span class="key {one.css}"></span>{_text(one.label)}</span>' for one in series
    )
    return (
        f"<figure>\n<h3>{_text(title)}</h3>\n{chart}\n<figcaption>{keys}</figcaption>\n</figure>\n"
    )


def _days(identity: Identity) -> str:
    rows = [
        [
            str(day),
            *(f"{figures.counts[kind]:,}" for kind in KINDS),
            *(wording.duration(percentile(figures.latencies[kind], 0.5)) for kind in WITH_LATENCY),
        ]
        for day, figures in identity.days.items()
    ]
    titles = ["Day", *wording.TITLES.values(), "Accepted in", "Delivered in"]
    return _table("By day", titles, rows)


def _latencies(total: Day) -> str:
    rows = [
        [
            title,
            *(wording.duration(percentile(total.latencies[kind], p)) for _, p in _PERCENTILES),
        ]
        for kind, title in _LATENCY_TITLES.items()
        if total.latencies[kind]
    ]
    return _table("Latency", ["", *(name for name, _ in _PERCENTILES)], rows) if rows else ""


def _domains(identity: Identity) -> str:
    rows = [[domain, f"{count:,}"] for domain, count in identity.top_domains()]
    return _table("Domains that bounce most", ["Domain", "Mails"], rows) if rows else ""


def _table(caption: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{_text(title)}</th>' for title in titles)
    body = "".join(
        f'<tr><td class="long">{_text(row[0])}</td>'
        f"{''.join(f'<td>{_text(cell)}</td>' for cell in row[1:])}</tr>\n"
        for row in rows
    )
    return (
        f'<div class="scroll"><table>\n<caption>{_text(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )


def _text(text: str) -> str:
    """Escape text, and show what cannot be seen as ``?``."""
    return escape(visible(text))
