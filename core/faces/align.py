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
    warp = onto_standard_points(np.asarray(landmarks, np.float32).reshape(5, 2), points)
    return warped(pixels, warp, side)


def warped(pixels: NDArray[np.uint8], warp: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """(H, W, 3) photo → the (side, side, 3) square into which `warp`, (2, 3), leads; else black."""
    import cv2

    return np.asarray(cv2.warpAffine(*reduced(pixels, warp, (side, side)), (side, side)), np.uint8)


def reduced(
    pixels: NDArray[np.uint8], warp: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a photo that a warp needs, no larger than it needs, and the warp from there.

    A warp takes single pixels: of a large face's noise, or a screen's dots, all that they have.
    So what will be half as large, or smaller, is averaged over whole pixels before.

    Args:
        pixels: (H, W, 3) photo.
        warp: (2, 3), a turn, a scale and a shift.
        size: width and height of the picture it leads into.
    """
    import cv2

    times = int(1 / math.hypot(warp[0, 0], warp[1, 0]))
    if times < 2:
        return pixels, warp
    height, width = pixels.shape[:2]
    corners = np.array([(x, y) for x in (0, size[0]) for y in (0, size[1])], np.float64)
    back: NDArray[np.float64] = np.asarray(cv2.invertAffineTransform(warp), np.float64)
    there = corners @ back[:, :2].T + back[:, 2]
    left, top = np.clip(np.floor(there.min(axis=0)) - times, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(
        np.ceil(there.max(axis=0)) + 1 + times, [left + 1, top + 1], [width, height]
    ).astype(int)
    wide, tall = -(-(right - left) // times), -(-(bottom - top) // times)
    part = cv2.resize(pixels[top:bottom, left:right], (wide, tall), interpolation=cv2.INTER_AREA)
    each = np.array([(right - left) / wide, (bottom - top) / tall])
    turn = warp[:, :2] * each
    shift = warp[:, 2] + warp[:, :2] @ ([left, top] + (each - 1) / 2)
    return np.asarray(part, np.uint8), np.column_stack([turn, shift])


def mirrored(points: NDArray[np.floating], width: int) -> NDArray[np.float32]:
    """(5, 2) points of a face in a picture this wide → in its mirror image, where right is left."""
    return np.asarray(points[[1, 0, 2, 4, 3]] * [-1, 1] + [width - 1, 0], np.float32)


def roll(landmarks: NDArray[np.float32]) -> float:
    """(5, 2) landmarks → degrees by which the head is tilted, clockwise, -180…180."""
    matrix = onto_standard_points(landmarks)
    return -math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))
