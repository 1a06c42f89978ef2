"""A line of the table: what was measured, how much it varied, and its bar."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench import samples

RATIO = "x"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bound for the value of a row, inclusive; ``why`` it is there, for whoever reads it."""

    value: float
    is_least: bool = False
    why: str = ""

    def is_missed(self, value: float) -> bool:
        """Tell whether a value is on the wrong side."""
        return value < self.value if self.is_least else value > self.value

    def __str__(self) -> str:
        """Return it for people to read."""
        return f"{'at least' if self.is_least else 'at most'} {figure(self.value)}"


def at_most(value: float, why: str = "") -> Bar:
    """Return the bar that a cost must not exceed."""
    return Bar(value, why=why)


def at_least(value: float, why: str = "") -> Bar:
    """Return the bar that a rate must reach."""
    return Bar(value, is_least=True, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured value, in ``unit``; no value where it could not be had, and the note says why.

    ``p10`` and ``p90``: between them lie four of five measurements. ``low`` and ``high``: the 99 %
    interval of a ratio. ``facts`` is what else was measured of the same thing, by its unit.
    ``missed`` is the reason why a bar is known to be missed: it is told, and the bar stays missed.
    """

    name: str
    value: float | None
    unit: str = RATIO
    p10: float | None = None
    p90: float | None = None
    low: float | None = None
    high: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    bar: Bar | None = None
    missed: str = ""
    note: str = ""
    part: str = ""  # the module that measured it; run.py fills it in

    def is_missed(self) -> bool:
        """Tell whether it is on the wrong side of its bar."""
        return self.bar is not None and self.value is not None and self.bar.is_missed(self.value)

    def line(self) -> str:
        """Return it for people to read."""
        value = "-" if self.value is None else f"{figure(self.value)} {self.unit}"
        spread = _range(self.p10, self.p90) and f"p10-p90 {_range(self.p10, self.p90)}"
        interval = _range(self.low, self.high) and f"99 % {_range(self.low, self.high)}"
        words = [f"{self.part}: {self.name}".ljust(64), value.rjust(16), spread, interval]
        words += [f"{amount} {unit}" for unit, amount in self._facts()]
        if self.bar is not None:
            words.append(f"[{self.bar}: {self._verdict()}]")
        return "  ".join(filter(None, [*words, self.note]))

    def _facts(self) -> list[tuple[str, str]]:
        return [(unit, figure(amount)) for unit, amount in self.facts.items()]

    def _verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if not self.is_missed():
            return "ok"
        return f"MISSED: {self.missed}" if self.missed else "MISSED"


def ratio(
    name: str,
    ours: Sequence[float],
    others: Sequence[float],
    *,
    facts: Mapping[str, float] | None = None,
    bar: Bar | None = None,
    missed: str = "",
    note: str = "",
) -> Row:
    """Return the row of the median ratio of pairs: of what was measured one after the other.

    So it stays what it is when the machine is slow for a while: that hits both.
    """
    ratios = [one / other for one, other in zip(ours, others, strict=True)]
    low, high = samples.interval(ratios)
    return Row(
        name=name,
        value=statistics.median(ratios),
        p10=samples.percentile(ratios, 10),
        p90=samples.percentile(ratios, 90),
        low=low,
        high=high,
        facts=facts or {},
        bar=bar,
        missed=missed,
        note=note,
    )


def amount(
    name: str,
    unit: str,
    measured: Sequence[float],
    *,
    facts: Mapping[str, float] | None = None,
    bar: Bar | None = None,
    note: str = "",
) -> Row:
    """Return the row of a median."""
    return Row(
        name=name,
        value=statistics.median(measured),
        unit=unit,
        p10=samples.percentile(measured, 10),
        p90=samples.percentile(measured, 90),
        facts=facts or {},
        bar=bar,
        note=note,
    )


def absent(name: str, why: str) -> Row:
    """Return the row of what cannot be had here."""
    return Row(name=name, value=None, note=f"not here: {why}")


def figure(value: float) -> str:
    """Return three digits, or all before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{figure(low)}-{figure(high)}"
