"""Whether a face comes from the very photo of a portrait: re-encoded, rescaled, mirrored, cut.

Told by a perceptual hash of the aligned crop (the imagehash library), since similarity cannot
tell it: other photos of one actor come as close as a re-encoded copy does. In a copy the five
points are found a pixel or two elsewhere, so the face is looked at a little moved, turned and
scaled, and its closest view counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.looks import onto_standard_points

CROP_SIDE = 112  # pixels of the frame that `onto_standard_points` leads to
MIDDLE = 96  # pixels a side that are hashed: a moved view still shows them
HASH_SIDE = 16  # 256 bits
# Of 256, in the closest view. Measured with SFace's crops of 920 photos (the development gallery,
# its probes, the headshots, K-pop portraits): of 422,740 pairs of different photos none comes
# closer than 42, two of one event among them; two copies of one photo that the sets hold under
# different names have 12 and 36. Copies of 307 of them, found anew, within 40: JPEG quality 40 and
# 25, WebP, half the size, grey, 15 % brighter or darker 97-99 %, a third of the size 96 %, mirrored
# 89 %, cut by 10 % on each side 79 %, mirrored, cut, halved and JPEG 40 at once 74 %. What is
# missed was mostly found tilted by other degrees (core/detection.py looks at it a second time).
SAME_BITS = 40
# At best, while it is only moved: then no other view would be close. 99 % of different photos end
# there, after 7 ms; the others take 20 ms.
FAR_BITS = 84
SHIFTS = (0.0, -2.5, 2.5)  # pixels
STRAIGHT = np.array([1.0, 0.0, 0.0, 0.0])  # a view: scale, degrees, pixels right, pixels down
STEPS = tuple(np.array([0.04, 3.0, 2.5, 2.5]) / divisor for divisor in (1, 2, 4))
REACH = np.array([0.09, 6.1, 6.1, 6.1])  # of a view, from the straight one

View = NDArray[np.float64]  # (4,)


def crop_hash(crop: NDArray[np.uint8]) -> str:
    """(112, 112, 3) RGB aligned crop → 64 hex digits, most of which its copies share."""
    edge = (CROP_SIDE - MIDDLE) // 2
    return str(_hash_of(_grey(crop)[edge:-edge, edge:-edge]))


def crop_hash_at(pixels: NDArray[np.uint8], landmarks: Sequence[float]) -> str:
    """(H, W, 3) RGB upright photo, x and y of its face's five points → the crop's hash."""
    import cv2

    warp = onto_standard_points(np.asarray(landmarks, np.float32).reshape(5, 2))
    return crop_hash(np.asarray(cv2.warpAffine(pixels, warp, (CROP_SIDE, CROP_SIDE)), np.uint8))


def is_same_photo(crop: NDArray[np.uint8], crop_hash: str) -> bool:
    """Whether a face, (112, 112, 3) RGB, comes from the photo of this hash, mirrored or not.

    Never where there is no hash: portraits of an index made from an old cache have none.
    """
    if not crop_hash:
        return False
    return least_bits(crop, imagehash.hex_to_hash(crop_hash)) <= SAME_BITS


def least_bits(crop: NDArray[np.uint8], known: imagehash.ImageHash) -> int:
    """Bits of 256 by which the closest view of a face differs; not searched where hopeless."""
    grey = _grey(crop)
    faces = (grey, np.ascontiguousarray(grey[:, ::-1]))
    moved = [np.array([1.0, 0.0, right, down]) for right, down in product(SHIFTS, SHIFTS)]
    bits, view, face = min(
        ((*_closest(face, moved, known), face) for face in faces),
        key=lambda found: found[0],
    )
    if bits > FAR_BITS:
        return bits
    for step in STEPS:
        while True:
            around = [view + sign * step * axis for axis in np.eye(4) for sign in (-1, 1)]
            near = [each for each in around if (abs(each - STRAIGHT) <= REACH).all()]
            fewer, closer = _closest(face, near, known)
            if fewer >= bits:
                break
            bits, view = fewer, closer
    return bits


def _closest(
    face: NDArray[np.uint8], views: Iterable[View], known: imagehash.ImageHash
) -> tuple[int, View]:
    """The fewest bits of these views, and theirs."""
    distances = ((int(_hash_of(_seen(face, view)) - known), view) for view in views)
    return min(distances, key=lambda found: found[0])


def _seen(face: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """The middle of a face, (112, 112) grey, as a view has it."""
    import cv2

    scale, degrees, right, down = view
    centre = (CROP_SIDE - 1) / 2
    warp = cv2.getRotationMatrix2D((centre, centre), degrees, scale)
    edge = (CROP_SIDE - MIDDLE) / 2
    warp[:, 2] += np.array([right - edge, down - edge])
    replicate = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(face, warp, (MIDDLE, MIDDLE), borderMode=replicate), np.uint8)


def _grey(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(crop).convert("L"), np.uint8)


def _hash_of(grey: NDArray[np.uint8]) -> imagehash.ImageHash:
    return imagehash.phash(Image.fromarray(np.ascontiguousarray(grey)), HASH_SIDE)
