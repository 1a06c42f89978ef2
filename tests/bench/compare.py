"""Two runs on the same machine: which ratios differ by more than their intervals are wide.

    python -m tests.bench.compare ONE.json OTHER.json

Prints them, and ends with 1 if there are any: then one of the runs was disturbed, or an interval
promises more than it can. A ratio without an interval must be the same as it is printed. Rows of
one run alone are told too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.document import Run
from tests.bench.rows import RATIO, Row, figure


def differences(one: Run, other: Run) -> Iterator[str]:
    """Yield a line for each ratio that differs, or cannot be compared."""
    ones, others = _ratios(one), _ratios(other)
    for name in sorted(ones.keys() ^ others.keys()):
        yield f"{name}: in one of them only"
    for name in sorted(ones.keys() & others.keys()):
        values = [row.value for row in (ones[name], others[name])]
        widths = [width for row in (ones[name], others[name]) if (width := _width(row)) is not None]
        if values[0] is None or values[1] is None:
            if values != [None, None]:
                yield f"{name}: not measured in one of them"
        elif not widths:
            if figure(values[0]) != figure(values[1]):
                yield f"{name}: {figure(values[0])} and {figure(values[1])}, without an interval"
        elif abs(values[0] - values[1]) > max(widths):
            widest = figure(max(widths))
            yield f"{name}: {figure(values[0])} and {figure(values[1])}, an interval of {widest}"


def _ratios(run: Run) -> dict[str, Row]:
    return {f"{row.part}: {row.name}": row for row in run.rows if row.unit == RATIO}


def _width(row: Row) -> float | None:
    return None if row.low is None or row.high is None else row.high - row.low


def main(words: Sequence[str]) -> int:
    """Compare two files; return the exit code."""
    one, other = (Run.read(Path(word).read_text()) for word in words)
    lines = list(differences(one, other))
    print("\n".join(lines) or "no ratio differs by more than its interval")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
