"""Chapter: whether a score comes as often as it says, for people outside the gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.index.scoring import SHOWN, Calibration, calibrate
from scripts.evaluation.chapter import Figures, Plot, bounds, rate, share_of, table, with_interval
from scripts.evaluation.datasets import LFW
from scripts.evaluation.galleries import Gallery, Portraits, enrol, portraits_of, scores_of
from scripts.evaluation.intervals import SEED, by_people
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet
from scripts.evaluation.strangers import stranger_faces

TITLE = "Does the score mean what it says?"
LEVELS = (50, 80, 90, 95, 99)  # scores whose share is told
PLOTTED = tuple(range(2, 100, 2))
SPLITS = 200
# Which set is split into gallery and outsiders, at which sizes. 338 actors leave outsiders only
# where both sets are taken together.
SPLIT = {
    "headshots": (7, 20, 50, 80, 169),
    "gallery": (7, 20, 40),
    "both": (50, 80, 169, 338),
    "korean_actors": (50, 109),
}
OUTSIDERS = ("headshots", LFW, "kpop_portraits", "kpop_crops", "korean_actors")
BY_QUALITY = (LFW, "headshots")
THIRDS = ("small", "large", "blurred", "sharp", "dark", "bright", "frontal", "turned")


@dataclass(frozen=True, eq=False)
class SplitResult:
    """Random splits of a set of actors into a gallery and outsiders."""

    actors: int  # in the gallery
    outsiders: int
    reached: NDArray[np.float64]  # (SPLITS, len(levels)) share of shown matches with the score, 0-1
    first: NDArray[np.float64]  # the same of first answers

    @property
    def shares(self) -> NDArray[np.float64]:
        """(len(levels),) means over the splits, of shown matches."""
        means: NDArray[np.float64] = self.reached.mean(axis=0)
        return means


def split_calibration(
    portraits: Portraits, actors: int, levels: tuple[int, ...] = LEVELS, splits: int = SPLITS
) -> SplitResult:
    """Share of outsiders' matches at each level, over splits; an actor's photos count as one."""
    random = np.random.default_rng(SEED + actors)
    count = len(portraits.actors)
    similarities = enrol(portraits).similarities(portraits.embeddings)  # whoever is inside
    reached, first = [], []
    for _ in range(splits):
        inside = np.sort(random.permutation(count)[:actors])
        enrolled = np.isin(portraits.actor, inside)
        shown, strangers = portraits.actor[enrolled], portraits.actor[~enrolled]
        calibration = calibrate(
            similarities[np.ix_(enrolled, inside)], np.searchsorted(inside, shown)
        )
        scores = shown_scores(calibration, similarities[np.ix_(~enrolled, inside)])
        weights = 1 / (np.bincount(strangers)[strangers] * (count - actors))
        reached.append([weights @ (scores >= level).mean(axis=1) for level in levels])
        first.append([weights @ (scores[:, 0] >= level) for level in levels])
    return SplitResult(actors, count - actors, np.array(reached), np.array(first))


def shown_scores(
    calibration: Calibration | None, similarities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(M, A) similarities → (M, k) scores of the matches that are shown, best first."""
    shown = -np.sort(-similarities, axis=1)[:, :SHOWN]
    return scores_of(calibration, shown.ravel()).reshape(shown.shape)


def thirds_by_quality(
    measured: MeasuredSet, faces: NDArray[np.intp]
) -> dict[str, NDArray[np.intp]]:
    """The faces of lowest and highest third by size, sharpness, brightness; frontal and turned."""
    qualities = {
        ("small", "large"): measured.areas,
        ("blurred", "sharp"): measured.sharpness,
        ("dark", "bright"): measured.brightness,
        ("frontal", "turned"): measured.yaw,
    }
    thirds = {}
    for (low, high), values in qualities.items():
        order = faces[np.argsort(values[faces], kind="stable")]
        third = len(order) // 3
        thirds[low], thirds[high] = order[:third], order[-third:]
    return thirds


def reached(gallery: Gallery, strangers: MeasuredSet, faces: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(len(LEVELS), n, k) whether each of these faces' shown matches has the score."""
    scores = shown_scores(gallery.calibration, gallery.similarities(strangers.embeddings[faces]))
    return np.array([scores >= level for level in LEVELS])


def measure(material: Material) -> Figures:
    """Random splits, fixed sets of outsiders, photo quality."""
    return {**_splits(material), **_outsiders(material), **_quality(material)}


def _splits(material: Material) -> Figures:
    sources = {
        "headshots": material.headshots,
        "gallery": material.portraits,
        "both": material.everyone,
        "korean_actors": portraits_of(material.measured("korean_actors")),
    }
    figures: Figures = {}
    for name, sizes in SPLIT.items():
        for size in sizes:
            found = split_calibration(sources[name], size, LEVELS + PLOTTED)
            shares = found.shares.tolist()
            start = f"calibration.{name}.{size}"
            figures[f"{start}.outsiders"] = found.outsiders
            figures[f"{start}.curve"] = shares[len(LEVELS) :]
            for level, share in zip(LEVELS, shares, strict=False):
                figures[f"{start}.{level}"] = share - (1 - level / 100)
            for level, share in zip(LEVELS, found.first.mean(axis=0).tolist(), strict=False):
                figures[f"{start}.first.{level}"] = share
    return figures


def _outsiders(material: Material) -> Figures:
    figures: Figures = {"outsiders.gallery_actors": len(material.gallery.actors)}
    for name in OUTSIDERS:
        measured = material.measured(name)
        faces = stranger_faces(measured, material.gallery.actors)
        people = [measured.people[photo] for photo in measured.photo[faces]]
        figures[f"outsiders.{name}.people"] = len(set(people))
        figures[f"outsiders.{name}.photos"] = len(faces)
        for level, passed in zip(LEVELS, reached(material.gallery, measured, faces), strict=True):
            figure = f"outsiders.{name}.{level}"
            figures[figure] = [int(passed.sum()), passed.size]
            figures |= bounds(figure, by_people(passed.mean(axis=1), people))
    return figures


def _quality(material: Material) -> Figures:
    figures: Figures = {}
    for name in BY_QUALITY:
        measured = material.measured(name)
        faces = stranger_faces(measured, material.gallery.actors, one_each=True)
        for third, chosen in thirds_by_quality(measured, faces).items():
            for level, passed in zip(
                LEVELS, reached(material.gallery, measured, chosen), strict=True
            ):
                figures[f"quality.{name}.{third}.{level}"] = [int(passed.sum()), passed.size]
    return figures


def text(figures: Figures) -> tuple[str | Plot, ...]:
    """The chapter."""
    levels = [f"p = {level}" for level in LEVELS]
    return (
        "A score of 80 says: of the lookalikes these actors would be shown themselves, their five"
        " closest others, 80 % are less alike. So of all matches shown to outsiders photographed as"
        " the gallery is, 20 % should reach it; of first answers more.",
        f"**Random splits.** Actors of a set are split {SPLITS} times into a gallery and"
        " outsiders. Mean deviation, in points, of the share of shown matches that reaches p from"
        " 100 - p; above zero is too generous.",
        table(["set", "actors", "outsiders", *levels], _splits_rows(figures)),
        "Of their first answers reach it:",
        table(["set", "actors", *levels], _first_rows(figures)),
        "**Outsiders photographed otherwise** lean, and no target is set: share of shown matches"
        " that reaches p"
        f" with the development gallery ({figures['outsiders.gallery_actors']} actors), people in"
        " it left out; 95 % intervals by drawing people anew.",
        table(["outsiders", "people", "photos", *levels], _outsiders_rows(figures)),
        "**By photo quality.** The same for the lowest and the highest third of LFW and"
        " headshots by four measures: size of the face, sharpness and brightness of the"
        " aligned crop, how far the head is turned.",
        table(["outsiders", "third", "photos", *levels], _quality_rows(figures)),
        _reliability(figures),
    )


def _splits_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for name, sizes in SPLIT.items():
        for size in sizes:
            start = f"calibration.{name}.{size}"
            deviations = [f"{100 * figures[f'{start}.{level}']:+.1f}" for level in LEVELS]
            rows.append([name, str(size), str(figures[f"{start}.outsiders"]), *deviations])
    return rows


def _first_rows(figures: Figures) -> list[list[str]]:
    return [
        [name, str(size),
         *(rate(figures[f"calibration.{name}.{size}.first.{level}"]) for level in LEVELS)]
        for name, sizes in SPLIT.items()
        for size in sizes
    ]  # fmt: skip


def _outsiders_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for name in OUTSIDERS:
        counts = [f"{figures[f'outsiders.{name}.{what}']:,}" for what in ("people", "photos")]
        shares = [with_interval(figures, f"outsiders.{name}.{level}") for level in LEVELS]
        rows.append([f"`{name}`", *counts, *shares])
    return rows


def _quality_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for name in BY_QUALITY:
        for third in THIRDS:
            found = [figures[f"quality.{name}.{third}.{level}"] for level in LEVELS]
            shares = [rate(share_of(one)) for one in found]
            rows.append([f"`{name}`", third, f"{found[0][1]:,}", *shares])
    return rows


def _reliability(figures: Figures) -> Plot:
    lines = {}
    for name, sizes in SPLIT.items():
        for size in sizes:
            shares = figures[f"calibration.{name}.{size}.curve"]
            xs, ys = [100 - level for level in PLOTTED], [100 * share for share in shares]
            lines[f"{name}, {size} actors"] = (xs, ys)
    return Plot(
        "reliability.png", "Share of outsiders' shown matches that reach a score", "100 - score, %",
        "matches that reach it, %", lines, diagonal=True,
    )  # fmt: skip
