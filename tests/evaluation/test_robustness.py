"""The changes do what they are called, and steadiness is counted as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.faces.photo import read_photo
from scripts.evaluation.changes import CHANGES, TURNS, changed_by, close_crop
from scripts.evaluation.datasets import LabelledPhoto
from scripts.evaluation.galleries import Portraits, enrol
from scripts.evaluation.measure import MeasuredSet
from scripts.evaluation.robustness import steadiness
from tests.conftest import ASTRONAUT
from tests.evaluation.conftest import measured


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return read_photo(ASTRONAUT).pixels


def test_every_change_is_the_one_it_is_called(pixels: np.ndarray) -> None:
    changed = {name: change(pixels) for name, change in CHANGES.items()}
    assert changed["half size"].shape == (256, 256, 3)
    assert np.array_equal(changed["mirrored"][:, ::-1], pixels)
    assert changed["30 % darker"].mean() == pytest.approx(0.7 * pixels.mean(), rel=0.02)
    assert changed["30 % brighter"].mean() > 1.15 * pixels.mean()
    jpeg = changed["JPEG quality 40"].astype(int)
    assert 0.5 < np.abs(jpeg - pixels).mean() < 10
    assert all(image.dtype == np.uint8 for image in changed.values())


def test_a_turn_is_as_far_as_it_is_called(pixels: np.ndarray) -> None:
    assert len(TURNS) == 23
    assert np.array_equal(np.rot90(TURNS["turned by 90°"](pixels), 3), pixels)
    left, right = TURNS["turned by 15°"](pixels), TURNS["turned by 345°"](pixels)
    assert min(left.shape[:2]) > 512
    assert left.shape == right.shape
    assert np.abs(left.astype(int) - right).mean() > 20


def test_a_close_crop_keeps_a_tenth_around_the_face(pixels: np.ndarray) -> None:
    assert close_crop(pixels, np.array([100, 100, 200, 180], np.float32)).shape == (100, 120, 3)
    assert close_crop(pixels, np.array([0, 0, 100, 100], np.float32)).shape == (110, 110, 3)
    assert close_crop(pixels, np.array([450, 450, 512, 512], np.float32)).shape == (68, 68, 3)


def test_a_change_is_the_same_for_every_photo(pixels: np.ndarray) -> None:
    mirror = changed_by(CHANGES["mirrored"])
    photo = LabelledPhoto("Ann", Path("a.jpg"))
    assert np.array_equal(mirror(photo, pixels), CHANGES["mirrored"](pixels))


def test_answers_that_stay_and_faces_that_are_lost(
    portraits: Portraits, probes: MeasuredSet
) -> None:
    gallery = enrol(portraits)
    names, count = list(probes.people), len(probes.people)
    same = steadiness(gallery, probes, probes)
    assert (same.photos, same.same, same.lost, same.moved) == (count, count, 0, 0.0)
    fewer = measured(names, probes.embeddings[2:], photo=list(range(2, count)))
    found = steadiness(gallery, probes, fewer)
    assert (found.same, found.lost) == (count - 2, 2)
    other = measured(names, np.roll(probes.embeddings, 1, axis=0))
    assert steadiness(gallery, probes, other).same <= 2
    assert steadiness(gallery, probes, other).moved < -0.2
