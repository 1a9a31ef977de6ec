"""Portraits as the page gets them: framed, small, cached, and nothing else of the gallery."""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.faces.engine import FaceEngine
from core.faces.framing import framed_face
from core.faces.photo import read_photo
from core.gallery.photos import Portrait
from core.lookalike import LookalikeFinder
from core.page import portraits
from core.page.portraits import PortraitPictures
from core.settings import Settings
from tests.conftest import enrolled
from tests.index.test_enrol import fill_gallery, head


@pytest.fixture
def own(engine: FaceEngine, settings: Settings) -> LookalikeFinder:
    """A gallery to be damaged."""
    fill_gallery(settings.dataset_dir, ["Ann", "Cid"], photos=1)
    return LookalikeFinder(engine, enrolled(engine, settings).index, settings)


def of(finder: LookalikeFinder, actor: str) -> Portrait:
    """An actor's first portrait."""
    return finder.index.portraits[list(finder.index.portrait_actor).index(
        finder.index.actors.index(actor))]  # fmt: skip


def key_of(pictures: PortraitPictures, portrait: Portrait) -> str:
    address = pictures.address(portrait, "face")
    assert address is not None
    return address.split("/")[1]


def opened(encoded: bytes | None) -> Image.Image:
    assert encoded is not None
    image = Image.open(io.BytesIO(encoded))
    assert image.format == "WEBP"
    return image.convert("RGB")


def test_a_portrait_comes_as_webp_in_the_two_sizes_that_are_shown(gallery: LookalikeFinder) -> None:
    pictures = PortraitPictures(gallery)
    key = key_of(pictures, of(gallery, "Ann"))
    large, small = (pictures.encoded(key, size) for size in ("face", "small"))
    assert opened(large).size == (480, 600)
    assert opened(small).size == (112, 140)
    assert len(large or b"") < 60_000
    assert len(small or b"") < 8_000


def test_a_portrait_is_framed_like_a_visitors_face(gallery: LookalikeFinder) -> None:
    portrait = of(gallery, "Cid")
    shown = PortraitPictures(gallery).framed(portrait)
    assert shown is not None
    pixels = read_photo(gallery.settings.dataset_dir / str(portrait.file)).pixels
    difference = np.abs(np.asarray(shown, int) - framed_face(pixels, portrait.landmarks))
    assert difference.mean() < 4  # WebP
    assert np.abs(np.asarray(shown, int) - np.roll(shown, 8, axis=0)).mean() > 6


def test_a_portrait_of_an_index_of_old_without_landmarks_is_cut_from_its_upper_middle(
    gallery: LookalikeFinder,
) -> None:
    portraits = tuple(replace(portrait, landmarks=()) for portrait in gallery.index.portraits)
    finder = replace(gallery, index=replace(gallery.index, portraits=portraits))
    shown = PortraitPictures(finder).framed(of(finder, "Ann"))
    assert shown is not None
    assert shown.size == (480, 600)
    plain = head("Ann").resize((480, 600))
    assert np.abs(np.asarray(shown, int) - np.asarray(plain, int)).mean() < 6


def test_addresses_tell_nothing_of_this_machine_or_of_the_gallerys_files(
    gallery: LookalikeFinder,
) -> None:
    pictures = PortraitPictures(gallery)
    for actor in ("Ann", "송강호"):
        portrait = of(gallery, actor)
        address = pictures.address(portrait, "small")
        assert address == f"portraits/{portrait.sha256[:16]}/small.webp"


def test_different_portraits_have_different_addresses(gallery: LookalikeFinder) -> None:
    pictures = PortraitPictures(gallery)
    shown = [pictures.address(portrait, "face") for portrait in gallery.index.portraits]
    assert len({address for address in shown if address}) == 12  # 14 but for Bob's


def test_a_portrait_that_may_not_be_shown_has_no_address_and_no_picture(
    gallery: LookalikeFinder,
) -> None:
    pictures, hidden = PortraitPictures(gallery), of(gallery, "Bob")
    assert hidden.hidden
    assert pictures.address(hidden, "face") is None
    assert pictures.encoded(hidden.sha256[:16], "face") is None
    assert pictures.framed(hidden) is None


def test_the_starter_gallery_has_no_pictures(starter: LookalikeFinder) -> None:
    pictures, portrait = PortraitPictures(starter), starter.index.portraits[0]
    assert pictures.address(portrait, "face") is None
    assert pictures.encoded(portrait.sha256[:16], "face") is None
    assert pictures.framed(portrait) is None


@pytest.mark.parametrize(
    ("key", "size"),
    [
        ("{key}", "huge"),
        ("{key}", "../face"),
        ("{key}", ""),
        ("0" * 16, "face"),
        ("credits.csv", "face"),
        ("Ann/1.png", "face"),
        ("../Ann/1.png", "face"),
        ("{sha256}", "face"),
        ("", "face"),
    ],
)
def test_anything_else_is_not_to_be_had(gallery: LookalikeFinder, key: str, size: str) -> None:
    pictures, portrait = PortraitPictures(gallery), of(gallery, "Ann")
    good = key_of(pictures, portrait)
    assert pictures.encoded(good, "face")
    assert pictures.encoded(key.format(key=good, sha256=portrait.sha256), size) is None


def test_a_picture_is_made_once_and_made_anew_when_its_file_changes(own: LookalikeFinder) -> None:
    pictures, portrait = PortraitPictures(own), of(own, "Ann")
    key = key_of(pictures, portrait)
    path = own.settings.dataset_dir / "Ann" / "1.png"
    before = portraits._encoded.cache_info()
    first = pictures.encoded(key, "small")
    assert pictures.encoded(key, "small") is first
    after = portraits._encoded.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)
    head("Dan").save(path)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))
    assert pictures.encoded(key, "small") != first


def test_memory_for_pictures_is_bounded() -> None:
    assert 0 < (portraits._encoded.cache_info().maxsize or 0) <= 1024


@pytest.mark.parametrize("damage", ["emptied", "cut", "text", "removed", "folder"])
def test_a_damaged_or_removed_file_is_no_picture(own: LookalikeFinder, damage: str) -> None:
    pictures, portrait = PortraitPictures(own), of(own, "Ann")
    key, path = key_of(pictures, portrait), own.settings.dataset_dir / "Ann" / "1.png"
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "removed":
        path.write_bytes({"emptied": b"", "cut": data[:999], "text": b"<svg/>"}[damage])
    assert pictures.encoded(key, "face") is None
    assert pictures.framed(portrait) is None
    assert (pictures.address(portrait, "face") is None) is (damage in ("removed", "folder"))
    assert pictures.framed(of(own, "Cid")) is not None  # the others are there


@pytest.mark.parametrize("landmarks", [(1.0, 2.0), (5.0,) * 10, (float("nan"),) * 10])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_points_that_are_no_face_are_no_picture(
    own: LookalikeFinder, landmarks: tuple[float, ...]
) -> None:
    crafted = tuple(replace(portrait, landmarks=landmarks) for portrait in own.index.portraits)
    finder = replace(own, index=replace(own.index, portraits=crafted))
    assert PortraitPictures(finder).framed(of(finder, "Ann")) is None


def test_a_link_out_of_the_gallery_by_a_crafted_index_is_not_followed(
    own: LookalikeFinder, tmp_path: Path
) -> None:
    shutil.copy(own.settings.dataset_dir / "Ann" / "1.png", tmp_path / "secret.png")
    for file in ("../secret.png", str(tmp_path / "secret.png"), "Ann/../../secret.png"):
        crafted = tuple(replace(portrait, file=file) for portrait in own.index.portraits)
        finder = replace(own, index=replace(own.index, portraits=crafted))
        pictures, portrait = PortraitPictures(finder), of(finder, "Ann")
        assert pictures.address(portrait, "face") is None
        assert pictures.encoded(portrait.sha256[:16], "face") is None
