"""Statistics of repeated measurements. What is compared was taken in turns, so samples pair up."""

from __future__ import annotations

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


def ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the ratio of the medians."""
    return statistics.median(ours) / statistics.median(others)


def interval(ours: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of ``ratio``, by drawing the pairs again with replacement."""
    pairs = list(zip(ours, others, strict=True))
    chance = random.Random(_SEED)
    ratios = []
    for _ in range(_RESAMPLES):
        drawn = chance.choices(pairs, k=len(pairs))
        ratios.append(ratio([one for one, _ in drawn], [other for _, other in drawn]))
    return percentile(ratios, 2.5), percentile(ratios, 97.5)
