"""The statistics and rows of the benchmarks."""

from __future__ import annotations

import statistics

import pytest

from tests.bench import rows, samples


def test_percentile_lies_between_two_samples() -> None:
    """As a ruler over the sorted samples has it."""
    assert samples.percentile([4.0, 1.0, 3.0, 2.0, 5.0], 50) == 3.0
    assert samples.percentile([1.0, 2.0], 10) == pytest.approx(1.1)
    assert samples.percentile([7.0], 90) == 7.0


def test_interval_holds_the_median_and_is_the_same_every_time() -> None:
    """The chance has a seed."""
    measured = [2.0, 2.2, 1.9, 2.1, 2.4, 1.8, 2.05, 1.95, 2.3, 2.15]
    low, high = samples.interval(measured)
    assert low < statistics.median(measured) < high
    assert (low, high) == samples.interval(measured)


def test_interval_draws_neighbours_together() -> None:
    """A machine that drifts makes them alike: 100 samples of it are not 100 witnesses."""
    drifting = [1.0] * 40 + [1.2] * 60
    mixed = [each for _ in range(20) for each in (1.2, 1.0, 1.2, 1.0, 1.2)]
    assert sorted(mixed) == drifting
    assert samples.interval(drifting) == (1.0, 1.2)
    assert samples.interval(mixed) == (1.2, 1.2)


def test_a_ratio_is_of_pairs() -> None:
    """Where both sides slow down together, it is certain."""
    row = rows.ratio("drop", [2.0, 4.0, 10.0, 3.0], [1.0, 2.0, 5.0, 1.5])
    assert row.value == row.low == row.high == 2


@pytest.mark.parametrize(
    ("bar", "value", "is_missed"),
    [
        (rows.at_most(1.7), 1.7, False),
        (rows.at_most(1.7), 1.71, True),
        (rows.at_least(0.75), 0.75, False),
        (rows.at_least(0.75), 0.74, True),
    ],
)
def test_bars(bar: rows.Bar, value: float, is_missed: bool) -> None:
    """A bar belongs to the good side."""
    assert rows.Row(name="x", value=value, bar=bar).is_missed() == is_missed


def test_what_is_not_here_misses_no_bar() -> None:
    """It says why instead."""
    row = rows.absent("msmtp", "no network")
    assert not row.is_missed()
    assert "not here: no network" in row.line()


def test_a_line_says_all_that_a_row_has() -> None:
    """A missed bar stays missed, with its reason."""
    bar = rows.at_most(1.7, "callers wait")
    row = rows.ratio("drop", [2.0, 2.0], [1.0, 1.0], facts={"ms": 12.34}, bar=bar, note="a note")
    assert row.value == row.p10 == row.p90 == row.low == row.high == 2
    for words in ("drop", "2 x", "12.3 ms", "[at most 1.7: MISSED]", "a note"):
        assert words in row.line()
