"""Looking for faces: at the photo, again if that is not convincing, then at each face."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.looks import Look, SureFace, confidence, onto_standard_points, roll
from core.settings import Settings

# Detection score from which a photo needs no other look. A close-up and a turned face are often
# "found" at less, with landmarks that are wrong: on the development photos 98 % of upright faces
# reach it (padded where needed), of those turned by a quarter 13 %.
CONVINCING = 0.88
PADDING = 0.5  # of the longer side, on each side, for a face that fills the frame
# A face below this score, or tilted by so many degrees, is looked at again upright and at a
# standard size: YuNet understates a tilt (35 degrees as 5 at a score of 0.90; upright it would be
# 0.94). Over all pairs of gallery and probes_wild, true accepts at one false accept in 1,000 rise
# from 94.1 to 94.7 %; second looks at the surer faces too win nothing more.
UNDOUBTED = 0.92
TILTED = 15.0
SIDE, STANDARD = 320, 160  # pixels of the second look at a face, and of the standard crop in it
TRIES = 3  # second looks at one face, each from the landmarks of the last
LEAST_GAIN = 0.01  # detection score a second look must win to be followed by another
MOST_AGAIN = 8  # faces, the largest, that get second looks: bounds the time a crowd takes

# insightface's detectors: (H, W, 3) BGR and `input_size` → (n, 5) boxes with scores, (n, 5, 2).
RawDetector = Callable[..., tuple[NDArray[np.float32], NDArray[np.float32]]]


class FaceDetector:
    """The detector of a pack, and when it looks again."""

    def __init__(self, detect: RawDetector, settings: Settings) -> None:
        """Keep what is asked for each photo."""
        self._detect = detect
        self._settings = settings

    def best_look(self, pixels: NDArray[np.uint8]) -> Look:
        """All faces of a (H, W, 3) RGB photo.

        In order, until one is convincing: fitted to the detection size; padded, for a face that
        fills the frame; at native size, for small faces, only if nothing was found; turned by
        90, 180 and 270 degrees, for a phone photo without EXIF.
        """
        size, limit = self._settings.detection_size, self._settings.detection_limit
        look = self.look(pixels, size)
        if look.confidence < CONVINCING:
            look = look.joined(self.look(pixels, size, PADDING))
        if not look.confidence and max(pixels.shape[:2]) > size:
            look = self.look(pixels, limit)
        found = self.straightened(pixels, look)
        if look.confidence >= CONVINCING:
            return found
        turned = [self._turned_look(pixels, size, quarters) for quarters in (1, 2, 3)]
        return max(found, *turned, key=confidence)

    def look(self, pixels: NDArray[np.uint8], limit: int, padding: float = 0.0) -> Look:
        """Detect with the photo and its padding fitted into a square of `limit` pixels.

        Beyond the detection size a photo is never enlarged.
        """
        longest = max(pixels.shape[:2]) * (1 + 2 * padding)
        scale = limit / longest
        if limit > self._settings.detection_size:
            scale = min(scale, 1.0)
        margin = round(longest * scale * padding / (1 + 2 * padding))
        fitted = _fitted(pixels, scale, margin)
        boxes, landmarks = self._detect(fitted, input_size=fitted.shape[1::-1])
        large = np.minimum(*(boxes[:, 2:4] - boxes[:, :2]).T) >= self._settings.min_face * scale
        return Look(
            (boxes[large, :4] - margin) / scale,
            boxes[large, 4],
            (landmarks[large] - margin) / scale,
        )

    def straightened(self, pixels: NDArray[np.uint8], look: Look) -> Look:
        """Unsure and tilted faces as they are found upright and at a standard size.

        Each second look starts from the landmarks of the last, and counts if it is as sure.
        """
        faces = look.faces()
        for number in look.largest(MOST_AGAIN):
            face = faces[number]
            if face.score < UNDOUBTED or abs(roll(face.landmarks)) >= TILTED:
                faces[number] = self._surest(pixels, face)
        return Look.of(faces)

    def _surest(self, pixels: NDArray[np.uint8], face: SureFace) -> SureFace:
        for _ in range(TRIES):
            again = self._look_upright(pixels, face.landmarks)
            if again is None or again.score < face.score:
                break
            gain, face = again.score - face.score, again
            if gain < LEAST_GAIN:
                break
        return face

    def _look_upright(
        self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> SureFace | None:
        """The face at these landmarks in a square of its own; None if it is not found there."""
        import cv2

        there = onto_standard_points(landmarks) * (STANDARD / 112)
        there[:, 2] += (SIDE - STANDARD) / 2
        square = np.asarray(cv2.warpAffine(pixels, there, (SIDE, SIDE)), np.uint8)
        boxes, points = self._detect(
            np.ascontiguousarray(square[:, :, ::-1]), input_size=(SIDE, SIDE)
        )
        off = np.hypot(*((boxes[:, :2] + boxes[:, 2:4] - SIDE) / 2).T)
        if not len(off) or off.min() > STANDARD / 2:
            return None
        nearest = int(off.argmin())
        back: NDArray[np.float64] = np.asarray(cv2.invertAffineTransform(there), np.float64)
        found = SureFace(boxes[nearest, :4], float(boxes[nearest, 4]), points[nearest])
        return found.moved(back)

    def _turned_look(self, pixels: NDArray[np.uint8], size: int, quarters: int) -> Look:
        turned = np.ascontiguousarray(np.rot90(pixels, quarters))
        look = self.straightened(turned, self.look(turned, size, PADDING))
        return look.turned_back(pixels.shape[:2], quarters)


def _fitted(pixels: NDArray[np.uint8], scale: float, margin: int) -> NDArray[np.uint8]:
    """RGB scaled, as BGR, with a black margin, and more right and below up to multiples of 32."""
    import cv2

    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    if scale != 1.0:
        smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=smooth), np.uint8)
    tall, wide = (-(-(side + 2 * margin) // 32) * 32 for side in (height, width))
    fitted = np.zeros((tall, wide, 3), np.uint8)
    fitted[margin : margin + height, margin : margin + width] = pixels[:, :, ::-1]
    return fitted
