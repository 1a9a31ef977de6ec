"""What the detector's numbers mean: the places that may be faces, without all the others.

insightface decodes every place, for 2 of the 5.6 ms of a run at 384 × 640, and copies the photo
three times before. The numbers here are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32)  # pixels a cell, of the three maps
ANCHORS = 2  # a cell, as SCRFD has them
MIDDLE, RANGE = 127.5, 128.0  # of pixels, as SCRFD takes them


def blob_of(
    crops: Sequence[NDArray[np.uint8]], middle: float = MIDDLE, span: float = RANGE
) -> NDArray[np.float32]:
    """N pictures, (H, W, 3) RGB of one size → (N, 3, H, W), (x - middle) / span."""
    import cv2

    height, width = crops[0].shape[:2]
    blob = cv2.dnn.blobFromImages(list(crops), 1.0 / span, (width, height), (middle,) * 3)
    return np.asarray(blob, np.float32)


def decoded(
    outputs: Sequence[NDArray[np.float32]], width: int, threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Places of at least this score, the surest first: (n, 5) boxes with scores, (n, 5, 2) points.

    Args:
        outputs: scores (1, m, 1) of each stride, then distances to left, top, right and bottom
            (1, m, 4), then landmarks (1, m, 10), both from the cell's corner and in strides.
        width: of the picture, pixels.
        threshold: 0-1.
    """
    rows = [
        _of_stride(maps, stride, width // stride, threshold)
        for maps, stride in zip(
            zip(outputs[:3], outputs[3:6], outputs[6:], strict=True), STRIDES, strict=True
        )
    ]
    boxes, points = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    surest = np.argsort(-boxes[:, 4], kind="stable")
    return boxes[surest], points[surest]


def _of_stride(
    maps: tuple[NDArray[np.float32], ...], stride: int, columns: int, threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    scores, distances, landmarks = (rows[0] for rows in maps)
    places = np.flatnonzero(scores[:, 0] >= threshold)
    cells = places // ANCHORS
    corners = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32) * stride
    reach = distances[places] * stride
    boxes = [corners - reach[:, :2], corners + reach[:, 2:], scores[places]]
    points = corners[:, None] + (landmarks[places] * stride).reshape(-1, 5, 2)
    return np.concatenate(boxes, axis=1), points
