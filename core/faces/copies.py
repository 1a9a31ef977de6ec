"""Whether two faces come from one photo, re-encoded, rescaled, mirrored, greyed or cropped.

The one rule for it, asked by the verdict, the gallery check and the download. It is a perceptual
hash of the aligned crop (the imagehash library), since similarity cannot tell it: other photos of
one actor come as close as a re-encoded copy does. In a copy the five points are found a pixel or
two elsewhere, so the face is also compared moved, turned and scaled, and its closest view counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.faces.align import CROP_SIDE

MIDDLE_SIDE = 96  # pixels that are hashed: a moved view still shows them
HASH_SIDE = 16  # 256 bits
# Of 256, in the closest view. Measured with SFace's crops of 1,302 photos (development gallery,
# both sets of probes, headshots). Different photos, the 2,887 pairs of similarity 0.6 and more:
# two taken a second apart come to 18, the next to 34 and 40. Copies of 79 photos, found anew,
# within 30: JPEG 25 and WebP all, grey 99 %, mirrored 98 %, a third of the size 96 %, cut by 5 to
# 15 % on one to three sides 87-95 %, by 10 % on each side 68 %.
SAME_BITS = 30
# In the view from which the search starts. Most different photos end there.
HOPELESS_BITS = 84
START = [(1.0, *view) for view in product((-6.0, 0.0, 6.0), (-2.5, 0.0, 2.5), (-2.5, 0.0, 2.5))]
STRAIGHT = np.array([1.0, 0.0, 0.0, 0.0])  # a view: scale, degrees, pixels right, pixels down
STEPS = tuple(np.array([0.04, 3.0, 2.5, 2.5]) / divisor for divisor in (1, 2, 4))
REACH = np.array([0.09, 12.1, 6.1, 6.1])  # of a view, from the straight one
COPY_COSINE = 0.7  # of embeddings, from which a gallery's photos are compared

Crop = NDArray[np.uint8]  # (112, 112, 3) RGB, aligned
View = NDArray[np.float64]  # (4,)
Bits = NDArray[np.bool_]  # (16, 16)


def crop_hash(crop: Crop) -> str:
    """64 hex digits, most of which a crop's copies share."""
    edge = (CROP_SIDE - MIDDLE_SIDE) // 2
    return str(_hash_of(_grey(crop)[edge:-edge, edge:-edge]))


def is_same_photo(crop: Crop, known_hash: str) -> bool:
    """Whether a face comes from the photo of this `crop_hash`, mirrored or not.

    Never where there is no hash: portraits of an index made from an old cache have none.
    """
    return bool(known_hash) and _is_close(crop, imagehash.hex_to_hash(known_hash).hash)


def find_copies(
    embeddings: NDArray[np.float32], hashes: Sequence[str], crop_of: Callable[[int], Crop]
) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, of photos of which one is a copy of the other.

    Args:
        embeddings: (N, D) unit. Only faces of `COPY_COSINE` and more are compared.
        hashes: N, each crop's `crop_hash`.
        crop_of: a photo's crop; asked for only where it is compared.
    """
    crops = cache(crop_of)
    for i, j in np.argwhere(np.triu(embeddings @ embeddings.T >= COPY_COSINE, 1)).tolist():
        if is_same_photo(crops(j), hashes[i]) or is_same_photo(crops(i), hashes[j]):
            yield i, j


def _is_close(crop: Crop, known: Bits) -> bool:
    """Whether any view of a face comes within SAME_BITS; not searched where hopeless."""
    grey = _grey(crop)
    bits, view, face = _closest_of_both(grey, known)
    if bits > HOPELESS_BITS:
        return False
    for step in STEPS:
        while bits > SAME_BITS:
            around = [view + sign * step * axis for axis in np.eye(4) for sign in (-1, 1)]
            near = [each for each in around if (abs(each - STRAIGHT) <= REACH).all()]
            found = _differing(_frequencies(face, near), known)
            if found.min() >= bits:
                break
            bits, view = int(found.min()), near[int(found.argmin())]
    return bits <= SAME_BITS


def _closest_of_both(grey: NDArray[np.uint8], known: Bits) -> tuple[int, View, NDArray[np.uint8]]:
    """Of the first views of a face and of its mirror image: fewest bits, their view and picture.

    A mirrored view is the mirror image of one that is turned and moved the other way, whose odd
    frequencies have the other sign: so half of the pictures are enough.
    """
    views = [np.array(view) for view in START]
    straight = _frequencies(grey, views)
    mirrored = straight * np.resize([1.0, -1.0], HASH_SIDE).astype(np.float32)
    found = np.concatenate([_differing(straight, known), _differing(mirrored, known)])
    place = int(found.argmin())
    if place < len(views):
        return int(found[place]), views[place], grey
    view = views[place - len(views)] * [1, -1, -1, 1]
    return int(found[place]), view, np.ascontiguousarray(grey[:, ::-1])


def _differing(frequencies: NDArray[np.float32], known: Bits) -> NDArray[np.intp]:
    """(V, 16, 16) → (V,) bits by which each hash differs."""
    middle = np.median(frequencies, axis=(1, 2), keepdims=True)
    differs: NDArray[np.intp] = ((frequencies > middle) != known).sum(axis=(1, 2))
    return differs


def _frequencies(face: NDArray[np.uint8], views: Sequence[View]) -> NDArray[np.float32]:
    """(V, 16, 16) of what `imagehash.phash` makes bits of, for each view of a face."""
    matrix = _frequency_matrix()
    pictures = np.stack([_moved(face, view) for view in views]).astype(np.float32)
    return np.asarray(matrix @ pictures @ matrix.T, np.float32)


@cache
def _frequency_matrix() -> NDArray[np.float32]:
    """(16, 96): reduces as Pillow does, and takes the lowest frequencies of that, in one product.

    For 120 views of a face imagehash takes 20 ms. Of its bits, which see rounded pixels, 2 of 256
    differ in one crop of three, 4 in one of fifty.
    """
    side = HASH_SIDE * 4  # as imagehash has it
    every = Image.fromarray(np.eye(MIDDLE_SIDE, dtype=np.float32))
    weights = np.asarray(every.resize((MIDDLE_SIDE, side), Image.Resampling.LANCZOS))
    waves, places = np.arange(HASH_SIDE)[:, None], np.arange(side) + 0.5
    return np.asarray(2 * np.cos(np.pi / side * waves * places) @ weights, np.float32)


def _moved(face: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """The middle of a face, (112, 112) grey, as a view has it."""
    import cv2

    scale, degrees, right, down = view
    centre = (CROP_SIDE - 1) / 2
    warp = cv2.getRotationMatrix2D((centre, centre), degrees, scale)
    edge = (CROP_SIDE - MIDDLE_SIDE) / 2
    warp[:, 2] += np.array([right - edge, down - edge])
    side = (MIDDLE_SIDE, MIDDLE_SIDE)
    return np.asarray(cv2.warpAffine(face, warp, side, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _grey(crop: Crop) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(crop).convert("L"), np.uint8)


def _hash_of(grey: NDArray[np.uint8]) -> imagehash.ImageHash:
    return imagehash.phash(Image.fromarray(np.ascontiguousarray(grey)), HASH_SIDE)
