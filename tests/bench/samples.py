"""Statistics of repeated measurements."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence

_RESAMPLES = 2000
_SEED = 1  # the same samples give the same interval


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return what so many percent of the samples lie below, between two of them if need be."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def interval(measured: Sequence[float]) -> tuple[float, float]:
    """Return the 99 % interval of the median, by drawing samples again with replacement.

    They are drawn in blocks of neighbours, each as long as the root of their number (the circular
    bootstrap of Politis and Romano): a machine that drifts makes neighbours alike, and samples
    drawn one by one would promise more than that allows. 99 %, for a hundred ratios are compared.
    """
    length = round(math.sqrt(len(measured)))
    circle = [*measured, *measured[: length - 1]]
    chance = random.Random(_SEED)
    medians = []
    for _ in range(_RESAMPLES):
        drawn: list[float] = []
        while len(drawn) < len(measured):
            start = chance.randrange(len(measured))
            drawn += circle[start : start + length]
        medians.append(statistics.median(drawn[: len(measured)]))
    return percentile(medians, 0.5), percentile(medians, 99.5)
