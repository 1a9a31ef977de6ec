"""Chapter: whether the actors that are answered look like the visitor.

Nobody's judgement can be asked by a script. What stands for it: whether the answer is of the
visitor's gender and age, which are read from the actors' lists and never from a face; pairs that
a model graded from the pictures; and whether another photo of the visitor gets the same answer.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import GalleryError
from core.gallery.people import ACTORS_FILE, ActorEntry, read_actors
from scripts.evaluation.changes import CHANGES, changed_by
from scripts.evaluation.chapter import (
    Figures,
    bounds,
    count_of,
    rate,
    share_of,
    table,
    with_interval,
)
from scripts.evaluation.datasets import LFW, LabelledPhoto, plain_name
from scripts.evaluation.galleries import Gallery, Portraits, enrol, portraits_of
from scripts.evaluation.identification import identify
from scripts.evaluation.intervals import Interval, by_people, numbered, resampled_people
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet, Way
from scripts.evaluation.verification import best_threshold, similarities_of, verify

TITLE = "Does the answer look like you?"
SHOWN = 5  # answers the page gives
SHARES = (0.0, 0.20, 0.32, 0.50, 1.0)  # of the second network, that are compared
ALONE = 0.0
WHO = {"pack": "both networks", "alone": "recogniser alone"}
MIRRORED = "mirrored"
EVERY = 4  # of the strangers, one in so many is mirrored
PAIRS = "likeness/pairs.csv"
COMPARED = {  # what a visitor's photo is compared with
    "photo": "the graded photo",
    "template": "the actor's template, as the app does",
}
GRADED = ("headshots", "gallery", "kpop_portraits")  # whose photos the pairs are of


@dataclass(frozen=True, eq=False)
class GradedPairs:
    """N pairs of photos and how alike they look, by a model that saw the pictures."""

    visitors: tuple[str, ...]  # N, files below the data's folder
    candidates: tuple[str, ...]  # N
    grade: NDArray[np.int64]  # (N,) 0 absurd - 3 striking
    again: NDArray[np.int64]  # (N,) a second grading; -1 where there is none
    better: NDArray[np.bool_]  # (N,) the better of the two of its visitor; neither in a tie


def read_graded(material: Material) -> GradedPairs:
    """The graded pairs beside the photos.

    Raises:
        GalleryError: the list is missing or is not what it should be.
    """
    path = material.data / PAIRS
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return GradedPairs(
            visitors=tuple(row["visitor"] for row in rows),
            candidates=tuple(row["candidate"] for row in rows),
            grade=np.array([int(row["grade"]) for row in rows]),
            again=np.array([int(row["grade2"] or -1) for row in rows]),
            better=np.array([row["better"] == "1" for row in rows]),
        )
    except (OSError, KeyError, ValueError) as error:
        raise GalleryError(f"{path} cannot be used ({type(error).__name__}: {error})") from error


def rank_correlation(
    one: NDArray[np.floating], other: NDArray[np.integer] | NDArray[np.floating]
) -> float:
    """Spearman's, -1 to 1; equal values share the mean of their ranks."""
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def correlation_by_visitors(
    one: NDArray[np.floating], other: NDArray[np.integer], visitors: Iterable[str]
) -> Interval:
    """The rank correlation; its 95 % interval by drawing visitors anew, with all their pairs."""
    numbers = numbered(list(visitors))
    drawn = []
    for times in resampled_people(int(numbers.max()) + 1):
        rows = np.repeat(np.arange(len(numbers)), times[numbers])
        drawn.append(rank_correlation(one[rows], other[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(rank_correlation(one, other), float(low), float(high))


def better_named(
    similarities: NDArray[np.floating], pairs: GradedPairs
) -> tuple[NDArray[np.bool_], list[str]]:
    """Whether the better of a visitor's two is the more similar; and whose it is. No ties."""
    named, whose = [], []
    for visitor in dict.fromkeys(pairs.visitors):
        rows = [row for row, name in enumerate(pairs.visitors) if name == visitor]
        better = [row for row in rows if pairs.better[row]]
        if len(better) == 1:
            others = [similarities[row] for row in rows if row != better[0]]
            named.append(bool(similarities[better[0]] > max(others)))
            whose.append(visitor)
    return np.array(named, np.bool_), whose


def answers(
    gallery: Gallery, embeddings: NDArray[np.float32], own: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """(M, D) → (M, SHOWN) numbers of the closest actors, best first; `own` are not asked."""
    similarities = gallery.similarities(embeddings)
    if own is not None:
        similarities[np.arange(len(own)), own] = -np.inf
    order: NDArray[np.intp] = np.argsort(-similarities, axis=1, kind="stable")[:, :SHOWN]
    return order


def agreement(
    one: NDArray[np.intp], other: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Of two rows of answers each: whether the first is the same, how many they share."""
    shared = (one[:, :, None] == other[:, None, :]).sum(axis=(1, 2))
    return one[:, 0] == other[:, 0], shared


def two_photos(measured: MeasuredSet, actors: Iterable[str]) -> NDArray[np.intp]:
    """(M, 2) faces: the first two photos of each person who has two and is none of these."""
    known = {plain_name(actor) for actor in actors}
    faces: dict[str, list[int]] = {}
    for person, face in zip(measured.people, measured.chosen().tolist(), strict=True):
        if face >= 0 and plain_name(person) not in known:
            faces.setdefault(person, []).append(face)
    return np.array([row[:2] for row in faces.values() if len(row) > 1], np.intp).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Known:
    """What the actors' lists say of a gallery, actor by actor."""

    gender: NDArray[np.str_]  # (A,) "" where it is not known
    born: NDArray[np.float64]  # (A,) years; NaN where it is not known

    @classmethod
    def of(cls, actors: Iterable[str], entries: Mapping[str, ActorEntry]) -> Known:
        """In the order of these actors."""
        rows = [entries.get(actor, ActorEntry(actor, actor)) for actor in actors]
        years = [float(row.birth_year or "nan") for row in rows]
        return cls(np.array([row.gender for row in rows]), np.array(years))


def same_gender(
    known: Known, visitors: NDArray[np.intp], answered: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """(M, k) whether each answer is of its visitor's gender."""
    same: NDArray[np.bool_] = known.gender[answered] == known.gender[visitors][:, None]
    return same


def years_apart(known: Known, visitors: NDArray[np.intp], answered: NDArray[np.intp]) -> int:
    """Median difference of birth years, of those that are known."""
    apart = np.abs(known.born[answered] - known.born[visitors][:, None])
    return round(float(np.nanmedian(apart)))


def measure(material: Material) -> Figures:
    """Gender and age, graded pairs, two photos, mirrored photos; and by share."""
    pairs = read_graded(material)
    alone = material.with_share(ALONE)
    figures = _by_chance(material) | _second_grading(pairs) | _mirrored(material)
    for name, asked in (("pack", material), ("alone", alone)):
        figures |= _gender_and_age(name, asked)
        figures |= _graded(name, asked, pairs)
        figures |= _consistency(name, asked)
    for share in SHARES:
        figures |= _with_share(material.with_share(share), pairs)
    return figures


def _lists(material: Material) -> dict[str, ActorEntry]:
    starter = read_actors(material.meter.settings.starter_people_path)
    return read_actors(material.data / "korean_actors" / ACTORS_FILE) | starter


def _headshots_as_visitors(
    material: Material,
) -> tuple[Known, NDArray[np.intp], NDArray[np.intp]]:
    """Each headshot's actor against all others: lists, visitors and their answers, by number."""
    gallery, measured = enrol(material.everyone), material.measured("headshots")
    faces = measured.chosen()
    numbers = {actor: number for number, actor in enumerate(gallery.actors)}
    visitors = np.array([numbers[person] for person in measured.people])[faces >= 0]
    known = Known.of(gallery.actors, _lists(material))
    return known, visitors, answers(gallery, measured.embeddings[faces[faces >= 0]], visitors)


def _koreans_as_visitors(
    material: Material,
) -> tuple[Known, NDArray[np.intp], NDArray[np.intp]]:
    """Each Korean actor's template against the others'."""
    gallery = enrol(portraits_of(material.measured("korean_actors")))
    visitors = np.arange(len(gallery.actors))
    known = Known.of(gallery.actors, _lists(material))
    return known, visitors, answers(gallery, gallery.templates, visitors)


def _by_chance(material: Material) -> Figures:
    """What any other actor of the 397, drawn by lot, would be."""
    known, visitors, _ = _headshots_as_visitors(material)
    everyone = np.tile(np.arange(len(known.gender)), (len(visitors), 1))
    others = everyone[everyone != visitors[:, None]].reshape(len(visitors), -1)
    return {
        "likeness.actors": len(known.gender),
        "likeness.visitors": len(visitors),
        "likeness.chance.gender": float(same_gender(known, visitors, others).mean()),
        "likeness.chance.years": years_apart(known, visitors, others),
    }


def _gender_and_age(name: str, material: Material) -> Figures:
    known, visitors, found = _headshots_as_visitors(material)
    same = same_gender(known, visitors, found)
    people = [str(visitor) for visitor in visitors]
    start = f"likeness.{name}"
    figures: Figures = {
        f"{start}.first": [int(same[:, 0].sum()), len(same)],
        f"{start}.five": [int(same.sum()), same.size],
        f"{start}.years": years_apart(known, visitors, found[:, :1]),
        f"{start}.years_five": years_apart(known, visitors, found),
        **bounds(f"{start}.first", by_people(same[:, 0], people)),
        **bounds(f"{start}.five", by_people(same.mean(axis=1), people)),
    }
    known, visitors, found = _koreans_as_visitors(material)
    same = same_gender(known, visitors, found[:, :1])
    people = [str(visitor) for visitor in visitors]
    figures[f"{start}.korean"] = [int(same.sum()), len(same)]
    return figures | bounds(f"{start}.korean", by_people(same[:, 0], people))


def pair_similarities(
    material: Material, pairs: GradedPairs, *, templates: bool = False
) -> NDArray[np.float64]:
    """(N,) cosine of the two photos that were graded; or of the visitor's and the actor's template.

    The chosen face of each photo.
    """
    vectors = {}
    for name in GRADED:
        measured = material.measured(name)
        for photo, face in zip(material.photos(name), measured.chosen(), strict=True):
            vectors[_below(material, photo)] = measured.embeddings[face]
    visitors = np.stack([vectors[visitor] for visitor in pairs.visitors])
    if not templates:
        candidates = np.stack([vectors[candidate] for candidate in pairs.candidates])
        return np.sum(visitors.astype(np.float64) * candidates, axis=1)
    gallery = enrol(material.everyone)
    numbers = [gallery.actors.index(one.split("/")[1]) for one in pairs.candidates]
    return gallery.similarities(visitors)[np.arange(len(numbers)), numbers]


def _below(material: Material, photo: LabelledPhoto) -> str:
    """As the list of pairs names it."""
    return photo.path.relative_to(material.data).as_posix()


def _graded(name: str, material: Material, pairs: GradedPairs) -> Figures:
    figures: Figures = {}
    for kind in COMPARED:
        similarities = pair_similarities(material, pairs, templates=kind == "template")
        found = correlation_by_visitors(similarities, pairs.grade, pairs.visitors)
        named, whose = better_named(similarities, pairs)
        start = f"likeness.{name}.{kind}"
        figures |= {
            f"{start}.graded": found.value,
            **bounds(f"{start}.graded", found),
            f"{start}.better": [int(named.sum()), len(named)],
            **bounds(f"{start}.better", by_people(named, whose)),
        }
    return figures


def _second_grading(pairs: GradedPairs) -> Figures:
    twice = pairs.again >= 0
    visitors = np.array(pairs.visitors)[twice].tolist()
    found = correlation_by_visitors(
        pairs.again[twice].astype(np.float64), pairs.grade[twice], visitors
    )
    return {
        "likeness.pairs": len(pairs.grade),
        "likeness.pairs_twice": int(twice.sum()),
        "likeness.again.photo.graded": found.value,
        **bounds("likeness.again.photo.graded", found),
    }


def _consistency(name: str, material: Material) -> Figures:
    """Two photos of one stranger against the 397 actors, and against all."""
    figures: Figures = {}
    for size, portraits in (("some", material.everyone), ("all", material.all_actors)):
        first, shared = _two_photos_asked(material, portraits)
        people = [str(number) for number in range(len(first))]
        start = f"likeness.{name}.{size}"
        five = by_people(shared, people)
        figures |= {
            f"{start}.actors": len(portraits.actors),
            f"{start}.same": [int(first.sum()), len(first)],
            **bounds(f"{start}.same", by_people(first, people)),
            f"{start}.shared": five.value,
            **bounds(f"{start}.shared", five),
        }
    return figures


def _two_photos_asked(
    material: Material, portraits: Portraits
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    measured, gallery = material.measured(LFW), enrol(portraits)
    faces = two_photos(measured, portraits.actors)
    one, other = (answers(gallery, measured.embeddings[faces[:, place]]) for place in (0, 1))
    return agreement(one, other)


def _mirrored(material: Material) -> Figures:
    """Photos of strangers, and the same mirrored and detected anew."""
    measured = material.measured(LFW)
    faces = two_photos(measured, material.everyone.actors)[::EVERY, 0]
    places = measured.photo[faces]
    photos: list[LabelledPhoto] = [material.photos(LFW)[place] for place in places]
    way = Way(central=True, changed=MIRRORED, change=changed_by(CHANGES[MIRRORED]))
    mirrored = material.faces(MIRRORED, photos, way)
    again = mirrored.chosen()
    gallery = enrol(material.everyone)
    found = again >= 0
    first, _ = agreement(
        answers(gallery, measured.embeddings[faces[found]]),
        answers(gallery, mirrored.embeddings[again[found]]),
    )
    return {"likeness.mirrored": [int(first.sum()), len(photos)]}


def _with_share(material: Material, pairs: GradedPairs) -> Figures:
    """What the choice of the share moves."""
    known, visitors, found = _headshots_as_visitors(material)
    same = same_gender(known, visitors, found[:, :1])
    first, shared = _two_photos_asked(material, material.everyone)
    wild = identify(material.gallery, material.measured("probes_wild"))
    start = f"likeness.share.{material.share:.2f}"
    return {
        f"{start}.first": [int(same.sum()), len(same)],
        f"{start}.wild": [wild.rank1, wild.photos],
        f"{start}.lfw": _pairs_right(material),
        f"{start}.same": [int(first.sum()), len(first)],
        f"{start}.shared": float(shared.mean()),
        f"{start}.graded": rank_correlation(pair_similarities(material, pairs), pairs.grade),
    }


def _pairs_right(material: Material) -> list[int]:
    """Pairs of LFW's development view told right, the threshold chosen on its first list."""
    measured, learn = material.measured(LFW), material.learn
    threshold = best_threshold(similarities_of(measured, learn), learn.same)
    found = verify(measured, learn.and_of(material.test), threshold)
    return [found.right, found.pairs]


def text(figures: Figures) -> tuple[str, ...]:
    """The chapter."""
    some, every = (figures[f"likeness.pack.{size}.actors"] for size in ("some", "all"))
    return (
        "What the app is asked. Only people could say, and none was asked: **every figure of this"
        " chapter is a stand-in for people's judgement.** In each table: the embedding as the"
        " app uses it, of both networks, and the recogniser alone, on the same photos. 95 %"
        " intervals by drawing visitors anew.",
        "**Gender and age.** Visitors are the actors of"
        f" {figures['likeness.visitors']} headshots, each against the {some - 1} others; and each"
        " Korean actor's template against the other Korean actors'. Genders and birth years stand"
        " in the actors' lists; no face is judged, and the app does not use them to answer.",
        table(["share of answers of the visitor's gender", *WHO.values(), "by lot"],
              _gender_rows(figures)),
        "**Graded pairs.** A vision-language model saw a visitor's photo and two actors' photos,"
        " not knowing whose, graded both (absurd, hardly, fair enough, striking) and named the"
        f" better: {figures['likeness.pairs']} pairs. The visitor's photo is compared with the"
        " actor's photo that was graded, on which the study rests, and with the actor's template.",
        table(["agreement with the grades", *WHO.values(), "the model's second grading"],
              _graded_rows(figures)),
        f"The second grading is of {figures['likeness.pairs_twice']} of the pairs: no measure can"
        " be expected to agree better.",
        "**About the visitor, or about the photo?** Two photos of each person of `lfw_dev` who"
        " has two and is no actor here"
        f" ({figures['likeness.pack.some.same'][1]:,} against {some} actors,"
        f" {figures['likeness.pack.all.same'][1]:,} against {every}, Korean and Indian ones"
        " too), asked one by one. And photos of them mirrored: both networks see each face"
        " and its mirror image, detected anew.",
        table(["consistency", *WHO.values()], _consistency_rows(figures)),
        "A mirrored photo keeps the first answer in"
        f" {count_of(figures['likeness.mirrored'])}.",
        "**The second network's share.** The same with other shares, beside what a share must not"
        " cost: the right actor and the right person.",
        table(
            ["share", "first of the same gender", "graded pairs", "two photos, same first",
             "shared of five", "`probes_wild` right", "LFW pairs right"],
            [_share_row(figures, f"{share:.2f}") for share in SHARES],
        ),
    )  # fmt: skip


def _gender_rows(figures: Figures) -> list[list[str]]:
    chance = rate(figures["likeness.chance.gender"])
    rows = [
        [words, *(with_interval(figures, f"likeness.{who}.{what}") for who in WHO), lot]
        for what, words, lot in (
            ("first", "first answer", chance),
            ("five", "of the five", chance),
            ("korean", "first among Korean actors", ""),
        )
    ]
    for what, words in (("years", "first answer"), ("years_five", "of the five")):
        apart = [f"{figures[f'likeness.{who}.{what}']} years" for who in WHO]
        lot = f"{figures['likeness.chance.years']} years"
        rows.append([f"median difference of birth years, {words}", *apart, lot])
    return rows


def _graded_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for kind, words in COMPARED.items():
        starts = [f"likeness.{who}.{kind}" for who in WHO]
        correlations = [_decimal(figures, f"{start}.graded") for start in starts]
        again = _decimal(figures, "likeness.again.photo.graded") if kind == "photo" else ""
        better = [with_interval(figures, f"{start}.better") for start in starts]
        rows.append([f"rank correlation with the grade, {words}", *correlations, again])
        rows.append([f"the better of two is the closer, {words}", *better, ""])
    return rows


def _consistency_rows(figures: Figures) -> list[list[str]]:
    rows = []
    for size in ("some", "all"):
        actors = figures[f"likeness.pack.{size}.actors"]
        starts = [f"likeness.{who}.{size}" for who in WHO]
        same = [with_interval(figures, f"{start}.same") for start in starts]
        shared = [_decimal(figures, f"{start}.shared") for start in starts]
        rows.append([f"same first answer, {actors} actors", *same])
        rows.append([f"shared of five, {actors} actors", *shared])
    return rows


def _decimal(figures: Figures, name: str) -> str:
    value, low, high = (figures[f"{name}{end}"] for end in ("", ".low", ".high"))
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _share_row(figures: Figures, share: str) -> list[str]:
    first, graded, same, shared, wild, lfw = (
        figures[f"likeness.share.{share}.{what}"]
        for what in ("first", "graded", "same", "shared", "wild", "lfw")
    )
    return [
        share, rate(share_of(first)), f"{graded:.3f}", rate(share_of(same)), f"{shared:.2f}",
        f"{wild[0]} of {wild[1]}", rate(share_of(lfw), 2),
    ]  # fmt: skip
