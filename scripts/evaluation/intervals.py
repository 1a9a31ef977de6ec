"""How far a figure may be off by the luck of who is in the sample: 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEED = 20260  # of every draw, so that a report can be made again
RESAMPLES = 1000
Z = 1.959964  # 97.5 % of a normal distribution lie below


@dataclass(frozen=True)
class Interval:
    """A share with its 95 % interval, 0-1 each."""

    value: float
    low: float
    high: float


def wilson(count: int, total: int) -> Interval:
    """Interval of a share of independent photos (Wilson, 1927)."""
    share = count / total
    spread = Z * math.sqrt(share * (1 - share) / total + Z**2 / (4 * total**2))
    middle, scale = share + Z**2 / (2 * total), 1 + Z**2 / total
    return Interval(share, max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def numbered(people: Sequence[str]) -> NDArray[np.intp]:
    """(N,) each person's number, in the order of names."""
    numbers: NDArray[np.intp] = np.unique(np.asarray(people), return_inverse=True)[1]
    return numbers


def resampled_people(people: int, times: int = RESAMPLES) -> NDArray[np.int64]:
    """(times, people) how often each is drawn, with replacement, as many as there are."""
    random = np.random.default_rng(SEED)
    return random.multinomial(people, np.full(people, 1 / people), size=times)


def by_people(values: NDArray[np.floating] | NDArray[np.bool_], people: Sequence[str]) -> Interval:
    """Interval of a mean, people drawn anew: photos of one person stand or fall together."""
    numbers = numbered(people)
    sums = np.bincount(numbers, values.astype(np.float64))
    counts = np.bincount(numbers)
    draws = resampled_people(len(counts))
    means = (draws @ sums) / np.maximum(draws @ counts, 1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))
