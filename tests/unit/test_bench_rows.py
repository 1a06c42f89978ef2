"""The statistics and rows of the benchmarks."""

from __future__ import annotations

import pytest

from tests.bench import rows, samples


def test_percentile_lies_between_two_samples() -> None:
    """As a ruler over the sorted samples has it."""
    assert samples.percentile([4.0, 1.0, 3.0, 2.0, 5.0], 50) == 3.0
    assert samples.percentile([1.0, 2.0], 10) == pytest.approx(1.1)
    assert samples.percentile([7.0], 90) == 7.0


def test_interval_holds_the_ratio_and_is_the_same_every_time() -> None:
    """The chance has a seed."""
    ours = [2.0, 2.2, 1.9, 2.1, 2.4, 1.8, 2.0]
    others = [1.0, 1.1, 0.9, 1.0, 1.2, 1.0, 0.8]
    low, high = samples.interval(ours, others)
    assert low < samples.ratio(ours, others) < high
    assert (low, high) == samples.interval(ours, others)


def test_interval_draws_pairs() -> None:
    """Where both sides slow down together, the ratio is certain."""
    others = [1.0, 2.0, 5.0, 1.5]
    low, high = samples.interval([2 * other for other in others], others)
    assert low == pytest.approx(2)
    assert high == pytest.approx(2)


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
