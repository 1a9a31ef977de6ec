"""A gallery enrolled from measured photos, as enrolment does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.index.actor_index import best_per_actor
from core.index.scoring import Calibration, calibrate
from core.index.templates import actor_of_each, likely_mislabels, make_templates
from scripts.evaluation.measure import MeasuredSet

SHOWN = 5  # answers the page gives
Templates = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (n, D) → (k, D), unit


@dataclass(frozen=True, eq=False)
class Portraits:
    """The embeddings that may be enrolled: one per usable photo, by actor."""

    actors: tuple[str, ...]  # A, ascending
    embeddings: NDArray[np.float32]  # (N, D) unit
    actor: NDArray[np.int32]  # (N,) ascending, 0…A-1

    def of(self, number: int) -> NDArray[np.float32]:
        """(n, D) embeddings of one actor."""
        start, end = np.searchsorted(self.actor, [number, number + 1])
        return self.embeddings[start:end]

    def only(self, numbers: NDArray[np.intp]) -> Portraits:
        """The portraits of some actors, given by ascending numbers."""
        rows = np.isin(self.actor, numbers)
        return Portraits(
            tuple(self.actors[number] for number in numbers),
            self.embeddings[rows],
            np.searchsorted(numbers, self.actor[rows]).astype(np.int32),
        )


@dataclass(frozen=True, eq=False)
class Gallery:
    """Templates by actor, and the score that goes with them."""

    actors: tuple[str, ...]
    templates: NDArray[np.float32]  # (T, D) unit
    template_actor: NDArray[np.int32]  # (T,) ascending
    calibration: Calibration | None

    def similarities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """(M, D) → (M, A) best cosine per actor."""
        return best_per_actor(embeddings, self.templates, self.template_actor)

    def best(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """(M, D) → (M,) similarity to the closest actor."""
        best: NDArray[np.float64] = self.similarities(embeddings).max(axis=1)
        return best

    def scores(self, similarities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M,) similarities → (M,) scores 0-99.9; the gallery needs three actors."""
        return scores_of(self.calibration, similarities)


def scores_of(
    calibration: Calibration | None, similarities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(M,) similarities → (M,) scores 0-99.9.

    Raises:
        ValueError: the gallery has fewer than three actors, so no score.
    """
    if calibration is None:
        raise ValueError("a gallery of fewer than 3 actors has no score")
    return np.array([calibration.score(value) for value in similarities.tolist()])


def portraits_of(*sets: MeasuredSet) -> Portraits:
    """Usable portraits of some sets, actors of one name merged, likely mislabels left out."""
    rows: dict[str, list[NDArray[np.float32]]] = {}
    for measured in sets:
        for person, face in zip(measured.people, measured.subjects(), strict=True):
            if face >= 0:
                rows.setdefault(person, []).append(measured.embeddings[face])
    for row in rows.values():
        for position in sorted(likely_mislabels(row), reverse=True):
            del row[position]
    names = sorted(rows)
    return Portraits(
        actors=tuple(names),
        embeddings=np.stack([vector for name in names for vector in rows[name]]),
        actor=actor_of_each([len(rows[name]) for name in names]),
    )


def enrol(portraits: Portraits, templates: Templates | None = None) -> Gallery:
    """A gallery of these portraits; default: one mean template an actor."""
    make = templates or (lambda rows: make_templates(rows, 1))
    centres = [make(portraits.of(number)) for number in range(len(portraits.actors))]
    stacked = np.concatenate(centres)
    owners = actor_of_each([len(rows) for rows in centres])
    similarities = best_per_actor(portraits.embeddings, stacked, owners)
    return Gallery(portraits.actors, stacked, owners, calibrate(similarities, portraits.actor))


def together(one: Portraits, other: Portraits) -> Portraits:
    """Both galleries' actors, who must differ, one after the other."""
    return Portraits(
        one.actors + other.actors,
        np.concatenate([one.embeddings, other.embeddings]),
        np.concatenate([one.actor, other.actor + len(one.actors)]).astype(np.int32),
    )


def answers(
    gallery: Gallery, embeddings: NDArray[np.float32], own: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """(M, D) → (M, SHOWN) numbers of the closest actors, best first; `own` are not asked."""
    similarities = gallery.similarities(embeddings)
    if own is not None:
        similarities[np.arange(len(own)), own] = -np.inf
    order: NDArray[np.intp] = np.argsort(-similarities, axis=1, kind="stable")[:, :SHOWN]
    return order
