"""Labelled photos → faces and embeddings: each photo once, on all cores, kept on disk."""

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

from core.evaluation.datasets import LabelledPhoto
from core.evaluation.measured import MeasuredSet
from core.faces.engine import Detection, FaceEngine, usable_cpus
from core.faces.photo import Photo, read_photo
from core.files import new_file
from core.index.enrol import detection_settings
from core.settings import Settings

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
            pixels = read_photo(entry.path, self.settings).pixels
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
        wanted = detection_settings(self.settings)
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
