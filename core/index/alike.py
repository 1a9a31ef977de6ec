"""Which parts of a face carry its likeness to an actor: where covering them costs most.

Any face loses more by covered eyes than by a covered chin, and a closer match has more to lose. So
a part's fall is compared with what the same covering costs towards the gallery's other actors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.parts import PARTS, Part
from core.index.kept import Enrolled, Index

# In deviations among the gallery's actors: told if the first part leads the third by this much.
# docs/evaluation.md, "What is alike?": how often that is, and how often a second photo agrees.
CLEAR = 1.0
FALLS = 0.02  # of the cosine: what costs less carries nothing


@dataclass(frozen=True)
class Alike:
    """What carries one likeness."""

    falls: Mapping[Part, float]  # how far the similarity falls with the part covered
    shares: Mapping[Part, float]  # 0-1, together 1: by how much more than with other actors
    told: tuple[Part, ...]  # what stands out clearly, first of all first: none, one or two

    @property
    def first(self) -> Part:
        """The part with the largest share."""
        return max(self.shares, key=lambda part: self.shares[part])


def tells_parts(index: Index) -> bool:
    """Whether the gallery has actors enough to compare a fall with."""
    return index.calibration is not None and not index.calibration.is_rough


def what_is_alike(index: Enrolled, embeddings: NDArray[np.float32], actor: str) -> Alike:
    """What carries a face's likeness to an actor of a gallery that `tells_parts`.

    Args:
        index: the gallery.
        embeddings: (1 + P, D) unit, of core/faces/parts.py.
        actor: of the gallery.
    """
    similarities = embeddings.astype(np.float64) @ index.templates.astype(np.float64).T
    whole, falls = similarities[0], similarities[0] - similarities[1:]
    theirs = np.flatnonzero(index.template_actor == index.actors.index(actor))
    template = int(theirs[whole[theirs].argmax()])
    excess = _beyond_the_usual(whole, falls)[:, template]
    return _alike(falls[:, template], excess)


def _beyond_the_usual(
    whole: NDArray[np.float64], falls: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(T,) and (P, T) → (P, T) how far each fall is off the line of falls by similarity.

    In deviations from that line.
    """
    line = np.stack([whole, np.ones_like(whole)], axis=1)
    factors = np.linalg.lstsq(line, falls.T, rcond=None)[0]
    off = falls - (line @ factors).T
    deviations = np.maximum(off.std(axis=1, keepdims=True), 1e-9)
    beyond: NDArray[np.float64] = off / deviations
    return beyond


def _alike(falls: NDArray[np.float64], excess: NDArray[np.float64]) -> Alike:
    weights = np.exp(excess - excess.max())
    shares = weights / weights.sum()
    order = np.argsort(-excess, kind="stable")
    first, second, third = excess[order[:3]]
    two = first - second < second - third and falls[order[1]] >= FALLS
    is_clear = first - third >= CLEAR and falls[order[0]] >= FALLS
    named = order[: (2 if two else 1) if is_clear else 0]
    return Alike(
        falls={part: float(fall) for part, fall in zip(PARTS, falls, strict=True)},
        shares={part: float(share) for part, share in zip(PARTS, shares, strict=True)},
        told=tuple(PARTS[place] for place in named),
    )
