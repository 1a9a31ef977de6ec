"""What was tried where there was a choice: faces, alignment, templates, mislabels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.enrolled import Portraits
from core.evaluation.intervals import SEED
from core.evaluation.measured import MeasuredSet
from core.index.templates import likely_mislabels

GALLERIES = 40  # with portraits exchanged at random
SWAPPED = 10  # portraits in each


@dataclass(frozen=True)
class MislabelRule:
    """How a rule did on galleries in which portraits of two actors were exchanged."""

    ceiling: float
    gap: float
    swapped: int
    found: int
    clean: int
    accused: int  # portraits in their right place that the rule would leave out


def face_choices(measured: MeasuredSet) -> dict[str, NDArray[np.floating]]:
    """(F,) keys by name: the face with the highest is taken for the photo's subject."""
    side = np.sqrt(measured.areas)
    near = 1 - measured.from_centre
    return {
        "largest": side,
        "most central": near,
        "highest detection score": measured.scores,
        "size × detection score": side * measured.scores,
        "size × nearness to the centre": side * near,
        "size × nearness × frontality": side * near / (1 + measured.yaw),
        "size × nearness × sharpness^¼": side * near * measured.sharpness**0.25,
        "size × nearness × detection score (used)": side * near * measured.scores,
    }


def mislabel_rule(portraits: Portraits, ceiling: float, gap: float) -> MislabelRule:
    """Exchange portraits of random actors, and look which the rule finds."""
    random = np.random.default_rng(SEED)
    total = len(portraits.embeddings)
    found = accused = 0
    for _ in range(GALLERIES):
        rows = random.permutation(total)[:SWAPPED]
        vectors = portraits.embeddings.copy()
        vectors[rows] = portraits.embeddings[np.roll(rows, 1)]
        strange = np.zeros(total, bool)
        strange[rows] = portraits.actor[rows] != portraits.actor[np.roll(rows, 1)]
        named = _named(Portraits(portraits.actors, vectors, portraits.actor), ceiling, gap)
        found += int(np.sum(named & strange))
        accused += int(np.sum(named & ~strange))
    swapped = GALLERIES * SWAPPED
    return MislabelRule(ceiling, gap, swapped, found, GALLERIES * total - swapped, accused)


def _named(portraits: Portraits, ceiling: float, gap: float) -> NDArray[np.bool_]:
    """(N,) the portraits that the rule takes for someone else's."""
    named = np.zeros(len(portraits.embeddings), bool)
    for number in range(len(portraits.actors)):
        start = int(np.searchsorted(portraits.actor, number))
        for position in likely_mislabels(list(portraits.of(number)), ceiling, gap):
            named[start + position] = True
    return named
