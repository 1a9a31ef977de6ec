"""Faces in one frame: the same face always alike, every face's eyes on one line, no black edge."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.faces.engine import FaceEngine
from core.faces.framing import EYE_LINE, EYE_SPAN, FRAME, framed_face
from core.faces.photo import Photo, read_photo
from tests.conftest import ASTRONAUT, SHARED, SIX_PEOPLE, needs_shared

Pixels = NDArray[np.uint8]
FACE = np.array([[206, 106], [247, 104], [232, 128], [214, 150], [246, 148]], np.float32)


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    return read_photo(ASTRONAUT).pixels


def moved(
    pixels: Pixels, scale: float, degrees: float, shift: tuple[float, float]
) -> tuple[Pixels, NDArray[np.float64]]:
    """The photo scaled, turned and shifted with FACE's points; nothing of the face is cut off."""
    side = math.ceil(512 * scale * 1.5)
    matrix = cv2.getRotationMatrix2D((227, 127), degrees, scale)
    matrix[:, 2] += np.array([side / 2, side / 2]) - (227, 127) + np.multiply(shift, scale)
    if scale < 1:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale), np.uint8)
    copy = cv2.warpAffine(pixels, matrix, (side, side), flags=cv2.INTER_CUBIC)
    return np.asarray(copy, np.uint8), FACE @ matrix[:, :2].T + matrix[:, 2]


def offset(first: Pixels, second: Pixels) -> float:
    """Pixels by which two pictures' middles are shifted against each other."""
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[130:430, 110:370] for picture in
            (first, second)]  # fmt: skip
    window = cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_64F)
    shift, _ = cv2.phaseCorrelate(*(np.float64(picture) for picture in grey), window)
    return math.hypot(*shift)


def eyes_in(picture: Pixels, engine: FaceEngine) -> tuple[float, float]:
    """Height of the eye line and distance of the eyes, as the detector sees them."""
    faces = [face.landmarks[:2] for face in engine.detect(Photo(picture, "frame"))]
    left, right = min(faces, key=lambda eyes: math.dist(eyes.mean(axis=0), (240, EYE_LINE)))
    return float(left[1] + right[1]) / 2, math.dist(left, right)


@pytest.mark.parametrize(
    ("scale", "degrees", "shift"),
    [
        (0.5, 0, (0, 0)),
        (2.0, 0, (0, 0)),
        (1.0, 25, (0, 0)),
        (1.0, -40, (30, 20)),
        (3.0, 180, (-25, 60)),
        (8.0, 10, (0, 0)),  # larger than the frame: shrunk first
    ],
)
def test_scaled_turned_and_shifted_copies_look_the_same_in_the_frame(
    astronaut: Pixels, scale: float, degrees: float, shift: tuple[float, float]
) -> None:
    plain = framed_face(astronaut, FACE)
    copy = framed_face(*moved(astronaut, scale, degrees, shift))
    assert offset(plain, copy) < 1
    middle = np.s_[130:430, 110:370]
    assert np.abs(plain[middle].astype(int) - copy[middle]).mean() < (9 if scale < 1 else 4)


def test_the_frame_is_480_by_600_with_the_eyes_level_on_its_line(astronaut: Pixels) -> None:
    """A dot painted on each eye is found where the frame promises it."""
    assert FRAME == (480, 600)
    for degrees in (0, 70, -150):
        photo, points = moved(np.zeros_like(astronaut), 2.0, degrees, (0, 0))
        dots = []
        for point in points[:2]:
            painted = photo.copy()
            cv2.circle(painted, tuple(round(8 * xy) for xy in point), 40, (255,) * 3, -1, shift=3)
            framed = framed_face(painted, points)
            assert framed.shape == (600, 480, 3)
            dots.append(np.argwhere(framed[:, :, 0] > 128).mean(axis=0)[::-1])
        left, right = dots
        assert (left[1] + right[1]) / 2 == pytest.approx(EYE_LINE, abs=0.7)
        assert abs(right[1] - left[1]) < 6
        assert right[0] - left[0] == pytest.approx(EYE_SPAN, rel=0.12)
        assert (left[0] + right[0]) / 2 == pytest.approx(240, abs=12)


def test_six_different_people_share_one_eye_line_and_scale(engine: FaceEngine) -> None:
    """As seen by the detector, which is a few pixels off itself."""
    photo = read_photo(SIX_PEOPLE)
    found = [eyes_in(framed_face(photo.pixels, face.landmarks), engine) for face in
             engine.detect(photo)]  # fmt: skip
    lines, spans = zip(*found, strict=True)
    assert len(found) == 6
    assert np.abs(np.subtract(lines, EYE_LINE)).max() < 18
    assert sorted(np.abs(np.subtract(spans, EYE_SPAN)))[-2] < 22  # one looks to the side


@needs_shared
def test_portraits_of_a_gallery_share_one_eye_line(engine: FaceEngine) -> None:
    """As seen by the detector, which is a few pixels off itself."""
    lines = []
    for actor in ("Brad Pitt", "Gal Gadot", "Ma Dong-seok", "Uma Thurman", "Zendaya"):
        photo = read_photo(sorted((SHARED / "gallery" / actor).iterdir())[0])
        framed = framed_face(photo.pixels, engine.detect(photo)[0].landmarks)
        lines.append(eyes_in(framed, engine)[0])
    assert np.abs(np.subtract(lines, EYE_LINE)).max() < 18


def test_the_ten_numbers_an_index_keeps_do_as_well_as_five_points(astronaut: Pixels) -> None:
    kept = tuple(float(value) for value in FACE.ravel())
    assert np.array_equal(framed_face(astronaut, kept), framed_face(astronaut, FACE))


@pytest.mark.parametrize("side", [8, 24])
def test_a_tiny_photo_fills_the_frame(astronaut: Pixels, side: int) -> None:
    tiny = np.asarray(Image.fromarray(astronaut[60:190, 160:290]).resize((side, side)), np.uint8)
    framed = framed_face(tiny, (FACE - (160, 60)) * (side / 130))
    assert framed.shape == (600, 480, 3)
    whole = framed_face(astronaut, FACE)
    middle = np.s_[180:380, 150:330]
    assert np.abs(framed[middle].mean(axis=(0, 1)) - whole[middle].mean(axis=(0, 1))).max() < 25


def test_a_huge_photo_is_shrunk_smoothly(astronaut: Pixels) -> None:
    """50 megapixels, with fine stripes that a bare warp would turn into coarse ones."""
    side = 7000
    striped = np.zeros((side, side, 3), np.uint8)
    striped[:, ::2] = 255
    framed = framed_face(striped, FACE * (side / 512))
    assert framed.shape == (600, 480, 3)
    assert framed[100:500, 100:380].std() < 12
    assert framed.mean() == pytest.approx(127.5, abs=3)


@pytest.mark.parametrize("shift", [(-190, -90), (250, 0), (0, 350)])
def test_beyond_the_photos_edge_there_is_no_black(shift: tuple[int, int]) -> None:
    points = np.add(FACE, shift)
    assert np.unique(framed_face(np.full((512, 512, 3), 180, np.uint8), points)).tolist() == [180]


def test_the_photos_edge_cannot_be_seen_as_a_line(astronaut: Pixels) -> None:
    """Light left, dark right, cut in the middle of the face: no hard step above it."""
    cut = astronaut[90:]
    framed = framed_face(cut, FACE - (0, 90)).astype(int)
    edge = EYE_LINE - round(EYE_SPAN / 41.05 * 15)  # where row 90 of the photo comes to lie
    steps = np.abs(np.diff(framed.mean(axis=2), axis=0)).mean(axis=1)
    assert steps[edge - 40 : edge + 40].max() < 12
    assert framed[:100].std() > 3  # the photo goes on, not a plain colour
    assert framed[:100].min() > 0
