"""Whether a score of p or more comes as often as it says, for people not in the gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.enrolled import Gallery, Portraits, enrol
from core.evaluation.intervals import SEED, Interval, by_people
from core.evaluation.measured import MeasuredSet

LEVELS = (50, 80, 90, 95, 99)  # scores whose share is told
PLOTTED = tuple(range(2, 100, 2))
SPLITS = 200


@dataclass(frozen=True, eq=False)
class SplitResult:
    """Random splits of a set of actors into a gallery and outsiders."""

    actors: int  # in the gallery
    outsiders: int
    reached: NDArray[np.float64]  # (SPLITS, len(levels)) share of outsiders with the score, 0-1

    def deviations(self, levels: tuple[int, ...] = LEVELS) -> NDArray[np.float64]:
        """Mean over the splits of the share reaching p, less 100 - p, in points."""
        points: NDArray[np.float64] = 100 * self.reached.mean(axis=0) - (100 - np.array(levels))
        return points


def split_calibration(
    portraits: Portraits, actors: int, levels: tuple[int, ...] = LEVELS, splits: int = SPLITS
) -> SplitResult:
    """Share of outsiders at each level, over random splits; an actor's photos count as one."""
    random = np.random.default_rng(SEED + actors)
    count = len(portraits.actors)
    reached = []
    for _ in range(splits):
        order = random.permutation(count)
        inside, outside = np.sort(order[:actors]), np.sort(order[actors:])
        gallery, strangers = enrol(portraits.only(inside)), portraits.only(outside)
        scores = gallery.scores(gallery.best(strangers.embeddings))
        photos = np.bincount(strangers.actor)[strangers.actor]
        weights = 1 / (photos * len(strangers.actors))
        reached.append([weights @ (scores >= level) for level in levels])
    return SplitResult(actors, count - actors, np.array(reached))


def shares_reached(
    gallery: Gallery, strangers: MeasuredSet, faces: NDArray[np.intp]
) -> list[Interval]:
    """Share of these faces of strangers at each of LEVELS, with intervals by people."""
    scores = gallery.scores(gallery.best(strangers.embeddings[faces]))
    people = [strangers.people[photo] for photo in strangers.photo[faces]]
    return [by_people(scores >= level, people) for level in LEVELS]


def thirds_by_quality(
    measured: MeasuredSet, faces: NDArray[np.intp]
) -> dict[str, NDArray[np.intp]]:
    """The faces of lowest and highest third by size, sharpness, brightness; frontal and turned."""
    qualities = {
        ("small", "large"): measured.areas,
        ("blurred", "sharp"): measured.sharpness,
        ("dark", "bright"): measured.brightness,
        ("frontal", "turned"): measured.yaw,
    }
    thirds = {}
    for (low, high), values in qualities.items():
        order = faces[np.argsort(values[faces], kind="stable")]
        third = len(order) // 3
        thirds[low], thirds[high] = order[:third], order[-third:]
    return thirds
