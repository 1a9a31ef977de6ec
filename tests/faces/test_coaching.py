"""Each tip comes for its fault, hardly ever without it, and a better photo clears it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.faces.align import onto_standard_points
from core.faces.engine import Detection, FaceEngine
from core.faces.photo import Photo, read_photo
from core.faces.quality import MOST_TIPS, Quality, coach, measure_quality
from tests.conftest import ASTRONAUT, SHARED, needs_shared

GOOD = Quality(0.94, 140.0, 0.8, 150.0, 5.0, 1.0, 2.0)
EVERY_FAULT = Quality(0.94, 10.0, 0.1, 20.0, 80.0, 0.1, 50.0)
Spoil = Callable[[np.ndarray, Detection], np.ndarray]


def eye_distance(detection: Detection) -> float:
    return float(np.linalg.norm(detection.landmarks[1] - detection.landmarks[0]))


def dim(pixels: np.ndarray, _: Detection) -> np.ndarray:
    """A dark room: four stops less light, with noise."""
    light = (pixels / 255.0) ** 2.2 / 16
    noise = np.random.default_rng(1).normal(0, 5, pixels.shape)
    return np.clip(light ** (1 / 2.2) * 255 + noise, 0, 255).astype(np.uint8)


def glare(pixels: np.ndarray, _: Detection) -> np.ndarray:
    """Three stops too much light."""
    light = np.clip((pixels / 255.0) ** 2.2 * 8, 0, 1)
    return (light ** (1 / 2.2) * 255).astype(np.uint8)


def blur(pixels: np.ndarray, detection: Detection) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.08 * eye_distance(detection)))


def shrink(pixels: np.ndarray, detection: Detection) -> np.ndarray:
    scale = 15 / eye_distance(detection)
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def painted(
    pixels: np.ndarray, detection: Detection, outline: np.ndarray, colour: tuple[int, ...]
) -> np.ndarray:
    """A polygon given in the standard crop, painted on the photo with soft shading."""
    back = cv2.invertAffineTransform(onto_standard_points(detection.landmarks))
    points = np.round(outline @ back[:, :2].T + back[:, 2]).astype(np.int32)
    inside = np.zeros(pixels.shape[:2], np.float32)
    cv2.fillPoly(inside, [points], 1.0)
    shade = np.random.default_rng(2).normal(1, 0.03, pixels.shape[:2])
    cloth = np.clip(shade[..., None] * np.array(colour), 0, 255)
    return np.where(inside[..., None] > 0, cloth, pixels).astype(np.uint8)


def sunglasses(pixels: np.ndarray, detection: Detection) -> np.ndarray:
    around = np.linspace(0, 2 * np.pi, 30)
    for x in (37.0, 75.0):
        lens = np.stack([x + 15 * np.cos(around), 54 + 12 * np.sin(around)], axis=1)
        pixels = painted(pixels, detection, lens, (25, 25, 28))
    return pixels


def mask(pixels: np.ndarray, detection: Detection) -> np.ndarray:
    corners = "56,62 40,66 22,68 24,90 36,106 56,113 76,106 88,90 90,68 72,66"
    outline = np.array([[float(v) for v in corner.split(",")] for corner in corners.split()])
    return painted(pixels, detection, outline, (158, 196, 222))


FAULTS: dict[str, Spoil] = {
    "too_dark": dim,
    "too_bright": glare,
    "blurred": blur,
    "too_small": shrink,
    "sunglasses": sunglasses,
    "mask": mask,
}


def tips(engine: FaceEngine, pixels: np.ndarray) -> tuple[str, ...] | None:
    """For the largest face; None if there is none."""
    photo = Photo(np.ascontiguousarray(pixels), "photo")
    found = engine.detect(photo)
    return coach(measure_quality(photo, found[0])) if found else None


@pytest.mark.parametrize("fault", FAULTS)
def test_spoilt_photo_gets_its_tip_and_the_better_one_clears_it(
    fault: str, engine: FaceEngine
) -> None:
    good = read_photo(ASTRONAUT)
    spoilt = FAULTS[fault](good.pixels, engine.detect(good)[0])
    assert fault in (tips(engine, spoilt) or ())
    assert tips(engine, good.pixels) == ()


def test_good_quality_has_no_tip() -> None:
    assert coach(GOOD) == ()


def test_no_more_than_two_tips_the_most_important_first() -> None:
    assert MOST_TIPS == 2
    assert coach(EVERY_FAULT) == ("too_dark", "blurred")


@pytest.mark.parametrize("name", ["hubble_deep_field.jpg", "motorcycle_left.png"])
def test_what_is_taken_for_a_face_unsurely_is_told(name: str, engine: FaceEngine) -> None:
    codes = tips(engine, read_photo(ASTRONAUT.parent / name).pixels)
    assert codes and codes[0] == "perhaps_no_face"


@needs_shared
@pytest.mark.parametrize("name", ["pose__left_face.jpeg", "pose__right_face.png"])
def test_side_views_are_asked_to_turn(name: str, engine: FaceEngine) -> None:
    assert tips(engine, read_photo(SHARED / "faces_hard" / name).pixels) == ("turned_away",)


@needs_shared
def test_real_mask_and_real_blur_are_told(engine: FaceEngine) -> None:
    hard = SHARED / "faces_hard"
    assert "mask" in (tips(engine, read_photo(hard / "bulk__mask.png").pixels) or ())
    assert "blurred" in (tips(engine, read_photo(hard / "bulk__blur.jpg").pixels) or ())


def sample(folder: str, step: int) -> list[Path]:
    photos = sorted(p for p in (SHARED / folder).rglob("*") if p.suffix in (".jpg", ".png"))
    return photos[::step]


@pytest.mark.slow
@needs_shared
def test_clean_photos_hardly_ever_get_a_tip(engine: FaceEngine) -> None:
    photos = [*sample("gallery", 8), *sample("headshots", 10), *sample("lfw_dev", 160)]
    assert len(photos) > 110
    given = [tips(engine, read_photo(path).pixels) or () for path in photos]
    assert not any("perhaps_no_face" in codes for codes in given)
    for fault in (*FAULTS, "turned_away"):
        count = sum(fault in codes for codes in given)
        assert count <= 0.03 * len(photos), (fault, count)
    assert sum(codes != () for codes in given) <= 0.09 * len(photos)


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize(
    ("fault", "share"),
    [
        ("too_dark", 0.9),
        ("too_bright", 0.8),
        ("blurred", 0.9),
        ("too_small", 0.95),
        ("sunglasses", 0.8),
        ("mask", 0.8),
    ],
)
def test_most_spoilt_photos_get_their_tip(fault: str, share: float, engine: FaceEngine) -> None:
    """Of 80 others 92 % (glare) to 100 % did; the bounds leave room for a sample of 31."""
    photos = [read_photo(path) for path in sample("headshots", 22) + sample("gallery", 25)]
    spoilt = [FAULTS[fault](photo.pixels, engine.detect(photo)[0]) for photo in photos]
    given = [codes for pixels in spoilt if (codes := tips(engine, pixels)) is not None]
    assert len(given) >= 0.7 * len(photos)  # a face too dark to be found has its own tips
    assert sum(fault in codes for codes in given) >= share * len(given)
