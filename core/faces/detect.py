"""Finding faces: in the photo, again if that is not convincing, then once more at each face."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from core.faces.align import CROP_SIDE, onto_standard_points, roll, warped
from core.faces.found import (
    SAME_PLACE,
    FoundFace,
    FoundFaces,
    confidence,
    each_once,
    overlap,
)
from core.settings import DetectionOptions

# Detection score from which a photo needs no other run. A close-up and a turned face are often
# "found" at less, with landmarks that are wrong: on the development photos 98 % of upright faces
# reach it (padded where needed), of those turned by a quarter 13 %.
CONVINCING = 0.88
PADDING = 0.5  # of the longer side, on each side, for a face that fills the frame
# A face below this score, or tilted by so many degrees, is detected again upright and at a
# standard size: YuNet understates a tilt (35 degrees as 5 at a score of 0.90; upright it would be
# 0.94). Over all pairs of gallery and probes_wild, true accepts at one false accept in 1,000 rise
# from 94.1 to 94.7 %; detecting the surer faces again too wins nothing more.
UNDOUBTED = 0.92
TILTED = 15.0
# One that is still below is looked for in its own square turned seven other ways: YuNet finds faces
# upside down or on their side "upright" at up to 0.91, with landmarks that are wrong.
WAYS_UP = range(45, 360, 45)  # degrees
SQUARE = 2.0  # longer sides of the box that the square has
SMALL_SIDE = 160  # pixels of it
UPRIGHT_SIDE, UPRIGHT_CROP = 320, 160  # pixels of an upright run, and of the standard crop in it
UPRIGHT_RUNS = 3  # at one face, each from the landmarks of the last
LEAST_GAIN = 0.01  # detection score an upright run must win to be followed by another
# A photo at native size is looked at in parts, so that it takes no more memory than one of them:
# one takes 0.1 GB in the detector, 16 megapixels take 0.8. Sixteen cover the default limit. A face
# larger than what two parts share was found before, in the fitted photo.
PART, PARTS_SHARE = 1152, 192  # pixels, multiples of 32
MOST_UPRIGHT = 8  # faces, the largest, that are detected again: bounds the time a crowd takes

# (H, W, 3) RGB, sides divisible by 32 → (n, 5) boxes with scores, (n, 5, 2) landmarks.
DetectorRun = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.float32]]]


class FaceDetector:
    """The detector of a pack, and when it is run again."""

    def __init__(self, detect: DetectorRun, options: DetectionOptions) -> None:
        """Keep what is asked for each photo."""
        self._detect = detect
        self.options = options

    def find(
        self,
        pixels: NDArray[np.uint8],
        *,
        small: Callable[[], bool] = lambda: True,
        least: float = 0.0,
    ) -> FoundFaces:
        """All faces of a (H, W, 3) RGB photo; none where the first look finds one below `least`.

        In order, until one is convincing: fitted to the detection size; padded, for a face that
        fills the frame; at native size, for small faces, only if nothing was found and `small`
        says so; turned by 90, 180 and 270 degrees, for a phone photo without EXIF.
        """
        size, limit = self.options.size, self.options.limit
        found = self.run(pixels, size)
        if (found.areas < least).any():
            return FoundFaces.of([])
        if found.confidence < CONVINCING:
            found = found.joined(self.run(pixels, size, PADDING))
        if not found.confidence and max(pixels.shape[:2]) > size and small():
            found = self.run(pixels, limit)
        straight = self.straightened(pixels, found)
        if straight.confidence >= CONVINCING:
            return straight
        turned = [self._run_turned(pixels, size, quarters) for quarters in (1, 2, 3)]
        return max(straight, *turned, key=confidence)

    def run(self, pixels: NDArray[np.uint8], limit: int, padding: float = 0.0) -> FoundFaces:
        """Detect with the photo and its padding fitted into a square of `limit` pixels.

        Beyond the detection size a photo is never enlarged.
        """
        longest = max(pixels.shape[:2]) * (1 + 2 * padding)
        scale = limit / longest
        if limit > self.options.size:
            scale = min(scale, 1.0)
        margin = round(longest * scale * padding / (1 + 2 * padding))
        fitted = _fitted(pixels, scale, margin)
        whole = limit <= self.options.size or max(fitted.shape) <= PART
        boxes, landmarks = self._detect(fitted) if whole else self._detect_in_parts(fitted)
        large = np.minimum(*(boxes[:, 2:4] - boxes[:, :2]).T) >= self.options.min_face * scale
        return FoundFaces(
            (boxes[large, :4] - margin) / scale,
            boxes[large, 4],
            (landmarks[large] - margin) / scale,
        )

    def _detect_in_parts(
        self, fitted: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `_detect`; of a face in two parts the surer counts."""
        known: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        for top, left in _parts(*fitted.shape[:2]):
            boxes, points = self._detect(fitted[top : top + PART, left : left + PART])
            boxes[:, :4] += np.array([left, top, left, top], np.float32)
            points += np.array([left, top], np.float32)
            known += zip(boxes, points, strict=True)
        kept: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        for box, points in sorted(known, key=lambda face: -float(face[0][4])):
            if all(overlap(box[:4], other[:4]) <= SAME_PLACE for other, _ in kept):
                kept.append((box, points))
        boxes = np.array([box for box, _ in kept], np.float32).reshape(-1, 5)
        return boxes, np.array([points for _, points in kept], np.float32).reshape(-1, 5, 2)

    def straightened(self, pixels: NDArray[np.uint8], found: FoundFaces) -> FoundFaces:
        """Unsure and tilted faces as they are found upright and at a standard size.

        Each further run starts from the landmarks of the last, and counts if it is as sure.
        """
        faces = found.faces()
        for number in found.largest(MOST_UPRIGHT):
            face = faces[number]
            if face.score < UNDOUBTED or abs(roll(face.landmarks)) >= TILTED:
                face = self._surest(pixels, face)
            if face.score < UNDOUBTED:
                other = self._any_way_up(pixels, face)
                face = self._surest(pixels, other) if other is not face else face
            faces[number] = face
        return FoundFaces.of(each_once(faces))

    def _surest(self, pixels: NDArray[np.uint8], face: FoundFace) -> FoundFace:
        for _ in range(UPRIGHT_RUNS):
            again = self._run_upright(pixels, face.landmarks)
            if again is None or again.score < face.score:
                break
            gain, face = again.score - face.score, again
            if gain < LEAST_GAIN:
                break
        return face

    def _any_way_up(self, pixels: NDArray[np.uint8], face: FoundFace) -> FoundFace:
        """The face as it is, or as found surer, and convincing, in its own square turned anyhow.

        Less would make a face of a back of a head: some way up, much is a little like one.
        """
        x1, y1, x2, y2 = face.box
        upright = -roll(face.landmarks)
        zoom = SMALL_SIDE / (SQUARE * float(max(x2 - x1, y2 - y1)))
        middle = complex(x1 + x2, y1 + y2) / 2
        for degrees in WAYS_UP:
            turn = zoom * cmath.exp(1j * math.radians(upright + degrees))
            shift = complex(SMALL_SIDE, SMALL_SIDE) / 2 - turn * middle
            matrix = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
            found = self._run_square(pixels, np.array(matrix), SMALL_SIDE)
            if found is not None and found.score > max(face.score, CONVINCING):
                face = found
        return face

    def _run_upright(
        self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> FoundFace | None:
        """The face at these landmarks in a square of its own; None if it is not found there."""
        there = onto_standard_points(landmarks) * (UPRIGHT_CROP / CROP_SIDE)
        there[:, 2] += (UPRIGHT_SIDE - UPRIGHT_CROP) / 2
        return self._run_square(pixels, there, UPRIGHT_SIDE)

    def _run_square(
        self, pixels: NDArray[np.uint8], there: NDArray[np.float64], side: int
    ) -> FoundFace | None:
        """The face nearest the middle of a square into which `there`, (2, 3), leads."""
        import cv2

        boxes, points = self._detect(warped(pixels, there, side))
        off = np.hypot(*((boxes[:, :2] + boxes[:, 2:4] - side) / 2).T)
        if not len(off) or off.min() > side / 4:
            return None
        nearest = int(off.argmin())
        back: NDArray[np.float64] = np.asarray(cv2.invertAffineTransform(there), np.float64)
        found = FoundFace(boxes[nearest, :4], float(boxes[nearest, 4]), points[nearest])
        return found.moved(back)

    def _run_turned(self, pixels: NDArray[np.uint8], size: int, quarters: int) -> FoundFaces:
        turned = _turned(pixels, quarters)
        found = self.straightened(turned, self.run(turned, size, PADDING))
        return found.turned_back(pixels.shape[:2], quarters)


def _parts(height: int, width: int) -> Iterable[tuple[int, int]]:
    """Tops and lefts of parts that cover a picture, and share a strip with the next."""
    step = PART - PARTS_SHARE
    for top in range(0, max(1, height - PARTS_SHARE), step):
        for left in range(0, max(1, width - PARTS_SHARE), step):
            yield top, left


def _turned(pixels: NDArray[np.uint8], quarters: int) -> NDArray[np.uint8]:
    """`np.rot90`, and three times as fast."""
    import cv2

    ways = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
    return np.asarray(cv2.rotate(pixels, ways[quarters]), np.uint8)


def _fitted(pixels: NDArray[np.uint8], scale: float, margin: int) -> NDArray[np.uint8]:
    """Scaled, with a black margin, and more right and below up to multiples of 32."""
    import cv2

    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    if scale != 1.0:
        smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=smooth), np.uint8)
    tall, wide = (-(-(side + 2 * margin) // 32) * 32 for side in (height, width))
    fitted = np.zeros((tall, wide, 3), np.uint8)
    fitted[margin : margin + height, margin : margin + width] = pixels
    return fitted
