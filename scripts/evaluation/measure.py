"""Labelled photos → faces and embeddings: each photo once, on all cores, kept on disk."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faces.engine import Detection, FaceEngine, stands_out, usable_cpus
from core.faces.photo import Photo, read_photo
from core.files import new_file
from core.index.enrol import detection_settings
from core.models.packs import Network
from core.settings import ROOT, Settings
from scripts.evaluation.changes import Change
from scripts.evaluation.datasets import LabelledPhoto

CHUNK = 16  # photos whose crops go to the recogniser together
# Code whose change makes kept embeddings worthless.
SOURCES = (
    "core/faces/photo.py",
    "core/faces/jpeg.py",
    "core/faces/modes.py",
    "core/faces/colour.py",
    "core/faces/both_ways.py",
    "core/faces/detect.py",
    "core/faces/found.py",
    "core/faces/align.py",
    "core/faces/engine.py",
    "scripts/evaluation/changes.py",
)
BY_FACE = ("boxes", "sharpness", "brightness", "yaw", "embeddings")

Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]  # work, its name, its length


@dataclass(frozen=True, eq=False)
class MeasuredSet:
    """P photos and their F faces, photo by photo, in the engine's order within a photo."""

    people: tuple[str, ...]  # P
    stands_out: NDArray[np.bool_]  # (P,) whether the first face is large enough to be enrolled
    photo: NDArray[np.int32]  # (F,) ascending
    boxes: NDArray[np.float32]  # (F, 4) x1, y1, x2, y2, pixels of the photo
    # To sort faces by: simpler than core/faces/quality.py's, by which other faces would be in
    # the report's thirds.
    sharpness: NDArray[np.float32]  # (F,) variance of the aligned crop's Laplacian
    brightness: NDArray[np.float32]  # (F,) mean grey of the aligned crop, 0-255
    yaw: NDArray[np.float32]  # (F,) nose off the middle of the eyes, in eye distances: 0 frontal
    embeddings: NDArray[np.float32]  # (F, D) unit

    def __post_init__(self) -> None:
        """Check that the arrays belong together."""
        faces, photos = len(self.photo), len(self.people)
        for name in BY_FACE:
            if len(getattr(self, name)) != faces:
                raise ValueError(f"{name}: expected {faces} rows, got {len(getattr(self, name))}")
        if len(self.stands_out) != photos:
            raise ValueError(f"stands_out: expected {photos} rows, got {len(self.stands_out)}")

    @property
    def areas(self) -> NDArray[np.float32]:
        """(F,) of the boxes, square pixels."""
        sides: NDArray[np.float32] = np.maximum(self.boxes[:, 2:] - self.boxes[:, :2], 0)
        return sides[:, 0] * sides[:, 1]

    def faces_of(self, photo: int) -> slice:
        """Where a photo's faces stand among all."""
        start, end = np.searchsorted(self.photo, [photo, photo + 1])
        return slice(int(start), int(end))

    def chosen(self) -> NDArray[np.intp]:
        """(P,) the face that the engine puts first; -1 without a face."""
        photos = np.arange(len(self.people))
        first: NDArray[np.intp] = np.searchsorted(self.photo, photos)
        return np.where(np.isin(photos, self.photo), first, -1)

    def subjects(self) -> NDArray[np.intp]:
        """(P,) the face that enrolment would take; -1 where it takes none."""
        return np.where(self.stands_out, self.chosen(), -1)

    def one_by_one(self) -> list[MeasuredSet]:
        """A set for each photo."""
        rows = [self.faces_of(photo) for photo in range(len(self.people))]
        return [
            MeasuredSet(
                people=(person,),
                stands_out=self.stands_out[photo : photo + 1],
                photo=np.zeros(faces.stop - faces.start, np.int32),
                **{name: getattr(self, name)[faces] for name in BY_FACE},
            )
            for photo, (person, faces) in enumerate(zip(self.people, rows, strict=True))
        ]


def joined(parts: Sequence[MeasuredSet]) -> MeasuredSet:
    """Photos of several sets, in order, as one set."""
    starts = np.cumsum([0, *(len(part.people) for part in parts)])
    photo = [part.photo + start for part, start in zip(parts, starts[:-1], strict=True)]
    return MeasuredSet(
        people=tuple(person for part in parts for person in part.people),
        stands_out=np.concatenate([part.stands_out for part in parts]),
        photo=np.concatenate(photo).astype(np.int32),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in BY_FACE},
    )


def weighed(
    embeddings: NDArray[np.float32], networks: Sequence[Network], share: float
) -> NDArray[np.float32]:
    """(F, D) unit embeddings of a pack as they were if its second network counted so much.

    Args:
        embeddings: each network's part stands in it by its share.
        networks: of the pack, two.
        share: of the second, 0-1: 0 is the recogniser alone.
    """
    first = networks[0].dimension
    parts = (embeddings[:, :first], embeddings[:, first:])
    lengths = [np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    weights = np.sqrt([1 - share, share])
    unit = [w * part / one for w, part, one in zip(weights, parts, lengths, strict=True)]
    return np.concatenate(unit, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Way:
    """How photos are measured."""

    central: bool = False  # only the face nearest the photo's centre: LFW's way of labelling
    changed: str = ""  # name of the change
    change: Change | None = field(default=None, compare=False)  # of each photo's pixels, first


AS_THEY_ARE = Way()


@dataclass(frozen=True)
class Meter:
    """An engine of one thread, asked by as many workers as there are cores; and its memory."""

    engine: FaceEngine
    settings: Settings
    cache: Path  # folder
    progress: Progress = lambda work, name, length: work
    _known: dict[tuple[LabelledPhoto, Way], MeasuredSet] = field(
        default_factory=dict, init=False, repr=False
    )

    def measure(
        self, name: str, photos: Sequence[LabelledPhoto], way: Way = AS_THEY_ARE
    ) -> MeasuredSet:
        """All faces of some photos; what was measured before is remembered.

        Args:
            name: of the set, for the cache's file and the progress.
            photos: which.
            way: how.
        """
        new = [photo for photo in dict.fromkeys(photos) if (photo, way) not in self._known]
        if new:
            measured = self._from_cache(name, new, way).one_by_one()
            self._known.update(zip([(photo, way) for photo in new], measured, strict=True))
        return joined([self._known[photo, way] for photo in photos])

    def _from_cache(self, name: str, photos: Sequence[LabelledPhoto], way: Way) -> MeasuredSet:
        kept = self.cache / f"{name}-{self._key(photos, way)}.npz"
        if kept.is_file():
            with np.load(kept, allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in stored.files}
            arrays["people"] = tuple(arrays["people"].tolist())
            return MeasuredSet(**arrays)
        measured = self._measure_all(name, photos, way)
        with new_file(kept) as temporary, temporary.open("wb") as out:
            np.savez(out, **{one.name: getattr(measured, one.name) for one in fields(measured)})
        return measured

    def _measure_all(self, name: str, photos: Sequence[LabelledPhoto], way: Way) -> MeasuredSet:
        chunks = [photos[start : start + CHUNK] for start in range(0, len(photos), CHUNK)]
        with ThreadPoolExecutor(usable_cpus()) as pool:
            work = pool.map(lambda chunk: self._measure_chunk(chunk, way), chunks)
            return joined(list(self.progress(work, name, len(chunks))))

    def _measure_chunk(self, photos: Sequence[LabelledPhoto], way: Way) -> MeasuredSet:
        found = [self._detect(entry, way) for entry in photos]
        faces = [face for row in found for face in row]
        to_sort_by = np.array([_to_sort_by(face) for face in faces], np.float32).reshape(-1, 3)
        return MeasuredSet(
            people=tuple(entry.person for entry in photos),
            stands_out=np.array([bool(row) and stands_out(row) for row in found]),
            photo=np.repeat(np.arange(len(found), dtype=np.int32), [len(row) for row in found]),
            boxes=np.array([face.box for face in faces], np.float32).reshape(-1, 4),
            sharpness=to_sort_by[:, 0],
            brightness=to_sort_by[:, 1],
            yaw=to_sort_by[:, 2],
            embeddings=self.engine.embed([face.views for face in faces]),
        )

    def _detect(self, entry: LabelledPhoto, way: Way) -> tuple[Detection, ...]:
        pixels = read_photo(entry.path, self.settings.photo_limits).pixels
        if way.change is not None:
            pixels = np.ascontiguousarray(way.change(entry, pixels))
        faces = self.engine.detect(Photo(pixels, entry.path.name))
        height, width = pixels.shape[:2]
        return most_central(faces, width, height) if way.central else faces

    def _key(self, photos: Sequence[LabelledPhoto], way: Way) -> str:
        """What the embeddings depend on: weights, settings, code, photos, the way."""
        wanted = detection_settings(self.settings.detection)
        about = [
            self.engine.pack.identity,
            {name: value for name, value in wanted.items() if name != "recipe"},
            [_code(ROOT / source) for source in SOURCES],
            [way.central, way.changed],
            [(str(entry.path), *_stamp(entry.path)) for entry in photos],
        ]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def _to_sort_by(face: Detection) -> tuple[float, float, float]:
    """Sharpness, brightness and yaw."""
    import cv2

    grey = np.asarray(cv2.cvtColor(face.crop, cv2.COLOR_RGB2GRAY))
    right, left, nose = face.landmarks[:3]
    span = left - right
    offset = abs(float((nose - (right + left) / 2) @ span)) / max(float(span @ span), 1e-6)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var()), float(grey.mean()), offset


def _code(path: Path) -> str:
    """A file's code, whatever its comments."""
    return ast.dump(ast.parse(path.read_text("utf-8")))


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def most_central(faces: Sequence[Detection], width: int, height: int) -> tuple[Detection, ...]:
    """The one face nearest the photo's centre, LFW's way of labelling; () without any."""

    def distance(face: Detection) -> float:
        x1, y1, x2, y2 = face.box
        return float(np.hypot((x1 + x2 - width) / 2, (y1 + y2 - height) / 2))

    return tuple(sorted(faces, key=distance)[:1])
