"""Finding faces: in the photo, again if that is not convincing, then once more at each face."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.align import CROP_SIDE, mirrored, onto_standard_points, roll, warped
from core.settings import DetectionOptions

NOT_MUCH_SMALLER = 0.25  # of the largest face's area: as sure a sign that the photo is upright
SAME_PLACE = 0.5  # shared area, of the smaller box, from which two boxes are of one face
# Detection score from which a face is taken from the less confident of two runs. Of seven that
# the development photos would add at 0.7, four were a lamp, bits of a picture and a hand.
SURE = 0.8
ONE_PLACE = 0.25  # of the smaller box's longer side, within which two middles are of one face
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
MOST_UPRIGHT = 8  # faces, the largest, that are detected again: bounds the time a crowd takes

# (H, W, 3) RGB, sides divisible by 32 → (n, 5) boxes with scores, (n, 5, 2) landmarks.
DetectorRun = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True, eq=False)
class FoundFace:
    """One face of a run of the detector."""

    box: NDArray[np.float32]  # (4,)
    score: float  # 0-1
    landmarks: NDArray[np.float32]  # (5, 2)

    def moved(self, matrix: NDArray[np.float64]) -> FoundFace:
        """Where a turn, scale and shift, (2, 3), takes it.

        The box keeps its size and turns into its sides' mixture: as it was at 0 degrees, height
        and width exchanged at 90.
        """
        turn = matrix[:, :2]
        centre = turn @ ((self.box[:2] + self.box[2:]) / 2) + matrix[:, 2]
        scale = math.hypot(*turn[:, 0])
        across = float(turn[1, 0] / scale) ** 2
        size = (self.box[2:] - self.box[:2]) * scale
        half = (size * (1 - across) + size[::-1] * across) / 2
        box = np.concatenate([centre - half, centre + half])
        points = self.landmarks @ turn.T + matrix[:, 2]
        return FoundFace(box.astype(np.float32), self.score, points.astype(np.float32))

    def mirrored(self, width: int) -> FoundFace:
        """Where it is in the mirror image of a photo this wide; there, right is left."""
        x1, y1, x2, y2 = self.box
        box = np.array([width - 1 - x2, y1, width - 1 - x1, y2], np.float32)
        return FoundFace(box, self.score, mirrored(self.landmarks, width))


@dataclass(frozen=True, eq=False)
class FoundFaces:
    """What one run of the detector found, in pixels of the photo as given."""

    boxes: NDArray[np.float32]  # (n, 4)
    scores: NDArray[np.float32]  # (n,) detection scores, 0-1
    landmarks: NDArray[np.float32]  # (n, 5, 2)

    @staticmethod
    def of(faces: Iterable[FoundFace]) -> FoundFaces:
        """These, as one."""
        rows = list(faces)
        return FoundFaces(
            np.array([face.box for face in rows], np.float32).reshape(-1, 4),
            np.array([face.score for face in rows], np.float32),
            np.array([face.landmarks for face in rows], np.float32).reshape(-1, 5, 2),
        )

    def faces(self) -> list[FoundFace]:
        """One by one."""
        rows = zip(self.boxes, self.scores, self.landmarks, strict=True)
        return [FoundFace(box, float(score), points) for box, score, points in rows]

    @property
    def areas(self) -> NDArray[np.float32]:
        """(n,) square pixels."""
        areas: NDArray[np.float32] = np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return areas

    def largest(self, count: int) -> list[int]:
        """Positions of the largest faces, at most so many."""
        return [int(position) for position in np.argsort(-self.areas, kind="stable")[:count]]

    @property
    def confidence(self) -> float:
        """Highest score of the faces not much smaller than the largest; 0 if there is none."""
        if not len(self.boxes):
            return 0.0
        return float(self.scores[self.areas >= NOT_MUCH_SMALLER * self.areas.max()].max())

    def joined(self, other: FoundFaces) -> FoundFaces:
        """The faces of both runs, each once.

        Of a face in both the surer one counts; what only the less confident run has is added
        if it is sure.
        """
        first, second = sorted((self, other), key=confidence, reverse=True)
        faces = first.faces()
        for face in second.faces():
            shared = [overlap(face.box, known.box) for known in faces]
            if max(shared, default=0.0) > SAME_PLACE:
                place = shared.index(max(shared))
                faces[place] = max(faces[place], face, key=lambda one: one.score)
            elif face.score >= SURE:
                faces.append(face)
        return FoundFaces.of(faces)

    def turned_back(self, shape: tuple[int, int], quarters: int) -> FoundFaces:
        """Found in `np.rot90(pixels, quarters)` → `pixels`, whose (height, width) is `shape`."""
        points = _turned_back(self.landmarks.reshape(-1, 2), shape, quarters)
        corners = _turned_back(self.boxes.reshape(-1, 2), shape, quarters).reshape(-1, 2, 2)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        return FoundFaces(boxes, self.scores, points.reshape(-1, 5, 2))


def confidence(found: FoundFaces) -> float:
    """For comparing runs."""
    return found.confidence


def overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Shared area of two boxes, as a part of the smaller one, 0-1."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    smaller = min(float(np.prod(box[2:] - box[:2])) for box in (first, second))
    return float(np.prod(sides.clip(min=0))) / smaller if smaller > 0 else 0.0


def _turned_back(
    points: NDArray[np.float32], shape: tuple[int, int], quarters: int
) -> NDArray[np.float32]:
    """(n, 2) points of `np.rot90(pixels, quarters)` → points of `pixels` (height, width)."""
    height, width = shape
    x, y = points[:, 0], points[:, 1]
    turned = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
    return np.stack(turned[quarters], axis=1)


class FaceDetector:
    """The detector of a pack, and when it is run again."""

    def __init__(self, detect: DetectorRun, options: DetectionOptions) -> None:
        """Keep what is asked for each photo."""
        self._detect = detect
        self.options = options

    def find(self, pixels: NDArray[np.uint8]) -> FoundFaces:
        """All faces of a (H, W, 3) RGB photo.

        In order, until one is convincing: fitted to the detection size; padded, for a face that
        fills the frame; at native size, for small faces, only if nothing was found; turned by
        90, 180 and 270 degrees, for a phone photo without EXIF.
        """
        size, limit = self.options.size, self.options.limit
        found = self.run(pixels, size)
        if found.confidence < CONVINCING:
            found = found.joined(self.run(pixels, size, PADDING))
        if not found.confidence and max(pixels.shape[:2]) > size:
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
        boxes, landmarks = self._detect(fitted)
        large = np.minimum(*(boxes[:, 2:4] - boxes[:, :2]).T) >= self.options.min_face * scale
        return FoundFaces(
            (boxes[large, :4] - margin) / scale,
            boxes[large, 4],
            (landmarks[large] - margin) / scale,
        )

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
        return FoundFaces.of(_each_once(faces))

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
        turned = np.ascontiguousarray(np.rot90(pixels, quarters))
        found = self.straightened(turned, self.run(turned, size, PADDING))
        return found.turned_back(pixels.shape[:2], quarters)


def _each_once(faces: list[FoundFace]) -> list[FoundFace]:
    """Without those that, looked at again, turned out to be a face that is there already."""
    once: list[FoundFace] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_apart(face, other) for other in once):
            once.append(face)
    return [face for face in faces if any(face is kept for kept in once)]


def _apart(one: FoundFace, other: FoundFace) -> bool:
    """Whether two faces' middles are a part of the smaller one away from each other."""
    sides = [float(np.max(face.box[2:] - face.box[:2])) for face in (one, other)]
    middles = [(face.box[:2] + face.box[2:]) / 2 for face in (one, other)]
    return float(np.hypot(*(middles[0] - middles[1]))) >= ONE_PLACE * min(sides)


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
