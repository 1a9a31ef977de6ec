"""Similarity → lookalike score.

How a face's likeness to an actor compares with those that these actors would be shown themselves.
Per portrait j of actor i, m_ijr is its r-th best similarity to another actor, r = 1…k, weighted
1/(A n_i k); k = min(5, A - 1). G is the weighted mid-rank distribution of the m_ijr, linearly
interpolated; mu and sigma are the weighted mean and deviation of all similarities between a
portrait and another actor. H is what G would be if similarities were normal: with
p = Phi((s - mu) / sigma), the mean over r of the chance that fewer than r of A exceed s.

    F(s) = lambda G(s) + (1 - lambda) H(s),   lambda = A / (A + 20)
    score = min(99.9, 100 F(s)), rounded down to 0.1

A score of 83 says: of the lookalikes these actors would be shown here, 83 % are less alike. It does
not say "83 % of people". One map serves every rank and face of a gallery.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHOWN = 5  # matches an actor would be shown; what the page shows by default
SMOOTHING = 20  # actors; by random splits of the development sets (docs/evaluation.md)
MIN_ACTORS = 3  # below: no score, the similarity alone
ROUGH_BELOW = 20  # actors; below, the page calls the score rough
TOP_SCORE = 99.9
NO_SPREAD = 1e-9  # a deviation up to this is rounding


@dataclass(frozen=True, eq=False)
class Calibration:
    """The map from similarity to score, for one gallery."""

    similarities: NDArray[np.float64]  # (K,) ascending: the distinct m_ijr
    ranks: NDArray[np.float64]  # (K,) G at those, 0-1
    mean: float  # mu
    deviation: float  # sigma
    actors: int  # A

    def score(self, similarity: float) -> float:
        """Lookalike score 0-99.9 of a cosine similarity -1…1; never falls as it rises."""
        measured = np.interp(similarity, self.similarities, self.ranks, left=0.0, right=1.0)
        normal = 0.5 * math.erfc(-(similarity - self.mean) / (self.deviation * math.sqrt(2)))
        weight = self.actors / (self.actors + SMOOTHING)
        share = weight * float(measured) + (1 - weight) * _if_normal(normal, self.actors)
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
    actors = similarities.shape[1]
    counts = np.bincount(portrait_actor, minlength=actors)
    return calibrate_rows([similarities], portrait_actor, counts)


def calibrate_rows(
    blocks: Iterable[NDArray[np.floating]],
    portrait_actor: NDArray[np.integer],
    counts: NDArray[np.integer],
) -> Calibration | None:
    """The same of some portraits, block by block, for what no memory holds.

    Args:
        blocks: (n, A) similarities as of `calibrate`, N portraits together.
        portrait_actor: (N,) which actor each of these portraits shows.
        counts: (A,) how many portraits each actor has in the gallery.
    """
    actors = len(counts)
    if actors < MIN_ACTORS:
        return None
    shown, start = min(SHOWN, actors - 1), 0
    means, variances, closest = [], [], []
    for block in blocks:
        values = _of_others(block, portrait_actor[start : start + len(block)])
        means.append(values.mean(axis=1))
        variances.append(values.var(axis=1))
        closest.append(np.partition(values, -shown, axis=1)[:, -shown:].copy())  # not all of it
        start += len(block)
    weights = 1.0 / counts[portrait_actor]
    weights /= weights.sum()
    own_means = np.concatenate(means)
    mean = float(np.sum(weights * own_means))
    spread = np.concatenate(variances) + (own_means - mean) ** 2
    deviation = math.sqrt(float(np.sum(weights * spread)))
    if deviation <= NO_SPREAD:
        return None
    of_closest = np.repeat(weights / shown, shown)
    knots, ranks = _mid_ranks(np.concatenate(closest).ravel(), of_closest)
    return Calibration(knots, ranks, mean, deviation, actors)


def _of_others(
    similarities: NDArray[np.floating], portrait_actor: NDArray[np.integer]
) -> NDArray[np.float64]:
    """(n, A) → (n, A - 1) without each portrait's own actor."""
    portraits, actors = similarities.shape
    others = np.ones(similarities.shape, dtype=bool)
    others[np.arange(portraits), portrait_actor] = False
    return similarities[others].reshape(portraits, actors - 1).astype(np.float64)


def _if_normal(below: float, actors: int) -> float:
    """H: `below` is the chance that one actor's similarity does not exceed s."""
    shown = min(SHOWN, actors - 1)
    chances = [
        math.comb(actors, above) * (1 - below) ** above * below ** (actors - above)
        for above in range(shown)
    ]
    return sum((shown - above) * chance for above, chance in enumerate(chances)) / shown


def _mid_ranks(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct values, ascending, with the weight below each plus half its own."""
    distinct, position = np.unique(values, return_inverse=True)
    weight = np.bincount(position, weights)
    return distinct, np.cumsum(weight) - weight / 2
