"""Two photos of one person are compared by what is told of them, on real faces."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces.engine import FaceEngine
from core.faces.framing import FramedFace, in_frame
from core.faces.photo import read_photo
from scripts.evaluation.galleries import Gallery, Portraits, enrol
from scripts.evaluation.parts import agreement
from tests.conftest import SIX_PEOPLE
from tests.index.test_actor_index import unit


@pytest.fixture(scope="module")
def faces(engine: FaceEngine) -> list[FramedFace]:
    photo = read_photo(SIX_PEOPLE)
    return [in_frame(photo.pixels, face.landmarks) for face in engine.detect(photo)]


@pytest.fixture(scope="module")
def gallery(engine: FaceEngine) -> Gallery:
    """Strangers of random embeddings: what is told of a face is arbitrary, but its own."""
    size = engine.pack.dimension
    rows = np.stack([unit(seed, size) for seed in range(60)])
    names = tuple(f"Actor {number:02}" for number in range(60))
    return enrol(Portraits(names, rows, np.arange(60, dtype=np.int32)))


def test_the_same_photo_twice_agrees_with_itself(
    engine: FaceEngine, gallery: Gallery, faces: list[FramedFace]
) -> None:
    found = agreement(engine, gallery, [(face, face) for face in faces])
    assert found.pairs == 6
    assert 0 < found.told == found.same_first == found.among_two
    assert 0 < found.by_chance <= 1


def test_photos_of_other_people_agree_less(
    engine: FaceEngine, gallery: Gallery, faces: list[FramedFace]
) -> None:
    others = [*faces[1:], faces[0]]
    found = agreement(engine, gallery, zip(faces, others, strict=True))
    assert found.same_first < found.told
    assert found.same_first <= found.among_two
    assert agreement(engine, gallery, []).told == 0
