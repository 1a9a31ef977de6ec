"""A face with one part of it covered after the other: eyes, nose, mouth, shape.

Covered in the frame of core/faces/framing.py, from which each network's crops are warped: so all
of them, of the face and of its mirror image, are covered at the same place.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.faces.align import onto_standard_points
from core.faces.engine import Engine
from core.faces.framing import FRAME, FramedFace

Part = Literal["eyes", "nose", "mouth", "shape"]
PARTS: tuple[Part, ...] = get_args(Part)
Ellipse = tuple[float, float, float, float]  # centre, half axes: pixels of the standard crop
# Brows with the eyes, the nose with its
# wings, the mouth with the chin. What lies beyond the last is the shape, with the hair.
ELLIPSES: dict[Part, Ellipse] = {
    "eyes": (56, 47, 37, 13),
    "nose": (56, 69, 15, 12),
    "mouth": (56, 97, 25, 17),
    "shape": (56, 68, 37, 46),
}
EDGE = 6  # pixels of the standard crop over which a part fades into the rest
# A part is covered by the face itself, blurred: shrunk so many times, then by this sigma. Of fills
# tried on pairs of LFW photos it gave most often the same first part on a second photo (0.62;
# twice and four times the sigma 0.60 and 0.55, the face's mean colour 0.47).
SHRUNK, BLUR = 8, 3


def embed_covered(engine: Engine, face: FramedFace) -> NDArray[np.float32]:
    """(1 + P, D) unit embeddings in one batch: the face as it is, then without each of PARTS."""
    pictures = [face.pixels, *(_covered(face.pixels, mask) for mask in part_masks(face))]
    return engine.embed([engine.views(picture, face.points) for picture in pictures])


def part_masks(face: FramedFace) -> NDArray[np.float32]:
    """(P, 600, 480) how much of each pixel belongs to each of PARTS, 0-1."""
    *features, face_itself = (inside(face, ellipse) for ellipse in ELLIPSES.values())
    return np.stack([*features, 1 - face_itself])


def inside(face: FramedFace, ellipse: Ellipse) -> NDArray[np.float32]:
    """(600, 480) 1 within an ellipse of the standard crop, 0 beyond it, a soft edge between."""
    x, y, across, down = ellipse
    matrix = onto_standard_points(face.points).astype(np.float32)
    rows, columns = np.mgrid[0 : FRAME[1], 0 : FRAME[0]].astype(np.float32)
    right = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2]
    below = matrix[1, 0] * columns + matrix[1, 1] * rows + matrix[1, 2]
    radius = np.hypot((right - x) / across, (below - y) / down)
    soft: NDArray[np.float32] = np.clip((1 - radius) * min(across, down) / EDGE + 0.5, 0, 1)
    return soft


def _covered(pixels: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.uint8]:
    import cv2

    small = (FRAME[0] // SHRUNK, FRAME[1] // SHRUNK)
    blurred = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(blurred, (0, 0), BLUR)
    blurred = cv2.resize(blurred, FRAME, interpolation=cv2.INTER_LINEAR)
    share = mask[:, :, None]
    mixed: NDArray[np.float32] = pixels * (1 - share) + blurred * share
    return mixed.round().astype(np.uint8)
