"""Faces brought to one frame, so that two of them stand side by side at one scale and eye line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.align import onto_standard_points, reduced
from core.faces.engine import Face
from core.faces.photo import Photo

FRAME = (480, 600)  # pixels, width and height: twice what a phone shows, hair and shoulders in it
EYE_SPAN = 124  # pixels between the eyes: the head takes some 55 % of the width
EYE_LINE = 258  # pixels from the top
STANDARD_SPAN, STANDARD_CENTRE = 35.24, 55.91  # of the eyes in align.STANDARD_POINTS
BLURRED_SIDE = 48  # pixels; what stands beyond the photo's edge is the photo, blurred
FEATHER = 12  # pixels over which the photo fades into that
# Round the face's box, in its widths and heights: left and right, above, below. The first keeps
# hair and shoulders; the others are for photos where somebody else would be in the picture.
MARGINS = ((1.0, 0.8, 1.2), (0.6, 0.6, 0.8), (0.35, 0.45, 0.5))


@dataclass(frozen=True, eq=False)
class FramedFace:
    """A face in the frame, from which it can be aligned again."""

    pixels: NDArray[np.uint8]  # (600, 480, 3) RGB
    points: NDArray[np.float32]  # (5, 2) pixels of it: eyes, nose tip, mouth corners


def in_frame(pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> FramedFace:
    """A photo's face with its points; arguments as of `framed_face`."""
    points = landmarks.astype(np.float64)
    matrix = _onto_frame(points)
    framed = points @ matrix[:, :2].T + matrix[:, 2]
    return FramedFace(framed_face(pixels, landmarks), framed.astype(np.float32))


def could_be_framed(points: NDArray[np.float32]) -> bool:
    """Whether a face's (5, 2) points can stand so in the frame: upright, at its scale."""
    if not np.isfinite(points).all() or not (points >= 0).all() or not (points < FRAME).all():
        return False
    if np.ptp(points) < EYE_SPAN / 2:
        return False
    turn = onto_standard_points(points)[:, 0] * EYE_SPAN / STANDARD_SPAN
    return bool(np.abs(turn - [1, 0]).max() < 0.01)


def framed_face(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32] | Sequence[float]
) -> NDArray[np.uint8]:
    """A face cut out and straightened into the frame.

    Args:
        pixels: (H, W, 3) RGB photo.
        landmarks: (5, 2), or their 10 numbers: x, y in pixels of the photo.

    Returns:
        (600, 480, 3) RGB. Where the photo ends, it goes on blurred.
    """
    points = np.asarray(landmarks, np.float64).reshape(5, 2)
    pixels, matrix = reduced(pixels, _onto_frame(points), FRAME)
    picture, known = _warped(pixels, matrix)
    beyond = _blurred_around(pixels, matrix)
    mixed = picture * known + beyond * (1 - known)
    return mixed.round().astype(np.uint8)


def _onto_frame(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3) matrix from the photo's pixels to the frame's.

    Turn, scale and middle by all five points, which a turned head moves least. Eyes sit higher or
    lower in a face, 6 pixels here at most, so the height is the eyes' own: one line for two faces.
    """
    zoom = EYE_SPAN / STANDARD_SPAN
    matrix: NDArray[np.float64] = zoom * onto_standard_points(points.astype(np.float32))
    eyes = float(matrix[1, :2] @ points[:2].mean(axis=0)) + matrix[1, 2]
    matrix[:, 2] += FRAME[0] / 2 - zoom * STANDARD_CENTRE, EYE_LINE - eyes
    return matrix


def _warped(
    pixels: NDArray[np.uint8], matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The photo in the frame, and how far each pixel is known (0-1, fading at the edges)."""
    import cv2

    picture = cv2.warpAffine(
        pixels, matrix, FRAME, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), matrix, FRAME)
    framed = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    distance = cv2.distanceTransform((framed > 254).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    known = np.clip(distance / FEATHER, 0, 1).astype(np.float32)
    return np.asarray(picture, np.float32), known[:, :, None]


def _blurred_around(pixels: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    import cv2

    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (BLURRED_SIDE, BLURRED_SIDE), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 3)
    from_small = np.diag([width / BLURRED_SIDE, height / BLURRED_SIDE, 1.0])
    beyond = cv2.warpAffine(
        small, matrix @ from_small, FRAME, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(beyond, np.float32)


def framed_photo(photo: Photo, face: Face, margins: tuple[float, float, float]) -> Photo:
    """The part of a photo round a face; arguments as of `framed`."""
    left, top, right, bottom = framed(face.detection.box, margins, photo.pixels.shape[:2])
    return Photo(np.ascontiguousarray(photo.pixels[top:bottom, left:right]), photo.source)


def framed(
    box: tuple[float, float, float, float],
    margins: tuple[float, float, float],
    shape: tuple[int, int],
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels: a face's box with its margins, within the photo.

    Args:
        box: x1, y1, x2, y2 in pixels.
        margins: beside in widths, above and below in heights.
        shape: height and width of the photo.
    """
    x1, y1, x2, y2 = box
    beside, above, below = margins
    width, height = x2 - x1, y2 - y1
    return (
        max(0, round(x1 - beside * width)),
        max(0, round(y1 - above * height)),
        min(shape[1], round(x2 + beside * width)),
        min(shape[0], round(y2 + below * height)),
    )
