"""Where an index is kept, by the settings: in a file or in Milvus; and what either can be asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.gallery.photos import Portrait
from core.index.actor_index import ActorIndex, IndexInfo, Match, load_index, save_index
from core.index.milvus.server import Address
from core.index.scoring import Calibration
from core.settings import Settings


class Enrolled(Protocol):
    """Actors with their templates."""

    @property
    def actors(self) -> tuple[str, ...]:
        """A names."""

    @property
    def templates(self) -> NDArray[np.float32]:
        """(T, D) unit."""

    @property
    def template_actor(self) -> NDArray[np.int32]:
        """(T,) 0…A-1."""


class Index(Protocol):
    """A gallery that is ready to be searched; `ActorIndex` says what each answer is."""

    @property
    def info(self) -> IndexInfo:
        """Where it came from."""

    @property
    def actors(self) -> tuple[str, ...]:
        """A names, ascending."""

    @property
    def portrait_counts(self) -> NDArray[np.intp]:
        """(A,) how many portraits each actor has."""

    @property
    def calibration(self) -> Calibration | None:
        """From similarity to score."""

    @property
    def dimension(self) -> int:
        """Of the embeddings."""

    def search(
        self, embedding: NDArray[np.float32], top_k: int, among: Collection[str] | None = None
    ) -> tuple[Match, ...]:
        """The closest actors, best first."""

    def actor_similarities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """(M, D) → (M, A)."""

    def closest_portrait(self, actor: int, embedding: NDArray[np.float32]) -> Portrait:
        """Of an actor's portraits."""

    def around(self, actor: str) -> Enrolled:
        """The gallery as far as a likeness to one of its actors is compared with it."""

    def portraits_of(self, keys: Iterable[str]) -> list[tuple[str, Portrait]]:
        """Portraits by `Portrait.key`, each with the actor; unknown keys are passed over."""

    def all_portraits(self) -> Iterator[tuple[str, Portrait]]:
        """Every portrait with its actor, by actor."""


def place_of(settings: Settings) -> str:
    """How messages name where the index is kept; without a password."""
    if not settings.index:
        return str(settings.index_path)
    return str(Address.of(settings.index))


def is_kept(settings: Settings) -> bool:
    """Whether an index is there, fit or not.

    Raises:
        IndexServerError: Milvus does not answer.
    """
    if not settings.index:
        return settings.index_path.exists()
    from core.index.milvus.build import is_in_milvus

    return is_in_milvus(Address.of(settings.index))


def load_kept(settings: Settings) -> Index:
    """The index as it is kept.

    Raises:
        IndexRefusedError: missing, damaged, or of another schema.
        IndexServerError: Milvus does not answer.
    """
    if not settings.index:
        return load_index(settings.index_path)
    from core.index.milvus.search import open_milvus

    return open_milvus(Address.of(settings.index))


def keep(index: ActorIndex, settings: Settings) -> None:
    """Keep an index in the place of the former; readers find the one or the other, whole.

    Raises:
        StorageError: a file cannot be written, or another build is writing to Milvus.
        IndexServerError: Milvus does not answer.
    """
    if not settings.index:
        save_index(index, settings.index_path)
        return
    from core.index.milvus.build import keep_in_milvus

    keep_in_milvus(index, Address.of(settings.index))


def drop_kept(settings: Settings) -> None:
    """Delete the index, if there is one."""
    if not settings.index:
        settings.index_path.unlink(missing_ok=True)
        return
    from core.index.milvus.build import drop_from_milvus

    drop_from_milvus(Address.of(settings.index))
