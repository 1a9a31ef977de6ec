"""Chapter: whether the actors that are answered look like the visitor.

Nobody's judgement can be asked by a script. What stands for it: whether the answer is of the
visitor's gender and age, which are read from the actors' lists and never from a face; pairs that
a model graded from the pictures; and whether another photo of the visitor gets the same answer.
"""

from __future__ import annotations

from scripts.evaluation.chapter import Figures, count_of, rate, share_of, table, with_interval
from scripts.evaluation.datasets import LFW
from scripts.evaluation.identification import identify
from scripts.evaluation.likeness.consistency import consistency, mirrored, two_photos_asked
from scripts.evaluation.likeness.gender_and_age import (
    by_chance,
    gender_and_age,
    headshots_as_visitors,
    same_gender,
)
from scripts.evaluation.likeness.graded_pairs import (
    COMPARED,
    GradedPairs,
    graded,
    pair_similarities,
    rank_correlation,
    read_graded,
    second_grading,
)
from scripts.evaluation.material import Material
from scripts.evaluation.verification import best_threshold, similarities_of, verify

TITLE = "Does the answer look like you?"
SHARES = (0.0, 0.20, 0.32, 0.36, 0.40, 0.50, 1.0)  # of the second network, that are compared
ALONE = 0.0
WHO = {"pack": "both networks", "alone": "recogniser alone"}


def measure(material: Material) -> Figures:
    """Gender and age, graded pairs, two photos, mirrored photos; and by share."""
    pairs = read_graded(material)
    alone = material.with_share(ALONE)
    figures = by_chance(material) | second_grading(pairs) | mirrored(material)
    for name, asked in (("pack", material), ("alone", alone)):
        figures |= gender_and_age(name, asked)
        figures |= graded(name, asked, pairs)
        figures |= consistency(name, asked)
    for share in SHARES:
        figures |= _with_share(material.with_share(share), pairs)
    return figures


def _with_share(material: Material, pairs: GradedPairs) -> Figures:
    """What the choice of the share moves."""
    known, visitors, found = headshots_as_visitors(material)
    same = same_gender(known, visitors, found[:, :1])
    first, shared = two_photos_asked(material, material.everyone)
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
