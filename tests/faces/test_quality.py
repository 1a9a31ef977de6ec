"""What is measured of a face moves as the photo gets worse, and only then."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.faces.engine import Detection, FaceEngine
from core.faces.photo import Photo, read_photo
from core.faces.quality import Quality, measure_quality
from tests.conftest import ASTRONAUT, SHARED, needs_shared


@pytest.fixture(scope="module")
def astronaut() -> Photo:
    return read_photo(ASTRONAUT)


def quality_of(engine: FaceEngine, pixels: np.ndarray) -> Quality:
    photo = Photo(np.ascontiguousarray(pixels), "photo")
    return measure_quality(photo, engine.detect(photo)[0])


@pytest.fixture(scope="module")
def detection(engine: FaceEngine, astronaut: Photo) -> Detection:
    return engine.detect(astronaut)[0]


def test_more_blur_never_looks_sharper(astronaut: Photo, detection: Detection) -> None:
    blurs = [cv2.GaussianBlur(astronaut.pixels, (0, 0), sigma) for sigma in (1, 2, 3, 5, 8)]
    measured = [
        measure_quality(Photo(pixels, "blurred"), detection).sharpness
        for pixels in [astronaut.pixels, *blurs]
    ]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > 0.7 > 0.5 > measured[2]


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_motion_in_any_direction_is_seen(
    angle: int, astronaut: Photo, detection: Detection
) -> None:
    kernel = np.zeros((31, 31), np.float32)
    step = 10 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    ends = [tuple(int(value) for value in np.round(15 + way * step)) for way in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    dragged = cv2.filter2D(astronaut.pixels, -1, kernel / kernel.sum())
    assert measure_quality(Photo(dragged, "dragged"), detection).sharpness < 0.6


def test_sharpness_is_that_of_the_face_at_any_size(engine: FaceEngine, astronaut: Photo) -> None:
    sharp = quality_of(engine, astronaut.pixels).sharpness
    for scale in (0.5, 0.7):
        small = cv2.resize(astronaut.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        assert quality_of(engine, small).sharpness == pytest.approx(sharp, abs=0.12)


def test_size_is_the_boxs_shorter_side(astronaut: Photo, detection: Detection) -> None:
    narrow = replace(detection, box=(180.0, 70.0, 220.0, 170.0))
    assert measure_quality(astronaut, narrow).size == 40


def test_brightness_falls_with_the_light(engine: FaceEngine, astronaut: Photo) -> None:
    light = [quality_of(engine, astronaut.pixels // part).brightness for part in (1, 2, 4)]
    assert light[1] == pytest.approx(light[0] / 2, abs=3)
    assert light[2] == pytest.approx(light[0] / 4, abs=3)


def test_tilted_head_is_not_a_turned_one(astronaut: Photo, detection: Detection) -> None:
    """The yaw of the same five points, rolled by any angle, is the same."""
    upright = measure_quality(astronaut, detection).yaw
    for angle in (30, 90, 200):
        turn = cv2.getRotationMatrix2D((230.0, 120.0), angle, 0.8)
        rolled = cv2.transform(detection.landmarks[None], turn)[0].astype(np.float32)
        assert measure_quality(astronaut, replace(detection, landmarks=rolled)).yaw == (
            pytest.approx(upright, abs=0.1)
        )


@needs_shared
@pytest.mark.parametrize("name", ["pose__left_face.jpeg", "pose__right_face.png"])
def test_side_views_are_turned_far(name: str, engine: FaceEngine) -> None:
    assert quality_of(engine, read_photo(SHARED / "faces_hard" / name).pixels).yaw > 45


def test_box_reaching_over_the_edge_is_measured(astronaut: Photo, detection: Detection) -> None:
    corner = replace(detection, box=(0.0, 0.0, 3.0, 3.0))
    edge = replace(detection, box=(500.0, 500.0, 512.0, 512.0))
    for odd in (corner, edge):
        assert 0 <= measure_quality(astronaut, odd).sharpness <= 1


def test_grey_photo_has_no_mouth_tint(engine: FaceEngine, astronaut: Photo) -> None:
    grey = np.repeat(astronaut.pixels.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    assert quality_of(engine, grey).mouth_tint < 1
