"""What the engine found in a set of labelled photos, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.engine import DOMINANT, RIVAL_SCORE


@dataclass(frozen=True, eq=False)
class MeasuredSet:
    """P photos and their F faces, photo by photo, in the engine's order within a photo."""

    people: tuple[str, ...]  # P
    sizes: NDArray[np.int32]  # (P, 2) width and height, pixels
    photo: NDArray[np.int32]  # (F,) ascending
    boxes: NDArray[np.float32]  # (F, 4) x1, y1, x2, y2, pixels of the photo
    scores: NDArray[np.float32]  # (F,) detection scores, 0-1
    landmarks: NDArray[np.float32]  # (F, 5, 2) pixels of the photo
    sharpness: NDArray[np.float32]  # (F,) variance of the aligned crop's Laplacian
    brightness: NDArray[np.float32]  # (F,) mean grey of the aligned crop, 0-255
    embeddings: NDArray[np.float32]  # (F, D) unit
    mirrored: NDArray[np.float32]  # (F, D) unit, of the crop turned left to right

    def __post_init__(self) -> None:
        """Check that the arrays belong together."""
        faces = len(self.photo)
        for name in ("boxes", "scores", "landmarks", "sharpness", "brightness", "embeddings"):
            if len(getattr(self, name)) != faces:
                raise ValueError(f"{name}: expected {faces} rows, got {len(getattr(self, name))}")
        if len(self.sizes) != len(self.people):
            raise ValueError(f"sizes: expected {len(self.people)} rows, got {len(self.sizes)}")

    @property
    def areas(self) -> NDArray[np.float32]:
        """(F,) of the boxes, square pixels."""
        sides: NDArray[np.float32] = np.maximum(self.boxes[:, 2:] - self.boxes[:, :2], 0)
        return sides[:, 0] * sides[:, 1]

    @property
    def with_flip(self) -> NDArray[np.float32]:
        """(F, D) unit means of a face's embedding and its mirror image's."""
        return unit(self.embeddings + self.mirrored)

    @property
    def from_centre(self) -> NDArray[np.float32]:
        """(F,) distance of the box's centre from the photo's, in half diagonals."""
        half = self.sizes[self.photo] / 2
        centres = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        distance: NDArray[np.float32] = np.hypot(*(centres - half).T) / np.hypot(*half.T)
        return distance

    @property
    def yaw(self) -> NDArray[np.float32]:
        """(F,) how far the nose stands off the middle of the eyes, in eye distances: 0 frontal."""
        right, left, nose = (self.landmarks[:, point] for point in range(3))
        span = left - right
        along = np.sum((nose - (right + left) / 2) * span, axis=1)
        offset: NDArray[np.float32] = np.abs(along) / np.maximum(np.sum(span**2, axis=1), 1e-6)
        return offset

    def faces_of(self, photo: int) -> slice:
        """Where a photo's faces stand among all."""
        start, end = np.searchsorted(self.photo, [photo, photo + 1])
        return slice(int(start), int(end))

    def first_by(self, key: NDArray[np.floating]) -> NDArray[np.intp]:
        """(P,) per photo the face with the highest key, the first of equals; -1 without a face."""
        best = np.full(len(self.people), -1, np.intp)
        for face in np.lexsort((-np.arange(len(key)), key)):  # the last written wins
            best[self.photo[face]] = face
        return best

    def chosen(self) -> NDArray[np.intp]:
        """(P,) the face that the engine puts first; -1 without a face."""
        return self.first_by(-np.arange(len(self.photo), dtype=np.float64))

    def subjects(self) -> NDArray[np.intp]:
        """(P,) the face that enrolment would take; -1 where it takes none."""
        subjects = self.chosen()
        for photo, subject in enumerate(subjects):
            faces = np.arange(len(self.photo))[self.faces_of(photo)]
            rivals = faces[(faces != subject) & (self.scores[faces] >= RIVAL_SCORE)]
            if subject >= 0 and np.any(self.areas[subject] < DOMINANT * self.areas[rivals]):
                subjects[photo] = -1
        return subjects


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, D) → rows of unit length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return rows
