"""Whether another photo of a visitor, or the same one mirrored, gets the same answer."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.changes import CHANGES, changed_by
from scripts.evaluation.chapter import Figures, bounds
from scripts.evaluation.datasets import LFW, LabelledPhoto, plain_name
from scripts.evaluation.galleries import Portraits, answers, enrol
from scripts.evaluation.intervals import by_people
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet, Way

MIRRORED = "mirrored"
EVERY = 4  # of the strangers, one in so many is mirrored


def agreement(
    one: NDArray[np.intp], other: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Of two rows of answers each: whether the first is the same, how many they share."""
    shared = (one[:, :, None] == other[:, None, :]).sum(axis=(1, 2))
    return one[:, 0] == other[:, 0], shared


def two_photos(measured: MeasuredSet, actors: Iterable[str]) -> NDArray[np.intp]:
    """(M, 2) faces: the first two photos of each person who has two and is none of these."""
    known = {plain_name(actor) for actor in actors}
    faces: dict[str, list[int]] = {}
    for person, face in zip(measured.people, measured.chosen().tolist(), strict=True):
        if face >= 0 and plain_name(person) not in known:
            faces.setdefault(person, []).append(face)
    return np.array([row[:2] for row in faces.values() if len(row) > 1], np.intp).reshape(-1, 2)


def consistency(name: str, material: Material) -> Figures:
    """Two photos of one stranger against the 397 actors, and against all."""
    figures: Figures = {}
    for size, portraits in (("some", material.everyone), ("all", material.all_actors)):
        first, shared = two_photos_asked(material, portraits)
        people = [str(number) for number in range(len(first))]
        start = f"likeness.{name}.{size}"
        five = by_people(shared, people)
        figures |= {
            f"{start}.actors": len(portraits.actors),
            f"{start}.same": [int(first.sum()), len(first)],
            **bounds(f"{start}.same", by_people(first, people)),
            f"{start}.shared": five.value,
            **bounds(f"{start}.shared", five),
        }
    return figures


def two_photos_asked(
    material: Material, portraits: Portraits
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """How far the answers to two photos of each stranger agree."""
    measured, gallery = material.measured(LFW), enrol(portraits)
    faces = two_photos(measured, portraits.actors)
    one, other = (answers(gallery, measured.embeddings[faces[:, place]]) for place in (0, 1))
    return agreement(one, other)


def mirrored(material: Material) -> Figures:
    """Photos of strangers, and the same mirrored and detected anew."""
    measured = material.measured(LFW)
    faces = two_photos(measured, material.everyone.actors)[::EVERY, 0]
    places = measured.photo[faces]
    photos: list[LabelledPhoto] = [material.photos(LFW)[place] for place in places]
    way = Way(central=True, changed=MIRRORED, change=changed_by(CHANGES[MIRRORED]))
    turned = material.faces(MIRRORED, photos, way)
    again = turned.chosen()
    gallery = enrol(material.everyone)
    found = again >= 0
    first, _ = agreement(
        answers(gallery, measured.embeddings[faces[found]]),
        answers(gallery, turned.embeddings[again[found]]),
    )
    return {"likeness.mirrored": [int(first.sum()), len(photos)]}
