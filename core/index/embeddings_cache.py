"""The embeddings cache: JSON from which an index is rebuilt with no model.

    {"schema": 1, "latest": "sface",
     "actors": {"<name>": [{"sha256": …, "file": …, "credit": {…}}, …]},
     "packs": {"sface": {"identity": …, "dimension": 128, "detection": {…}, "libraries": {…},
                         "photos": {"<sha256>": {"embedding": […], "box": […], …}
                                    or {"left_out": "no_face"}}}}}

Photos are keyed by the SHA-256 of their bytes and by pack, so moving or renaming a photo, or
changing the pack and back, embeds nothing again. The starter gallery has the same form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexRefusedError
from core.files import DAMAGE, new_file
from core.gallery.photos import Portrait, label_of
from core.gallery.removals import Removals
from core.models.packs import ModelPack

SCHEMA = 1
# Why a photo is left out of an index, in words for people, worst first.
LEFT_OUT = {
    "likely_mislabel": "likely mislabel",
    "duplicate": "duplicate",
    "several_faces": "several faces, none dominant",
    "no_face": "no face found",
    "unreadable": "cannot be read as a picture",
    "too_large": "too large",
    "not_embedded": "not embedded by this pack",
    "removed": "taken out by removals.json, not matched",
}
UNIT_TOLERANCE = 1e-3  # of an embedding's length


@dataclass(frozen=True, eq=False)
class EnrolledPhoto:
    """What enrolment found in one photo: a face, or the reason why there is none to use."""

    embedding: NDArray[np.float32] | None  # (D,) unit length
    left_out: str | None = None  # a code of LEFT_OUT
    box: tuple[float, ...] = ()  # x1, y1, x2, y2 pixels
    landmarks: tuple[float, ...] = ()  # x, y of five points, pixels
    detection_score: float = 0.0
    crop_hash: str = ""  # of the aligned crop, see core/faces/copies.py; "" in caches of old

    def to_json(self) -> dict[str, Any]:
        """JSON with the shortest decimals that give the same float32 back."""
        if self.embedding is None:
            return {"left_out": self.left_out}
        entry = {
            "embedding": self.embedding.astype(str).astype(float).tolist(),
            "box": list(self.box),
            "landmarks": list(self.landmarks),
            "detection_score": self.detection_score,
            "crop_hash": self.crop_hash,
        }
        return {key: value for key, value in entry.items() if value}

    @staticmethod
    def from_json(entry: dict[str, Any], dimension: int) -> EnrolledPhoto:
        """Inverse of `to_json`; what is no unit vector of this length is a ValueError."""
        if "left_out" in entry:
            return EnrolledPhoto(None, str(entry["left_out"]))
        embedding = np.asarray(entry["embedding"], dtype=np.float64)
        if embedding.shape != (dimension,):
            raise ValueError(f"expected {dimension} numbers, got {embedding.shape}")
        if not abs(math.hypot(*embedding.tolist()) - 1) < UNIT_TOLERANCE:
            raise ValueError("an embedding is not of unit length")
        return EnrolledPhoto(
            embedding.astype(np.float32),
            box=tuple(entry.get("box", ())),
            landmarks=_points(entry.get("landmarks", ())),
            detection_score=float(entry.get("detection_score", 0)),
            crop_hash=str(entry.get("crop_hash", "")),
        )


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
    return unit


def _points(numbers: Iterable[float]) -> tuple[float, ...]:
    """x and y of five points, or nothing."""
    points = tuple(map(float, numbers))
    if len(points) not in (0, 10):
        raise ValueError(f"expected x and y of five points, got {len(points)} numbers")
    return points


@dataclass(frozen=True)
class PackCache:
    """All embeddings of one pack, and what they depend on."""

    name: str
    identity: str
    dimension: int
    detection: dict[str, Any]
    libraries: dict[str, str]
    photos: dict[str, EnrolledPhoto] = field(default_factory=dict)  # by SHA-256

    def to_json(self) -> dict[str, Any]:
        """As stored under the pack's name."""
        return {
            "identity": self.identity,
            "dimension": self.dimension,
            "detection": self.detection,
            "libraries": self.libraries,
            "photos": {key: photo.to_json() for key, photo in sorted(self.photos.items())},
        }

    def cut_to(self, pack: ModelPack) -> PackCache:
        """The part of a pack's first network: what is left of every embedding, of unit length."""
        cut = {
            key: photo
            if photo.embedding is None
            else replace(photo, embedding=_unit(photo.embedding[: pack.dimension]))
            for key, photo in self.photos.items()
        }
        return replace(
            self, name=pack.name, identity=pack.identity, dimension=pack.dimension, photos=cut
        )

    @staticmethod
    def from_json(name: str, entry: dict[str, Any]) -> PackCache:
        """Inverse of `to_json`."""
        dimension = int(entry["dimension"])
        photos = {
            str(key): EnrolledPhoto.from_json(photo, dimension)
            for key, photo in entry["photos"].items()
        }
        return PackCache(
            name,
            str(entry["identity"]),
            dimension,
            dict(entry["detection"]),
            dict(entry["libraries"]),
            photos,
        )


@dataclass
class EmbeddingsCache:
    """The whole file. `actors` lists every photo of the gallery, usable or not."""

    actors: dict[str, list[Portrait]] = field(default_factory=dict)
    packs: dict[str, PackCache] = field(default_factory=dict)
    latest: str | None = None  # the pack an index was last built with

    def forget_gone(self) -> None:
        """Drop the embeddings of photos that no actor has any more, of every pack."""
        present = {portrait.sha256 for photos in self.actors.values() for portrait in photos}
        for pack in self.packs.values():
            for key in pack.photos.keys() - present:
                del pack.photos[key]


def load_cache(path: Path) -> EmbeddingsCache:
    """Read a cache.

    Raises:
        IndexRefusedError: missing, damaged, or of another schema.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != SCHEMA:
            raise IndexRefusedError(
                f"{path} has schema {content['schema']}, this version reads {SCHEMA};"
                " delete it and build again"
            )
        if not isinstance(content["latest"], str | None):
            raise TypeError("the pack last built with is a name")
        return EmbeddingsCache(
            actors={
                str(name): [Portrait.from_json(entry) for entry in photos]
                for name, photos in content["actors"].items()
            },
            packs={
                str(name): PackCache.from_json(name, entry)
                for name, entry in content["packs"].items()
            },
            latest=content["latest"],
        )
    except IsADirectoryError:
        raise IndexRefusedError(f"{path} is a folder; name the cache's file") from None
    except FileNotFoundError:
        raise IndexRefusedError(f"{path} is not there; build the index from photos first") from None
    except DAMAGE as error:
        raise IndexRefusedError(
            f"{path} is damaged ({type(error).__name__}: {error}); delete it and build again"
        ) from error


def save_cache(cache: EmbeddingsCache, path: Path) -> None:
    """Write a cache by rename, one photo a line so that a diff shows what changed.

    Bytes of file names that are no UTF-8 become JSON escapes, which read back as they were.
    """
    with (
        new_file(path, "LOOKALIKE_CACHE_FILE") as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as out,
    ):
        out.write(f'{{"schema": {SCHEMA}, "latest": {json.dumps(cache.latest)},\n"actors": {{')
        photos = {name: [entry.to_json() for entry in row] for name, row in cache.actors.items()}
        out.write(_rows(sorted(photos.items())))
        out.write('\n},\n"packs": {')
        for position, (name, pack) in enumerate(sorted(cache.packs.items())):
            entry = pack.to_json()
            rows = _rows(entry.pop("photos").items())
            head = json.dumps(entry, ensure_ascii=False)[:-1]
            out.write(
                f'{"," if position else ""}\n{json.dumps(name)}: {head}, "photos": {{{rows}\n}}}}'
            )
        out.write("\n}}\n")


def _rows(items: Iterable[tuple[str, Any]]) -> str:
    return ",".join(
        f"\n{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in items
    )


def take_out(cache: EmbeddingsCache, removals: Removals) -> dict[str, str]:
    """Take the removed people and their embeddings out of a cache; photo → "removed"."""
    gone = [name for name in cache.actors if name in removals]
    labels = [label_of(name, portrait) for name in gone for portrait in cache.actors.pop(name)]
    if gone:
        cache.forget_gone()
    return dict.fromkeys(labels, "removed")
