"""Faces are found, aligned and embedded as insightface would, on real photos and weights."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from insightface.app import FaceAnalysis
from PIL import Image

from core.faces.engine import EMBEDDING_BATCH, Detection, Face, FaceEngine
from core.faces.photo import Photo, read_photo
from core.log import log
from core.models.install import InstalledPack
from core.settings import DetectionOptions
from tests.conftest import ASTRONAUT, SHARED, SIX_PEOPLE, needs_shared


@pytest.fixture(scope="module")
def engine(plain_engine: FaceEngine) -> FaceEngine:
    return plain_engine


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return read_photo(ASTRONAUT).pixels


@pytest.fixture(scope="module")
def astronaut_face(engine: FaceEngine, astronaut: np.ndarray) -> Face:
    (face,) = engine.find_faces(Photo(astronaut, "astronaut"))
    return face


@pytest.fixture(scope="module")
def six_people() -> Photo:
    return read_photo(SIX_PEOPLE)


def only_face(engine: FaceEngine, pixels: np.ndarray) -> Face:
    (face,) = engine.find_faces(Photo(np.ascontiguousarray(pixels), "photo"))
    return face


def overlap(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """Shared area over joint area of two boxes."""
    sides = [min(first[i + 2], second[i + 2]) - max(first[i], second[i]) for i in (0, 1)]
    shared = max(sides[0], 0) * max(sides[1], 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def test_astronaut_has_one_face_where_it_is(astronaut_face: Face) -> None:
    detection = astronaut_face.detection
    assert detection.detection_score > 0.9
    assert overlap(detection.box, (179, 63, 269, 174)) > 0.9
    right_eye, left_eye, nose, *mouth = detection.landmarks  # the person's own right comes first
    assert right_eye[0] < nose[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(corner[1] for corner in mouth)


def test_six_people_are_found_the_most_prominent_first(
    engine: FaceEngine, six_people: Photo
) -> None:
    found = engine.detect(six_people)
    height, width, _ = six_people.pixels.shape
    prominence = [detection.prominence(width, height) for detection in found]
    assert len(found) == 6
    assert prominence == sorted(prominence, reverse=True)
    assert min(detection.detection_score for detection in found) > 0.85
    height, width, _ = six_people.pixels.shape
    for x1, y1, x2, y2 in (detection.box for detection in found):
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height


def test_the_larger_the_nearer_and_the_surer_face_is_the_likelier_subject(
    astronaut_face: Face,
) -> None:
    def prominence(box: tuple[float, ...], score: float = 0.9) -> float:
        face = replace(astronaut_face.detection, box=box, detection_score=score)
        return face.prominence(200, 100)

    middle = prominence((80, 30, 120, 70))
    assert prominence((70, 20, 130, 80)) > middle
    assert prominence((0, 30, 40, 70)) < middle
    assert prominence((80, 30, 120, 70), 0.6) < middle
    assert prominence((0, 0, 60, 60)) < prominence((75, 25, 125, 75))  # a passer-by at the edge


def test_a_large_face_at_the_edge_does_not_hide_the_one_in_the_middle(
    engine: FaceEngine, astronaut: np.ndarray, astronaut_face: Face
) -> None:
    """A mirrored copy, a little larger, is cut into the corner of a wide picture."""
    canvas = np.full((600, 1600, 3), 120, np.uint8)
    canvas[60:560, 550:1050] = astronaut[:500, :500]
    head = cv2.resize(astronaut[40:200, 150:300, :][:, ::-1], None, fx=1.15, fy=1.15)
    canvas[: len(head), : head.shape[1]] = head
    first, second = engine.detect(Photo(canvas, "two"))
    assert second.area > first.area
    assert first.box[0] > 600
    assert float(engine.embed([first.views])[0] @ astronaut_face.embedding) > 0.9


@pytest.mark.parametrize("degrees", [-50, -35, 20, 35, 50, 130])
def test_a_tilted_head_gives_the_same_face(
    degrees: int, engine: FaceEngine, astronaut: np.ndarray, astronaut_face: Face
) -> None:
    tilted = np.asarray(Image.fromarray(astronaut).rotate(degrees, expand=True))
    found = engine.find_faces(Photo(np.ascontiguousarray(tilted), "tilted"))
    assert len(found) == 1
    assert float(found[0].embedding @ astronaut_face.embedding) > 0.75


def test_embeddings_are_unit_and_of_the_packs_dimension(
    engine: FaceEngine, six_people: Photo
) -> None:
    embeddings = np.stack([face.embedding for face in engine.find_faces(six_people)])
    assert embeddings.shape == (6, engine.pack.dimension)
    assert embeddings.dtype == np.float32
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    cosines = embeddings @ embeddings.T - np.eye(6)
    assert cosines.max() < 0.4  # six different people


def test_a_batch_gives_what_single_crops_give(engine: FaceEngine, six_people: Photo) -> None:
    faces = [detection.views for detection in engine.detect(six_people)]
    singles = np.concatenate([engine.embed([views]) for views in faces])
    rounds = EMBEDDING_BATCH // len(faces) + 1  # more than one batch
    together = engine.embed(faces * rounds)
    assert np.allclose(together, np.tile(singles, (rounds, 1)), atol=1e-4)


def test_no_faces_give_no_embeddings(engine: FaceEngine) -> None:
    assert engine.embed([]).shape == (0, engine.pack.dimension)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_photo_gives_the_same_face_in_its_own_coordinates(
    quarters: int, engine: FaceEngine, astronaut: np.ndarray, astronaut_face: Face
) -> None:
    wide = astronaut[:400]  # not square, so that width and height cannot be mixed up
    height, width, _ = wide.shape
    face = only_face(engine, np.rot90(wide, quarters))
    assert float(face.embedding @ astronaut_face.embedding) > 0.9
    x1, y1, x2, y2 = astronaut_face.detection.box
    turned = {
        1: (y1, width - x2, y2, width - x1),
        2: (width - x2, height - y2, width - x1, height - y1),
        3: (height - y2, x1, height - y1, x2),
    }
    assert overlap(face.detection.box, turned[quarters]) > 0.7


@pytest.mark.parametrize("side", [300, 1500])
def test_close_up_that_fills_the_frame_is_found(
    side: int, engine: FaceEngine, astronaut: np.ndarray, astronaut_face: Face
) -> None:
    x1, y1, x2, y2 = map(round, astronaut_face.detection.box)
    close = cv2.resize(astronaut[y1:y2, x1:x2], (side, side * (y2 - y1) // (x2 - x1)))
    face = only_face(engine, close)
    assert float(face.embedding @ astronaut_face.embedding) > 0.8
    x1, y1, x2, y2 = face.detection.box
    assert 0 <= x1 < x2 <= close.shape[1]
    assert 0 <= y1 < y2 <= close.shape[0]
    assert (x2 - x1) * (y2 - y1) > 0.8 * close.shape[0] * close.shape[1]


@pytest.mark.parametrize("ground", ["noise", "gradient"])
def test_face_of_40_pixels_in_12_megapixels_is_found(
    ground: str, engine: FaceEngine, astronaut: np.ndarray, astronaut_face: Face
) -> None:
    x1, y1, x2, y2 = map(round, astronaut_face.detection.box)
    scale = 40 / (x2 - x1)
    head = astronaut[y1 - 30 : y2 + 40, x1 - 40 : x2 + 40]
    small = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if ground == "noise":
        pixels = np.random.default_rng(0).integers(90, 140, (3000, 4000, 3)).astype(np.uint8)
    else:
        pixels = np.repeat(np.tile(np.linspace(40, 200, 4000), (3000, 1))[:, :, None], 3, 2)
        pixels = pixels.astype(np.uint8)
    pixels[2211 : 2211 + len(small), 3303 : 3303 + small.shape[1]] = small
    face = only_face(engine, pixels)
    left, top = 3303 + 40 * scale, 2211 + 30 * scale
    assert overlap(face.detection.box, (left, top, left + 40, top + (y2 - y1) * scale)) > 0.7
    assert float(face.embedding @ astronaut_face.embedding) > 0.8


def test_swapped_colour_channels_give_another_embedding(
    engine: FaceEngine, astronaut_face: Face
) -> None:
    views = astronaut_face.detection.views
    right, swapped = engine.embed([views, tuple(crops[..., ::-1] for crops in views)])
    assert float(right @ astronaut_face.embedding) > 0.999
    assert float(swapped @ astronaut_face.embedding) < 0.98


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")
def test_embeddings_are_those_of_insightface_itself(
    engine: FaceEngine, sface: InstalledPack, astronaut: np.ndarray, astronaut_face: Face
) -> None:
    """insightface's own way through, which wants BGR."""
    app = FaceAnalysis(name=str(sface.folder), allowed_modules=["detection", "recognition"])
    app.prepare(0, det_size=(640, 640))
    (theirs,) = app.get(np.ascontiguousarray(astronaut[:, :, ::-1]))
    ours = astronaut_face.embedding[:128] / np.linalg.norm(astronaut_face.embedding[:128])
    assert float(theirs.normed_embedding @ ours) > 0.98  # of two views, theirs of one


def test_a_photo_and_its_mirror_image_give_the_same_faces(
    engine: FaceEngine, six_people: Photo
) -> None:
    mirror = Photo(np.ascontiguousarray(six_people.pixels[:, ::-1]), "mirror")
    faces, mirrored = engine.find_faces(six_people), engine.find_faces(mirror)
    cosines = (
        np.stack([face.embedding for face in faces])
        @ np.stack([face.embedding for face in mirrored]).T
    )
    assert np.allclose(cosines.max(axis=1), 1, atol=1e-5)
    width = six_people.pixels.shape[1]
    for face, other in zip(faces, (mirrored[row] for row in cosines.argmax(axis=1)), strict=True):
        x1, y1, x2, y2 = face.detection.box
        there = (width - 1 - x2, y1, width - 1 - x1, y2)
        assert np.allclose(other.detection.box, there, atol=1.01)  # the edge is cut at 0


def test_the_similarity_is_the_mean_of_both_networks(engine: FaceEngine, six_people: Photo) -> None:
    """Weighted by their shares."""
    first, second = [face.embedding for face in engine.find_faces(six_people)][:2]
    parts = [(first[:128], second[:128]), (first[128:], second[128:])]
    cosines = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in parts]
    assert float(first @ second) == pytest.approx(0.64 * cosines[0] + 0.36 * cosines[1], abs=1e-5)


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_blank_photo_has_no_face(grey: int, engine: FaceEngine) -> None:
    assert engine.find_faces(Photo(np.full((480, 640, 3), grey, np.uint8), "blank")) == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (33, 7), (2, 40_000)])
def test_photo_of_any_shape_is_looked_at(shape: tuple[int, int], engine: FaceEngine) -> None:
    assert engine.find_faces(Photo(np.full((*shape, 3), 120, np.uint8), "thin")) == ()


def test_face_in_a_very_long_panorama_is_cut_out(
    engine: FaceEngine, astronaut: np.ndarray, astronaut_face: Face
) -> None:
    panorama = np.full((1500, 33_000, 3), 90, np.uint8)  # longer than 16 bits count
    panorama[:, 30_000:31_500] = cv2.resize(astronaut, (1500, 1500))
    face = only_face(engine, panorama)
    assert float(face.embedding @ astronaut_face.embedding) > 0.9


def test_faces_smaller_or_less_certain_than_the_options_allow_are_passed_over(
    sface: InstalledPack, astronaut: np.ndarray
) -> None:
    photo = Photo(astronaut, "astronaut")  # its face is 90 pixels wide, found at 0.94
    for options, count in [
        (DetectionOptions(min_face=80), 1),
        (DetectionOptions(min_face=200), 0),
        (DetectionOptions(threshold=0.97), 0),
    ]:
        assert len(FaceEngine(sface, options).detect(photo)) == count, options


def test_several_threads_get_what_one_gets(engine: FaceEngine, six_people: Photo) -> None:
    alone = [face.embedding for face in engine.find_faces(six_people)]
    with ThreadPoolExecutor(4) as pool:
        for faces in pool.map(engine.find_faces, [six_people] * 4):
            assert np.allclose([face.embedding for face in faces], alone, atol=1e-5)


def test_log_names_pack_provider_and_threads(
    sface: InstalledPack,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log, "propagate", True)
    caplog.set_level(logging.INFO, logger="lookalike")
    engine = FaceEngine(sface, threads=1)
    assert "SFace on CPUExecutionProvider, 1 threads" in caplog.messages
    for session in (engine._network.session, *(model.session for model in engine._recognisers)):
        assert session.get_session_options().intra_op_num_threads == 1
    assert "".join(capsys.readouterr()) == ""  # insightface's chatter is kept off the console


def test_detection_of_wrong_shape_is_refused(astronaut_face: Face) -> None:
    good = astronaut_face.detection
    with pytest.raises(ValueError, match="expected landmarks"):
        Detection(good.box, 0.9, good.landmarks[:4], good.crop)
    with pytest.raises(ValueError, match="expected landmarks"):
        Detection(good.box, 0.9, good.landmarks, good.crop[:100])


@pytest.mark.slow
@needs_shared
def test_photos_without_people_hardly_ever_have_a_face(engine: FaceEngine) -> None:
    photos = sorted((SHARED / "no_face").iterdir())
    assert len(photos) == 33
    with_face = [path.name for path in photos if engine.detect(read_photo(path))]
    assert len(with_face) <= 1, with_face


@needs_shared
def test_turned_masked_and_sideways_faces_are_found(engine: FaceEngine) -> None:
    def count(name: str) -> int:
        return len(engine.detect(read_photo(Path(SHARED / "faces_hard" / name))))

    names = [f"rotate__rot_{angle}.jpg" for angle in (0, 90, 180, 270)]
    names += ["bulk__mask.png", "pose__left_face.jpeg", "pose__right_face.png", "bulk__blur.jpg"]
    assert {name: count(name) for name in names} == dict.fromkeys(names, 1)
