"""Geometry of the detector's answers: from a turned photo back, and on to the standard crop."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from insightface.utils.face_align import arcface_dst, norm_crop
from skimage import data

from core.faces.align import STANDARD_POINTS, aligned_crop, onto_standard_points, roll
from core.faces.found import FoundFace, FoundFaces, confidence, overlap

NOWHERE = np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32)


def found(boxes: list[list[float]], scores: list[float]) -> FoundFaces:
    corners = np.array(boxes, np.float32)
    points = np.repeat(corners.reshape(-1, 2, 2).mean(axis=1)[:, None], 5, axis=1)
    return FoundFaces(corners, np.array(scores, np.float32), points)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_what_is_found_in_a_turned_photo_lies_there_in_the_photo_as_given(quarters: int) -> None:
    pixels = np.zeros((60, 100), np.uint8)
    pixels[10:25, 70:90] = 1  # a "face": x 70…90, y 10…25
    pixels[12, 75] = 2  # a "landmark"
    turned = np.rot90(pixels, quarters)
    ys, xs = np.nonzero(turned)
    box = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
    (eye_y,), (eye_x,) = np.nonzero(turned == 2)
    points = np.full((1, 5, 2), [eye_x + 0.5, eye_y + 0.5], np.float32)
    found = FoundFaces(np.array([box], np.float32), np.array([0.9], np.float32), points)
    back = found.turned_back(pixels.shape, quarters)
    assert back.boxes.tolist() == [[70, 10, 90, 25]]
    assert back.landmarks.tolist() == [[[75.5, 12.5]] * 5]
    assert back.scores is found.scores


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_nothing_found_stays_nothing_when_turned_back(quarters: int) -> None:
    assert FoundFaces(*NOWHERE).turned_back((60, 100), quarters).boxes.shape == (0, 4)


def test_confidence_is_the_surest_of_the_faces_not_much_smaller_than_the_largest() -> None:
    boxes = [[0, 0, 10, 10], [0, 0, 50, 40], [0, 0, 30, 30]]
    assert found(boxes, [0.9, 0.6, 0.8]).confidence == pytest.approx(0.8)
    assert found(boxes, [0.9, 0.85, 0.8]).confidence == pytest.approx(0.85)
    assert FoundFaces(*NOWHERE).confidence == 0
    sure, unsure = found([[0, 0, 9, 9]], [0.9]), found([[0, 0, 9, 9]], [0.7])
    assert max(unsure, sure, key=confidence) is sure


def test_of_a_face_seen_twice_the_surer_look_counts() -> None:
    first = found([[0, 0, 40, 40], [60, 0, 90, 30]], [0.95, 0.7])
    second = found([[2, 2, 42, 42], [58, 0, 88, 30]], [0.8, 0.75])
    for both in (first.joined(second), second.joined(first)):
        assert both.scores.tolist() == pytest.approx([0.95, 0.75])
        assert both.boxes.tolist() == [[0, 0, 40, 40], [58, 0, 88, 30]]
        assert np.array_equal(both.landmarks[1], second.landmarks[1])


def test_what_only_the_less_confident_look_has_must_be_sure() -> None:
    close = found([[0, 0, 40, 40]], [0.95])
    group = found([[0, 0, 41, 41], [60, 0, 70, 10], [80, 0, 90, 10]], [0.85, 0.79, 0.81])
    assert close.joined(group).boxes.tolist() == [[0, 0, 40, 40], [80, 0, 90, 10]]


def test_what_the_more_confident_look_has_stays() -> None:
    group = found([[0, 0, 40, 40], [60, 0, 70, 10]], [0.95, 0.55])
    assert len(group.joined(found([[0, 0, 40, 40]], [0.7])).boxes) == 2
    assert len(group.joined(FoundFaces(*NOWHERE)).boxes) == 2
    assert len(FoundFaces(*NOWHERE).joined(FoundFaces(*NOWHERE)).boxes) == 0


def test_overlap_is_a_part_of_the_smaller_box() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 25, 10], [20, 20, 30, 30], [2, 2, 4, 4]], np.float32)
    assert overlap(boxes[0], boxes[1]) == pytest.approx(0.5)
    assert overlap(boxes[0], boxes[2]) == 0
    assert overlap(boxes[0], boxes[3]) == 1
    assert overlap(boxes[0], np.zeros(4, np.float32)) == 0


@pytest.mark.parametrize("degrees", [-170, -90, -30, 0, 15, 40, 120])
def test_roll_is_how_far_the_head_is_tilted(degrees: int) -> None:
    turn = math.radians(degrees)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    points = (STANDARD_POINTS - 50) @ matrix.T * 3 + 200
    assert roll(points.astype(np.float32)) == pytest.approx(degrees, abs=0.01)


def test_a_moved_face_keeps_its_size_and_turns_with_the_photo() -> None:
    face = FoundFace(np.array([10, 20, 30, 60], np.float32), 0.9, np.ones((5, 2), np.float32))
    shift = face.moved(np.array([[1, 0, 5], [0, 1, -5]], np.float64))
    quarter = face.moved(np.array([[0, -1, 100], [1, 0, 0]], np.float64))
    double = face.moved(np.array([[2, 0, 0], [0, 2, 0]], np.float64))
    assert shift.box.tolist() == [15, 15, 35, 55]
    assert quarter.box.tolist() == pytest.approx([40, 10, 80, 30])
    assert quarter.landmarks.tolist() == [[99, 1]] * 5
    assert double.box.tolist() == [20, 40, 60, 120]
    assert double.score == 0.9


def test_standard_points_are_those_of_insightface() -> None:
    assert np.allclose(STANDARD_POINTS, arcface_dst)


def test_standard_points_stay_where_they_are() -> None:
    identity = [[1, 0, 0], [0, 1, 0]]
    assert np.allclose(
        onto_standard_points(STANDARD_POINTS.astype(np.float32)), identity, atol=1e-5
    )


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")
def test_crop_is_the_one_insightface_would_cut() -> None:
    """Landmarks turned, scaled, moved and disturbed at random, on a real photo."""
    random = np.random.default_rng(3)
    photo = data.astronaut()
    for _ in range(20):
        angle, scale = random.uniform(-np.pi, np.pi), random.uniform(0.3, 4)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = (STANDARD_POINTS - 56) @ turn.T + random.uniform(100, 400, 2)
        points = (points + random.normal(0, 3 * scale, (5, 2))).astype(np.float32)
        ours = cv2.warpAffine(photo, onto_standard_points(points), (112, 112))
        theirs = norm_crop(photo, points.astype(np.float64))
        assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("times", [2.0, 5.3])
@pytest.mark.parametrize("degrees", [0, 30, 180])
def test_what_becomes_smaller_is_averaged_in_its_place(times: float, degrees: int) -> None:
    """A photo enlarged, with noise on it, gives nearly the crop that the photo gives."""
    photo = data.astronaut()
    points = (STANDARD_POINTS - 56) * 0.9 + (225, 120)  # about the face
    small = aligned_crop(photo, points.astype(np.float32)).astype(int)
    side = round(512 * times)
    region = cv2.resize(photo, (side, side), interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(1).normal(0, 25, region.shape).astype(np.float32)
    noisy = (region + noise).clip(0, 255).astype(np.uint8)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1)
    turned = cv2.warpAffine(noisy, turn, (side, side))
    there = ((points + 0.5) * times - 0.5) @ turn[:, :2].T + turn[:, 2]
    large = aligned_crop(turned, there.astype(np.float32)).astype(int)
    assert np.abs(large - small).mean() < 25 / times + 2.5


def test_beyond_the_photo_a_crop_is_black_however_large_it_is() -> None:
    white = np.full((3000, 3000, 3), 255, np.uint8)
    points = (STANDARD_POINTS - 56) * 20 + (100, 1500)
    crop = aligned_crop(white, points.astype(np.float32))
    assert (crop[:, :45] == 0).all()
    assert (crop[:, 60:] == 255).all()
    nowhere = aligned_crop(white, (points - 9000).astype(np.float32))
    assert nowhere.max() == 0
