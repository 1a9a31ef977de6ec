"""How often the first answer is right for people who are in the gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.enrolled import Gallery, Portraits, Templates, enrol
from core.evaluation.intervals import SEED
from core.evaluation.measured import MeasuredSet

DRAWS = 10  # choices of portraits, or of other actors, that are averaged


@dataclass(frozen=True)
class Identified:
    """Answers to a set of probes."""

    photos: int
    no_face: int
    rank1: int  # the first answer is right for the face the engine puts first
    rank5: int  # one of the first five is
    any_face: int  # the first answer is right for some face of the photo

    @property
    def rank1_share(self) -> float:
        """0-1; a photo without a face is a wrong answer."""
        return self.rank1 / self.photos


def identify(
    gallery: Gallery,
    probes: MeasuredSet,
    faces: NDArray[np.intp] | None = None,
    embeddings: NDArray[np.float32] | None = None,
) -> Identified:
    """Match probes against a gallery that has their people.

    Args:
        gallery: with every person of the probes among its actors.
        probes: photos.
        faces: (P,) which face of each photo is asked about, -1 for none; default: the first.
        embeddings: (F, D) in place of the plain ones.
    """
    vectors = probes.embeddings if embeddings is None else embeddings
    faces = probes.chosen() if faces is None else faces
    ranks = ranks_of(gallery, probes, vectors)
    seen = faces >= 0
    own = ranks[faces[seen]]
    with_right = np.zeros(len(probes.people), bool)
    with_right[probes.photo[ranks == 0]] = True
    return Identified(
        photos=len(faces),
        no_face=int((~seen).sum()),
        rank1=int((own == 0).sum()),
        rank5=int((own < 5).sum()),
        any_face=int(with_right.sum()),
    )


def ranks_of(
    gallery: Gallery, probes: MeasuredSet, vectors: NDArray[np.float32]
) -> NDArray[np.intp]:
    """(F,) how many actors come before the photo's own person, per face; ties by name."""
    numbers = {actor: number for number, actor in enumerate(gallery.actors)}
    own = np.array([numbers[person] for person in probes.people])[probes.photo]
    order = np.argsort(-gallery.similarities(vectors), axis=1, kind="stable")
    ranks: NDArray[np.intp] = (order == own[:, None]).argmax(axis=1)
    return ranks


def rank1_by_portraits(
    portraits: Portraits, probes: MeasuredSet, count: int, templates: Templates | None = None
) -> float:
    """Share of right first answers with `count` portraits an actor, over draws of portraits."""
    random = np.random.default_rng(SEED + count)
    most = int(np.bincount(portraits.actor).max())
    shares = []
    for _ in range(DRAWS if count < most else 1):
        rows = [
            random.permutation(np.flatnonzero(portraits.actor == number))[:count]
            for number in range(len(portraits.actors))
        ]
        kept = np.sort(np.concatenate(rows))
        fewer = Portraits(portraits.actors, portraits.embeddings[kept], portraits.actor[kept])
        shares.append(identify(enrol(fewer, templates), probes).rank1_share)
    return float(np.mean(shares))


def rank1_by_size(portraits: Portraits, others: Portraits, probes: MeasuredSet, size: int) -> float:
    """Share of right first answers with `size` actors: the probes' own and drawn others."""
    added = size - len(portraits.actors)
    random = np.random.default_rng(SEED + size)
    shares = []
    for _ in range(DRAWS if 0 < added < len(others.actors) else 1):
        drawn = np.sort(random.permutation(len(others.actors))[:added])
        shares.append(identify(enrol(together(portraits, others.only(drawn))), probes).rank1_share)
    return float(np.mean(shares))


def together(one: Portraits, other: Portraits) -> Portraits:
    """Both galleries' actors, who must differ, one after the other."""
    return Portraits(
        one.actors + other.actors,
        np.concatenate([one.embeddings, other.embeddings]),
        np.concatenate([one.actor, other.actor + len(one.actors)]).astype(np.int32),
    )
