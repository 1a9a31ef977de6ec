"""The embedded pack: OpenCV Zoo's quantised weights, made into what insightface loads."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from insightface.app import FaceAnalysis
from insightface.utils.face_align import norm_crop
from numpy.typing import NDArray

from core.models.convert import build_recogniser
from core.models.install import InstalledPack, carried_file
from core.models.packs import PACKS
from tests.conftest import SIX_PEOPLE

# insightface 2.1 calls a deprecated scikit-image constructor for every face.
pytestmark = pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def analysis(sface: InstalledPack) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        app = FaceAnalysis(name=str(sface.folder), allowed_modules=["detection", "recognition"])
        app.prepare(0, det_size=(640, 640))
    return app


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    pixels = cv2.imread(str(SIX_PEOPLE))
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def test_six_people_are_found_by_insightface_itself(
    analysis: Any, photo: NDArray[np.uint8]
) -> None:
    faces = analysis.get(photo)
    assert len(faces) == 6
    assert min(face.det_score for face in faces) > 0.85
    assert all(face.embedding.shape == (128,) for face in faces)


def test_landmarks_lie_where_eyes_nose_and_mouth_do(
    analysis: Any, photo: NDArray[np.uint8]
) -> None:
    for face in analysis.get(photo):
        left_eye, right_eye, nose, left_mouth, right_mouth = face.kps
        x1, y1, x2, y2 = face.bbox
        assert x1 < left_eye[0] < right_eye[0] < x2
        assert left_mouth[0] < right_mouth[0]
        assert y1 < left_eye[1] < nose[1] < left_mouth[1] < y2


def test_a_batch_equals_its_singles(analysis: Any, photo: NDArray[np.uint8]) -> None:
    recogniser = analysis.models["recognition"]
    crops = [norm_crop(photo, face.kps) for face in analysis.get(photo)]
    batch = recogniser.get_feat(crops)
    singles = np.concatenate([recogniser.get_feat([crop]) for crop in crops])
    assert batch.shape == (6, 128)
    np.testing.assert_allclose(batch, singles, atol=1e-4 * np.abs(singles).max())


def test_the_recogniser_gets_raw_rgb(analysis: Any) -> None:
    recogniser = analysis.models["recognition"]
    assert (recogniser.input_mean, recogniser.input_std) == (0, 1)  # the graph scales by itself


@pytest.mark.parametrize("size", [(1280, 960), (416, 320), (608, 896)])
def test_other_input_sizes_find_the_same_faces(
    analysis: Any, photo: NDArray[np.uint8], size: tuple[int, int]
) -> None:
    """A face's box, in the photo's pixels, hardly depends on the size (w, h) detected at."""
    usual, _ = analysis.det_model.detect(photo, input_size=(640, 640))
    boxes, landmarks = analysis.det_model.detect(photo, input_size=size)
    assert landmarks.shape == (len(boxes), 5, 2)
    assert len(boxes) == 6
    gaps = np.abs(boxes[:, None, :4] - usual[None, :, :4]).max(axis=2).min(axis=1)
    assert gaps.max() < 0.25 * (usual[:, 2] - usual[:, 0]).min()


@pytest.mark.parametrize(("height", "width"), [(640, 640), (320, 416)])
def test_every_second_anchor_scores_nothing(
    analysis: Any, photo: NDArray[np.uint8], height: int, width: int
) -> None:
    detector = analysis.det_model
    blob = cv2.dnn.blobFromImage(photo, 1 / 128, (width, height), (127.5,) * 3, swapRB=True)
    outputs = detector.session.run(None, {detector.session.get_inputs()[0].name: blob})
    scores, distances, landmarks = outputs[:3], outputs[3:6], outputs[6:]
    cells = [height // stride * (width // stride) for stride in (8, 16, 32)]
    assert [entry.shape for entry in scores] == [(1, 2 * count, 1) for count in cells]
    assert [entry.shape for entry in distances] == [(1, 2 * count, 4) for count in cells]
    assert [entry.shape for entry in landmarks] == [(1, 2 * count, 10) for count in cells]
    assert all((entry[:, 1::2] == 0).all() for entry in scores)
    assert max(entry[:, ::2].max() for entry in scores) > 0.8


def test_without_its_prelu_the_recogniser_says_the_same(
    sface: InstalledPack, photo: NDArray[np.uint8], tmp_path: Path
) -> None:
    weights = PACKS["sface"].recogniser.weights
    published = carried_file(weights.carrier or "", weights.name)
    assert published is not None
    build_recogniser(published, tmp_path / "plain.onnx", rewritten=False)
    kinds = {
        file.name: {node.op_type for node in onnx.load(file).graph.node}
        for file in (tmp_path / "plain.onnx", sface.folder / PACKS["sface"].recogniser.file)
    }
    assert ["PRelu" in kind for kind in kinds.values()] == [True, False]
    crops = np.stack([photo[y : y + 112, x : x + 112] for x in (0, 300, 700) for y in (80, 300)])
    blob = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32)
    plain, own = (
        unit_rows(onnxruntime.InferenceSession(str(file)), blob)
        for file in (tmp_path / "plain.onnx", sface.folder / PACKS["sface"].recogniser.file)
    )
    assert (1 - (plain * own).sum(axis=1)).max() < 1e-6


def unit_rows(session: onnxruntime.InferenceSession, blob: NDArray[np.float32]) -> Any:
    (rows,) = session.run(None, {session.get_inputs()[0].name: blob})
    return rows.astype(np.float64) / np.linalg.norm(rows, axis=1, keepdims=True)
