"""Detectors that leave something out or do it otherwise: to see what each part is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.faces.align import STANDARD_POINTS
from core.faces.detect import FaceDetector, Look, SureFace


class OneLook(FaceDetector):
    """The photo fitted to the detection size, and nothing more."""

    def best_look(self, pixels: NDArray[np.uint8]) -> Look:
        """The first look."""
        return self.look(pixels, self._settings.detection_size)


class NeverStraightened(FaceDetector):
    """All looks at the photo, but no second look at a tilted or unsure face."""

    def straightened(self, pixels: NDArray[np.uint8], look: Look) -> Look:
        """As it was."""
        return look


class ByTheEyes(FaceDetector):
    """Aligned by the eyes alone, as if nose and mouth lay where the average face has them."""

    def best_look(self, pixels: NDArray[np.uint8]) -> Look:
        """The usual faces, three of their five landmarks made up."""
        return Look.of(_by_the_eyes(face) for face in super().best_look(pixels).faces())


def _by_the_eyes(face: SureFace) -> SureFace:
    right, left = face.landmarks[:2] @ [1, 1j]
    ours = STANDARD_POINTS @ [1, 1j]
    turn = (left - right) / (ours[1] - ours[0])
    points = right + turn * (ours - ours[0])
    landmarks = np.stack([points.real, points.imag], axis=1).astype(np.float32)
    return SureFace(face.box, face.score, landmarks)
