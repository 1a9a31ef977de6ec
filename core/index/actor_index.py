"""The actor index: templates and every portrait's embedding; exact top-k.

The index on disk: one sealed .npz without pickle, whole or not there.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexRefusedError
from core.files import DAMAGE, new_file, sha256_of
from core.gallery.photos import Portrait
from core.index.scoring import Calibration

# Similarity by which float32 sums may be off: 256 products of unit vectors, 1.5e-5 at the most.
ROUGHLY = 1e-4
BLOCK = 64  # actors of whom the closest stands for all while it is found out how close is close


@dataclass(frozen=True)
class Match:
    """One actor, as close as a face came to them."""

    actor: str
    similarity: float  # cosine of unit embeddings, -1…1, rounded to 0.000001
    score: float | None  # 0-99.9, None where the gallery is too small for one
    portrait: Portrait  # the photo of this actor closest to the face, kept as a file or not


@dataclass(frozen=True)
class IndexInfo:
    """Where an index came from; everything needed to decide whether it may be used."""

    pack: str
    identity: str  # of the pack: which weights, converted how
    detection: dict[str, Any]
    libraries: dict[str, str]  # name → version that made the embeddings
    source: str  # "gallery" or "starter"
    listing: str  # fingerprint of the gallery's files, or of the starter gallery; "" if unknown
    clusters: int  # templates an actor at most
    built: str  # UTC, ISO 8601
    left_out: dict[str, str] = field(default_factory=dict)  # photo → reason


@dataclass(frozen=True, eq=False)
class ActorIndex:
    """The gallery, ready to be searched. Actors are in the order of their names."""

    info: IndexInfo
    actors: tuple[str, ...]  # A names, ascending
    portraits: tuple[Portrait, ...]  # N, by actor
    embeddings: NDArray[np.float32]  # (N, D) unit, one per portrait
    portrait_actor: NDArray[np.int32]  # (N,) ascending, 0…A-1
    templates: NDArray[np.float32]  # (T, D) unit
    template_actor: NDArray[np.int32]  # (T,) ascending, every actor at least once
    calibration: Calibration | None

    def __post_init__(self) -> None:
        """Check that the arrays belong together."""
        portraits, templates = len(self.portraits), len(self.templates)
        shapes = {
            "embeddings": (self.embeddings.shape[0], portraits),
            "portrait_actor": (self.portrait_actor.shape, (portraits,)),
            "template_actor": (self.template_actor.shape, (templates,)),
            "dimension": (self.templates.shape[1:], self.embeddings.shape[1:]),
            "embeddings and templates": (self.embeddings.dtype, self.templates.dtype),
        }
        for name, (actual, expected) in shapes.items():
            if actual != expected:
                raise ValueError(f"{name}: expected {expected}, got {actual}")
        for name, rows in (("portrait", self.portrait_actor), ("template", self.template_actor)):
            if not _ascends(rows, len(self.actors)):
                raise ValueError(f"expected {name}s in the actors' order, at least one of each")
        if not (np.isfinite(self.embeddings).all() and np.isfinite(self.templates).all()):
            raise ValueError("expected finite embeddings")

    @property
    def dimension(self) -> int:
        """Of the embeddings."""
        return int(self.embeddings.shape[1])

    @cached_property
    def portrait_counts(self) -> NDArray[np.intp]:
        """(A,) how many portraits each actor has."""
        return np.bincount(self.portrait_actor, minlength=len(self.actors))

    def search(
        self, embedding: NDArray[np.float32], top_k: int, among: Collection[str] | None = None
    ) -> tuple[Match, ...]:
        """The `top_k` closest actors, best first, ties by name; all of them if there are fewer.

        Exact: every template is compared, and an actor counts with the best of theirs.

        Args:
            embedding: (D,) unit.
            top_k: how many.
            among: who may be answered; None: everyone.
        """
        if among is None:
            return self.search_all(embedding[None], top_k)[0]
        asked = [number for number, actor in enumerate(self.actors) if actor in among]
        return self._closest(embedding, np.array(asked, dtype=np.intp), top_k)

    def search_all(
        self, embeddings: NDArray[np.float32], top_k: int
    ) -> tuple[tuple[Match, ...], ...]:
        """`search` for each of (M, D) embeddings, in one pass over the templates.

        Compared as float32, which reads half of what float64 would and copies nothing; then those
        that may be among the closest, as float64.
        """
        rows = zip(embeddings, self._may_be_closest(embeddings, top_k), strict=True)
        return tuple(self._closest(embedding, actors, top_k) for embedding, actors in rows)

    def _may_be_closest(
        self, embeddings: NDArray[np.float32], top_k: int
    ) -> list[NDArray[np.intp]]:
        """For each of (M, D) embeddings: the actors, ascending, among whom the closest are."""
        count = len(self.actors)
        if top_k >= count:
            return [np.arange(count)] * len(embeddings)
        rough = embeddings @ self.templates.T
        if len(self.templates) > count:
            rough = np.maximum.reduceat(rough, self._bounds[:-1], axis=1)
        limits = _at_least(rough, top_k) - ROUGHLY
        return [np.flatnonzero(row >= limit) for row, limit in zip(rough, limits, strict=True)]

    def _closest(
        self, embedding: NDArray[np.float32], actors: NDArray[np.intp], top_k: int
    ) -> tuple[Match, ...]:
        """The `top_k` closest of some actors, ascending."""
        starts, ends = self._bounds[actors], self._bounds[actors + 1]
        counts = ends - starts
        firsts = np.cumsum(counts) - counts  # of each actor's, among the rows that are compared
        rows = np.repeat(starts - firsts, counts) + np.arange(counts.sum())
        similarities = _best(embedding[None], self.templates[rows], firsts)[0]
        best = np.argsort(-similarities, kind="stable")[:top_k]  # stable: ties stay by name
        return tuple(
            self._match(int(actors[place]), float(similarities[place]), embedding) for place in best
        )

    @cached_property
    def _bounds(self) -> NDArray[np.intp]:
        """(A + 1,) rows where each actor's templates start, and where the last one's end."""
        return np.append(_starts(self.template_actor), len(self.template_actor))

    @cached_property
    def _portrait_bounds(self) -> list[int]:
        """The same of portraits."""
        return [*_starts(self.portrait_actor).tolist(), len(self.portrait_actor)]

    def actor_similarities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """(M, D) unit embeddings → (M, A) best cosine over each actor's templates."""
        return best_per_actor(embeddings, self.templates, self.template_actor)

    def closest_portrait(self, actor: int, embedding: NDArray[np.float32]) -> Portrait:
        """Of an actor's portraits the one closest to a face's (D,) unit embedding."""
        start, end = self._portrait_bounds[actor : actor + 2]
        return self.portraits[start + int((self.embeddings[start:end] @ embedding).argmax())]

    def around(self, actor: str) -> ActorIndex:
        """The gallery as far as a likeness to one of its actors is compared with it: all of it."""
        return self

    def portraits_of(self, keys: Iterable[str]) -> list[tuple[str, Portrait]]:
        """Portraits by `Portrait.key`, each with the actor; unknown keys are passed over."""
        return [found for key in keys for found in self._by_key.get(key, ())]

    def all_portraits(self) -> Iterator[tuple[str, Portrait]]:
        """Every portrait with its actor, by actor."""
        for actor, portrait in zip(self.portrait_actor, self.portraits, strict=True):
            yield self.actors[actor], portrait

    @cached_property
    def _by_key(self) -> dict[str, list[tuple[str, Portrait]]]:
        found: dict[str, list[tuple[str, Portrait]]] = {}
        for actor, portrait in self.all_portraits():
            found.setdefault(portrait.key, []).append((actor, portrait))
        return found

    def _match(self, actor: int, similarity: float, embedding: NDArray[np.float32]) -> Match:
        return Match(
            actor=self.actors[actor],
            similarity=similarity,
            score=self.calibration.score(similarity) if self.calibration else None,
            portrait=self.closest_portrait(actor, embedding),
        )


def _ascends(rows: NDArray[np.int32], actors: int) -> bool:
    """Whether these are the numbers 0…actors-1, ascending and each at least once."""
    if rows.dtype.kind != "i" or not len(rows) or not actors:
        return not len(rows) and not actors
    steps = np.diff(rows)
    inside = bool(((steps == 0) | (steps == 1)).all())
    return inside and int(rows[0]) == 0 and int(rows[-1]) == actors - 1


def best_per_actor(
    embeddings: NDArray[np.float32],
    templates: NDArray[np.float32],
    template_actor: NDArray[np.int32],
) -> NDArray[np.float64]:
    """(M, D) and (T, D) → (M, A) best cosine per actor; `template_actor` ascends over 0…A-1.

    Summed as float64 and rounded to 0.000001, so that equal templates tie wherever they stand.
    """
    return _best(embeddings, templates, _starts(template_actor))


def _best(
    embeddings: NDArray[np.float32], templates: NDArray[np.float32], starts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """`best_per_actor`, given where each actor's templates start."""
    similarities = embeddings.astype(np.float64) @ templates.astype(np.float64).T
    if len(starts) < len(templates):
        similarities = np.maximum.reduceat(similarities, starts, axis=1)
    return similarities.clip(-1, 1).round(6)


def _at_least(rough: NDArray[np.float32], top_k: int) -> NDArray[np.float32]:
    """For each of (M, A) similarities' rows: what the `top_k` largest reach at least.

    Of many, the largest of each block stand for all: sorting out all of them takes half of the time
    that comparing them did.
    """
    blocks = rough.shape[1] // BLOCK
    if blocks >= top_k:
        rough = rough[:, : blocks * BLOCK].reshape(len(rough), blocks, BLOCK).max(axis=2)
    place = rough.shape[1] - top_k
    least: NDArray[np.float32] = np.partition(rough, place, axis=1)[:, place]
    return least


def _starts(actors: NDArray[np.int32]) -> NDArray[np.intp]:
    """Where each actor's rows start, of rows in the order of actors."""
    return np.flatnonzero(np.diff(actors, prepend=-1))


SCHEMA = 3  # 3: calibrated over all shown matches; 2: landmarks and hashes of crops
SEAL = 64  # the archive's comment: hex digits of the SHA-256 of all bytes before it


def save_index(index: ActorIndex, path: Path) -> None:
    """Write the index as one sealed .npz without pickle, by rename."""
    about = {
        "schema": SCHEMA,
        "info": vars(index.info),
        "actors": index.actors,
        "portraits": [portrait.to_json() for portrait in index.portraits],
    }
    arrays = {
        "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
        "embeddings": index.embeddings,
        "portrait_actor": index.portrait_actor,
        "templates": index.templates,
        "template_actor": index.template_actor,
    }
    if index.calibration:
        scale = index.calibration
        arrays["calibration_similarities"] = scale.similarities
        arrays["calibration_ranks"] = scale.ranks
        arrays["calibration_moments"] = np.array([scale.mean, scale.deviation])
    archive = io.BytesIO()
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    body = archive.getvalue()[:-2] + SEAL.to_bytes(2, "little")  # the comment's length comes last
    with new_file(path, "LOOKALIKE_INDEX_FILE") as temporary:
        temporary.write_bytes(body + sha256_of(body).encode())


def load_index(path: Path) -> ActorIndex:
    """Read an index.

    Raises:
        IndexRefusedError: missing, damaged, or of another schema.
    """
    if path.is_dir():
        raise IndexRefusedError(f"{path} is not there as a file, but as a folder; name the index's")
    if not path.is_file():
        raise IndexRefusedError(f"{path} is not there; build it or name another file")
    try:
        data = path.read_bytes()
        if sha256_of(data[:-SEAL]).encode() != data[-SEAL:]:
            raise ValueError("its seal is broken")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(arrays["about"].tobytes())
        if about["schema"] != SCHEMA:
            raise IndexRefusedError(
                f"{path} has schema {about['schema']}, this version reads {SCHEMA}; build it again"
            )
        return _index_from(about, arrays)
    except (*DAMAGE, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise IndexRefusedError(
            f"{path} is damaged or no index ({error}); delete it and build it again"
        ) from error


def info_from(entry: dict[str, Any]) -> IndexInfo:
    """Of `vars(info)` as stored; what is of another type is a TypeError."""
    info = IndexInfo(**entry)
    kinds = {"detection": dict, "libraries": dict, "left_out": dict, "clusters": int}
    for name, value in vars(info).items():
        if not isinstance(value, kinds.get(name, str)):
            raise TypeError(f"{name} is no {kinds.get(name, str).__name__}")
    return info


def _index_from(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> ActorIndex:
    calibration = None
    if "calibration_moments" in arrays:
        mean, deviation = arrays["calibration_moments"].tolist()
        calibration = Calibration(
            arrays["calibration_similarities"],
            arrays["calibration_ranks"],
            mean,
            deviation,
            len(about["actors"]),
        )
    if not all(isinstance(actor, str) for actor in about["actors"]):
        raise TypeError("actors are names")
    return ActorIndex(
        info=info_from(about["info"]),
        actors=tuple(about["actors"]),
        portraits=tuple(Portrait.from_json(entry) for entry in about["portraits"]),
        embeddings=arrays["embeddings"],
        portrait_actor=arrays["portrait_actor"],
        templates=arrays["templates"],
        template_actor=arrays["template_actor"],
        calibration=calibration,
    )
