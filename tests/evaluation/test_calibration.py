"""Shares of outsiders at each score, on real embeddings and on made ones."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.evaluation.calibration import (
    LEVELS,
    THIRDS,
    reached,
    split_calibration,
    thirds_by_quality,
)
from scripts.evaluation.galleries import Portraits, enrol
from scripts.evaluation.measure import MeasuredSet
from tests.evaluation.conftest import measured


def test_outsiders_reach_a_score_about_as_often_as_it_says(portraits: Portraits) -> None:
    found = split_calibration(portraits, 40, splits=60)
    assert (found.actors, found.outsiders) == (40, len(portraits.actors) - 40)
    assert found.reached.shape == (60, len(LEVELS))
    points = 100 * found.shares - (100 - np.array(LEVELS))
    assert np.all(np.abs(points) < [6, 6, 4, 4, 2])  # studio portraits among others
    assert np.all(np.diff(found.shares) < 0)


def test_a_split_is_drawn_anew_each_time_but_the_same_in_each_run(portraits: Portraits) -> None:
    first, second = (split_calibration(portraits, 20, splits=5).reached for _ in range(2))
    assert np.array_equal(first, second)
    assert len(np.unique(first, axis=0)) > 1


def test_actors_called_outsiders_would_reach_every_score(
    portraits: Portraits, probes: MeasuredSet
) -> None:
    shown = reached(enrol(portraits), probes, np.arange(len(probes.people)))
    shares = shown[:, :, 0].mean(axis=1)  # of first answers
    assert shares == pytest.approx([1.0] * len(LEVELS), abs=0.06)


def test_thirds_are_the_ends_of_each_quality() -> None:
    random = np.random.default_rng(0)
    count = 30
    sides = random.permutation(np.arange(10, 10 + count))
    boxes = [[50.0, 50.0, 50.0 + side, 50.0 + side] for side in sides]
    photos = measured([str(i) for i in range(count)], np.eye(count), boxes=boxes)
    faces = np.arange(2, count)
    thirds = thirds_by_quality(photos, faces)
    assert tuple(thirds) == THIRDS
    assert len(thirds["small"]) == len(thirds["large"]) == len(faces) // 3
    assert sides[thirds["small"]].max() < sides[thirds["large"]].min()
    assert set(thirds["small"]) <= set(faces)
