"""Chapter: whether two photos of one person are told from photos of two."""

from __future__ import annotations

import numpy as np

from core.evaluation.chapter import Chapter, count_of, table, with_interval
from core.evaluation.datasets import LFW, Pairs
from core.evaluation.material import Material
from core.evaluation.verification import (
    equal_error_rate,
    true_accepts,
    verify,
)


def chapter(material: Material) -> Chapter:
    """Accuracy, EER and true-accept rates on LFW, with intervals."""
    measured = material.sets[LFW]
    vectors = measured.embeddings
    whole = both(material.learn, material.test)
    tested = verify(measured, material.learn, material.test, vectors)
    half = Pairs(*(column[::2] for column in vars(material.test).values()))
    every_second = verify(measured, material.learn, half, vectors)
    all_pairs = verify(measured, material.learn, whole, vectors)
    cut, equal = equal_error_rate(measured, whole, vectors)
    accepts = true_accepts(measured, vectors)
    rows = [
        ["accuracy, `pairsDevTest`", count_of(tested.pairs - tested.errors, tested.pairs),
         with_interval(tested.accuracy, 2), f"{tested.threshold:.3f}"],
        ["accuracy, whole development set", count_of(all_pairs.pairs - all_pairs.errors,
         all_pairs.pairs), with_interval(all_pairs.accuracy, 2), f"{all_pairs.threshold:.3f}"],
        ["equal error rate, whole development set", "", with_interval(equal, 2), f"{cut:.3f}"],
        *(
            [f"true accepts at one false accept in {round(1 / one.rate):,}", "",
             with_interval(one.share, 2), f"{one.threshold:.3f}"]
            for one in accepts
        ),
    ]  # fmt: skip
    faces = int((measured.chosen() < 0).sum())
    return Chapter(
        "The same person, or two?",
        (
            "Labeled Faces in the Wild, development view, end to end: each photo is detected,"
            " aligned and embedded as a visitor's would be; its person is the face nearest the"
            " centre. The threshold is chosen on `pairsDevTrain`. A pair with a photo in which no"
            f" face is found counts as an error ({all_pairs.without_face} pairs, {faces} photos)."
            " True accepts are counted over every pair of the set's"
            f" {len(measured.people):,} photos. Intervals: 95 %, by drawing people anew.",
            table(["figure", "pairs right", "share (95 % interval)", "threshold"], rows),
        ),
        {
            "lfw.threshold": tested.threshold,
            "lfw.test_accuracy": tested.accuracy.value,
            "lfw.test_accuracy_every_second": every_second.accuracy.value,  # for the test suite
            "lfw.accuracy": all_pairs.accuracy.value,
            "lfw.eer": equal.value,
            **{f"lfw.true_accepts_{one.rate:g}": one.share.value for one in accepts},
        },
    )


def both(one: Pairs, other: Pairs) -> Pairs:
    """Both lists' pairs."""
    return Pairs(
        np.concatenate([one.first, other.first]),
        np.concatenate([one.second, other.second]),
        np.concatenate([one.same, other.same]),
    )
