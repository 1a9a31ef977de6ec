"""People who are surely not in a gallery, and how close they come to its actors all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.datasets import plain_name
from core.evaluation.enrolled import Gallery, Portraits
from core.evaluation.intervals import Interval, wilson
from core.evaluation.measured import MeasuredSet

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
