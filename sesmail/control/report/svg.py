"""Charts as SVG text: stacked columns for counts, lines on a logarithmic scale for latencies.

Coloured by classes of the page's style sheet, so that light, dark and print are its matter alone.
What a mark stands for is in its ``title``, which browsers show and read aloud.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 8, 12, 26
_PLOT_WIDTH = WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = HEIGHT - _TOP - _BOTTOM
_GRID = 4  # lines above the base, about
_WIDEST = 48.0  # of a column
_MOST_LABELS = 7
_LATENCIES = (10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 360_000_000)

Say = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Series:
    """The values of a colour, one a day; None where there is none."""

    css: str
    label: str
    values: Sequence[int | None]


def columns(title: str, days: Sequence[datetime.date], series: Sequence[Series]) -> str:
    """Return a chart of columns, the series one upon the other."""
    totals = [sum(one.values[place] or 0 for one in series) for place in range(len(days))]
    step = _step(max(totals, default=0))
    top = step * max(1, math.ceil(max(totals, default=0) / step))
    scale = _PLOT_HEIGHT / top
    parts = [_grid(_base() - value * scale, f"{value:,}") for value in range(0, top + 1, step)]
    width = min(_WIDEST, 0.7 * _PLOT_WIDTH / len(days))
    for place, day in enumerate(days):
        if not totals[place]:
            continue
        told = ", ".join(f"{one.label} {one.values[place] or 0}" for one in series)
        parts.append(f"<g><title>{escape(f'{day}: {told}')}</title>")
        bottom = _base()
        for one in series:
            height = (one.values[place] or 0) * scale
            if height:
                bottom -= height
                parts.append(
                    f'<rect class="{one.css}" x="{_middle(place, days) - width / 2:.1f}" '
                    f'y="{bottom:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
                )
        parts.append("</g>")
    if not any(totals):
        parts.append(
            f'<text class="tick" x="{_LEFT + _PLOT_WIDTH / 2:.0f}" y="{HEIGHT / 2:.0f}" '
            'text-anchor="middle">none</text>'
        )
    return _chart(title, days, parts)


def lines(title: str, days: Sequence[datetime.date], series: Sequence[Series], say: Say) -> str:
    """Return a chart of lines; ``say`` words a value (milliseconds). A day without is a gap."""
    known = [value for one in series for value in one.values if value is not None]
    low = max((mark for mark in _LATENCIES[:-1] if mark <= min(known, default=1)), default=1)
    high = min(
        (mark for mark in _LATENCIES if mark >= max(known, default=1) and mark > low),
        default=_LATENCIES[-1],
    )

    def y(value: int) -> float:
        share = math.log(max(value, low) / low) / math.log(high / low)
        return _base() - min(share, 1.0) * _PLOT_HEIGHT

    marks = [mark for mark in (1, *_LATENCIES) if low <= mark <= high]
    parts = [_grid(y(mark), say(mark)) for mark in marks]
    for one in series:
        points = [
            None if value is None else (_middle(place, days), y(value))
            for place, value in enumerate(one.values)
        ]
        parts += [f'<path class="{one.css} line" d="{run}"/>' for run in _runs(points)]
        for day, value, point in zip(days, one.values, points, strict=True):
            if value is not None and point is not None:
                parts.append(
                    f'<circle class="{one.css}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="3">'
                    f"<title>{escape(f'{day}: {one.label} {say(value)}')}</title></circle>"
                )
    return _chart(title, days, parts)


def _chart(title: str, days: Sequence[datetime.date], parts: Sequence[str]) -> str:
    every = math.ceil(len(days) / _MOST_LABELS)
    last = len(days) - 1
    labels = [
        f'<text class="tick" x="{_middle(place, days):.1f}" y="{HEIGHT - 8}" '
        f'text-anchor="middle">{day:%m-%d}</text>'
        for place, day in enumerate(days)
        if (last - place) % every == 0
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(title)}</title>'
        f"{''.join(parts)}{''.join(labels)}</svg>"
    )


def _grid(y: float, label: str) -> str:
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
        f"{escape(label)}</text>"
    )


def _base() -> float:
    return float(HEIGHT - _BOTTOM)


def _middle(place: int, days: Sequence[datetime.date]) -> float:
    return _LEFT + (place + 0.5) * _PLOT_WIDTH / len(days)


def _runs(points: Sequence[tuple[float, float] | None]) -> list[str]:
    """Return the paths of what is without a gap."""
    runs: list[list[str]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(f"{point[0]:.1f} {point[1]:.1f}")
    return [f"M{' L'.join(run)}" for run in runs if len(run) > 1]


def _step(largest: int) -> int:
    """Return the distance of grid lines: 1, 2 or 5 times a power of ten."""
    wanted = max(1.0, largest / _GRID)
    power = 10 ** math.floor(math.log10(wanted))
    return next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= wanted)
