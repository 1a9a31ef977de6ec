"""Detect → align → embed, batched: the one door to insightface and onnxruntime.

insightface works in BGR; everything outside this file is RGB.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.cpu import usable_cpus
from core.looks import Look, confidence, onto_standard_points
from core.models import InstalledPack
from core.photo import Photo
from core.phrases import log, say
from core.settings import Settings

# onnxruntime reads this when it is first imported; else it keeps a device id and reports usage.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

CROP_SIDE = 112  # pixels; what the recognisers were trained on
BATCH = 32  # crops a recogniser call in enrolment: bounds memory, loses no speed
# Detection score of the largest face from which the first look is trusted. A close-up and a
# turned face are often "found" at less, with landmarks that are wrong: on the development
# photos 98 % of upright faces reach it (padded where needed), of turned ones 13 %.
CONVINCING = 0.88
TINY = np.finfo(np.float32).tiny
PADDING = 0.5  # of the longer side, on each side, for a face that fills the frame


@dataclass(frozen=True, eq=False)
class Detection:
    """One face found in a photo, aligned."""

    box: tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the photo
    detection_score: float  # 0-1
    landmarks: NDArray[np.float32]  # (5, 2) pixels: eyes, nose tip, mouth corners
    crop: NDArray[np.uint8]  # (112, 112, 3) RGB, warped to the standard five points

    def __post_init__(self) -> None:
        """Check shapes once."""
        if self.landmarks.shape != (5, 2) or self.crop.shape != (CROP_SIDE, CROP_SIDE, 3):
            raise ValueError(
                f"expected landmarks (5, 2) and crop (112, 112, 3),"
                f" got {self.landmarks.shape} and {self.crop.shape}"
            )

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        x1, y1, x2, y2 = self.box
        return max(0.0, x2 - x1) * max(0.0, y2 - y1)


@dataclass(frozen=True, eq=False)
class Face:
    """A detection with its embedding."""

    detection: Detection
    embedding: NDArray[np.float32]  # (D,) unit length


class FaceEngine:
    """A loaded model pack. Safe to call from several threads."""

    def __init__(self, installed: InstalledPack, settings: Settings) -> None:
        """Load both models; the log names the pack, the provider and the threads."""
        self.pack = installed.pack
        self._settings = settings
        say("model_loading", settings.lang, title=self.pack.title)
        threads = settings.threads or usable_cpus()
        app = _load_face_analysis(installed, settings, threads)
        self._detector = app.det_model
        self._recogniser = app.models["recognition"]
        provider = self._recogniser.session.get_providers()[0]
        log.info("%s on %s, %d threads", self.pack.title, provider, threads)

    def find_faces(self, photo: Photo) -> tuple[Face, ...]:
        """All faces of a photo, largest first, embedded in one batch; () if there is none."""
        found = self.detect(photo)
        embeddings = self.embed([detection.crop for detection in found])
        return tuple(Face(detection, row) for detection, row in zip(found, embeddings, strict=True))

    def detect(self, photo: Photo) -> tuple[Detection, ...]:
        """All faces of a photo, aligned, largest first; () if there is none."""
        look = self._best_look(photo.pixels)
        rows = zip(look.boxes, look.scores, look.landmarks, strict=True)
        found = [_aligned(photo.pixels, *row) for row in rows]
        return tuple(sorted(found, key=lambda detection: -detection.area))

    def embed(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(112, 112, 3) RGB crops → (N, D) unit embeddings, in batches."""
        step = BATCH if self._takes_batches() else 1
        rows = [
            self._recogniser.get_feat([crop[:, :, ::-1] for crop in crops[start : start + step]])
            for start in range(0, len(crops), step)
        ]
        raw = np.concatenate(rows) if rows else np.empty((0, self.pack.dimension))
        norms = np.linalg.norm(raw, axis=1, keepdims=True)
        unit: NDArray[np.float32] = (raw / np.maximum(norms, TINY)).astype(np.float32)
        return unit

    def warm_up(self) -> None:
        """Run both models once, so that the first visitor waits no longer than the tenth."""
        side = self._settings.detection_size
        self._look(np.zeros((side, side, 3), np.uint8), side)
        self.embed([np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8)])

    def _takes_batches(self) -> bool:
        return not isinstance(self._recogniser.input_shape[0], int)

    def _best_look(self, pixels: NDArray[np.uint8]) -> Look:
        """The first convincing look, else the most confident.

        In order: fitted to the detection size; padded, for a face that fills the frame; at
        native size, for small faces, only if nothing was found; turned by 90, 180 and 270
        degrees, for a phone photo without EXIF.
        """
        size, limit = self._settings.detection_size, self._settings.detection_limit
        best = self._look(pixels, size)
        if best.confidence < CONVINCING:
            best = max(best, self._look(pixels, size, PADDING), key=confidence)
        if not best.confidence and max(pixels.shape[:2]) > size:
            best = self._look(pixels, limit)
        if best.confidence < CONVINCING:
            turned = [self._turned_look(pixels, size, quarters) for quarters in (1, 2, 3)]
            best = max(best, *turned, key=confidence)
        return best

    def _look(self, pixels: NDArray[np.uint8], limit: int, padding: float = 0.0) -> Look:
        """Detect with the photo and its padding fitted into a square of `limit` pixels.

        Beyond the detection size a photo is never enlarged.
        """
        longest = max(pixels.shape[:2]) * (1 + 2 * padding)
        scale = limit / longest
        if limit > self._settings.detection_size:
            scale = min(scale, 1.0)
        margin = round(longest * scale * padding / (1 + 2 * padding))
        fitted = _fitted(pixels, scale, margin)
        boxes, landmarks = self._detector.detect(fitted, input_size=fitted.shape[1::-1])
        large = np.minimum(*(boxes[:, 2:4] - boxes[:, :2]).T) >= self._settings.min_face * scale
        return Look(
            (boxes[large, :4] - margin) / scale,
            boxes[large, 4],
            (landmarks[large] - margin) / scale,
        )

    def _turned_look(self, pixels: NDArray[np.uint8], size: int, quarters: int) -> Look:
        look = self._look(np.rot90(pixels, quarters), size, PADDING)
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


def _aligned(
    pixels: NDArray[np.uint8],
    box: NDArray[np.float32],
    score: float,
    landmarks: NDArray[np.float32],
) -> Detection:
    import cv2

    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = (float(value) for value in np.clip(box, 0, [width, height, width, height]))
    crop = cv2.warpAffine(pixels, onto_standard_points(landmarks), (CROP_SIDE, CROP_SIDE))
    return Detection(
        box=(x1, y1, x2, y2),
        detection_score=float(score),
        landmarks=np.asarray(landmarks, np.float32),
        crop=np.asarray(crop, np.uint8),
    )


def _load_face_analysis(installed: InstalledPack, settings: Settings, threads: int) -> Any:
    """insightface's FaceAnalysis on one pack's folder, its chatter kept off the log."""
    import onnxruntime
    from insightface.app import FaceAnalysis

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    with contextlib.redirect_stdout(io.StringIO()):
        app = FaceAnalysis(
            name=str(installed.folder),
            allowed_modules=["detection", "recognition"],
            sess_options=options,
            static_shape_sessions=False,  # one session for every detection size
        )
        size = settings.detection_size
        app.prepare(0, det_thresh=settings.detection_threshold, det_size=(size, size))
    return app
