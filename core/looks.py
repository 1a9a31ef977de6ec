"""What one run of the detector found, and how it maps back to the photo as given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
