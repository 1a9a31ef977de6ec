"""Which photos of a gallery are copies of each other: re-encoded, rescaled, mirrored, cropped.

Two perceptual hashes by the imagehash library. The whole picture's tells every copy that shows
the same section. A cropped copy is told by the surroundings of its face: both faces are brought
to one frame by their landmarks, the frames onto each other by their pixels (OpenCV's ECC), and
what both show is hashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.looks import onto_standard_points

# Of 64 bits, between whole pictures. Measured on 961 photos of the development folders: copies
# (JPEG quality 25, WebP, a third of the size, mirrored, grey) differ by 2 at most, different
# photos by 6 and more.
WHOLE_BITS = 4
# Of 256 bits, between faces' surroundings. Measured there: copies cropped by up to 15 % of a
# side, mirrored too, differ by 12 at most; different photos of the gallery by 30 and more.
AROUND_BITS = 16
# Cosine of embeddings from which surroundings are compared: cropped copies reach 0.83 and more.
COPY_COSINE = 0.75
SIDE = 96  # pixels of a face's surroundings
ZOOM = 2.0  # their side, as a multiple of the aligned crop's
CROP_SIDE = 112  # pixels of the frame that `onto_standard_points` leads to
LEAST_COMMON = 0.1  # of the surroundings' pixels; less says nothing
ECC = (3, 40, 1e-4)  # OpenCV's criteria: count and precision; 40 rounds, 15 ms a pair
ECC_BLUR = 5  # pixels, odd

Surroundings = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # grey and 0/1 mask, (SIDE, SIDE)


@dataclass(frozen=True, eq=False)
class Print:
    """What is compared of one photo."""

    whole: NDArray[np.bool_]  # (64,)
    mirrored: NDArray[np.bool_]  # (64,) of the mirror image
    around: Surroundings | None = None  # None without a face
    embedding: NDArray[np.float32] | None = None  # (D,) unit


def print_of(
    pixels: NDArray[np.uint8],
    landmarks: Sequence[float] = (),
    embedding: NDArray[np.float32] | None = None,
) -> Print:
    """(H, W, 3) RGB, x and y of a face's five points in pixels, its embedding → its print."""
    image = Image.fromarray(pixels).convert("L")
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    around = _around(pixels, np.asarray(landmarks, np.float64)) if len(landmarks) else None
    return Print(_bits(image, 8), _bits(mirrored, 8), around, embedding)


def find_copies(prints: Sequence[Print]) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of which one is a copy of the other."""
    if len(prints) < 2:
        return []
    same = np.triu(_whole_distances(prints) <= WHOLE_BITS, 1)
    for i, j in _candidates(prints):
        same[i, j] |= same[i, j] or _same_surroundings(prints[i].around, prints[j].around)
    return [(int(i), int(j)) for i, j in np.argwhere(same)]


def _whole_distances(prints: Sequence[Print]) -> NDArray[np.float32]:
    """(N, N) bits that differ, of the photo or its mirror image, whichever is closer."""
    plain = np.stack([entry.whole for entry in prints]).astype(np.float32)
    mirrored = np.stack([entry.mirrored for entry in prints]).astype(np.float32)
    distances = [plain @ (1 - rows.T) + (1 - plain) @ rows.T for rows in (plain, mirrored)]
    closer: NDArray[np.float32] = np.minimum(*distances)
    return closer


def _candidates(prints: Sequence[Print]) -> Iterator[tuple[int, int]]:
    """Pairs whose faces are alike enough for copies."""
    known = {i: entry.embedding for i, entry in enumerate(prints) if entry.embedding is not None}
    if not known:
        return
    rows, embeddings = list(known), np.stack(list(known.values()))
    for first, second in np.argwhere(np.triu(embeddings @ embeddings.T >= COPY_COSINE, 1)):
        yield rows[first], rows[second]


def _bits(image: Image.Image, side: int) -> NDArray[np.bool_]:
    bits: NDArray[np.bool_] = imagehash.phash(image, side).hash.ravel()
    return bits


def _around(pixels: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> Surroundings:
    import cv2

    warp = onto_standard_points(landmarks.reshape(5, 2).astype(np.float32))
    warp *= SIDE / (CROP_SIDE * ZOOM)
    warp[:, 2] += SIDE / 2 * (1 - 1 / ZOOM)
    shrink = min(1.0, 2 * float(np.hypot(*warp[:, 0])))  # first, lest the warp skips pixels
    size = [max(1, round(side * shrink)) for side in pixels.shape[1::-1]]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    warp[:, :2] /= shrink
    inside = cv2.warpAffine(np.full(grey.shape, 255, np.uint8), warp, (SIDE, SIDE))
    return np.asarray(cv2.warpAffine(grey, warp, (SIDE, SIDE)), np.uint8), _mask(inside)


def _mask(inside: NDArray[Any]) -> NDArray[np.uint8]:
    """1 where a pixel lies wholly in the photo."""
    return (inside > 250).astype(np.uint8)


def _same_surroundings(first: Surroundings | None, second: Surroundings | None) -> bool:
    if first is None or second is None:
        return False
    mirrored = tuple(np.ascontiguousarray(plane[:, ::-1]) for plane in second)
    return _registered_alike(first, second) or _registered_alike(first, (mirrored[0], mirrored[1]))


def _registered_alike(first: Surroundings, second: Surroundings) -> bool:
    """Whether they agree where both show something, once `second` is moved onto `first`."""
    import cv2

    (grey, inside), (other, other_inside) = first, second
    still = np.eye(2, 3, dtype=np.float32)
    try:
        _, move = cv2.findTransformECC(
            grey, other, still, cv2.MOTION_AFFINE, ECC, other_inside, ECC_BLUR
        )
    except cv2.error:  # it does not converge: they have nothing in common
        return False
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(other, move, (SIDE, SIDE), flags=back)
    moved_inside = _mask(cv2.warpAffine(other_inside * 255, move, (SIDE, SIDE), flags=back))
    common = inside & moved_inside
    if common.mean() < LEAST_COMMON:
        return False
    hashes = [_bits(Image.fromarray(plane * common), 16) for plane in (grey, moved)]
    return int((hashes[0] != hashes[1]).sum()) <= AROUND_BITS
