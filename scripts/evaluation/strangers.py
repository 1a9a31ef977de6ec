"""Chapter: from which similarity on "this may well be the same person" is said.

By people who are surely not in a gallery, and how close they come to its actors all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from scripts.evaluation.chapter import Figures, Plot, count_of, rate, table
from scripts.evaluation.datasets import LFW, PROBES, plain_name
from scripts.evaluation.galleries import Gallery, Portraits, enrol, together
from scripts.evaluation.intervals import wilson
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet

TITLE = "From where on may it be the same person?"
THRESHOLDS = (0.45, 0.50, 0.55, 0.60, 0.61, 0.62, 0.65)
CURVE = np.linspace(0.2, 0.65, 91)  # similarities that are plotted
STRANGERS = ("headshots", LFW, "kpop_portraits", "kpop_crops", "gallery")
GALLERIES = {  # how the text calls them
    "gallery": "{:,} actors",
    "headshots": "{:,} headshots",
    "both": "{:,} of both",
    "all": "{:,}, Korean and Indian ones too",
    "with_lfw": "{:,}, LFW's too",
}
WITH_PROBES = ("gallery", "both", "all")  # whose actors the probes are


def stranger_faces(
    measured: MeasuredSet, actors: Iterable[str], *, one_each: bool = False
) -> NDArray[np.intp]:
    """Chosen faces of people who are not among these actors; if wished, each one's first photo."""
    known = {plain_name(actor) for actor in actors}
    seen: set[str] = set()
    kept = []
    for person, face in zip(measured.people, measured.chosen(), strict=True):
        if face < 0 or plain_name(person) in known or (one_each and person in seen):
            continue
        seen.add(person)
        kept.append(int(face))
    return np.array(kept, np.intp)


def strangers_as_portraits(measured: MeasuredSet, actors: Iterable[str]) -> Portraits:
    """One photo of each stranger, to make a gallery larger."""
    faces = stranger_faces(measured, actors, one_each=True)
    names = tuple(measured.people[photo] for photo in measured.photo[faces])
    return Portraits(names, measured.embeddings[faces], np.arange(len(faces), dtype=np.int32))


def best_of_strangers(gallery: Gallery, sets: Iterable[MeasuredSet]) -> NDArray[np.float64]:
    """(M,) similarity to the closest actor of one photo of each stranger of these sets."""
    return np.concatenate(
        [
            gallery.best(
                measured.embeddings[stranger_faces(measured, gallery.actors, one_each=True)]
            )
            for measured in sets
        ]
    )


def passing(best: NDArray[np.float64]) -> dict[float, int]:
    """How many strangers reach each of THRESHOLDS: false positives of a 1:N question."""
    return {threshold: int((best >= threshold).sum()) for threshold in THRESHOLDS}


def rightly_matched(gallery: Gallery, probes: MeasuredSet) -> dict[float, int]:
    """How many probes of the gallery's actors are matched rightly and reach each threshold."""
    faces = probes.chosen()
    similarities = gallery.similarities(probes.embeddings[faces])
    own = np.array([gallery.actors.index(person) for person in probes.people])
    right = (similarities.argmax(axis=1) == own) & (faces >= 0)
    best = similarities.max(axis=1)
    return {threshold: int((right & (best >= threshold)).sum()) for threshold in THRESHOLDS}


def measure(material: Material) -> Figures:
    """False-positive identifications by gallery; the actors' own probes beside them."""
    figures: Figures = {}
    sets = [material.measured(name) for name in STRANGERS]
    galleries = _galleries(material)
    for name, gallery in galleries.items():
        best = best_of_strangers(gallery, sets)
        median, high = (float(value) for value in np.percentile(best, [50, 95]))
        start = f"strangers.{name}"
        figures |= {
            f"{start}.actors": len(gallery.actors),
            f"{start}.strangers": len(best),
            f"{start}.median": median,
            f"{start}.95th": high,
            f"{start}.curve": [float(np.mean(best >= cut)) for cut in CURVE],
            **{f"{start}.{cut:.2f}": [count, len(best)] for cut, count in passing(best).items()},
        }
    for name in WITH_PROBES:
        for probe in PROBES:
            probes = material.measured(probe)
            figures |= {
                f"strangers.{name}.{probe}.{cut:.2f}": [count, len(probes.people)]
                for cut, count in rightly_matched(galleries[name], probes).items()
            }
    return figures


def _galleries(material: Material) -> dict[str, Gallery]:
    """The largest has half of LFW's people in it; the other half are its strangers."""
    people = strangers_as_portraits(material.measured(LFW), material.all_actors.actors)
    half = people.only(np.arange(0, len(people.actors), 2))
    return {
        "gallery": material.gallery,
        "headshots": enrol(material.headshots),
        "both": enrol(material.everyone),
        "all": enrol(material.all_actors),
        "with_lfw": enrol(together(material.all_actors, half)),
    }


def text(figures: Figures) -> tuple[str | Plot, ...]:
    """The chapter."""
    called = {
        name: words.format(figures[f"strangers.{name}.actors"]) for name, words in GALLERIES.items()
    }
    cuts = [f"{cut:.2f}" for cut in THRESHOLDS]
    return (
        "Best similarity of one photo of each stranger to anyone of the gallery. In brackets:"
        " upper end of the 95 % interval of the share that passes (false-positive"
        " identification rate).",
        table(
            ["gallery", "strangers", "median", "95th percentile",
             *(f"reach {cut}" for cut in cuts)],
            [[words, *_strangers_row(figures, name)] for name, words in called.items()],
        ),
        "Probes of the actors themselves that are matched rightly and reach it:",
        table(
            ["probes", "gallery", *cuts],
            [
                [f"`{probe}`", called[name],
                 *(count_of(figures[f"strangers.{name}.{probe}.{cut}"]) for cut in cuts)]
                for probe in PROBES
                for name in WITH_PROBES
            ],
        ),
        Plot(
            "strangers.png", "Strangers who reach a similarity with anyone", "similarity",
            "strangers, %",
            {
                words: (CURVE, [100 * share for share in figures[f"strangers.{name}.curve"]])
                for name, words in called.items()
            },
            y_range=(0, 20),
        ),
    )  # fmt: skip


def _strangers_row(figures: Figures, name: str) -> list[str]:
    start = f"strangers.{name}"
    spread = [f"{figures[f'{start}.{part}']:.2f}" for part in ("median", "95th")]
    passed = [figures[f"{start}.{cut:.2f}"] for cut in THRESHOLDS]
    cells = [f"{count} ({rate(wilson(count, total).high, 2)})" for count, total in passed]
    return [f"{figures[f'{start}.strangers']:,}", *spread, *cells]
