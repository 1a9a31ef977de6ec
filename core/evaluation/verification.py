"""Are two photos of one person? On the pairs of Labeled Faces in the Wild, end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.datasets import Pairs
from core.evaluation.intervals import Interval, by_people, numbered, resampled_people
from core.evaluation.measured import MeasuredSet

RATES = (1e-3, 1e-4)  # false-accept rates at which true accepts are counted
# The highest cross-identity similarities, which alone can decide those: a share, and at least.
KEPT, LEAST_KEPT = 0.02, 10_000
RESAMPLES = 200
MISSING = -2.0  # similarity of a pair with a photo in which no face was found


@dataclass(frozen=True)
class Verified:
    """Pairs told right, the threshold chosen on other pairs."""

    pairs: int
    errors: int
    without_face: int  # pairs with a photo in which no face was found: errors, all of them
    threshold: float
    accuracy: Interval


@dataclass(frozen=True)
class TrueAccepts:
    """All pairs of all photos: how many of the same person pass."""

    rate: float  # share of pairs of two people that pass too
    threshold: float
    share: Interval  # of pairs of one person


def similarities_of(
    measured: MeasuredSet, pairs: Pairs, vectors: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(N,) cosine of each pair; MISSING where a face was not found."""
    faces = measured.chosen()
    first, second = faces[pairs.first], faces[pairs.second]
    cosines = np.sum(vectors[first].astype(np.float64) * vectors[second], axis=1)
    found: NDArray[np.float64] = np.where((first >= 0) & (second >= 0), cosines, MISSING)
    return found


def best_threshold(similarities: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """A threshold with the fewest errors, the middle one where several have as few."""
    order = np.argsort(similarities)
    ranked, truth = similarities[order], same[order]
    # With the cut below position i: the same-person pairs before it and the others after it.
    errors = np.concatenate([[0], np.cumsum(truth)]) + np.concatenate(
        [np.cumsum(~truth[::-1])[::-1], [0]]
    )
    edges = np.concatenate([[ranked[0]], (ranked[1:] + ranked[:-1]) / 2, [ranked[-1] + 1e-6]])
    best = np.flatnonzero(errors == errors.min())
    return float(edges[best[len(best) // 2]])


def verify(
    measured: MeasuredSet,
    learn: Pairs,
    test: Pairs,
    vectors: NDArray[np.float32],
    threshold: float | None = None,
) -> Verified:
    """Choose a threshold on some pairs, or take the one given, and count errors on others."""
    if threshold is None:
        threshold = best_threshold(similarities_of(measured, learn, vectors), learn.same)
    found = similarities_of(measured, test, vectors)
    missing = found == MISSING
    right = ((found >= threshold) == test.same) & ~missing
    people = [measured.people[photo] for photo in test.first]
    return Verified(
        pairs=len(right),
        errors=int((~right).sum()),
        without_face=int(missing.sum()),
        threshold=threshold,
        accuracy=by_people(right, people),
    )


def equal_error_rate(
    measured: MeasuredSet, pairs: Pairs, vectors: NDArray[np.float32]
) -> tuple[float, Interval]:
    """The threshold at which both kinds of pairs fail equally often, and how often."""
    found = similarities_of(measured, pairs, vectors)
    same, other = np.sort(found[pairs.same]), np.sort(found[~pairs.same])
    missed = np.searchsorted(same, other, side="left") / len(same)
    passed = 1 - np.arange(len(other)) / len(other)
    cut = int(np.abs(missed - passed).argmin())
    threshold = float(other[cut])
    wrong = (found >= threshold) != pairs.same
    return threshold, by_people(wrong, [measured.people[photo] for photo in pairs.first])


def true_accepts(measured: MeasuredSet, vectors: NDArray[np.float32]) -> list[TrueAccepts]:
    """Over every pair of photos of the set; a photo without a face passes with nobody."""
    faces = measured.chosen()
    people = numbered(measured.people)
    same, same_person, crossed, first, second = _all_pairs(vectors[faces], faces >= 0, people)
    plain = np.ones(people.max() + 1)
    photos = np.bincount(people)
    results = []
    for rate in RATES:
        weights = resampled_people(len(plain), RESAMPLES).astype(np.float64)
        cuts = [
            _cut(crossed, w[first] * w[second], _crossed_weight(w, photos) * rate)
            for w in (plain, *weights)
        ]
        shares = [
            float(np.sum(w[same_person] * (same >= cut)) / np.sum(w[same_person]))
            for w, cut in zip((plain, *weights), cuts, strict=True)
        ]
        low, high = np.percentile(shares[1:], [2.5, 97.5])
        results.append(TrueAccepts(rate, cuts[0], Interval(shares[0], float(low), float(high))))
    return results


def _all_pairs(
    vectors: NDArray[np.float32], found: NDArray[np.bool_], people: NDArray[np.intp]
) -> tuple[NDArray[Any], ...]:
    """Similarities within a person with whose, and the highest across people with both."""
    cosines = vectors @ vectors.T
    cosines[~found] = cosines[:, ~found] = MISSING
    rows, columns = np.triu_indices(len(vectors), 1)
    values = cosines[rows, columns]
    alike = people[rows] == people[columns]
    crossed = np.flatnonzero(~alike)
    kept = crossed[np.argsort(-values[crossed])[: max(LEAST_KEPT, int(KEPT * len(crossed)))]]
    return (
        values[alike].astype(np.float64), people[rows[alike]],
        values[kept].astype(np.float64), people[rows[kept]], people[columns[kept]],
    )  # fmt: skip


def _crossed_weight(weights: NDArray[np.float64], photos: NDArray[np.int64]) -> float:
    """How many pairs of two people there are when each person counts `weights` times."""
    counts = weights * photos
    return float((counts.sum() ** 2 - np.sum(counts**2)) / 2)


def _cut(descending: NDArray[np.float64], weights: NDArray[np.float64], allowed: float) -> float:
    """The lowest threshold that lets no more than the allowed weight pass."""
    passed = np.cumsum(weights)
    position = min(int(np.searchsorted(passed, allowed, side="right")), len(descending) - 1)
    return float(np.nextafter(descending[position], 2))
