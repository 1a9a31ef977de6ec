"""Whether the answers are of the visitor's gender and age, as the actors' lists have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.gallery.people import ACTORS_FILE, ActorEntry, read_actors
from scripts.evaluation.chapter import Figures, bounds
from scripts.evaluation.galleries import answers, enrol, portraits_of
from scripts.evaluation.intervals import by_people
from scripts.evaluation.material import Material


@dataclass(frozen=True, eq=False)
class Known:
    """What the actors' lists say of a gallery, actor by actor."""

    gender: NDArray[np.str_]  # (A,) "" where it is not known
    born: NDArray[np.float64]  # (A,) years; NaN where it is not known

    @classmethod
    def of(cls, actors: Iterable[str], entries: Mapping[str, ActorEntry]) -> Known:
        """In the order of these actors."""
        rows = [entries.get(actor, ActorEntry(actor, actor)) for actor in actors]
        years = [float(row.birth_year or "nan") for row in rows]
        return cls(np.array([row.gender for row in rows]), np.array(years))


def same_gender(
    known: Known, visitors: NDArray[np.intp], answered: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """(M, k) whether each answer is of its visitor's gender."""
    same: NDArray[np.bool_] = known.gender[answered] == known.gender[visitors][:, None]
    return same


def years_apart(known: Known, visitors: NDArray[np.intp], answered: NDArray[np.intp]) -> int:
    """Median difference of birth years, of those that are known."""
    apart = np.abs(known.born[answered] - known.born[visitors][:, None])
    return round(float(np.nanmedian(apart)))


def _lists(material: Material) -> dict[str, ActorEntry]:
    starter = read_actors(material.meter.settings.starter_people_path)
    return read_actors(material.data / "korean_actors" / ACTORS_FILE) | starter


def headshots_as_visitors(
    material: Material,
) -> tuple[Known, NDArray[np.intp], NDArray[np.intp]]:
    """Each headshot's actor against all others: lists, visitors and their answers, by number."""
    gallery, measured = enrol(material.everyone), material.measured("headshots")
    faces = measured.chosen()
    numbers = {actor: number for number, actor in enumerate(gallery.actors)}
    visitors = np.array([numbers[person] for person in measured.people])[faces >= 0]
    known = Known.of(gallery.actors, _lists(material))
    return known, visitors, answers(gallery, measured.embeddings[faces[faces >= 0]], visitors)


def _koreans_as_visitors(
    material: Material,
) -> tuple[Known, NDArray[np.intp], NDArray[np.intp]]:
    """Each Korean actor's template against the others'."""
    gallery = enrol(portraits_of(material.measured("korean_actors")))
    visitors = np.arange(len(gallery.actors))
    known = Known.of(gallery.actors, _lists(material))
    return known, visitors, answers(gallery, gallery.templates, visitors)


def by_chance(material: Material) -> Figures:
    """What any other actor of the 397, drawn by lot, would be."""
    known, visitors, _ = headshots_as_visitors(material)
    everyone = np.tile(np.arange(len(known.gender)), (len(visitors), 1))
    others = everyone[everyone != visitors[:, None]].reshape(len(visitors), -1)
    return {
        "likeness.actors": len(known.gender),
        "likeness.visitors": len(visitors),
        "likeness.chance.gender": float(same_gender(known, visitors, others).mean()),
        "likeness.chance.years": years_apart(known, visitors, others),
    }


def gender_and_age(name: str, material: Material) -> Figures:
    """Of the answers to headshots; and the gender of those to Korean actors."""
    known, visitors, found = headshots_as_visitors(material)
    same = same_gender(known, visitors, found)
    people = [str(visitor) for visitor in visitors]
    start = f"likeness.{name}"
    figures: Figures = {
        f"{start}.first": [int(same[:, 0].sum()), len(same)],
        f"{start}.five": [int(same.sum()), same.size],
        f"{start}.years": years_apart(known, visitors, found[:, :1]),
        f"{start}.years_five": years_apart(known, visitors, found),
        **bounds(f"{start}.first", by_people(same[:, 0], people)),
        **bounds(f"{start}.five", by_people(same.mean(axis=1), people)),
    }
    known, visitors, found = _koreans_as_visitors(material)
    same = same_gender(known, visitors, found[:, :1])
    people = [str(visitor) for visitor in visitors]
    figures[f"{start}.korean"] = [int(same.sum()), len(same)]
    return figures | bounds(f"{start}.korean", by_people(same[:, 0], people))
