"""`make bench-docs`: a run's numbers as docs/PERFORMANCE.md, its charts, and those in the README.

    python -m tests.bench.document [FILE]       build/bench.json, unless another is named

The run is kept beside the page, as docs/performance/bench.json, so that a test can compare. The
same run gives the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.bench import charts
from tests.bench.charts import Dot, Line
from tests.bench.rows import Bar, Row, figure

CHECKOUT = Path(__file__).resolve().parents[2]
RUN = CHECKOUT / "build" / "bench.json"
KEPT = "docs/performance/bench.json"
PAGE = "docs/PERFORMANCE.md"
README = "README.md"
BEGIN, END = "<!-- numbers of docs/PERFORMANCE.md -->\n", "<!-- end of numbers -->\n"
_TEMPLATE = Path(__file__).with_name("performance.md")
_FLOOR = "python3 -IS -c pass"
_FAR = ", 25 ms away"
_OTHERWISE = (", from a file", ", 200 kB", ", 20 MB from a file")  # other series of waits
_SHOWN = {  # in the README: part, row, and which of its facts
    "drop": ("wait", "sesmail, drop"),
    "drop_ms": ("wait", "sesmail, drop", "ms"),
    "relay": ("wait", "sesmail, relay to /bin/true"),
    "msmtp": ("wait", f"sesmail, drop / msmtp{_FAR}"),
    "api": ("drain", "sesmail by API, 50 ms"),
    "bare": ("drain", "sesmail by API / bare loop: messages/s, 50 ms"),
    "smtp": ("drain", "sesmail by SMTP, 25 ms"),
    "postfix": ("drain", "sesmail by SMTP / Postfix: messages/s, 25 ms"),
    "take": ("scale", "take one more: 1,000,000 / 1,000"),
    "first": ("scale", "start until the first message, 1,000,000"),
    "memory": ("scale", "RSS while delivering, 1,000,000"),
}
_NUMBERS = Template("""\
- A caller waits $drop times as long as Python takes to start, $drop_ms ms, until the message is
  safe on the disk, and $relay times as long where the mail is not for SES. With the server 25 ms
  away, that is $msmtp of the wait for msmtp.
- The daemon sends $api messages a second over a round trip of 50 ms, $bare times what a bare loop
  of `send_email` does; by SMTP $smtp over 25 ms, $postfix times what Postfix does.
- With a million messages waiting it takes one more in $take times the time it needs with a
  thousand, sends the first $first s after its start, and takes $memory MiB while it delivers.
""")
_HEAD = (
    "| what | median | 10-90 % | 99 % of the ratio | bar | besides |\n|---|---|---|---|---|---|\n"
)


class NotForThePage(Exception):
    """Why a run cannot be shown."""


@dataclass(frozen=True)
class Run:
    """What run.py wrote; ``text`` is its file."""

    text: str
    machine: dict[str, object]
    rows: list[Row]

    @classmethod
    def read(cls, text: str) -> Run:
        """Read it. Raises NotForThePage for one in two minutes."""
        document = json.loads(text)
        if document["machine"]["quick"]:
            raise NotForThePage("that was a quick run, whose numbers say little: make bench")
        return cls(text, document["machine"], [_row(row) for row in document["rows"]])

    def part(self, name: str) -> list[Row]:
        """Return the rows of a part."""
        return [row for row in self.rows if row.part == name]

    def value(self, part: str, name: str, fact: str = "") -> str:
        """Return a number as it is shown. Raises NotForThePage where it was not measured."""
        for row in self.rows:
            value = row.facts.get(fact) if fact else row.value
            if (row.part, row.name) == (part, name) and value is not None:
                return figure(value)
        raise NotForThePage(f"the run has no {part}: {name}; one of all parts is needed")


def _row(document: dict[str, object]) -> Row:
    bar = document.pop("bar")
    return Row(**document, bar=Bar(**bar) if isinstance(bar, dict) else None)  # type: ignore[arg-type]


def files(run: Run) -> dict[str, str]:
    """Return all files but the README, by their names in the checkout."""
    return {
        PAGE: _page(run),
        KEPT: run.text,
        "docs/performance/wait.svg": _waits(run.part("wait")),
        "docs/performance/drain.svg": _drains(run.part("drain")),
        "docs/performance/scale.svg": _scales(run.part("scale")),
    }


def with_numbers(readme: str, run: Run) -> str:
    """Return the README with the numbers of this run between its two marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NotForThePage(f"README.md has no place for numbers: {BEGIN}{END}")
    return f"{before}{BEGIN}{_numbers(run)}{END}{after}"


def _numbers(run: Run) -> str:
    return _NUMBERS.substitute({name: run.value(*where) for name, where in _SHOWN.items()})


# The page.


def _page(run: Run) -> str:
    template = Template(_TEMPLATE.read_text())
    parts = list(dict.fromkeys(row.part for row in run.rows))
    placed = set(template.get_identifiers())
    tables = {f"table_{part}": _table(run.part(part)) for part in parts}
    rest = [table for name, table in tables.items() if name not in placed]
    missing = sorted(
        name for name in placed if name.startswith("table_") and name not in {*tables, "table_rest"}
    )
    if missing:
        raise NotForThePage(f"the run lacks {', '.join(missing)}: one of all parts is needed")
    words = {name: str(value) for name, value in run.machine.items()}
    if words["moved"]:
        words["moved"] = (
            f" Of this one it said: {words['moved']}. What was measured in turns stands."
        )
    text = template.substitute(
        words, **tables, table_rest="\n\n".join(rest), bars="\n".join(_bars(run.rows))
    )
    return text.replace("\n\n\n\n", "\n\n")


def _table(rows: Sequence[Row]) -> str:
    return _HEAD + "\n".join(_cells(row) for row in rows)


def _cells(row: Row) -> str:
    value = "-" if row.value is None else f"{figure(row.value)} {row.unit}"
    besides = [f"{figure(number)} {what}" for what, number in row.facts.items()]
    note = "; ".join(filter(None, [", ".join(besides), row.note, _reason(row)]))
    cells = [row.name, value, _range(row.p10, row.p90), _range(row.low, row.high), _bar(row), note]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{figure(low)}-{figure(high)}"


def _bar(row: Row) -> str:
    if row.bar is None:
        return ""
    if row.value is None:
        return f"{row.bar}, not measured"
    return f"{row.bar}, **missed**" if row.is_missed() else f"{row.bar}"


def _reason(row: Row) -> str:
    return row.missed if row.is_missed() else ""


def _bars(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each reason, with the rows that share it."""
    names: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.bar is not None and row.bar.why:
            names.setdefault((f"{row.bar}", row.bar.why), []).append(row.name)
    for (bar, why), some in names.items():
        yield f"- {'; '.join(some)}; {bar}: {why}."


# The charts.


def _waits(rows: Sequence[Row]) -> str:
    """Draw the waits; of those who talk to the server meanwhile, at a distance."""
    measured = {row.name: row for row in rows if "ms" in row.facts and row.value}
    near = [name for name in measured if not name.endswith((_FAR, *_OTHERWISE))]
    items = [_dot(name, measured.get(f"{name}{_FAR}", measured[name])) for name in near]
    items.sort(key=lambda item: item.value)
    return charts.dots(
        "What the caller waits for; the server is 25 ms away",
        "ms",
        items,
        measured[_FLOOR].facts["ms"],
    )


def _dot(name: str, row: Row) -> Dot:
    """Return a row's dot: its spread is that of the ratio to the floor."""
    milliseconds, value = row.facts["ms"], row.value or 1.0
    low, high = (
        milliseconds * (share or value) / value if value else milliseconds
        for share in (row.p10, row.p90)
    )
    return Dot(name, milliseconds, low, high, is_ours=name.startswith("sesmail"))


def _drains(rows: Sequence[Row]) -> str:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        name, _, latency = row.name.rpartition(", ")
        if row.unit == "messages/s" and latency.endswith(" ms") and row.value:
            points.setdefault(name, []).append((float(latency[:-3]), row.value))
    series = [Line(name, some) for name, some in points.items()]
    return charts.lines("A queue emptied", "ms of a round trip", "messages a second", series)


def _scales(rows: Sequence[Row]) -> str:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        name, _, length = row.name.rpartition(", ")
        number = length.replace(",", "")
        if row.unit == "ms" and number.isdigit() and row.value and not name.startswith("commit"):
            points.setdefault(name, []).append((float(number), row.value))
    series = [Line(name, some) for name, some in points.items()]
    return charts.lines(
        "What one thing costs, without the flush of the disk",
        "messages in the queue",
        "ms",
        series,
        is_x_log=True,
    )


def main(words: Sequence[str]) -> int:
    """Write the files; return the exit code."""
    try:
        run = Run.read(Path(words[0] if words else RUN).read_text())
        written = files(run) | {README: with_numbers((CHECKOUT / README).read_text(), run)}
    except (NotForThePage, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for name, text in written.items():
        (CHECKOUT / name).parent.mkdir(exist_ok=True)
        (CHECKOUT / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
