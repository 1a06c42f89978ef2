"""Charts of a run as SVG files: dots in rows, and lines over a number.

A file of its own each, for a page of Markdown shows it as an image: so its style is inside, with
the colours of the report's page for light and dark. Nothing is told by colour alone: series differ
in the shape of their marks and the dashes of their lines, and each has its name beside it. The same
numbers give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from sesmail.control.report.style import _DARK, _LIGHT
from tests.bench.rows import figure

WIDTH = 760
_ROW = 24  # height of a dot's row
_TOP, _BOTTOM = 62, 44
_NAMES = 230  # to the left of dots, and to the right of lines
_AXIS = 64  # to the left of lines
_PLOT_HEIGHT = 300
_NEAREST = 15  # between two names
COLOURS = ("sent", "deferred", "bounced", "complained", "delivered")
DASHES = ("", "7 4", "2 3", "9 3 2 3", "1 5")
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: var(--text); }
.title, .ours { font-weight: 600; }
.title { font-size: 15px; }
.tick { fill: var(--muted); font-size: 12px; }
.paper { fill: var(--paper); }
.grid { stroke: var(--grid); stroke-width: 1; }
.floor { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 5 4; }
.range { stroke: var(--muted); stroke-width: 1.5; }
.line { fill: none; stroke-width: 2; }
"""


@dataclass(frozen=True, slots=True)
class Dot:
    """A row of ``dots``: four of five measurements lie between ``low`` and ``high``."""

    name: str
    value: float
    low: float
    high: float
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A series of ``lines``: x and y of each point, above 0 where the axis is logarithmic."""

    name: str
    points: Sequence[tuple[float, float]]


def dots(title: str, unit: str, items: Sequence[Dot], floor: float) -> str:
    """Return a chart with a row for each item, over a logarithmic scale; ``floor`` is marked."""
    values = [value for item in items for value in (item.low, item.high)]
    left, right = _NAMES, WIDTH - 90
    place, marks = _logarithmic([*values, floor], left, right)
    bottom = _TOP + _ROW * len(items)
    parts = [_vertical(place(mark), bottom, f"{figure(mark)} {unit}") for mark in marks]
    x = place(floor)
    parts.append(f'<line class="floor" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom}"/>')
    for number, item in enumerate(items):
        y = _TOP + _ROW * (number + 0.5)
        low, middle, high = (place(value) for value in (item.low, item.value, item.high))
        # Ours are full, the others hollow.
        fill = "" if item.is_ours else ' style="fill: var(--paper)"'
        parts += [
            _text(left - 10, y + 4, item.name, "end", "ours" if item.is_ours else ""),
            f'<line class="range" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<circle class="c0" cx="{middle:.1f}" cy="{y:.1f}" r="5"{fill}/>',
            _text(right + 8, y + 4, f"{figure(item.value)} {unit}"),
        ]
    parts.append(_text(x, _TOP - 12, f"floor {figure(floor)} {unit}", "middle", "tick"))
    return _file(title, bottom + _BOTTOM, parts)


def lines(
    title: str, x_unit: str, y_unit: str, series: Sequence[Line], *, is_x_log: bool = False
) -> str:
    """Return a chart of lines over a number, y on a logarithmic scale."""
    left, right, bottom = _AXIS, WIDTH - _NAMES, _TOP + _PLOT_HEIGHT
    points = [point for line in series for point in line.points]
    across, x_marks = (_logarithmic if is_x_log else _linear)([x for x, _ in points], left, right)
    up, y_marks = _logarithmic([y for _, y in points], bottom, _TOP)
    if not is_x_log:
        x_marks = sorted({x for x, _ in points})
    parts = [_vertical(across(mark), bottom, f"{mark:,.0f}") for mark in x_marks]
    for mark in y_marks:
        y = up(mark)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(left - 8, y + 4, figure(mark), "end", "tick"))
    ends = _apart([up(line.points[-1][1]) for line in series])
    for number, (line, end) in enumerate(zip(series, ends, strict=True)):
        drawn = [(across(x), up(y)) for x, y in line.points]
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in drawn)
        dash = f' stroke-dasharray="{DASHES[number]}"' if DASHES[number] else ""
        parts.append(f'<path class="line l{number}" d="M{path}"{dash}/>')
        parts += [_mark(number, x, y) for x, y in drawn]
        parts.append(_mark(number, right + 20, end))
        parts.append(_text(right + 32, end + 4, line.name))
    parts.append(_text(left, _TOP - 12, y_unit, "start", "tick"))
    parts.append(_text((left + right) / 2, bottom + 36, x_unit, "middle", "tick"))
    return _file(title, bottom + _BOTTOM, parts)


def _mark(number: int, x: float, y: float) -> str:
    """Return a mark, of a shape that no other series has."""
    shape = f'class="c{number}"'
    if number == 0:
        return f'<circle {shape} cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    corners = {
        1: ((-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)),
        2: ((0, -6), (5.5, 4.5), (-5.5, 4.5)),
        3: ((0, -6), (6, 0), (0, 6), (-6, 0)),
        4: ((-5.5, -4.5), (5.5, -4.5), (0, 6)),
    }[number]
    points = " ".join(f"{x + across:.1f},{y + down:.1f}" for across, down in corners)
    return f'<polygon {shape} points="{points}"/>'


def _apart(wanted: Sequence[float]) -> list[float]:
    """Return places for names, none too near to another, in the order given."""
    places = list(wanted)
    last = -math.inf
    for number in sorted(range(len(places)), key=lambda each: wanted[each]):
        last = places[number] = max(wanted[number], last + _NEAREST)
    return places


Place = Callable[[float], float]


def _linear(values: Sequence[float], begin: float, end: float) -> tuple[Place, list[float]]:
    low, high = min(values), max(values)
    scale = (end - begin) / ((high - low) or 1.0)
    return lambda value: begin + (value - low) * scale, [low, high]


def _logarithmic(values: Sequence[float], begin: float, end: float) -> tuple[Place, list[float]]:
    """Return where values are, and the powers of ten, with more between where these are few."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    last = max(last, first + 1)
    scale = (end - begin) / (last - first)
    steps = (1, 2, 5) if last - first <= 2 else (1,)
    marks = [step * 10.0**power for power in range(first, last) for step in steps]
    return lambda value: begin + (math.log10(value) - first) * scale, [*marks, 10.0**last]


def _vertical(x: float, bottom: float, label: str) -> str:
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>'
    return line + _text(x, bottom + 18, label, "middle", "tick")


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "") -> str:
    shape = f' class="{css}"' if css else ""
    return f'<text{shape} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _file(title: str, height: int, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{''.join(_sheet())}</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>\n'
        f"{_text(12, 20, title, css='title')}\n{body}\n</svg>\n"
    )


def _sheet() -> Iterator[str]:
    yield f"\nsvg {{ {_variables(_LIGHT)} }}\n"
    yield f"@media (prefers-color-scheme: dark) {{ svg {{ {_variables(_DARK)} }} }}"
    yield _STYLE
    for number, colour in enumerate(COLOURS):
        yield f".c{number} {{ fill: var(--{colour}); stroke: var(--{colour}); stroke-width: 2; }}\n"
        yield f".l{number} {{ stroke: var(--{colour}); }}\n"


def _variables(colours: dict[str, str]) -> str:
    used = ("paper", "text", "muted", "grid", *COLOURS)
    return " ".join(f"--{name}: {colours[name]};" for name in used)
