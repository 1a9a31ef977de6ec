"""Chapter: whether a score comes as often as it says, for people outside the gallery."""

from __future__ import annotations

import numpy as np

from core.evaluation.calibration import (
    LEVELS,
    PLOTTED,
    SPLITS,
    shares_reached,
    split_calibration,
    thirds_by_quality,
)
from core.evaluation.chapter import Chapter, Plot, rate, table, with_interval
from core.evaluation.datasets import LFW
from core.evaluation.material import Material
from core.evaluation.strangers import stranger_faces

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
