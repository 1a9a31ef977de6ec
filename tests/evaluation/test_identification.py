"""Ranks, on real embeddings whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.evaluation.chapter import share_of
from scripts.evaluation.galleries import Portraits, enrol, portraits_of, together
from scripts.evaluation.identification import identify, rank1_by_portraits, rank1_by_size, ranks_of
from scripts.evaluation.measure import MeasuredSet
from tests.evaluation.conftest import measured, one_each

People = dict[str, np.ndarray]


def test_actors_are_found_by_photos_of_their_own(portraits: Portraits, probes: MeasuredSet) -> None:
    found = identify(enrol(portraits), probes)
    assert found.photos == len(probes.people) > 70
    assert found.no_face == 0
    assert found.rank1 / found.photos > 0.98
    assert found.rank1 <= found.rank5 <= found.photos


def test_every_wrong_label_is_a_wrong_answer(portraits: Portraits, probes: MeasuredSet) -> None:
    names = list(probes.people)
    wrong = measured(names[1:] + names[:1], probes.embeddings)
    assert identify(enrol(portraits), wrong).rank1 <= 1


def test_a_photo_without_a_face_is_a_wrong_answer(portraits: Portraits, people: People) -> None:
    names = list(people)[:3]
    vectors = np.stack([people[names[0]][0], people[names[2]][0]])
    found = identify(enrol(portraits), measured(names, vectors, photo=[0, 2]))
    assert (found.photos, found.no_face, found.rank1, found.any_face) == (3, 1, 2, 2)


def test_any_face_may_be_right_where_the_chosen_is_not(
    portraits: Portraits, people: People
) -> None:
    first, second, *_ = people
    vectors = np.stack([people[second][0], people[first][0]])
    group = measured([first], vectors, photo=[0, 0])
    found = identify(enrol(portraits), group)
    assert (found.rank1, found.any_face) == (0, 1)


def test_rank_counts_the_actors_before_the_right_one(portraits: Portraits, people: People) -> None:
    gallery = enrol(portraits)
    vector = people["Brad Pitt"][0]
    order = [gallery.actors[i] for i in np.argsort(-gallery.similarities(vector[None])[0])]
    for place in (0, 3, 20):
        asked = measured([order[place]], vector[None])
        assert ranks_of(gallery, asked).tolist() == [place]


def test_more_portraits_help(portraits: Portraits, probes: MeasuredSet) -> None:
    one = share_of(rank1_by_portraits(portraits, probes, 1))
    four = share_of(rank1_by_portraits(portraits, probes, 4))
    assert 0.85 < one < four <= 1
    kept_all = rank1_by_portraits(portraits, probes, 4, lambda rows: rows)
    assert share_of(kept_all) > one


def test_other_actors_never_help(people: People) -> None:
    half = list(people)[::2]
    known = portraits_of(*(one_each({n: people[n] for n in half}, row) for row in (1, 2)))
    rest = {name: rows for name, rows in people.items() if name not in half}
    others = portraits_of(one_each(rest, 1))
    probes = one_each({name: people[name] for name in half}, 0)
    small = rank1_by_size(known, others, probes, len(half))
    large = rank1_by_size(known, others, probes, len(people))
    assert small == [identify(enrol(known), probes).rank1, len(half)]
    assert together(known, others).actors == known.actors + others.actors
    assert large == [identify(enrol(together(known, others)), probes).rank1, len(half)]
    assert large[0] <= small[0]


def test_likely_mislabels_are_left_out_as_a_build_does(people: People) -> None:
    name, other = "Brad Pitt", "Gal Gadot"  # not alike
    sets = [one_each({name: people[name]}, row) for row in range(4)]
    stranger = measured([name], people[other][:1])
    assert len(portraits_of(*sets, stranger).embeddings) == 4
    assert len(portraits_of(*sets).embeddings) == 4


def test_a_photo_with_two_like_faces_is_not_enrolled(people: People) -> None:
    rows = people["Brad Pitt"]
    boxes = [[0, 0, 40, 40], [50, 0, 90, 40], [20, 20, 80, 80]]
    two = measured(["Brad Pitt", "Brad Pitt"], rows[:3], photo=[0, 0, 1], boxes=boxes)
    assert np.array_equal(portraits_of(two).embeddings, rows[2:3])


@pytest.mark.parametrize("numbers", [[0, 2], [1], [0, 1, 2]])
def test_part_of_a_gallery_keeps_its_actors_portraits(
    numbers: list[int], portraits: Portraits
) -> None:
    part = portraits.only(np.array(numbers))
    assert part.actors == tuple(portraits.actors[number] for number in numbers)
    for place, number in enumerate(numbers):
        assert np.array_equal(part.of(place), portraits.of(number))
