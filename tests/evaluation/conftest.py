"""Measured sets made from the committed embeddings: real people, no photo needed."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces.engine import Detection, stands_out
from core.index.embeddings_cache import load_cache
from core.settings import Settings
from scripts.evaluation.galleries import Portraits
from scripts.evaluation.measure import MeasuredSet

FACE = np.array([[30, 40], [60, 40], [45, 60], [33, 75], [57, 75]], np.float32)


def measured(
    people: list[str],
    embeddings: np.ndarray,
    photo: list[int] | None = None,
    boxes: list[list[float]] | None = None,
) -> MeasuredSet:
    """A set of photos; without `photo`, one face each."""
    faces = len(embeddings)
    places = np.array(range(faces) if photo is None else photo, np.int32)
    corners = np.array(boxes or [[25, 25, 75, 75]] * faces, np.float32).reshape(-1, 4)
    found = [
        [_detection(box) for box in corners[places == number]] for number in range(len(people))
    ]
    return MeasuredSet(
        people=tuple(people),
        stands_out=np.array([bool(row) and stands_out(row) for row in found]),
        photo=places,
        boxes=corners,
        sharpness=np.full(faces, 0.7, np.float32),
        brightness=np.full(faces, 120, np.float32),
        yaw=np.zeros(faces, np.float32),
        embeddings=np.asarray(embeddings, np.float32).reshape(faces, -1),
    )


def _detection(box: np.ndarray) -> Detection:
    return Detection(tuple(map(float, box)), 0.9, FACE, np.zeros((112, 112, 3), np.uint8))


@pytest.fixture(scope="session")
def people() -> dict[str, np.ndarray]:
    """(n, 128) embeddings by actor, of the starter gallery's actors with five and more."""
    starter = load_cache(Settings().starter_path)
    photos = starter.packs["sface"].photos
    return {
        name: np.stack([photos[portrait.sha256].embedding for portrait in row])
        for name, row in starter.actors.items()
        if len(row) >= 5
    }


def one_each(people: dict[str, np.ndarray], row: int) -> MeasuredSet:
    """One photo of each person."""
    return measured(list(people), np.stack([rows[row] for rows in people.values()]))


@pytest.fixture(scope="session")
def portraits(people: dict[str, np.ndarray]) -> Portraits:
    """All but each actor's first photo, which is left as a probe."""
    rows = [rows[1:] for rows in people.values()]
    counts = [len(row) for row in rows]
    return Portraits(
        tuple(people), np.concatenate(rows), np.repeat(np.arange(len(rows), dtype=np.int32), counts)
    )


@pytest.fixture(scope="session")
def probes(people: dict[str, np.ndarray]) -> MeasuredSet:
    return one_each(people, 0)
