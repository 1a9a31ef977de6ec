"""How often the first answer is right for people who are in the gallery.

Chapter: how often the first answer is right for people who are in the gallery.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.index.templates import make_templates
from scripts.evaluation.chapter import Chapter, Plot, count_of, rate, table
from scripts.evaluation.datasets import LFW
from scripts.evaluation.galleries import (
    Gallery,
    Portraits,
    Templates,
    enrol,
    portraits_of,
    together,
)
from scripts.evaluation.intervals import SEED, wilson
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet
from scripts.evaluation.strangers import strangers_as_portraits

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


PROBES = ("probes", "probes_wild")
COUNTS = (1, 2, 3, 5)
SIZES = (80, 169, 338, 397, 1000, 2000)


def chapter(material: Material) -> Chapter:
    """Rank-1 and rank-5, failures to detect, and what rank-1 depends on."""
    answers = {name: identify(material.gallery, material.sets[name]) for name in PROBES}
    figures = {
        f"{name}.{field}": float(value)
        for name, found in answers.items()
        for field, value in vars(found).items()
    }
    growth = _growth(material)
    return Chapter(
        "The right actor first?",
        (
            f"A gallery of {len(material.gallery.actors)} actors with"
            f" {len(material.portraits.embeddings)} portraits; other photos of the same people as"
            " probes. `probes` were picked so that another model saw one clear, typical face:"
            " easy. `probes_wild` are unfiltered: groups, side views, sunglasses. The chosen face"
            " is the one the page answers first; a photo without a face is a wrong answer.",
            table(
                ["probes", "first answer right", "95 % interval", "among the first five",
                 "right for any face", "no face"],
                [_row(material, name) for name in PROBES],
            ),
            "Photos in which no face is found:",
            _failures(material),
            "**Portraits an actor, and templates.** Share of right first answers on `probes_wild`,"
            " over 10 draws of portraits:",
            _by_portraits(material),
            "**Size of the gallery.** The 80 actors and others added, up to 397 by `headshots`,"
            " beyond by people of LFW; share of right first answers, over 10 draws:",
            table(
                ["actors", *(str(size) for size in SIZES)],
                [
                    [f"`{name}`", *(rate(share / 100) for share in shares)]
                    for name, (_, shares) in growth.lines.items()
                ],
            ),
        ),
        figures,
        (growth,),
    )  # fmt: skip


def _row(material: Material, name: str) -> list[str]:
    found = identify(material.gallery, material.sets[name])
    bounds = wilson(found.rank1, found.photos)
    return [
        f"`{name}`",
        count_of(found.rank1, found.photos),
        f"{rate(bounds.low)} to {rate(bounds.high)}",
        count_of(found.rank5, found.photos),
        count_of(found.any_face, found.photos),
        str(found.no_face),
    ]


def _failures(material: Material) -> str:
    rows = []
    for name, measured in material.sets.items():
        missing = int((measured.chosen() < 0).sum())
        rows.append([f"`{name}`", f"{missing} of {len(measured.people):,}"])
    return table(["set", "no face"], rows)


def _by_portraits(material: Material) -> str:
    flipped = portraits_of(material.sets["gallery"], flip=True)
    kinds = {
        "mean (used)": (material.portraits, lambda rows: make_templates(rows, 1)),
        "k-means, 2": (material.portraits, lambda rows: make_templates(rows, 2)),
        "k-means, 3": (material.portraits, lambda rows: make_templates(rows, 3)),
        "every portrait": (material.portraits, lambda rows: rows),
        "mean, portraits and their mirror images": (
            flipped, lambda rows: make_templates(rows, 1),
        ),
    }  # fmt: skip
    wild = material.sets["probes_wild"]
    return table(
        ["templates", *(f"{count} portraits" for count in COUNTS)],
        [
            [kind, *(rate(rank1_by_portraits(rows, wild, count, make)) for count in COUNTS)]
            for kind, (rows, make) in kinds.items()
        ],
    )


def _growth(material: Material) -> Plot:
    """Rank-1 of both kinds of probes by the number of actors."""
    actors = material.portraits.actors
    headshots = strangers_as_portraits(material.sets["headshots"], actors)
    people = strangers_as_portraits(material.sets[LFW], actors + headshots.actors)
    full = together(material.portraits, headshots)
    lines = {}
    for name in PROBES:
        shares = [
            rank1_by_size(material.portraits, headshots, material.sets[name], size)
            if size <= len(full.actors)
            else rank1_by_size(full, people, material.sets[name], size)
            for size in SIZES
        ]
        lines[name] = (SIZES, [100 * share for share in shares])
    return Plot(
        "growth.png", "Right first answers as the gallery grows", "actors in the gallery",
        "right first answers, %", lines, log_x=True, y_range=(90, 100.5),
    )  # fmt: skip
