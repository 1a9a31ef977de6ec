"""Who counts as a stranger, and who passes all the same."""

from __future__ import annotations

import numpy as np

from scripts.evaluation.galleries import Portraits, enrol
from scripts.evaluation.measure import MeasuredSet
from scripts.evaluation.strangers import (
    THRESHOLDS,
    best_of_strangers,
    passing,
    rightly_matched,
    stranger_faces,
    strangers_as_portraits,
)
from tests.evaluation.conftest import measured, one_each

People = dict[str, np.ndarray]


def test_actors_of_the_gallery_are_no_strangers_in_any_spelling() -> None:
    people = ["Ann Lee", "ann_lee", "Courtney_Cox", "Bob Roe", "Bob Roe", "Nobody"]
    photos = measured(people, np.eye(5), photo=[0, 1, 2, 3, 4])
    actors = ["Ann Lee", "Courteney Cox"]
    assert stranger_faces(photos, actors).tolist() == [3, 4]
    assert stranger_faces(photos, actors, one_each=True).tolist() == [3]


def test_strangers_come_less_close_than_the_actors_themselves(people: People) -> None:
    half = list(people)[::2]
    known = {name: people[name] for name in half}
    gallery = enrol(strangers_as_portraits(one_each(known, 1), []))
    assert len(gallery.actors) == len(half)
    strange = best_of_strangers(gallery, [one_each(people, 0)])
    own = gallery.best(np.stack([rows[0] for rows in known.values()]))
    assert len(strange) == len(people) - len(half)
    assert np.median(strange) < 0.4 < np.median(own)


def test_strangers_and_rightly_matched_probes_are_counted_at_each_threshold(
    portraits: Portraits, probes: MeasuredSet
) -> None:
    gallery = enrol(portraits)
    best = gallery.best(probes.embeddings)
    assert list(passing(best)) == list(THRESHOLDS)
    assert list(passing(best).values()) == [int((best >= cut).sum()) for cut in THRESHOLDS]
    wrong = measured(list(np.roll(probes.people, 1)), probes.embeddings)
    for cut, count in rightly_matched(gallery, probes).items():
        assert passing(best)[cut] - 1 <= count <= passing(best)[cut]
        assert rightly_matched(gallery, wrong)[cut] <= 1
