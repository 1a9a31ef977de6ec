"""How well similarities agree with a model that saw the pictures and graded pairs of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import GalleryError
from scripts.evaluation.chapter import Figures, bounds
from scripts.evaluation.datasets import LabelledPhoto
from scripts.evaluation.galleries import enrol
from scripts.evaluation.intervals import Interval, by_people, numbered, resampled_people
from scripts.evaluation.material import Material

PAIRS = "likeness/pairs.csv"
GRADED = ("headshots", "gallery", "kpop_portraits")  # whose photos the pairs are of
COMPARED = {  # what a visitor's photo is compared with
    "photo": "the graded photo",
    "template": "the actor's template, as the app does",
}


@dataclass(frozen=True, eq=False)
class GradedPairs:
    """N pairs of photos and how alike they look, by a model that saw the pictures."""

    visitors: tuple[str, ...]  # N, files below the data's folder
    candidates: tuple[str, ...]  # N
    grade: NDArray[np.int64]  # (N,) 0 absurd - 3 striking
    again: NDArray[np.int64]  # (N,) a second grading; -1 where there is none
    better: NDArray[np.bool_]  # (N,) the better of the two of its visitor; neither in a tie


def read_graded(material: Material) -> GradedPairs:
    """The graded pairs beside the photos.

    Raises:
        GalleryError: the list is missing or is not what it should be.
    """
    path = material.data / PAIRS
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return GradedPairs(
            visitors=tuple(row["visitor"] for row in rows),
            candidates=tuple(row["candidate"] for row in rows),
            grade=np.array([int(row["grade"]) for row in rows]),
            again=np.array([int(row["grade2"] or -1) for row in rows]),
            better=np.array([row["better"] == "1" for row in rows]),
        )
    except (OSError, KeyError, ValueError) as error:
        raise GalleryError(f"{path} cannot be used ({type(error).__name__}: {error})") from error


def rank_correlation(
    one: NDArray[np.floating], other: NDArray[np.integer] | NDArray[np.floating]
) -> float:
    """Spearman's, -1 to 1; equal values share the mean of their ranks."""
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def correlation_by_visitors(
    one: NDArray[np.floating], other: NDArray[np.integer], visitors: Iterable[str]
) -> Interval:
    """The rank correlation; its 95 % interval by drawing visitors anew, with all their pairs."""
    numbers = numbered(list(visitors))
    drawn = []
    for times in resampled_people(int(numbers.max()) + 1):
        rows = np.repeat(np.arange(len(numbers)), times[numbers])
        drawn.append(rank_correlation(one[rows], other[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(rank_correlation(one, other), float(low), float(high))


def better_named(
    similarities: NDArray[np.floating], pairs: GradedPairs
) -> tuple[NDArray[np.bool_], list[str]]:
    """Whether the better of a visitor's two is the more similar; and whose it is. No ties."""
    named, whose = [], []
    for visitor in dict.fromkeys(pairs.visitors):
        rows = [row for row, name in enumerate(pairs.visitors) if name == visitor]
        better = [row for row in rows if pairs.better[row]]
        if len(better) == 1:
            others = [similarities[row] for row in rows if row != better[0]]
            named.append(bool(similarities[better[0]] > max(others)))
            whose.append(visitor)
    return np.array(named, np.bool_), whose


def pair_similarities(
    material: Material, pairs: GradedPairs, *, templates: bool = False
) -> NDArray[np.float64]:
    """(N,) cosine of the two photos that were graded; or of the visitor's and the actor's template.

    The chosen face of each photo.
    """
    vectors = {}
    for name in GRADED:
        measured = material.measured(name)
        for photo, face in zip(material.photos(name), measured.chosen(), strict=True):
            vectors[_below(material, photo)] = measured.embeddings[face]
    visitors = np.stack([vectors[visitor] for visitor in pairs.visitors])
    if not templates:
        candidates = np.stack([vectors[candidate] for candidate in pairs.candidates])
        return np.sum(visitors.astype(np.float64) * candidates, axis=1)
    gallery = enrol(material.everyone)
    numbers = [gallery.actors.index(one.split("/")[1]) for one in pairs.candidates]
    return gallery.similarities(visitors)[np.arange(len(numbers)), numbers]


def _below(material: Material, photo: LabelledPhoto) -> str:
    """As the list of pairs names it."""
    return photo.path.relative_to(material.data).as_posix()


def graded(name: str, material: Material, pairs: GradedPairs) -> Figures:
    """Correlation with the grades, and whether the better of two is the closer."""
    figures: Figures = {}
    for kind in COMPARED:
        similarities = pair_similarities(material, pairs, templates=kind == "template")
        found = correlation_by_visitors(similarities, pairs.grade, pairs.visitors)
        named, whose = better_named(similarities, pairs)
        start = f"likeness.{name}.{kind}"
        figures |= {
            f"{start}.graded": found.value,
            **bounds(f"{start}.graded", found),
            f"{start}.better": [int(named.sum()), len(named)],
            **bounds(f"{start}.better", by_people(named, whose)),
        }
    return figures


def second_grading(pairs: GradedPairs) -> Figures:
    """How well the model agrees with itself."""
    twice = pairs.again >= 0
    visitors = np.array(pairs.visitors)[twice].tolist()
    found = correlation_by_visitors(
        pairs.again[twice].astype(np.float64), pairs.grade[twice], visitors
    )
    return {
        "likeness.pairs": len(pairs.grade),
        "likeness.pairs_twice": int(twice.sum()),
        "likeness.again.photo.graded": found.value,
        **bounds("likeness.again.photo.graded", found),
    }
