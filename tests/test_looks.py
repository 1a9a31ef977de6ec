"""Geometry of the detector's answers: from a turned photo back, and on to the standard crop."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from insightface.utils.face_align import arcface_dst, norm_crop
from skimage import data

from core.looks import STANDARD_POINTS, Look, confidence, onto_standard_points

NOWHERE = np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32)


def look(boxes: list[list[float]], scores: list[float]) -> Look:
    corners = np.array(boxes, np.float32)
    points = np.repeat(corners.reshape(-1, 2, 2).mean(axis=1)[:, None], 5, axis=1)
    return Look(corners, np.array(scores, np.float32), points)


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
    found = Look(np.array([box], np.float32), np.array([0.9], np.float32), points)
    back = found.turned_back(pixels.shape, quarters)
    assert back.boxes.tolist() == [[70, 10, 90, 25]]
    assert back.landmarks.tolist() == [[[75.5, 12.5]] * 5]
    assert back.scores is found.scores


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_nothing_found_stays_nothing_when_turned_back(quarters: int) -> None:
    assert Look(*NOWHERE).turned_back((60, 100), quarters).boxes.shape == (0, 4)


def test_confidence_is_the_largest_faces_score() -> None:
    assert look([[0, 0, 10, 10], [0, 0, 50, 40], [0, 0, 9, 99]], [0.9, 0.6, 0.8]).confidence == (
        pytest.approx(0.6)
    )
    assert Look(*NOWHERE).confidence == 0
    sure, unsure = look([[0, 0, 9, 9]], [0.9]), look([[0, 0, 9, 9]], [0.7])
    assert max(unsure, sure, key=confidence) is sure


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
