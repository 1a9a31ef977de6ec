"""Parts of a face are where they are called, and covered alike for every network and view."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces.engine import FaceEngine
from core.faces.framing import FRAME, FramedFace, could_be_framed, in_frame
from core.faces.parts import PARTS, embed_covered, part_masks
from core.faces.photo import read_photo
from tests.conftest import ASTRONAUT, SIX_PEOPLE


@pytest.fixture(scope="module")
def faces(engine: FaceEngine) -> list[tuple[FramedFace, np.ndarray]]:
    """Seven people in the frame, each with the embedding of the photo itself."""
    photos = [read_photo(path) for path in (ASTRONAUT, SIX_PEOPLE)]
    return [
        (in_frame(photo.pixels, face.detection.landmarks), face.embedding)
        for photo in photos
        for face in engine.find_faces(photo)
    ]


def test_each_part_is_where_its_name_says(faces: list[tuple[FramedFace, np.ndarray]]) -> None:
    for face, _ in faces:
        masks = dict(zip(PARTS, part_masks(face), strict=True))
        places = {"eyes": face.points[:2], "nose": face.points[2:3], "mouth": face.points[3:]}
        for part, points in places.items():
            for x, y in points.round().astype(int):
                assert masks[part][y, x] > 0.5
                assert masks["shape"][y, x] < 0.1
        assert all(masks["shape"][row, column] == 1 for row in (0, -1) for column in (0, -1))


def test_a_face_in_the_frame_is_embedded_as_in_its_photo(
    engine: FaceEngine, faces: list[tuple[FramedFace, np.ndarray]]
) -> None:
    for face, embedding in faces:
        assert could_be_framed(face.points)
        whole, *covered = embed_covered(engine, face)
        assert whole @ embedding > 0.95
        assert len(covered) == len(PARTS)
        assert all(0.2 < whole @ row < 0.995 for row in covered)


def test_a_mirror_image_is_covered_alike(
    engine: FaceEngine, faces: list[tuple[FramedFace, np.ndarray]]
) -> None:
    face, _ = faces[0]
    points = face.points[[1, 0, 2, 4, 3]] * [-1, 1] + [FRAME[0] - 1, 0]
    mirror = FramedFace(np.ascontiguousarray(face.pixels[:, ::-1]), points.astype(np.float32))
    here, there = embed_covered(engine, face), embed_covered(engine, mirror)
    assert (here * there).sum(axis=1).min() > 0.97
