"""Intervals: against known values and by the coverage they promise."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.evaluation.intervals import by_people, wilson


def test_wilson_is_the_published_one() -> None:
    """Newcombe (1998), table I: 81 of 263, and 0 of 20."""
    found = wilson(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert (wilson(0, 20).low, wilson(0, 20).high) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_photos_of_one_person_count_as_one_draw() -> None:
    """Ten photos of each person that stand or fall together are no better than one."""
    values = np.random.default_rng(0).random(60) < 0.7
    people = [f"{number}" for number in range(60)]
    single = by_people(values, people)
    repeated = by_people(np.repeat(values, 10), [name for name in people for _ in range(10)])
    assert repeated.value == single.value
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, abs=1e-9)


def test_the_true_share_lies_within_about_95_times_in_100() -> None:
    random = np.random.default_rng(1)
    people = [str(number // 2) for number in range(200)]
    inside = 0
    for _ in range(200):
        found = by_people(random.random(200) < 0.8, people)
        inside += found.low <= 0.8 <= found.high
    assert 180 <= inside <= 199


def test_the_same_sample_has_the_same_interval() -> None:
    values = np.arange(30) % 3 == 0
    people = [str(number) for number in range(30)]
    assert by_people(values, people) == by_people(values, people)
