"""Chapter: from which similarity "this may well be the same person" is said."""

from __future__ import annotations

import numpy as np

from core.evaluation.chapter import Chapter, Plot, count_of, rate, table
from core.evaluation.datasets import LFW
from core.evaluation.enrolled import Gallery, enrol
from core.evaluation.identification import together
from core.evaluation.material import Material
from core.evaluation.strangers import (
    THRESHOLDS,
    best_of_strangers,
    passing,
    strangers_as_portraits,
)

SETS = ("headshots", LFW, "kpop_portraits", "kpop_crops", "gallery")
PROBES = ("probes", "probes_wild")


def chapter(material: Material) -> Chapter:
    """False-positive identification rate by gallery size; the actors' own probes beside it."""
    galleries = _galleries(material)
    sets = [material.sets[name] for name in SETS]
    best = {name: best_of_strangers(gallery, sets) for name, gallery in galleries.items()}
    rows, lines, figures = [], {}, {}
    for name, values in best.items():
        found = passing(values)
        cells = [f"{one.passed} ({rate(one.interval.high, 2)})" for one in found]
        spread = [f"{np.percentile(values, share):.2f}" for share in (50, 95)]
        rows.append([name, f"{len(values):,}", *spread, *cells])
        cuts = np.linspace(0.2, 0.65, 91)
        lines[name] = (list(cuts), [float(100 * np.mean(values >= cut)) for cut in cuts])
        for one in found:
            figures[f"strangers.{len(galleries[name].actors)}.{one.threshold:.2f}"] = one.passed
    return Chapter(
        "From where on may it be the same person?",
        (
            "Best similarity of one photo of each stranger to anyone of the gallery. In brackets:"
            " upper end of the 95 % interval of the share that passes (false-positive"
            " identification rate).",
            table(
                ["gallery", "strangers", "median", "95th percentile",
                 *(f"reach {cut:.2f}" for cut in THRESHOLDS)],
                rows,
            ),
            "Probes of the actors themselves that are matched rightly and reach it:",
            table(
                ["probes", "gallery", *(f"{cut:.2f}" for cut in THRESHOLDS)],
                [
                    [f"`{probe}`", name, *_genuine(material, galleries[name], probe)]
                    for probe in PROBES
                    for name in list(galleries)
                    if "LFW" not in name and name != "338 headshots"
                ],
            ),
        ),
        {key: float(value) for key, value in figures.items()},
        (Plot("strangers.png", "Strangers who reach a similarity with anyone",
              "similarity", "strangers, %", lines, y_range=(0, 20)),),
    )  # fmt: skip


def _galleries(material: Material) -> dict[str, Gallery]:
    """By name; the largest has half of LFW's people in it, the other half are its strangers."""
    people = strangers_as_portraits(material.sets[LFW], material.everyone.actors)
    half = people.only(np.arange(0, len(people.actors), 2))
    large = enrol(together(material.everyone, half))
    return {
        f"{len(material.gallery.actors)} actors": material.gallery,
        f"{len(material.headshots.actors)} headshots": enrol(material.headshots),
        f"{len(material.everyone.actors)} of both": enrol(material.everyone),
        f"{len(large.actors):,}, LFW's too": large,
    }


def _genuine(material: Material, gallery: Gallery, probe: str) -> list[str]:
    measured = material.sets[probe]
    faces = measured.chosen()
    similarities = gallery.similarities(measured.embeddings[faces])
    named = similarities.argmax(axis=1)
    own = np.array([gallery.actors.index(person) for person in measured.people])
    right = (named == own) & (faces >= 0)
    best = similarities.max(axis=1)
    return [count_of(int((right & (best >= cut)).sum()), len(own)) for cut in THRESHOLDS]
