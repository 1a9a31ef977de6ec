"""Similarity → lookalike score.

How a face's similarity to an actor compares with how close these actors come to each other.
Per portrait j of actor i, m_ij is its best similarity to any other actor, weighted 1/(A n_i).
G is the weighted mid-rank distribution of the m_ij, linearly interpolated; mu and sigma are the
weighted mean and deviation of all similarities between a portrait and another actor.

    F(s) = lambda G(s) + (1 - lambda) Phi((s - mu) / sigma)^A,   lambda = A / (A + 50)
    score = min(99.9, 100 F(s)), rounded down to 0.1

A score of 83 says: closer than 83% of these actors come to any other actor. It does not say
"83 % of people". One map serves every rank and face of a gallery.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 50  # actors; from the calibration experiments described in the README
MIN_ACTORS = 3  # below: no score, the similarity alone
ROUGH_BELOW = 20  # actors; below, the page calls the score rough
TOP_SCORE = 99.9
NO_SPREAD = 1e-9  # a deviation up to this is rounding


@dataclass(frozen=True, eq=False)
class Calibration:
    """The map from similarity to score, for one gallery."""

    similarities: NDArray[np.float64]  # (K,) ascending: the distinct m_ij
    ranks: NDArray[np.float64]  # (K,) G at those, 0-1
    mean: float  # mu
    deviation: float  # sigma
    actors: int  # A

    def score(self, similarity: float) -> float:
        """Lookalike score 0-99.9 of a cosine similarity -1…1; never falls as it rises."""
        measured = np.interp(similarity, self.similarities, self.ranks, left=0.0, right=1.0)
        normal = 0.5 * math.erfc(-(similarity - self.mean) / (self.deviation * math.sqrt(2)))
        weight = self.actors / (self.actors + SMOOTHING)
        share = weight * float(measured) + (1 - weight) * normal**self.actors
        return min(TOP_SCORE, math.floor(share * 1000 + 1e-9) / 10)

    @property
    def is_rough(self) -> bool:
        """Whether the gallery is too small for more than a rough score."""
        return self.actors < ROUGH_BELOW


def calibrate(
    similarities: NDArray[np.floating], portrait_actor: NDArray[np.integer]
) -> Calibration | None:
    """Calibration of a gallery, or None with fewer than 3 actors or no spread.

    Args:
        similarities: (N, A) best cosine of each portrait over each actor's templates.
        portrait_actor: (N,) which actor each portrait shows, 0…A-1.
    """
    portraits, actors = similarities.shape
    if actors < MIN_ACTORS:
        return None
    counts = np.bincount(portrait_actor, minlength=actors)
    weights = 1.0 / (actors * counts[portrait_actor])
    others = np.ones((portraits, actors), dtype=bool)
    others[np.arange(portraits), portrait_actor] = False
    values = similarities[others].reshape(portraits, actors - 1).astype(np.float64)
    mean = float(np.sum(weights * values.mean(axis=1)))
    deviation = math.sqrt(float(np.sum(weights * ((values - mean) ** 2).mean(axis=1))))
    if deviation <= NO_SPREAD:
        return None
    closest, ranks = _mid_ranks(values.max(axis=1), weights)
    return Calibration(closest, ranks, mean, deviation, actors)


def _mid_ranks(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct values, ascending, with the weight below each plus half its own."""
    distinct, position = np.unique(values, return_inverse=True)
    weight = np.bincount(position, weights)
    return distinct, np.cumsum(weight) - weight / 2
