"""Chapter: how often the first answer is right for people who are in the gallery."""

from __future__ import annotations

from core.evaluation.chapter import Chapter, Plot, count_of, rate, table
from core.evaluation.datasets import LFW
from core.evaluation.enrolled import portraits_of
from core.evaluation.identification import identify, rank1_by_portraits, rank1_by_size, together
from core.evaluation.intervals import wilson
from core.evaluation.material import Material
from core.evaluation.strangers import strangers_as_portraits
from core.index.templates import make_templates

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
