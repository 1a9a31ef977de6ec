"""Whether a face comes from the very photo of a portrait: re-encoded, rescaled, mirrored, cut.

Told by a perceptual hash of the aligned crop (the imagehash library), since similarity cannot
tell it: other photos of one actor come as close as a re-encoded copy does. In a copy the five
points are found a pixel or two elsewhere, so the face is looked at a little moved, turned and
scaled, and its closest view counts.

Which photos of a gallery are copies of each other: re-encoded, rescaled, mirrored, cropped.

Two perceptual hashes by the imagehash library. The whole picture's tells every copy that shows
the same section. A cropped copy is told by the surroundings of its face: both faces are brought
to one frame by their landmarks, the frames onto each other by their pixels (OpenCV's ECC), and
what both show is hashed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import imagehash
import numpy as np
from imagehash import ImageHash
from numpy.typing import NDArray
from PIL import Image

from core.faces.align import onto_standard_points
from core.faces.engine import Face
from core.faces.framing import MARGINS, framed_photo
from core.faces.photo import Photo

CROP_SIDE = 112  # pixels of the frame that `onto_standard_points` leads to
MIDDLE = 96  # pixels a side that are hashed: a moved view still shows them
HASH_SIDE = 16  # 256 bits
# Of 256, in the closest view. Measured with SFace's crops of 920 photos (the development gallery,
# its probes, the headshots, K-pop portraits): of 422,740 pairs of different photos none comes
# closer than 42, two of one event among them; two copies of one photo that the sets hold under
# different names have 12 and 36. Copies of 307 of them, found anew, within 40: JPEG quality 40 and
# 25, WebP, half the size, grey, 15 % brighter or darker 97-99 %, a third of the size 96 %, mirrored
# 89 %, cut by 10 % on each side 79 %, mirrored, cut, halved and JPEG 40 at once 74 %. What is
# missed was mostly found tilted by other degrees (core/faces/detect.py looks at it a second time).
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


# Bits of 64 in which two prints of one photo differ at most. On 396 pairs of different photos
# of 40 actors of the development gallery the least was 8, then 12 (aligned crop), and 12
# (region); copies at JPEG quality 50, half size, greyed or brightened stay below in 95 %,
# copies cut by 8 % in 85 %, by the aligned crop.
ALIGNED_BITS = 12


REGION_BITS = 10


@dataclass(frozen=True, eq=False)
class PhotoPrint:
    """What tells a photo from its copies, whatever their size, cut or quality."""

    aligned: ImageHash
    mirrored: ImageHash  # of the aligned crop, flipped
    region: ImageHash  # of the crop with hair and shoulders

    def is_copy_of(self, other: PhotoPrint) -> bool:
        """Whether both come from one photo, mirrored or not."""
        aligned = min(self.aligned - other.aligned, self.mirrored - other.aligned)
        return bool(aligned <= ALIGNED_BITS or self.region - other.region <= REGION_BITS)


def photo_print(photo: Photo, face: Face) -> PhotoPrint:
    """A photo's print, round one of its faces."""
    aligned = Image.fromarray(face.detection.crop)
    region = Image.fromarray(framed_photo(photo, face, MARGINS[0]).pixels)
    mirrored = aligned.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return PhotoPrint(*(imagehash.phash(image) for image in (aligned, mirrored, region)))
