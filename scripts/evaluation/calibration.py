"""Whether a score of p or more comes as often as it says, for people not in the gallery.

Chapter: whether a score comes as often as it says, for people outside the gallery.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.chapter import Chapter, Plot, rate, table, with_interval
from scripts.evaluation.datasets import LFW
from scripts.evaluation.galleries import Gallery, Portraits, enrol
from scripts.evaluation.intervals import SEED, Interval, by_people
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet
from scripts.evaluation.strangers import stranger_faces

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


# Which set is split into gallery and outsiders, at which sizes. 338 actors leave outsiders only
# where both sets are taken together.
SPLIT = (
    ("headshots", (7, 20, 50, 80, 169)),
    ("gallery", (7, 20, 40)),
    ("both", (50, 80, 169, 338)),
)
OUTSIDERS = ("headshots", LFW, "kpop_portraits", "kpop_crops")
TARGET = (50, 80, 90, 95)  # levels whose mean deviation is held within 3 points


def chapter(material: Material) -> Chapter:
    """Random splits, fixed sets of outsiders, photo quality."""
    splits, plot, figures = _splits(material)
    return Chapter(
        "Does the score mean what it says?",
        (
            "A score of 80 says: closer than 80 % of these actors come to any other actor. So of"
            " outsiders photographed as the gallery is, 20 % should reach it.",
            f"**Random splits.** Actors of a set are split {SPLITS} times into a gallery and"
            " outsiders. Mean deviation, in points, of the share that reaches p from 100 - p;"
            " above zero is too generous.",
            splits,
            "**Outsiders photographed otherwise** lean, and no target is set: share that reaches p"
            f" with the development gallery ({len(material.gallery.actors)} actors), people in it"
            " left out; 95 % intervals by drawing people anew.",
            _outsiders(material),
            "**By photo quality.** The same for the lowest and the highest third of LFW and"
            " headshots by four measures: size of the face, sharpness and brightness of the"
            " aligned crop, how far the head is turned.",
            _quality(material),
        ),
        figures,
        (plot,),
    )


def _splits(material: Material) -> tuple[str, Plot, dict[str, float]]:
    sources = {
        "headshots": material.headshots,
        "gallery": material.portraits,
        "both": material.everyone,
    }
    rows, lines, figures = [], {}, {}
    for name, sizes in SPLIT:
        for size in sizes:
            levels = LEVELS + PLOTTED
            found = split_calibration(sources[name], size, levels)
            deviations = found.deviations(levels)
            shown = [f"{value:+.1f}" for value in deviations[: len(LEVELS)]]
            rows.append([f"{name}", str(size), str(found.outsiders), *shown])
            label = f"{name}, {size} actors"
            shares = 100 * found.reached.mean(axis=0)[len(LEVELS) :]
            lines[label] = ([100 - level for level in PLOTTED], [float(x) for x in shares])
            for level, value in zip(LEVELS, deviations, strict=False):
                figures[f"calibration.{name}.{size}.{level}"] = round(float(value), 2)
    head = ["set", "actors", "outsiders", *(f"p = {level}" for level in LEVELS)]
    plot = Plot(
        "reliability.png", "Share of outsiders who reach a score", "100 - score, %",
        "outsiders who reach it, %", lines, diagonal=True,
    )  # fmt: skip
    return table(head, rows), plot, figures


def _outsiders(material: Material) -> str:
    rows = []
    for name in OUTSIDERS:
        measured = material.sets[name]
        faces = stranger_faces(measured, material.gallery.actors)
        people = {measured.people[photo] for photo in measured.photo[faces]}
        shares = shares_reached(material.gallery, measured, faces)
        rows.append(
            [f"`{name}`", f"{len(people):,}", f"{len(faces):,}",
             *(with_interval(share) for share in shares)]
        )  # fmt: skip
    head = ["outsiders", "people", "photos", *(f"p = {level}" for level in LEVELS)]
    return table(head, rows)


def _quality(material: Material) -> str:
    rows = []
    for name in (LFW, "headshots"):
        measured = material.sets[name]
        faces = stranger_faces(measured, material.gallery.actors, one_each=True)
        for third, chosen in thirds_by_quality(measured, faces).items():
            scores = material.gallery.scores(material.gallery.best(measured.embeddings[chosen]))
            shares = [float(np.mean(scores >= level)) for level in LEVELS]
            rows.append([f"`{name}`", third, f"{len(chosen):,}", *map(rate, shares)])
    return table(["outsiders", "third", "photos", *(f"p = {p}" for p in LEVELS)], rows)
