"""The standard crop of a face: its five points onto fixed places."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.models.packs import ARCFACE_POINTS

CROP_SIDE = 112  # pixels of the standard crop; what the recognisers were trained on
STANDARD_POINTS = np.array(ARCFACE_POINTS)  # of eyes, nose tip and mouth corners in it


def onto_standard_points(
    landmarks: NDArray[np.float32], points: ArrayLike = STANDARD_POINTS
) -> NDArray[np.float64]:
    """(5, 2) landmarks → (2, 3) warp that brings them closest to the standard, or other, points.

    Least squares of a turn, a scale and a shift, in complex numbers `turn * point + shift`: the
    matrix of insightface's `norm_crop`, which warns of a deprecated call for every face.
    """
    points, targets = (np.asarray(rows, np.float64) @ [1, 1j] for rows in (landmarks, points))
    spread = points - points.mean()
    turn = np.vdot(spread, targets) / np.vdot(spread, spread)
    shift = targets.mean() - turn * points.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def aligned_crop(
    pixels: NDArray[np.uint8],
    landmarks: NDArray[np.float32] | Sequence[float],
    side: int = CROP_SIDE,
    points: ArrayLike = STANDARD_POINTS,
) -> NDArray[np.uint8]:
    """(H, W, 3) photo, x and y of a face's five points → (side, side, 3): they stand at `points`.

    Without the last two it is the standard crop.
    """
    import cv2

    warp = onto_standard_points(np.asarray(landmarks, np.float32).reshape(5, 2), points)
    return np.asarray(cv2.warpAffine(pixels, warp, (side, side)), np.uint8)


def mirrored(points: NDArray[np.floating], width: int) -> NDArray[np.float32]:
    """(5, 2) points of a face in a picture this wide → in its mirror image, where right is left."""
    return np.asarray(points[[1, 0, 2, 4, 3]] * [-1, 1] + [width - 1, 0], np.float32)


def roll(landmarks: NDArray[np.float32]) -> float:
    """(5, 2) landmarks → degrees by which the head is tilted, clockwise, -180…180."""
    matrix = onto_standard_points(landmarks)
    return -math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
