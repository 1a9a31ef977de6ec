"""What runs of the detector found, and how several runs become one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.align import mirrored

NOT_MUCH_SMALLER = 0.25  # of the largest face's area: as sure a sign that the photo is upright
SAME_PLACE = 0.5  # shared area, of the smaller box, from which two boxes are of one face
# Detection score from which a face is taken from the less confident of two runs. Of seven that
# the development photos would add at 0.7, four were a lamp, bits of a picture and a hand.
SURE = 0.8
ONE_PLACE = 0.25  # of the smaller box's longer side, within which two middles are of one face


@dataclass(frozen=True, eq=False)
class FoundFace:
    """One face of a run of the detector."""

    box: NDArray[np.float32]  # (4,)
    score: float  # 0-1
    landmarks: NDArray[np.float32]  # (5, 2)

    def moved(self, matrix: NDArray[np.float64]) -> FoundFace:
        """Where a turn, scale and shift, (2, 3), takes it.

        The box keeps its size and turns into its sides' mixture: as it was at 0 degrees, height
        and width exchanged at 90.
        """
        turn = matrix[:, :2]
        centre = turn @ ((self.box[:2] + self.box[2:]) / 2) + matrix[:, 2]
        scale = math.hypot(*turn[:, 0])
        across = float(turn[1, 0] / scale) ** 2
        size = (self.box[2:] - self.box[:2]) * scale
        half = (size * (1 - across) + size[::-1] * across) / 2
        box = np.concatenate([centre - half, centre + half])
        points = self.landmarks @ turn.T + matrix[:, 2]
        return FoundFace(box.astype(np.float32), self.score, points.astype(np.float32))

    def mirrored(self, width: int) -> FoundFace:
        """Where it is in the mirror image of a photo this wide; there, right is left."""
        x1, y1, x2, y2 = self.box
        box = np.array([width - 1 - x2, y1, width - 1 - x1, y2], np.float32)
        return FoundFace(box, self.score, mirrored(self.landmarks, width))


@dataclass(frozen=True, eq=False)
class FoundFaces:
    """What one run of the detector found, in pixels of the photo as given."""

    boxes: NDArray[np.float32]  # (n, 4)
    scores: NDArray[np.float32]  # (n,) detection scores, 0-1
    landmarks: NDArray[np.float32]  # (n, 5, 2)

    @staticmethod
    def of(faces: Iterable[FoundFace]) -> FoundFaces:
        """These, as one."""
        rows = list(faces)
        return FoundFaces(
            np.array([face.box for face in rows], np.float32).reshape(-1, 4),
            np.array([face.score for face in rows], np.float32),
            np.array([face.landmarks for face in rows], np.float32).reshape(-1, 5, 2),
        )

    def faces(self) -> list[FoundFace]:
        """One by one."""
        rows = zip(self.boxes, self.scores, self.landmarks, strict=True)
        return [FoundFace(box, float(score), points) for box, score, points in rows]

    @property
    def areas(self) -> NDArray[np.float32]:
        """(n,) square pixels."""
        areas: NDArray[np.float32] = np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return areas

    def largest(self, count: int) -> list[int]:
        """Positions of the largest faces, at most so many."""
        return [int(position) for position in np.argsort(-self.areas, kind="stable")[:count]]

    @property
    def confidence(self) -> float:
        """Highest score of the faces not much smaller than the largest; 0 if there is none."""
        if not len(self.boxes):
            return 0.0
        return float(self.scores[self.areas >= NOT_MUCH_SMALLER * self.areas.max()].max())

    def joined(self, other: FoundFaces) -> FoundFaces:
        """The faces of both runs, each once.

        Of a face in both the surer one counts; what only the less confident run has is added
        if it is sure.
        """
        first, second = sorted((self, other), key=confidence, reverse=True)
        faces = first.faces()
        for face in second.faces():
            shared = [overlap(face.box, known.box) for known in faces]
            if max(shared, default=0.0) > SAME_PLACE:
                place = shared.index(max(shared))
                faces[place] = max(faces[place], face, key=lambda one: one.score)
            elif face.score >= SURE:
                faces.append(face)
        return FoundFaces.of(faces)

    def turned_back(self, shape: tuple[int, int], quarters: int) -> FoundFaces:
        """Found in `np.rot90(pixels, quarters)` → `pixels`, whose (height, width) is `shape`."""
        points = _turned_back(self.landmarks.reshape(-1, 2), shape, quarters)
        corners = _turned_back(self.boxes.reshape(-1, 2), shape, quarters).reshape(-1, 2, 2)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        return FoundFaces(boxes, self.scores, points.reshape(-1, 5, 2))


def confidence(found: FoundFaces) -> float:
    """For comparing runs."""
    return found.confidence


def overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Shared area of two boxes, as a part of the smaller one, 0-1."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    smaller = min(float(np.prod(box[2:] - box[:2])) for box in (first, second))
    return float(np.prod(sides.clip(min=0))) / smaller if smaller > 0 else 0.0


def _turned_back(
    points: NDArray[np.float32], shape: tuple[int, int], quarters: int
) -> NDArray[np.float32]:
    """(n, 2) points of `np.rot90(pixels, quarters)` → points of `pixels` (height, width)."""
    height, width = shape
    x, y = points[:, 0], points[:, 1]
    turned = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
    return np.stack(turned[quarters], axis=1)


def each_once(faces: list[FoundFace]) -> list[FoundFace]:
    """Without those that, looked at again, turned out to be a face that is there already."""
    once: list[FoundFace] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_apart(face, other) for other in once):
            once.append(face)
    return [face for face in faces if any(face is kept for kept in once)]


def _apart(one: FoundFace, other: FoundFace) -> bool:
    """Whether two faces' middles are a part of the smaller one away from each other."""
    sides = [float(np.max(face.box[2:] - face.box[:2])) for face in (one, other)]
    middles = [(face.box[:2] + face.box[2:]) / 2 for face in (one, other)]
    return float(np.hypot(*(middles[0] - middles[1]))) >= ONE_PLACE * min(sides)
