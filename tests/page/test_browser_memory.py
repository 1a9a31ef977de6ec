"""The browser's memory of a photo: whole after its way there and back, refused if changed."""

from __future__ import annotations

import base64
import copy
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import PhotoError, UnreadablePhotoError
from core.faces.engine import FaceEngine
from core.gallery.people import Filter
from core.lookalike import LookalikeFinder
from core.models.packs import PACKS
from core.page.browser_memory import (
    MOST_FACES,
    PICTURE_BYTES,
    SCENE_SIDE,
    KeptPhoto,
    keep,
)
from core.page.result import result_html
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.page.conftest import view_of

Json = dict[str, Any]
EVERYONE = Filter()
DIMENSION = PACKS["sface"].dimension
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def six(gallery: LookalikeFinder) -> KeptPhoto:
    return keep(gallery.faces(SIX_PEOPLE))


@pytest.fixture(scope="module")
def one(gallery: LookalikeFinder) -> KeptPhoto:
    return keep(gallery.faces(ASTRONAUT))


def sent(seen: KeptPhoto) -> Json:
    """As it comes back from a browser."""
    kept: Json = json.loads(json.dumps(seen.to_json()))
    return kept


def jpeg(width: int, height: int, quality: int = 90, pixels: Any = None) -> str:
    stream = io.BytesIO()
    image = Image.new("RGB", (width, height)) if pixels is None else Image.fromarray(pixels)
    image.save(stream, "JPEG", quality=quality)
    return text(stream.getvalue())


def png(width: int, height: int) -> str:
    stream = io.BytesIO()
    Image.new("RGB", (width, height)).save(stream, "PNG")
    return text(stream.getvalue())


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def giant() -> str:
    """A JPEG whose header says 65,500 pixels a side."""
    data = bytearray(base64.b64decode(jpeg(8, 8)))
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = (65500).to_bytes(2, "big") * 2
    return text(bytes(data))


def test_what_the_browser_keeps_comes_back_as_it_was(six: KeptPhoto) -> None:
    again = KeptPhoto.from_json(sent(six), DIMENSION)
    assert (again.found, again.scene) == (6, six.scene)
    for ours, theirs in zip(six.faces, again.faces, strict=True):
        assert np.array_equal(ours.embedding, theirs.embedding)
        assert ours.framed == theirs.framed
        assert np.abs(ours.points - theirs.points).max() < 0.01
        assert ours.tips == theirs.tips
        assert ours.box == theirs.box
        assert np.array_equal(ours.crop, theirs.crop)


def test_a_face_is_embedded_from_its_kept_picture_as_from_the_photo(
    engine: FaceEngine, six: KeptPhoto
) -> None:
    """A JPEG, and the middle of the points found in photo and mirror image."""
    for face in KeptPhoto.from_json(sent(six), DIMENSION).faces:
        framed = face.in_frame
        (again,) = engine.embed([engine.views(framed.pixels, framed.points)])
        assert again @ face.embedding > 0.96


def test_matches_and_verdict_are_the_same_before_and_after(
    gallery: LookalikeFinder, six: KeptPhoto
) -> None:
    view = view_of(gallery)
    for ours, theirs in zip(
        six.faces, KeptPhoto.from_json(sent(six), DIMENSION).faces, strict=True
    ):
        before, after = view.finder.judge(ours, EVERYONE), view.finder.judge(theirs, EVERYONE)
        assert (before.matches, before.verdict) == (after.matches, after.verdict)
    assert view.finder.judge(six.faces[0], EVERYONE).verdict.key == "same_photo"


def test_faces_are_cut_out_with_their_places_in_the_photo(six: KeptPhoto, one: KeptPhoto) -> None:
    assert len(six.faces) == 6
    for face in (*six.faces, *one.faces):
        assert Image.open(io.BytesIO(face.framed)).size == (480, 600)
        assert face.crop.shape == (112, 112, 3)
        x1, y1, x2, y2 = face.box
        assert 0 <= x1 < x2 <= 1
        assert 0 <= y1 < y2 <= 1
    x1, y1, x2, y2 = one.faces[0].box
    assert x1 < 227 / 512 < x2  # her nose
    assert y1 < 125 / 512 < y2


def test_a_photo_of_several_faces_keeps_a_small_scene_and_one_of_one_face_none(
    six: KeptPhoto, one: KeptPhoto
) -> None:
    assert max(Image.open(io.BytesIO(six.scene)).size) == SCENE_SIDE
    assert one.scene == b""


def test_no_more_faces_than_the_page_can_carry(
    gallery: LookalikeFinder, engine: FaceEngine
) -> None:
    with Image.open(SIX_PEOPLE) as photo:
        row = photo.convert("RGB").resize((640, 443))
    crowd = Image.new("RGB", (1280, 886))
    for x, y in ((0, 0), (640, 0), (0, 443), (640, 443)):
        crowd.paste(row, (x, y))
    seen = keep(gallery.faces(crowd))
    assert len(seen.faces) == MOST_FACES == 12
    assert seen.found > 20


def test_the_noisiest_photo_is_kept_and_comes_back(one: KeptPhoto) -> None:
    """No real picture makes larger files; else the page could not read its own memory."""
    noise = np.random.default_rng(1).integers(0, 2, (SCENE_SIDE, SCENE_SIDE, 3), np.uint8) * 255
    entry = sent(one)
    entry["faces"][0]["framed"] = jpeg(0, 0, 88, noise[:600, :480])
    entry["scene"] = jpeg(0, 0, 82, noise)
    assert KeptPhoto.from_json(entry, DIMENSION).faces


def test_a_picture_stands_in_the_page_as_data(one: KeptPhoto) -> None:
    uri = one.faces[0].picture
    assert uri.startswith("data:image/jpeg;base64,")
    assert base64.b64decode(uri.split(",")[1]) == one.faces[0].framed


CHANGES: dict[str, Callable[[Json], Any]] = {
    "nothing": lambda _: None,
    "text": lambda _: "<script>alert(1)</script>",
    "number": lambda _: 7,
    "list": lambda kept: [kept],
    "empty": lambda _: {},
    "no faces": lambda kept: {**kept, "faces": []},
    "faces are text": lambda kept: {**kept, "faces": "<script>"},
    "faces are a mapping": lambda kept: {**kept, "faces": {"0": kept["faces"][0]}},
    "faces are numbers": lambda kept: {**kept, "faces": [1, 2]},
    "scene is missing": lambda kept: {"faces": kept["faces"], "found": 1},
    "scene is markup": lambda kept: {**kept, "scene": "<svg onload=alert(1)>"},
    "scene is SVG": lambda kept: {**kept, "scene": text(SVG)},
    "scene is PNG": lambda kept: {**kept, "scene": png(10, 10)},
    "scene is large": lambda kept: {**kept, "scene": jpeg(SCENE_SIDE + 1, 10)},
    "scene is heavy": lambda kept: {**kept, "scene": text(b"\xff\xd8" + b"\0" * PICTURE_BYTES)},
    "scene is giant": lambda kept: {**kept, "scene": giant()},
    "found is text": lambda kept: {**kept, "found": "<b>many</b>"},
    "found is none": lambda kept: {**kept, "found": None},
    "found is endless": lambda kept: {**kept, "found": float("inf")},
    "found is no number": lambda kept: {**kept, "found": float("nan")},
    "found is below zero": lambda kept: {**kept, "found": -3},
    "found is too few": lambda kept: {**kept, "found": 0},
}


def wider(entry: Json, dimension: int) -> Json:
    return {**entry, "embedding": text(np.eye(1, dimension, dtype="<f4").tobytes())}


def twice(entry: Json) -> str:
    return text((2 * np.frombuffer(base64.b64decode(entry["embedding"]), "<f4")).tobytes())


FACE_CHANGES: dict[str, Callable[[Json], Any]] = {
    "nothing": lambda _: None,
    "text": lambda _: "x",
    "empty": lambda _: {},
    "no box": lambda face: {key: value for key, value in face.items() if key != "box"},
    "box of three": lambda face: {**face, "box": [0, 0, 1]},
    "box of five": lambda face: {**face, "box": [0, 0, 1, 1, 1]},
    "box of texts": lambda face: {**face, "box": ["0", "0", "1", "url(x)"]},
    "box of markup": lambda face: {**face, "box": "<b>x"},
    "box of lists": lambda face: {**face, "box": [[0], [0], [1], [1]]},
    "box of none": lambda face: {**face, "box": [None] * 4},
    "box beyond any number": lambda face: {**face, "box": [0, 0, 1, 10**400]},
    "embedding of another model": lambda face: wider(face, 512),
    "embedding of one": lambda face: wider(face, 1),
    "embedding of none": lambda face: {**face, "embedding": ""},
    "embedding not of unit length": lambda face: {**face, "embedding": twice(face)},
    "embedding of zeros": lambda face: {**face, "embedding": text(bytes(4 * DIMENSION))},
    "embedding of no numbers": lambda face: {**face, "embedding": text(b"\xff" * 4 * DIMENSION)},
    "embedding cut": lambda face: {**face, "embedding": text(bytes(4 * DIMENSION - 1))},
    "embedding not base64": lambda face: {**face, "embedding": "<script>"},
    "embedding in Hangul": lambda face: {**face, "embedding": "얼굴"},
    "embedding is a list": lambda face: {**face, "embedding": [0.1] * DIMENSION},
    "crop of another size": lambda face: {**face, "crop": png(111, 112)},
    "crop is JPEG": lambda face: {**face, "crop": jpeg(112, 112)},
    "crop is SVG": lambda face: {**face, "crop": text(SVG)},
    "crop is giant": lambda face: {**face, "crop": png(2000, 2000)},
    "crop cut": lambda face: {**face, "crop": face["crop"][:400]},
    "crop is none": lambda face: {**face, "crop": None},
    "framed is SVG": lambda face: {**face, "framed": text(SVG)},
    "framed is markup": lambda face: {**face, "framed": '"><img src=x onerror=alert(1)>'},
    "framed is PNG": lambda face: {**face, "framed": png(480, 600)},
    "framed of another size": lambda face: {**face, "framed": jpeg(600, 480)},
    "framed is giant": lambda face: {**face, "framed": giant()},
    "framed cut": lambda face: {**face, "framed": face["framed"][:2000]},
    "framed is empty": lambda face: {**face, "framed": ""},
    "points are none": lambda face: {**face, "points": None},
    "points are four": lambda face: {**face, "points": face["points"][:8]},
    "points are pairs": lambda face: {**face, "points": [face["points"][:2]] * 5},
    "points are markup": lambda face: {**face, "points": ["<b>"] * 10},
    "points in one place": lambda face: {**face, "points": [240] * 10},
    "points of no numbers": lambda face: {**face, "points": [float("nan")] * 10},
    "points beyond any number": lambda face: {**face, "points": [10**400] * 10},
    "points out of the frame": lambda face: {**face, "points": [v + 400 for v in face["points"]]},
    "points of a smaller face": lambda face: {**face, "points": [v * 0.9 for v in face["points"]]},
    "points upside down": lambda face: {**face, "points": [480 - v for v in face["points"]]},
    "tips are none": lambda face: {**face, "tips": None},
    "tips are a number": lambda face: {**face, "tips": 3},
}


def assert_refused(kept: Any) -> None:
    with pytest.raises(UnreadablePhotoError, match="show the photo again") as refused:
        KeptPhoto.from_json(kept, DIMENSION)
    assert isinstance(refused.value, PhotoError)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_memory_that_was_changed_is_refused(
    one: KeptPhoto, change: Callable[[Json], Any]
) -> None:
    KeptPhoto.from_json(sent(one), DIMENSION)
    assert_refused(change(sent(one)))


@pytest.mark.parametrize("change", FACE_CHANGES.values(), ids=FACE_CHANGES.keys())
def test_a_face_that_was_changed_is_refused(one: KeptPhoto, change: Callable[[Json], Any]) -> None:
    kept = sent(one)
    kept["faces"] = [copy.deepcopy(kept["faces"][0]), change(kept["faces"][0])]
    kept["found"] = 2
    assert_refused(kept)


def test_the_memory_of_another_models_page_is_refused(one: KeptPhoto) -> None:
    with pytest.raises(UnreadablePhotoError, match="another model"):
        KeptPhoto.from_json(sent(one), 512)


@pytest.mark.parametrize("box", [[-9, -9, -1, -1], [5, 5, 9, 9], [1, 1, 0, 0], [float("nan")] * 4,
                                 [float("-inf"), 0, float("inf"), 1]])  # fmt: skip
def test_a_box_that_cannot_be_stays_within_the_photo(
    gallery: LookalikeFinder, six: KeptPhoto, box: list[float]
) -> None:
    kept = sent(six)
    kept["faces"][2]["box"] = box
    html = result_html(view_of(gallery), KeptPhoto.from_json(kept, DIMENSION), EVERYONE)
    places = html.split('<label style="')[1:]
    assert len(places) == 6
    values = [part.split(":") for part in places[2].split(';"')[0].split(";")]
    assert [name for name, _ in values] == ["left", "top", "width", "height"]
    assert all(0 <= float(value.rstrip("%")) <= 100 for _, value in values)


def test_texts_of_a_changed_memory_do_not_reach_the_page(
    gallery: LookalikeFinder, one: KeptPhoto
) -> None:
    kept = sent(one)
    kept["faces"][0]["tips"] = ["<script>alert(1)</script>", {"a": "<b>"}, 3, None]
    kept["faces"][0]["more"] = kept["more"] = "<script>alert(1)</script>"
    html = result_html(view_of(gallery), KeptPhoto.from_json(kept, DIMENSION), EVERYONE)
    assert "alert" not in html
    assert 'class="name"' in html


def test_a_thousand_faces_are_cut_to_those_a_page_shows(one: KeptPhoto) -> None:
    kept = sent(one)
    kept["faces"] *= 1000
    kept["found"] = 1000
    assert len(KeptPhoto.from_json(kept, DIMENSION).faces) == MOST_FACES
