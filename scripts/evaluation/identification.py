"""Chapter: how often the first answer is right for people who are in the gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.index.templates import make_templates
from scripts.evaluation.chapter import Figures, Plot, count_of, rate, share_of, table
from scripts.evaluation.datasets import FURTHER_PROBES, LFW, PROBES, SETS
from scripts.evaluation.galleries import (
    Gallery,
    Portraits,
    Templates,
    enrol,
    together,
)
from scripts.evaluation.intervals import SEED, wilson
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet
from scripts.evaluation.strangers import strangers_as_portraits

TITLE = "The right actor first?"
DRAWS = 10  # choices of portraits, or of other actors, that are averaged
COUNTS = (1, 2, 3, 5)  # portraits an actor
SIZES = (80, 169, 338, 397, 1000, 2000)  # actors
ANSWERS = (
    "probes", "first answer right", "95 % interval", "among the first five", "right for any face",
    "no face",
)  # fmt: skip
TEMPLATES: dict[str, Templates] = {
    "mean (used)": lambda rows: make_templates(rows, 1),
    "k-means, 2": lambda rows: make_templates(rows, 2),
    "k-means, 3": lambda rows: make_templates(rows, 3),
    "every portrait": lambda rows: rows,
}


@dataclass(frozen=True)
class Identified:
    """Answers to a set of probes."""

    photos: int
    no_face: int  # wrong answers, all of them
    rank1: int  # the first answer is right for the face the engine puts first
    rank5: int  # one of the first five is
    any_face: int  # the first answer is right for some face of the photo


def identify(gallery: Gallery, probes: MeasuredSet) -> Identified:
    """Match probes against a gallery that has their people."""
    faces = probes.chosen()
    ranks = ranks_of(gallery, probes)
    own = ranks[faces[faces >= 0]]
    return Identified(
        photos=len(faces),
        no_face=int((faces < 0).sum()),
        rank1=int((own == 0).sum()),
        rank5=int((own < 5).sum()),
        any_face=len(np.unique(probes.photo[ranks == 0])),
    )


def ranks_of(gallery: Gallery, probes: MeasuredSet) -> NDArray[np.intp]:
    """(F,) how many actors come before the photo's own person, per face; ties by name."""
    numbers = {actor: number for number, actor in enumerate(gallery.actors)}
    own = np.array([numbers[person] for person in probes.people])[probes.photo]
    order = np.argsort(-gallery.similarities(probes.embeddings), axis=1, kind="stable")
    ranks: NDArray[np.intp] = (order == own[:, None]).argmax(axis=1)
    return ranks


def rank1_by_portraits(
    portraits: Portraits, probes: MeasuredSet, count: int, templates: Templates | None = None
) -> list[int]:
    """Right first answers with `count` portraits an actor, and of how many, over all draws."""
    random = np.random.default_rng(SEED + count)
    most = int(np.bincount(portraits.actor).max())
    right = []
    for _ in range(DRAWS if count < most else 1):
        rows = [
            random.permutation(np.flatnonzero(portraits.actor == number))[:count]
            for number in range(len(portraits.actors))
        ]
        kept = np.sort(np.concatenate(rows))
        fewer = Portraits(portraits.actors, portraits.embeddings[kept], portraits.actor[kept])
        right.append(identify(enrol(fewer, templates), probes).rank1)
    return [sum(right), len(right) * len(probes.people)]


def rank1_by_size(
    portraits: Portraits, others: Portraits, probes: MeasuredSet, size: int
) -> list[int]:
    """The same with `size` actors: the probes' own and drawn others."""
    added = size - len(portraits.actors)
    random = np.random.default_rng(SEED + size)
    right = []
    for _ in range(DRAWS if 0 < added < len(others.actors) else 1):
        drawn = np.sort(random.permutation(len(others.actors))[:added])
        larger = enrol(together(portraits, others.only(drawn)))
        right.append(identify(larger, probes).rank1)
    return [sum(right), len(right) * len(probes.people)]


def measure(material: Material) -> Figures:
    """Rank-1 and rank-5, failures to detect, and what rank-1 depends on."""
    return {
        **answers(material),
        **_among_all(material),
        **_failures(material),
        **_by_portraits(material),
        **_by_size(material),
    }


def answers(material: Material) -> Figures:
    """The first answers to both kinds of probes."""
    figures: Figures = {
        "identification.actors": len(material.gallery.actors),
        "identification.portraits": len(material.portraits.embeddings),
    }
    for name in PROBES:
        figures |= _counts(name, identify(material.gallery, material.measured(name)))
    return figures


def _among_all(material: Material) -> Figures:
    """Korean and Indian probes against every actor there is."""
    gallery = enrol(material.all_actors)
    figures: Figures = {"identification.all_actors": len(gallery.actors)}
    for name in FURTHER_PROBES:
        figures |= _counts(name, identify(gallery, material.measured(name)))
    return figures


def _counts(name: str, found: Identified) -> Figures:
    counts = dict(vars(found))
    total = counts.pop("photos")
    return {f"{name}.{what}": [count, total] for what, count in counts.items()}


def _failures(material: Material) -> Figures:
    missing = {name: material.measured(name).chosen() < 0 for name in SETS}
    return {f"no_face.{name}": [int(one.sum()), len(one)] for name, one in missing.items()}


def _by_portraits(material: Material) -> Figures:
    wild = material.measured("probes_wild")
    return {
        f"templates.{kind}.{count}": rank1_by_portraits(material.portraits, wild, count, make)
        for kind, make in TEMPLATES.items()
        for count in COUNTS
    }


def _by_size(material: Material) -> Figures:
    headshots = strangers_as_portraits(material.measured("headshots"), material.portraits.actors)
    full = together(material.portraits, headshots)
    people = strangers_as_portraits(material.measured(LFW), full.actors)
    figures = {}
    for name in PROBES:
        probes = material.measured(name)
        for size in SIZES:
            small = size <= len(full.actors)
            known, others = (material.portraits, headshots) if small else (full, people)
            figures[f"growth.{name}.{size}"] = rank1_by_size(known, others, probes, size)
    return figures


def text(figures: Figures) -> tuple[str | Plot, ...]:
    """The chapter."""
    return (
        f"A gallery of {figures['identification.actors']} actors with"
        f" {figures['identification.portraits']} portraits; other photos of the same people as"
        " probes. `probes` were picked so that another model saw one clear, typical face:"
        " easy. `probes_wild` are unfiltered: groups, side views, sunglasses. The chosen face"
        " is the one the page answers first; a photo without a face is a wrong answer.",
        table(ANSWERS, [_answers_row(figures, name) for name in PROBES]),
        "Further photos of Korean and Indian actors against all"
        f" {figures['identification.all_actors']} actors: gallery, headshots, Korean and Indian"
        " actors together. Easy too: only people with four agreeing photos have Korean probes. One"
        " Indian probe is labelled wrongly (a photo of Abhay Deol as Aamir Khan's) and counts as a"
        " wrong answer.",
        table(ANSWERS, [_answers_row(figures, name) for name in FURTHER_PROBES]),
        "Photos in which no face is found:",
        table(
            ["set", "no face"],
            [[f"`{name}`", "{} of {:,}".format(*figures[f"no_face.{name}"])] for name in SETS],
        ),
        "**Portraits an actor, and templates.** Share of right first answers on `probes_wild`,"
        f" over {DRAWS} draws of portraits:",
        table(
            ["templates", *(f"{count} portraits" for count in COUNTS)],
            [
                [kind, *(rate(share_of(figures[f"templates.{kind}.{count}"])) for count in COUNTS)]
                for kind in TEMPLATES
            ],
        ),
        *_growth(figures),
    )


def _growth(figures: Figures) -> tuple[str, str, Plot]:
    """The chapter's part on the size of the gallery."""
    growth = {
        name: [share_of(figures[f"growth.{name}.{size}"]) for size in SIZES] for name in PROBES
    }
    return (
        "**Size of the gallery.** The 80 actors and others added, up to 397 by `headshots`,"
        f" beyond by people of LFW; share of right first answers, over {DRAWS} draws:",
        table(
            ["actors", *map(str, SIZES)],
            [[f"`{name}`", *map(rate, shares)] for name, shares in growth.items()],
        ),
        Plot(
            "growth.png", "Right first answers as the gallery grows", "actors in the gallery",
            "right first answers, %",
            {name: (SIZES, [100 * share for share in shares]) for name, shares in growth.items()},
            log_x=True, y_range=(90, 100.5),
        ),
    )  # fmt: skip


def _answers_row(figures: Figures, name: str) -> list[str]:
    right, five, any_face, no_face = (
        figures[f"{name}.{what}"] for what in ("rank1", "rank5", "any_face", "no_face")
    )
    interval = wilson(*right)
    ends = f"{rate(interval.low)} to {rate(interval.high)}"
    return [f"`{name}`", count_of(right), ends, count_of(five), count_of(any_face), no_face[0]]


def headline(figures: Figures) -> list[str]:
    """The share of right first answers to each kind of probes."""
    return [rate(share_of(figures[f"{name}.rank1"])) for name in PROBES]
