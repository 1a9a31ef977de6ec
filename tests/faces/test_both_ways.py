"""One face from two looks at it."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces.align import STANDARD_POINTS, roll
from core.faces.both_ways import find_both_ways
from core.faces.found import FoundFace, FoundFaces

WIDTH = 400
PHOTO = np.zeros((300, WIDTH, 3), np.uint8)


def face(score: float, quarters: int = 0) -> FoundFace:
    turn = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarters)
    points = (STANDARD_POINTS - 56) @ turn.T + (150, 140)
    return FoundFace(np.array([100, 90, 200, 190], np.float32), score, points.astype(np.float32))


@pytest.mark.parametrize("surer", ["photo", "mirror image"])
def test_where_two_looks_do_not_agree_on_the_way_up_the_surer_counts(surer: str) -> None:
    wrong, right = face(0.89), face(0.94, quarters=1)
    here, there = (right, wrong) if surer == "photo" else (wrong, right)
    looks = iter([here, there.mirrored(WIDTH)])
    (seen,) = find_both_ways(lambda _, **_more: FoundFaces.of([next(looks)]), PHOTO, PHOTO)
    middle = seen.middle(WIDTH)
    assert middle.score == pytest.approx(0.94)
    assert roll(middle.landmarks) == pytest.approx(roll(right.landmarks), abs=0.1)
    assert seen.mirrored.landmarks == pytest.approx(right.mirrored(WIDTH).landmarks)


def test_two_looks_that_agree_are_averaged() -> None:
    one, other = face(0.9), face(0.94)
    other = FoundFace(other.box + 4, other.score, other.landmarks + 4)
    looks = iter([one, other.mirrored(WIDTH)])
    (seen,) = find_both_ways(lambda _, **_more: FoundFaces.of([next(looks)]), PHOTO, PHOTO)
    assert seen.middle(WIDTH).landmarks == pytest.approx(one.landmarks + 2, abs=1e-3)
    assert seen.middle(WIDTH).score == pytest.approx(0.92)
