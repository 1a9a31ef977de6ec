"""Labelled photos → faces and embeddings: each photo once, on all cores, kept on disk.

What the engine found in a set of labelled photos, as arrays.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faces.engine import DOMINANT, RIVAL_SCORE, Detection, FaceEngine, usable_cpus
from core.faces.photo import Photo, read_photo
from core.files import new_file
from core.index.enrol import detection_settings
from core.settings import Settings
from scripts.evaluation.datasets import LabelledPhoto


@dataclass(frozen=True, eq=False)
class MeasuredSet:
    """P photos and their F faces, photo by photo, in the engine's order within a photo."""

    people: tuple[str, ...]  # P
    sizes: NDArray[np.int32]  # (P, 2) width and height, pixels
    photo: NDArray[np.int32]  # (F,) ascending
    boxes: NDArray[np.float32]  # (F, 4) x1, y1, x2, y2, pixels of the photo
    scores: NDArray[np.float32]  # (F,) detection scores, 0-1
    landmarks: NDArray[np.float32]  # (F, 5, 2) pixels of the photo
    sharpness: NDArray[np.float32]  # (F,) variance of the aligned crop's Laplacian
    brightness: NDArray[np.float32]  # (F,) mean grey of the aligned crop, 0-255
    embeddings: NDArray[np.float32]  # (F, D) unit
    mirrored: NDArray[np.float32]  # (F, D) unit, of the crop turned left to right

    def __post_init__(self) -> None:
        """Check that the arrays belong together."""
        faces = len(self.photo)
        for name in ("boxes", "scores", "landmarks", "sharpness", "brightness", "embeddings"):
            if len(getattr(self, name)) != faces:
                raise ValueError(f"{name}: expected {faces} rows, got {len(getattr(self, name))}")
        if len(self.sizes) != len(self.people):
            raise ValueError(f"sizes: expected {len(self.people)} rows, got {len(self.sizes)}")

    @property
    def areas(self) -> NDArray[np.float32]:
        """(F,) of the boxes, square pixels."""
        sides: NDArray[np.float32] = np.maximum(self.boxes[:, 2:] - self.boxes[:, :2], 0)
        return sides[:, 0] * sides[:, 1]

    @property
    def with_flip(self) -> NDArray[np.float32]:
        """(F, D) unit means of a face's embedding and its mirror image's."""
        return unit(self.embeddings + self.mirrored)

    @property
    def from_centre(self) -> NDArray[np.float32]:
        """(F,) distance of the box's centre from the photo's, in half diagonals."""
        half = self.sizes[self.photo] / 2
        centres = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        distance: NDArray[np.float32] = np.hypot(*(centres - half).T) / np.hypot(*half.T)
        return distance

    @property
    def yaw(self) -> NDArray[np.float32]:
        """(F,) how far the nose stands off the middle of the eyes, in eye distances: 0 frontal."""
        right, left, nose = (self.landmarks[:, point] for point in range(3))
        span = left - right
        along = np.sum((nose - (right + left) / 2) * span, axis=1)
        offset: NDArray[np.float32] = np.abs(along) / np.maximum(np.sum(span**2, axis=1), 1e-6)
        return offset

    def faces_of(self, photo: int) -> slice:
        """Where a photo's faces stand among all."""
        start, end = np.searchsorted(self.photo, [photo, photo + 1])
        return slice(int(start), int(end))

    def first_by(self, key: NDArray[np.floating]) -> NDArray[np.intp]:
        """(P,) per photo the face with the highest key, the first of equals; -1 without a face."""
        best = np.full(len(self.people), -1, np.intp)
        for face in np.lexsort((-np.arange(len(key)), key)):  # the last written wins
            best[self.photo[face]] = face
        return best

    def chosen(self) -> NDArray[np.intp]:
        """(P,) the face that the engine puts first; -1 without a face."""
        return self.first_by(-np.arange(len(self.photo), dtype=np.float64))

    def subjects(self) -> NDArray[np.intp]:
        """(P,) the face that enrolment would take; -1 where it takes none."""
        subjects = self.chosen()
        for photo, subject in enumerate(subjects):
            faces = np.arange(len(self.photo))[self.faces_of(photo)]
            rivals = faces[(faces != subject) & (self.scores[faces] >= RIVAL_SCORE)]
            if subject >= 0 and np.any(self.areas[subject] < DOMINANT * self.areas[rivals]):
                subjects[photo] = -1
        return subjects


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, D) → rows of unit length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return rows


CHUNK = 16  # photos whose crops go to the recogniser together
CORE = Path(__file__).resolve().parent.parent
# Code whose change makes kept embeddings worthless.
SOURCES = (
    "detection.py",
    "faces.py",
    "looks.py",
    "photo.py",
    "evaluation/robustness.py",
    "evaluation/variants.py",
)

Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]  # work, its name, its length
Change = Callable[[LabelledPhoto, NDArray[np.uint8]], NDArray[np.uint8]]  # of (H, W, 3) RGB


@dataclass(frozen=True)
class Way:
    """How a set is measured."""

    central: bool = False  # only the face nearest the photo's centre: LFW's way of labelling
    mirrored: bool = False  # mirror images too; else the plain embeddings stand in their place
    change: Change | None = None  # done to each photo's pixels first


@dataclass(frozen=True)
class Meter:
    """An engine of one thread, asked by as many workers as there are cores; and its memory."""

    engine: FaceEngine
    settings: Settings
    cache: Path  # folder
    progress: Progress = lambda items, name, length: items

    def measure(
        self, name: str, photos: Sequence[LabelledPhoto], way: Way | None = None
    ) -> MeasuredSet:
        """All faces of a set, from the cache's folder if they were measured before.

        Args:
            name: of the set, with that of the change.
            photos: which.
            way: how; default: as they are, without mirror images.
        """
        way = way or Way()
        kept = self.cache / f"{name}-{self._key(name, photos, way)}.npz"
        if kept.is_file():
            with np.load(kept, allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in stored.files}
            arrays["people"] = tuple(arrays["people"].tolist())
            return MeasuredSet(**arrays)
        measured = joined(self._chunks(name, photos, way))
        self.cache.mkdir(parents=True, exist_ok=True)
        with new_file(kept) as temporary, temporary.open("wb") as out:
            np.savez(out, **vars(measured))
        return measured

    def _chunks(
        self, name: str, photos: Sequence[LabelledPhoto], way: Way
    ) -> Iterator[MeasuredSet]:
        chunks = [photos[start : start + CHUNK] for start in range(0, len(photos), CHUNK)]
        with ThreadPoolExecutor(usable_cpus()) as pool:
            work = pool.map(lambda chunk: self._measure_chunk(chunk, way), chunks)
            yield from self.progress(work, name, len(chunks))

    def _measure_chunk(self, photos: Sequence[LabelledPhoto], way: Way) -> MeasuredSet:
        sizes, found = [], []
        for entry in photos:
            pixels = read_photo(entry.path, self.settings.photo_limits).pixels
            if way.change is not None:
                pixels = np.ascontiguousarray(way.change(entry, pixels))
            size = (pixels.shape[1], pixels.shape[0])
            detections = self.engine.detect(Photo(pixels, entry.path.name))
            sizes.append(size)
            found.append(_most_central(detections, size) if way.central else detections)
        crops = [detection.crop for row in found for detection in row]
        plain = self.engine.embed(crops)
        mirrored = [crop[:, ::-1] for crop in crops]
        turned = self.engine.embed(mirrored) if way.mirrored else plain
        return _measured(photos, sizes, found, plain, turned)

    def _key(self, name: str, photos: Sequence[LabelledPhoto], way: Way) -> str:
        """What the embeddings depend on: weights, settings, code, photos, the way."""
        wanted = detection_settings(self.settings.detection)
        about = [
            self.engine.pack.identity,
            self.engine.detector_name,
            {name: value for name, value in wanted.items() if name != "recipe"},
            [_code(CORE / source) for source in SOURCES],
            [name, way.central, way.mirrored],
            [(str(entry.path), *_stamp(entry.path)) for entry in photos],
        ]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def _code(path: Path) -> str:
    """A file's code, whatever its comments."""
    return ast.dump(ast.parse(path.read_text("utf-8")))


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _most_central(
    detections: tuple[Detection, ...], size: tuple[int, int]
) -> tuple[Detection, ...]:
    def distance(detection: Detection) -> float:
        x1, y1, x2, y2 = detection.box
        return float(np.hypot((x1 + x2 - size[0]) / 2, (y1 + y2 - size[1]) / 2))

    return tuple(sorted(detections, key=distance)[:1])


def _measured(
    photos: Sequence[LabelledPhoto],
    sizes: Sequence[tuple[int, int]],
    found: Sequence[Sequence[Detection]],
    plain: NDArray[np.float32],
    turned: NDArray[np.float32],
) -> MeasuredSet:
    faces_found = [detection for row in found for detection in row]
    looks_of = np.array([_sharpness_and_brightness(face.crop) for face in faces_found], np.float32)
    return MeasuredSet(
        people=tuple(entry.person for entry in photos),
        sizes=np.array(sizes, np.int32).reshape(-1, 2),
        photo=np.repeat(np.arange(len(found), dtype=np.int32), [len(row) for row in found]),
        boxes=np.array([face.box for face in faces_found], np.float32).reshape(-1, 4),
        scores=np.array([face.detection_score for face in faces_found], np.float32),
        landmarks=np.array([face.landmarks for face in faces_found], np.float32).reshape(-1, 5, 2),
        sharpness=looks_of.reshape(-1, 2)[:, 0],
        brightness=looks_of.reshape(-1, 2)[:, 1],
        embeddings=plain,
        mirrored=turned,
    )


def _sharpness_and_brightness(crop: NDArray[np.uint8]) -> tuple[float, float]:
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var()), float(np.asarray(grey).mean())


def joined(parts: Iterable[MeasuredSet]) -> MeasuredSet:
    """Chunks of one set, or several sets, in order as one."""
    parts = list(parts)
    starts = np.cumsum([0, *(len(part.people) for part in parts)])
    arrays: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(MeasuredSet)
        if field.name not in ("people", "photo")
    }
    photo_of = [part.photo + start for part, start in zip(parts, starts[:-1], strict=True)]
    return MeasuredSet(
        people=tuple(person for part in parts for person in part.people),
        photo=np.concatenate(photo_of).astype(np.int32),
        **arrays,
    )
