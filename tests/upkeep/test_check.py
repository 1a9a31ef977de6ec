"""Copies are told from photos that are only alike; mislabels by whom they look like."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.faces.copies import Print, find_copies, print_of
from core.faces.engine import FaceEngine
from core.faces.photo import read_photo
from core.settings import Settings
from core.upkeep.check import check_gallery
from tests.conftest import ASTRONAUT, copy_actors, needs_shared
from tests.index.test_enrol import SIX_FACES, head

Edit = Callable[[Image.Image], Image.Image]


def cut(left: float, top: float, right: float, bottom: float) -> Edit:
    def edit(image: Image.Image) -> Image.Image:
        w, h = image.size
        return image.crop(
            (round(w * left), round(h * top), round(w * (1 - right)), round(h * (1 - bottom)))
        )

    return edit


def encoded(image: Image.Image, quality: int) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return data.getvalue()


def seen(data: bytes, engine: FaceEngine) -> Print:
    photo = read_photo(data)
    (face, *_) = engine.find_faces(photo)
    return print_of(photo.pixels, face.detection.landmarks.ravel().tolist(), face.embedding)


@pytest.fixture(scope="module")
def original() -> Image.Image:
    with Image.open(ASTRONAUT) as image:
        return image.convert("RGB")


@pytest.mark.parametrize(
    ("edit", "quality"),
    [
        (lambda image: image, 25),
        (lambda image: image.resize((200, 200)), 80),
        (lambda image: image.resize((900, 900)), 80),
        (ImageOps.mirror, 80),
        (lambda image: image.convert("L").convert("RGB"), 80),
        (cut(0.1, 0, 0, 0), 80),
        (cut(0.05, 0, 0.05, 0.1), 60),
        (cut(0, 0, 0, 0.15), 60),
        (lambda image: ImageOps.mirror(cut(0.08, 0, 0.05, 0.08)(image)), 60),
    ],
)
def test_a_copy_is_found_however_it_was_made(
    edit: Edit, quality: int, original: Image.Image, engine: FaceEngine
) -> None:
    prints = [seen(encoded(original, 95), engine), seen(encoded(edit(original), quality), engine)]
    assert find_copies(prints) == [(0, 1)]


def test_different_people_are_no_copies(engine: FaceEngine) -> None:
    prints = [seen(encoded(head(name), 90), engine) for name in [*SIX_FACES, "Astronaut"]]
    assert find_copies(prints) == []


def test_a_photo_without_a_face_is_compared_too(original: Image.Image) -> None:
    background = np.asarray(original.crop((300, 0, 512, 250)))
    mirrored = np.ascontiguousarray(background[:, ::-1])
    assert find_copies([print_of(background), print_of(mirrored)]) == [(0, 1)]
    assert find_copies([print_of(background), print_of(np.asarray(original))]) == []
    assert find_copies([print_of(background)]) == []


@needs_shared
def test_clean_photos_of_one_actor_are_neither_copies_nor_mislabels(
    small_gallery: Settings, engine: FaceEngine
) -> None:
    assert check_gallery(engine, small_gallery).faults == ()


@needs_shared
def test_a_mislabel_is_named_with_the_actor_it_looks_like(
    small_gallery: Settings, engine: FaceEngine
) -> None:
    dataset = small_gallery.dataset_dir
    copy_actors(["Brad Pitt"], dataset / ".probes", "probes")
    (probe, *_) = sorted((dataset / ".probes" / "Brad Pitt").iterdir())
    probe.rename(dataset / "Tom Hardy" / "2.jpg")
    (fault,) = check_gallery(engine, small_gallery).faults
    assert (fault.file, fault.reason) == ("Tom Hardy/2.jpg", "likely_mislabel")
    assert fault.other == "Brad Pitt"


@needs_shared
def test_of_two_copies_the_one_in_the_wrong_folder_is_the_fault(
    small_gallery: Settings, engine: FaceEngine
) -> None:
    dataset = small_gallery.dataset_dir
    (dataset / "Brad Pitt" / "1.jpg").rename(dataset / "Brad Pitt" / "20.jpg")
    copy = dataset / "Tom Hardy" / "0.jpg"
    copy.write_bytes((dataset / "Brad Pitt" / "20.jpg").read_bytes())
    found = {fault.reason: fault for fault in check_gallery(engine, small_gallery).faults}
    assert found["duplicate"].file == "Tom Hardy/0.jpg"
    assert found["duplicate"].other == "Brad Pitt/20.jpg"
    assert found["likely_mislabel"].file == "Tom Hardy/0.jpg"
