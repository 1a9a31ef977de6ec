"""Photos become arrays once, in order, by the real engine; a second time from the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.faces.engine import FaceEngine
from core.faces.photo import Photo, read_photo
from core.settings import Settings
from scripts.evaluation.datasets import LabelledPhoto
from scripts.evaluation.measure import CHUNK, MeasuredSet, Meter, Way, joined
from scripts.evaluation.robustness import CHANGES, changed_by
from tests.conftest import ASTRONAUT, SIX_PEOPLE

ALONE, GROUP = LabelledPhoto("Eileen", ASTRONAUT), LabelledPhoto("Six", SIX_PEOPLE)


@pytest.fixture(scope="module")
def meter(engine: FaceEngine, tmp_path_factory: pytest.TempPathFactory) -> Meter:
    return Meter(engine, Settings(), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def both(meter: Meter) -> MeasuredSet:
    return meter.measure("both", [ALONE, GROUP, ALONE], Way(mirrored=True))


def test_every_face_is_there_in_the_engines_order(both: MeasuredSet, engine: FaceEngine) -> None:
    faces = engine.find_faces(read_photo(SIX_PEOPLE))
    assert both.people == ("Eileen", "Six", "Eileen")
    assert both.photo.tolist() == [0, *[1] * 6, 2]
    rows = both.faces_of(1)
    assert np.allclose(both.boxes[rows], [face.detection.box for face in faces], atol=1e-3)
    assert np.allclose(both.embeddings[rows], [face.embedding for face in faces], atol=1e-4)
    assert both.chosen().tolist() == [0, 1, 7]
    assert both.sizes[0].tolist() == [512, 512]


def test_mirror_images_are_other_views_of_the_same_faces(both: MeasuredSet) -> None:
    cosines = np.sum(both.embeddings * both.mirrored, axis=1)
    assert np.all((cosines > 0.7) & (cosines < 0.999))
    assert np.allclose(np.linalg.norm(both.with_flip, axis=1), 1, atol=1e-5)


def test_what_was_measured_is_not_measured_again(
    meter: Meter, both: MeasuredSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FaceEngine, "detect", None)
    again = meter.measure("both", [ALONE, GROUP, ALONE], Way(mirrored=True))
    assert again.people == both.people
    assert np.array_equal(again.embeddings, both.embeddings)


@pytest.mark.parametrize("what", ["photos", "way", "settings"])
def test_anything_else_is(what: str, meter: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Photo] = []
    monkeypatch.setattr(FaceEngine, "detect", lambda _, photo: calls.append(photo) or ())
    if what == "photos":
        meter.measure("both", [ALONE, GROUP], Way(mirrored=True))
    elif what == "way":
        meter.measure("both", [ALONE, GROUP, ALONE])
    else:
        other = replace(meter, settings=Settings(min_face=30))
        other.measure("both", [ALONE, GROUP, ALONE], Way(mirrored=True))
    assert len(calls) >= 2


def test_only_the_face_nearest_the_centre_is_kept_if_wished(
    meter: Meter, both: MeasuredSet
) -> None:
    central = meter.measure("central", [ALONE, GROUP], Way(central=True))
    assert central.photo.tolist() == [0, 1]
    rows = both.faces_of(1)
    nearest = rows.start + int(both.from_centre[rows].argmin())
    assert np.allclose(central.boxes[1], both.boxes[nearest], atol=1e-3)


def test_a_changed_photo_is_what_is_measured(meter: Meter, both: MeasuredSet) -> None:
    half = meter.measure("half", [ALONE], Way(change=changed_by(CHANGES["half size"])))
    assert half.sizes[0].tolist() == [256, 256]
    assert float(half.embeddings[0] @ both.embeddings[0]) > 0.8
    assert np.array_equal(half.mirrored, half.embeddings)


def test_photos_without_a_face_keep_their_place(meter: Meter, tmp_path: Path) -> None:
    from PIL import Image

    blank = tmp_path / "blank.png"
    Image.new("RGB", (64, 64), "grey").save(blank)
    photos = [LabelledPhoto("Nobody", blank), ALONE] * (CHUNK // 2 + 1)  # more than a chunk
    found = meter.measure("blank", photos)
    assert found.chosen()[::2].tolist() == [-1] * (CHUNK // 2 + 1)
    assert found.photo.tolist() == list(range(1, len(photos), 2))


def test_joined_sets_keep_faces_with_their_photos(both: MeasuredSet) -> None:
    twice = joined([both, both])
    assert twice.photo.tolist() == [*both.photo, *(both.photo + 3)]
    assert twice.people == both.people * 2
    assert twice.faces_of(4) == slice(9, 15)
