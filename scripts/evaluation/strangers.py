"""People who are surely not in a gallery, and how close they come to its actors all the same.

Chapter: from which similarity "this may well be the same person" is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.chapter import Chapter, Plot, count_of, rate, table
from scripts.evaluation.datasets import LFW, plain_name
from scripts.evaluation.galleries import Gallery, Portraits, enrol, together
from scripts.evaluation.intervals import Interval, wilson
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet

THRESHOLDS = (0.40, 0.45, 0.48, 0.50, 0.52, 0.55, 0.60)


@dataclass(frozen=True)
class Passing:
    """Who reaches a similarity with anyone of a gallery."""

    threshold: float
    strangers: int
    passed: int
    interval: Interval  # of the share that passes


def stranger_faces(
    measured: MeasuredSet, actors: Iterable[str], *, one_each: bool = False
) -> NDArray[np.intp]:
    """Chosen faces of people who are not among these actors; if wished, each one's first photo."""
    known = {plain_name(actor) for actor in actors}
    seen: set[str] = set()
    kept = []
    for person, face in zip(measured.people, measured.chosen(), strict=True):
        if face < 0 or plain_name(person) in known or (one_each and person in seen):
            continue
        seen.add(person)
        kept.append(int(face))
    return np.array(kept, np.intp)


def strangers_as_portraits(measured: MeasuredSet, actors: Iterable[str]) -> Portraits:
    """One photo of each stranger, to make a gallery larger."""
    faces = stranger_faces(measured, actors, one_each=True)
    names = tuple(measured.people[photo] for photo in measured.photo[faces])
    return Portraits(names, measured.embeddings[faces], np.arange(len(faces), dtype=np.int32))


def best_of_strangers(gallery: Gallery, sets: Iterable[MeasuredSet]) -> NDArray[np.float64]:
    """(M,) similarity to the closest actor of one photo of each stranger of these sets."""
    return np.concatenate(
        [
            gallery.best(
                measured.embeddings[stranger_faces(measured, gallery.actors, one_each=True)]
            )
            for measured in sets
        ]
    )


def passing(best: NDArray[np.float64]) -> list[Passing]:
    """How many strangers reach each of THRESHOLDS: false positives of a 1:N question."""
    counts = [(threshold, int((best >= threshold).sum())) for threshold in THRESHOLDS]
    return [
        Passing(threshold, len(best), count, wilson(count, len(best)))
        for threshold, count in counts
    ]


SETS = ("headshots", LFW, "kpop_portraits", "kpop_crops", "gallery")
PROBES = ("probes", "probes_wild")


def chapter(material: Material) -> Chapter:
    """False-positive identification rate by gallery size; the actors' own probes beside it."""
    galleries = _galleries(material)
    sets = [material.sets[name] for name in SETS]
    best = {name: best_of_strangers(gallery, sets) for name, gallery in galleries.items()}
    rows, lines, figures = [], {}, {}
    for name, values in best.items():
        found = passing(values)
        cells = [f"{one.passed} ({rate(one.interval.high, 2)})" for one in found]
        spread = [f"{np.percentile(values, share):.2f}" for share in (50, 95)]
        rows.append([name, f"{len(values):,}", *spread, *cells])
        cuts = np.linspace(0.2, 0.65, 91)
        lines[name] = (list(cuts), [float(100 * np.mean(values >= cut)) for cut in cuts])
        for one in found:
            figures[f"strangers.{len(galleries[name].actors)}.{one.threshold:.2f}"] = one.passed
    return Chapter(
        "From where on may it be the same person?",
        (
            "Best similarity of one photo of each stranger to anyone of the gallery. In brackets:"
            " upper end of the 95 % interval of the share that passes (false-positive"
            " identification rate).",
            table(
                ["gallery", "strangers", "median", "95th percentile",
                 *(f"reach {cut:.2f}" for cut in THRESHOLDS)],
                rows,
            ),
            "Probes of the actors themselves that are matched rightly and reach it:",
            table(
                ["probes", "gallery", *(f"{cut:.2f}" for cut in THRESHOLDS)],
                [
                    [f"`{probe}`", name, *_genuine(material, galleries[name], probe)]
                    for probe in PROBES
                    for name in list(galleries)
                    if "LFW" not in name and name != "338 headshots"
                ],
            ),
        ),
        {key: float(value) for key, value in figures.items()},
        (Plot("strangers.png", "Strangers who reach a similarity with anyone",
              "similarity", "strangers, %", lines, y_range=(0, 20)),),
    )  # fmt: skip


def _galleries(material: Material) -> dict[str, Gallery]:
    """By name; the largest has half of LFW's people in it, the other half are its strangers."""
    people = strangers_as_portraits(material.sets[LFW], material.everyone.actors)
    half = people.only(np.arange(0, len(people.actors), 2))
    large = enrol(together(material.everyone, half))
    return {
        f"{len(material.gallery.actors)} actors": material.gallery,
        f"{len(material.headshots.actors)} headshots": enrol(material.headshots),
        f"{len(material.everyone.actors)} of both": enrol(material.everyone),
        f"{len(large.actors):,}, LFW's too": large,
    }


def _genuine(material: Material, gallery: Gallery, probe: str) -> list[str]:
    measured = material.sets[probe]
    faces = measured.chosen()
    similarities = gallery.similarities(measured.embeddings[faces])
    named = similarities.argmax(axis=1)
    own = np.array([gallery.actors.index(person) for person in measured.people])
    right = (named == own) & (faces >= 0)
    best = similarities.max(axis=1)
    return [count_of(int((right & (best >= cut)).sum()), len(own)) for cut in THRESHOLDS]
