"""The very same photo is told from all others, however it was treated. Real faces, found anew."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from core.faces.align import aligned_crop
from core.faces.copies import crop_hash, find_copies, is_same_photo
from core.faces.engine import FaceEngine
from core.faces.photo import read_photo
from tests.conftest import ASTRONAUT, SHARED, SIX_PEOPLE, needs_shared

Crop = NDArray[np.uint8]


def encoded(image: Image.Image, kind: str = "JPEG", quality: int = 90) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, quality=quality)
    return stream.getvalue()


def cut(
    image: Image.Image,
    left: float = 0.1,
    top: float = 0.1,
    right: float = 0.1,
    bottom: float = 0.1,
) -> Image.Image:
    """Parts of the width and height less on each side."""
    width, height = image.size
    sides = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return image.crop(tuple(map(round, sides)))


TREATED: dict[str, Callable[[Image.Image], bytes]] = {
    "unchanged": lambda image: encoded(image, "PNG"),
    "JPEG 40": lambda image: encoded(image, quality=40),
    "JPEG 25": lambda image: encoded(image, quality=25),
    "WebP": lambda image: encoded(image, "WEBP", 50),
    "half": lambda image: encoded(image.resize((image.width // 2, image.height // 2))),
    "third": lambda image: encoded(image.resize((image.width // 3, image.height // 3))),
    "mirrored": lambda image: encoded(ImageOps.mirror(image)),
    "brighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.15)),
    "darker": lambda image: encoded(ImageEnhance.Brightness(image).enhance(0.85)),
    "grey": lambda image: encoded(ImageOps.grayscale(image)),
    "larger": lambda image: encoded(image.resize((image.width * 7 // 4, image.height * 7 // 4))),
    "cut": lambda image: encoded(cut(image)),
    "cut left": lambda image: encoded(cut(image, 0.1, 0, 0, 0)),
    "cut below": lambda image: encoded(cut(image, 0, 0, 0, 0.15), quality=60),
    "cut and mirrored": lambda image: encoded(ImageOps.mirror(cut(image, 0.08, 0, 0.05, 0.08))),
}


def crop_of(engine: FaceEngine, source: Path | bytes) -> Crop:
    return engine.detect(read_photo(source))[0].crop


@pytest.mark.parametrize("treatment", list(TREATED))
def test_a_treated_copy_is_the_same_photo(treatment: str, engine: FaceEngine) -> None:
    with Image.open(ASTRONAUT) as image:
        copy = TREATED[treatment](image.convert("RGB"))
    assert is_same_photo(crop_of(engine, copy), crop_hash(crop_of(engine, ASTRONAUT)))


def test_other_faces_are_other_photos(engine: FaceEngine) -> None:
    crops = [face.crop for face in engine.detect(read_photo(SIX_PEOPLE))]
    crops.append(crop_of(engine, ASTRONAUT))
    for first, second in permutations(crops, 2):
        assert not is_same_photo(first, crop_hash(second))


def test_a_portrait_without_a_hash_is_never_the_same_photo(engine: FaceEngine) -> None:
    assert not is_same_photo(crop_of(engine, ASTRONAUT), "")


def test_hash_is_64_hex_digits_and_the_photos_points_are_enough_for_it(engine: FaceEngine) -> None:
    photo = read_photo(ASTRONAUT)
    (face,) = engine.detect(photo)
    value = crop_hash(face.crop)
    assert re.fullmatch("[0-9a-f]{64}", value)
    assert crop_hash(aligned_crop(photo.pixels, face.landmarks.ravel().tolist())) == value


def test_the_copies_among_many_photos_are_found_and_only_what_is_alike_is_compared(
    engine: FaceEngine,
) -> None:
    sources = [ASTRONAUT, SIX_PEOPLE, TREATED["mirrored"](Image.open(ASTRONAUT).convert("RGB"))]
    faces = [face for source in sources for face in engine.find_faces(read_photo(source))]
    asked: list[int] = []

    def crop_of(position: int) -> Crop:
        asked.append(position)
        return faces[position].crop

    embeddings = np.stack([face.embedding for face in faces])
    hashes = [crop_hash(face.crop) for face in faces]
    assert list(find_copies(embeddings, hashes, crop_of)) == [(0, 7)]
    assert set(asked) <= {0, 7}


@needs_shared
def test_other_photos_of_one_actor_are_not_the_same_photo(engine: FaceEngine) -> None:
    for name in ("Brad Pitt", "Gal Gadot", "Tom Hardy", "Uma Thurman", "Johnny Depp"):
        photos = sorted((SHARED / "gallery" / name).glob("*.*"))
        crops = [crop_of(engine, path) for path in photos]
        assert len(crops) >= 4
        for first, second in permutations(crops, 2):
            assert not is_same_photo(first, crop_hash(second))


@needs_shared
def test_most_copies_of_real_portraits_are_the_same_photo(engine: FaceEngine) -> None:
    """The rates by treatment are in core/faces/copies.py."""
    found = []
    for path in sorted((SHARED / "headshots").glob("*/1.jpg"))[::24]:
        value = crop_hash(crop_of(engine, path))
        image = Image.fromarray(read_photo(path).pixels)
        for treatment in ("JPEG 25", "half", "mirrored", "cut"):
            copy = crop_of(engine, TREATED[treatment](image))
            found.append(is_same_photo(copy, value))
    assert len(found) >= 56
    assert np.mean(found) >= 0.9
