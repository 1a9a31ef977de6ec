"""Chapter: whether two photos of one person are told from photos of two.

On the pairs of Labeled Faces in the Wild, end to end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.chapter import (
    Figures,
    bounds,
    count_of,
    rate,
    share_of,
    table,
    with_interval,
)
from scripts.evaluation.datasets import LFW, Pairs
from scripts.evaluation.intervals import Interval, by_people, numbered, resampled_people
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet

TITLE = "The same person, or two?"
RATES = (1e-3, 1e-4)  # false-accept rates at which true accepts are counted
# The highest cross-identity similarities, which alone can decide those: a share, and at least.
KEPT, LEAST_KEPT = 0.02, 10_000
RESAMPLES = 200
MISSING = -2.0  # similarity of a pair with a photo in which no face was found


@dataclass(frozen=True)
class Verified:
    """Pairs told right, the threshold chosen on other pairs."""

    pairs: int
    right: int
    without_face: int  # pairs with a photo in which no face was found
    accuracy: Interval


@dataclass(frozen=True)
class TrueAccepts:
    """All pairs of all photos: how many of the same person pass."""

    rate: float  # share of pairs of two people that pass too
    threshold: float
    pairs: int  # of one person
    passed: int
    share: Interval  # of them


def similarities_of(measured: MeasuredSet, pairs: Pairs) -> NDArray[np.float64]:
    """(N,) cosine of each pair; MISSING where a face was not found."""
    faces, vectors = measured.chosen(), measured.embeddings
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


def verify(measured: MeasuredSet, pairs: Pairs, threshold: float) -> Verified:
    """Count errors; a pair with a photo in which no face was found is one."""
    found = similarities_of(measured, pairs)
    missing = found == MISSING
    right = ((found >= threshold) == pairs.same) & ~missing
    people = [measured.people[photo] for photo in pairs.first]
    return Verified(
        pairs=len(right),
        right=int(right.sum()),
        without_face=int(missing.sum()),
        accuracy=by_people(right, people),
    )


def equal_error_rate(measured: MeasuredSet, pairs: Pairs) -> tuple[float, Interval]:
    """The threshold at which both kinds of pairs fail equally often, and how often."""
    found = similarities_of(measured, pairs)
    same, other = np.sort(found[pairs.same]), np.sort(found[~pairs.same])
    missed = np.searchsorted(same, other, side="left") / len(same)
    passed = 1 - np.arange(len(other)) / len(other)
    cut = int(np.abs(missed - passed).argmin())
    threshold = float(other[cut])
    wrong = (found >= threshold) != pairs.same
    return threshold, by_people(wrong, [measured.people[photo] for photo in pairs.first])


def true_accepts(measured: MeasuredSet) -> list[TrueAccepts]:
    """Over every pair of photos of the set; a photo without a face passes with nobody."""
    faces = measured.chosen()
    people = numbered(measured.people)
    same, same_person, crossed, first, second = _all_pairs(
        measured.embeddings[faces], faces >= 0, people
    )
    plain = np.ones(people.max() + 1)
    photos = np.bincount(people)
    results = []
    for allowed in RATES:
        weights = resampled_people(len(plain), RESAMPLES).astype(np.float64)
        cuts = [
            _cut(crossed, w[first] * w[second], _crossed_weight(w, photos) * allowed)
            for w in (plain, *weights)
        ]
        shares = [
            float(np.sum(w[same_person] * (same >= cut)) / np.sum(w[same_person]))
            for w, cut in zip((plain, *weights), cuts, strict=True)
        ]
        low, high = np.percentile(shares[1:], [2.5, 97.5])
        share = Interval(shares[0], float(low), float(high))
        passed = int(np.sum(same >= cuts[0]))
        results.append(TrueAccepts(allowed, cuts[0], len(same), passed, share))
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


def measure(material: Material) -> Figures:
    """Accuracy, equal error rate and true accepts on LFW, with intervals."""
    measured, learn, test = material.measured(LFW), material.learn, material.test
    threshold = best_threshold(similarities_of(measured, learn), learn.same)
    missing = measured.chosen() < 0
    figures: Figures = {
        "lfw.threshold": threshold,
        "lfw.no_face": [int(missing.sum()), len(missing)],
    }
    for name, pairs in (("test", test), ("all", learn.and_of(test))):
        found = verify(measured, pairs, threshold)
        figures |= {
            f"lfw.{name}": [found.right, found.pairs],
            f"lfw.{name}.no_face": found.without_face,
            **bounds(f"lfw.{name}", found.accuracy),
        }
    cut, equal = equal_error_rate(measured, learn.and_of(test))
    asked = len(learn.same) + len(test.same)
    figures |= {"lfw.eer": [round(equal.value * asked), asked], "lfw.eer.threshold": cut}
    figures |= bounds("lfw.eer", equal)
    for one in true_accepts(measured):
        name = f"lfw.true_accepts_{one.rate:g}"
        figures |= {name: [one.passed, one.pairs], f"{name}.threshold": one.threshold}
        figures |= bounds(name, one.share)
    return figures


def text(figures: Figures) -> tuple[str, ...]:
    """The chapter."""
    no_face, photos = figures["lfw.no_face"]
    chosen = f"{figures['lfw.threshold']:.3f}"
    rows = [
        [f"accuracy, {words}", count_of(figures[name]), with_interval(figures, name, 2), chosen]
        for name, words in (
            ("lfw.test", "`pairsDevTest`"), ("lfw.all", "whole development set"),
        )
    ] + [
        [words, "", with_interval(figures, name, 2), f"{figures[f'{name}.threshold']:.3f}"]
        for name, words in (
            ("lfw.eer", "equal error rate, whole development set"),
            *(
                (f"lfw.true_accepts_{allowed:g}",
                 f"true accepts at one false accept in {round(1 / allowed):,}")
                for allowed in RATES
            ),
        )
    ]  # fmt: skip
    return (
        "Labeled Faces in the Wild, development view, end to end: each photo is detected,"
        " aligned and embedded as a visitor's would be; its person is the face nearest the"
        " centre. The threshold is chosen on `pairsDevTrain`. A pair with a photo in which no"
        f" face is found counts as an error ({figures['lfw.all.no_face']} pairs,"
        f" {no_face} photos). True accepts are counted over every pair of the set's"
        f" {photos:,} photos. Intervals: 95 %, by drawing people anew.",
        table(["figure", "pairs right", "share (95 % interval)", "threshold"], rows),
    )


def headline(figures: Figures) -> str:
    """The share of pairs told right."""
    return rate(share_of(figures["lfw.all"]), 2)
