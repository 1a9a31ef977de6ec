"""Same person or two: thresholds, errors, rates, on made and on real similarities."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.evaluation.datasets import Pairs
from scripts.evaluation.measure import MeasuredSet
from scripts.evaluation.verification import (
    best_threshold,
    equal_error_rate,
    similarities_of,
    true_accepts,
    verify,
)
from tests.evaluation.conftest import measured

People = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def album(people: People) -> MeasuredSet:
    """Five photos of each actor."""
    names = [name for name in people for _ in range(5)]
    return measured(names, np.concatenate([rows[:5] for rows in people.values()]))


@pytest.fixture(scope="module")
def pairs(album: MeasuredSet) -> Pairs:
    """As many pairs of one actor as of two."""
    photos = np.arange(len(album.people))
    same = [(i, i + 1) for i in photos if i % 5 < 4]
    other = [(i, (i + 5 * (1 + i % 7)) % len(photos)) for i, _ in same]
    first, second = zip(*(same + other), strict=True)
    return Pairs(np.array(first), np.array(second), np.arange(2 * len(same)) < len(same))


def test_best_threshold_makes_the_fewest_errors() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        same = random.random(60) < 0.5
        values = np.where(same, 0.6, 0.2) + random.normal(0, 0.2, 60)
        errors = np.sum((values >= best_threshold(values, same)) != same)
        tried = np.concatenate([values - 1e-9, values + 1e-9])
        assert errors == min(np.sum((values >= cut) != same) for cut in tried)


def test_a_threshold_lies_between_what_it_parts() -> None:
    values, same = np.array([0.1, 0.2, 0.6, 0.8]), np.array([False, False, True, True])
    assert best_threshold(values, same) == pytest.approx(0.4)


def test_real_pairs_are_told(album: MeasuredSet, pairs: Pairs) -> None:
    threshold = best_threshold(similarities_of(album, pairs), pairs.same)
    found = verify(album, pairs, threshold)
    assert 0.25 < threshold < 0.45
    assert found.accuracy.value > 0.97
    assert found.right == round(found.accuracy.value * found.pairs)
    assert found.accuracy.low <= found.accuracy.value <= found.accuracy.high
    assert found.without_face == 0


def test_a_lost_face_is_an_error_for_either_kind_of_pair(album: MeasuredSet, pairs: Pairs) -> None:
    kept = np.arange(len(album.people)) != 7
    holed = measured(list(album.people), album.embeddings[kept], photo=list(np.flatnonzero(kept)))
    touched = (pairs.first == 7) | (pairs.second == 7)
    whole = verify(album, pairs, 0.33)
    found = verify(holed, pairs, 0.33)
    right = (similarities_of(album, pairs) >= 0.33) == pairs.same
    assert pairs.same[touched].any()
    assert not pairs.same[touched].all()
    assert found.without_face == touched.sum()
    assert found.right == whole.right - (right & touched).sum()


def test_both_kinds_fail_equally_often_at_the_equal_error_rate(
    album: MeasuredSet, pairs: Pairs
) -> None:
    cut, equal = equal_error_rate(album, pairs)
    values = similarities_of(album, pairs)
    missed = np.mean(values[pairs.same] < cut)
    passed = np.mean(values[~pairs.same] >= cut)
    assert missed == pytest.approx(passed, abs=0.01)
    assert equal.value == pytest.approx((missed + passed) / 2, abs=1e-9)


def test_true_accepts_are_counted_over_every_pair(album: MeasuredSet) -> None:
    people = np.array(album.people)
    cosines = album.embeddings @ album.embeddings.T
    upper = np.triu_indices(len(people), 1)
    same = (people[:, None] == people)[upper]
    values = cosines[upper].astype(np.float64)
    for found in true_accepts(album):
        passed = np.mean(values[~same] >= found.threshold)
        assert passed <= found.rate
        assert passed == pytest.approx(found.rate, abs=2 / (~same).sum())
        assert found.pairs == same.sum()
        assert found.passed == np.sum(values[same] >= found.threshold)
        assert found.share.value == pytest.approx(found.passed / found.pairs)
        assert found.share.low <= found.share.value <= found.share.high
        assert found.share.high > found.share.low


def test_a_photo_without_a_face_passes_with_nobody(album: MeasuredSet) -> None:
    few = measured(list(album.people[:10]), album.embeddings[:9], photo=list(range(9)))
    alone = measured(list(album.people[:10]), album.embeddings[:10])
    lost = true_accepts(few)[0].share.value
    assert lost < true_accepts(alone)[0].share.value
