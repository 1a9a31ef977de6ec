"""Photos become arrays once, in order, by the real engine; a second time from the disk."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.faces.engine import FaceEngine
from core.faces.photo import read_photo
from core.settings import Settings
from scripts.evaluation import measure
from scripts.evaluation.changes import CHANGES, changed_by
from scripts.evaluation.datasets import LabelledPhoto
from scripts.evaluation.measure import MeasuredSet, Meter, Way, joined
from tests.conftest import ASTRONAUT, SIX_PEOPLE

ALONE, GROUP = LabelledPhoto("Eileen", ASTRONAUT), LabelledPhoto("Six", SIX_PEOPLE)


@pytest.fixture(scope="module")
def meter(plain_engine: FaceEngine, tmp_path_factory: pytest.TempPathFactory) -> Meter:
    return Meter(plain_engine, Settings(), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def both(meter: Meter) -> MeasuredSet:
    return meter.measure("both", [ALONE, GROUP, ALONE])


def test_every_face_is_there_in_the_engines_order(both: MeasuredSet, engine: FaceEngine) -> None:
    faces = engine.find_faces(read_photo(SIX_PEOPLE))
    assert both.people == ("Eileen", "Six", "Eileen")
    assert both.photo.tolist() == [0, *[1] * 6, 2]
    rows = both.faces_of(1)
    assert np.allclose(both.boxes[rows], [face.detection.box for face in faces], atol=1e-3)
    assert np.allclose(both.embeddings[rows], [face.embedding for face in faces], atol=1e-4)
    assert both.chosen().tolist() == [0, 1, 7]
    assert both.subjects().tolist() == [0, -1, 7]  # of six people none stands out


@pytest.mark.parametrize("again", ["at once", "from the disk"])
def test_what_was_measured_is_not_measured_again(
    again: str, meter: Meter, both: MeasuredSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FaceEngine, "detect", None)
    asked = meter if again == "at once" else replace(meter)
    photos = [ALONE, GROUP, ALONE]
    found = asked.measure("both", photos)
    assert found.people == both.people
    for name in ("embeddings", "boxes", "sharpness", "photo", "stands_out"):
        assert np.array_equal(getattr(found, name), getattr(both, name)), name


@pytest.mark.parametrize("what", ["photo", "way", "change", "settings"])
def test_anything_else_is(
    what: str, meter: Meter, both: MeasuredSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    meter = replace(meter, cache=shutil.copytree(meter.cache, tmp_path / "cache"))
    meter.measure("both", [ALONE, GROUP, ALONE])
    monkeypatch.setattr(FaceEngine, "detect", lambda _, photo: asked.append(photo.source) or ())
    other = tmp_path / "other.png"
    shutil.copyfile(ASTRONAUT, other)
    if what == "photo":
        meter.measure("both", [ALONE, LabelledPhoto("Eileen", other)])
    elif what == "way":
        meter.measure("both", [ALONE], Way(central=True))
    elif what == "change":
        way = Way(changed="mirrored", change=changed_by(CHANGES["mirrored"]))
        meter.measure("both", [ALONE], way)
    else:
        replace(meter, settings=Settings(min_face=30)).measure("both", [ALONE])
    assert asked == ["other.png" if what == "photo" else "astronaut.png"]


def test_only_the_face_nearest_the_centre_is_kept_if_wished(
    meter: Meter, both: MeasuredSet
) -> None:
    central = meter.measure("central", [ALONE, GROUP], Way(central=True))
    assert central.photo.tolist() == [0, 1]
    boxes = both.boxes[both.faces_of(1)]
    height, width = read_photo(SIX_PEOPLE).pixels.shape[:2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    nearest = np.hypot(*(centres - [width / 2, height / 2]).T).argmin()
    assert np.allclose(central.boxes[1], boxes[nearest], atol=1e-3)


def test_a_changed_photo_is_what_is_measured(meter: Meter, both: MeasuredSet) -> None:
    way = Way(changed="half size", change=changed_by(CHANGES["half size"]))
    half = meter.measure("half", [ALONE], way)
    assert np.allclose(half.boxes[0], both.boxes[0] / 2, atol=6)
    assert float(half.embeddings[0] @ both.embeddings[0]) > 0.8


def test_photos_without_a_face_keep_their_place(
    meter: Meter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setattr(measure, "CHUNK", 2)
    blanks = [tmp_path / f"{number}.png" for number in range(2)]
    for blank in blanks:
        Image.new("RGB", (64, 64), "grey").save(blank)
    first, second = (LabelledPhoto("Nobody", blank) for blank in blanks)
    found = meter.measure("blank", [first, ALONE, second, ALONE, ALONE])
    assert found.people == ("Nobody", "Eileen", "Nobody", "Eileen", "Eileen")
    assert found.chosen().tolist() == [-1, 0, -1, 1, 2]
    assert found.photo.tolist() == [1, 3, 4]


def test_joined_sets_keep_faces_with_their_photos(both: MeasuredSet) -> None:
    twice = joined([both, both])
    assert twice.photo.tolist() == [*both.photo, *(both.photo + 3)]
    assert twice.people == both.people * 2
    assert twice.faces_of(4) == slice(9, 15)
    parts = twice.one_by_one()
    assert [part.people for part in parts] == [(person,) for person in twice.people]
    assert np.array_equal(joined(parts).boxes, twice.boxes)
    assert joined(parts).photo.tolist() == twice.photo.tolist()
