"""Are two photos of one person? On the pairs of Labeled Faces in the Wild, end to end.

Chapter: whether two photos of one person are told from photos of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.chapter import Chapter, count_of, table, with_interval
from scripts.evaluation.datasets import LFW, Pairs
from scripts.evaluation.intervals import Interval, by_people, numbered, resampled_people
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet

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


def chapter(material: Material) -> Chapter:
    """Accuracy, EER and true-accept rates on LFW, with intervals."""
    measured = material.sets[LFW]
    vectors = measured.embeddings
    whole = both(material.learn, material.test)
    tested = verify(measured, material.learn, material.test, vectors)
    half = Pairs(*(column[::2] for column in vars(material.test).values()))
    every_second = verify(measured, material.learn, half, vectors)
    all_pairs = verify(measured, material.learn, whole, vectors)
    cut, equal = equal_error_rate(measured, whole, vectors)
    accepts = true_accepts(measured, vectors)
    rows = [
        ["accuracy, `pairsDevTest`", count_of(tested.pairs - tested.errors, tested.pairs),
         with_interval(tested.accuracy, 2), f"{tested.threshold:.3f}"],
        ["accuracy, whole development set", count_of(all_pairs.pairs - all_pairs.errors,
         all_pairs.pairs), with_interval(all_pairs.accuracy, 2), f"{all_pairs.threshold:.3f}"],
        ["equal error rate, whole development set", "", with_interval(equal, 2), f"{cut:.3f}"],
        *(
            [f"true accepts at one false accept in {round(1 / one.rate):,}", "",
             with_interval(one.share, 2), f"{one.threshold:.3f}"]
            for one in accepts
        ),
    ]  # fmt: skip
    faces = int((measured.chosen() < 0).sum())
    return Chapter(
        "The same person, or two?",
        (
            "Labeled Faces in the Wild, development view, end to end: each photo is detected,"
            " aligned and embedded as a visitor's would be; its person is the face nearest the"
            " centre. The threshold is chosen on `pairsDevTrain`. A pair with a photo in which no"
            f" face is found counts as an error ({all_pairs.without_face} pairs, {faces} photos)."
            " True accepts are counted over every pair of the set's"
            f" {len(measured.people):,} photos. Intervals: 95 %, by drawing people anew.",
            table(["figure", "pairs right", "share (95 % interval)", "threshold"], rows),
        ),
        {
            "lfw.threshold": tested.threshold,
            "lfw.test_accuracy": tested.accuracy.value,
            "lfw.test_accuracy_every_second": every_second.accuracy.value,  # for the test suite
            "lfw.accuracy": all_pairs.accuracy.value,
            "lfw.eer": equal.value,
            **{f"lfw.true_accepts_{one.rate:g}": one.share.value for one in accepts},
        },
    )


def both(one: Pairs, other: Pairs) -> Pairs:
    """Both lists' pairs."""
    return Pairs(
        np.concatenate([one.first, other.first]),
        np.concatenate([one.second, other.second]),
        np.concatenate([one.same, other.same]),
    )
