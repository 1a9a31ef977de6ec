"""What one run of the detector found: back to the photo as given, on to the standard crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# ArcFace's positions of eyes, nose tip and mouth corners in a crop of 112 pixels (insightface).
STANDARD_POINTS = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)


@dataclass(frozen=True, eq=False)
class Look:
    """What one run of the detector found, in pixels of the photo as given."""

    boxes: NDArray[np.float32]  # (n, 4)
    scores: NDArray[np.float32]  # (n,) detection scores, 0-1
    landmarks: NDArray[np.float32]  # (n, 5, 2)

    @property
    def confidence(self) -> float:
        """Detection score of the largest face; 0 if there is none."""
        if not len(self.boxes):
            return 0.0
        return float(self.scores[np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1).argmax()])

    def turned_back(self, shape: tuple[int, int], quarters: int) -> Look:
        """Found in `np.rot90(pixels, quarters)` → `pixels`, whose (height, width) is `shape`."""
        points = _turned_back(self.landmarks.reshape(-1, 2), shape, quarters)
        corners = _turned_back(self.boxes.reshape(-1, 2), shape, quarters).reshape(-1, 2, 2)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        return Look(boxes, self.scores, points.reshape(-1, 5, 2))


def confidence(look: Look) -> float:
    """For comparing looks."""
    return look.confidence


def _turned_back(
    points: NDArray[np.float32], shape: tuple[int, int], quarters: int
) -> NDArray[np.float32]:
    """(n, 2) points of `np.rot90(pixels, quarters)` → points of `pixels` (height, width)."""
    height, width = shape
    x, y = points[:, 0], points[:, 1]
    turned = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
    return np.stack(turned[quarters], axis=1)


def onto_standard_points(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """(5, 2) landmarks → (2, 3) warp that brings them closest to the standard points.

    Least squares of a turn, a scale and a shift, in complex numbers `turn * point + shift`: the
    matrix of insightface's `norm_crop`, which warns of a deprecated call for every face.
    """
    points, targets = (
        np.asarray(rows, np.float64) @ [1, 1j] for rows in (landmarks, STANDARD_POINTS)
    )
    spread = points - points.mean()
    turn = np.vdot(spread, targets) / np.vdot(spread, spread)
    shift = targets.mean() - turn * points.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
