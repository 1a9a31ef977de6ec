"""A gallery's photos, or the embeddings cache alone → the same index."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cache import EmbeddingsCache, load_cache
from core.embed import Progress, embed_gallery
from core.errors import IndexRefusedError
from core.gallery.photos import (
    GalleryPhoto,
    gallery_listing,
    listing_of,
    scan_gallery,
    starter_listing,
)
from core.gallery.removals import load_removals, take_out
from core.index import ActorIndex
from core.models.packs import PACKS, get_pack
from core.settings import Settings
from core.templates import build_index

if TYPE_CHECKING:  # the cache's way to an index needs no engine, and imports none
    from core.faces.engine import FaceEngine


@dataclass(frozen=True)
class Enrolment:
    """An index and what it took to make it."""

    index: ActorIndex
    photos: int  # in the gallery
    embedded: int  # of them by this run; the others were in the cache
    without_photo: tuple[str, ...]  # actors left with no usable photo

    @property
    def reasons(self) -> dict[str, int]:
        """How many photos were left out, by reason."""
        return dict(Counter(self.index.info.left_out.values()))


def enrol_gallery(
    engine: FaceEngine,
    settings: Settings,
    *,
    clusters: int = 1,
    progress: Progress = lambda items: items,
) -> Enrolment:
    """Index of the photos in the dataset folder; brings the embeddings cache up to date.

    A bad photo is left out with its reason and never stops the rest; a cache that cannot be
    written is a warning.

    Raises:
        GalleryError: no folder, or nothing in it can be used.
    """
    photos = scan_gallery(settings.dataset_dir)
    cache, new = embed_gallery(engine, photos, settings, progress)
    return enrolment_of(cache, photos, new, clusters=clusters)


def enrolment_of(
    cache: EmbeddingsCache,
    photos: list[GalleryPhoto],
    new: set[str],
    *,
    clusters: int = 1,
) -> Enrolment:
    """The index of these photos, by the pack their cache was last brought up to date with.

    Raises:
        GalleryError: nothing in them can be used.
    """
    pack = cache.packs[cache.latest or ""]
    listing = gallery_listing(photos)
    index = build_index(cache, pack, source="gallery", listing=listing, clusters=clusters)
    removed = {photo.file: "removed" for photo in photos if photo.actor not in cache.actors}
    embedded = sum(pack.photos[key].embedding is not None for key in new)
    return _enrolment(index, cache, len(photos), embedded, removed)


def index_from_cache(
    path: Path, settings: Settings, *, pack: str | None = None, clusters: int = 1
) -> Enrolment:
    """The same index from the cached embeddings alone: no photo, no model.

    Args:
        path: an embeddings cache, or the starter gallery.
        pack: whose embeddings; default: those last built with.

    Raises:
        IndexRefusedError: the cache is missing, damaged or of another pack.
        GalleryError: nothing in it can be used.
    """
    cache = load_cache(path)
    name = pack or cache.latest
    stored = cache.packs.get(name or "")
    if stored is None or stored.name not in PACKS:
        have = ", ".join(sorted(cache.packs)) or "none"
        raise IndexRefusedError(f"{path} has no embeddings of pack {name} (it has: {have})")
    if stored.identity != get_pack(stored.name, settings).identity:
        raise IndexRefusedError(
            f"{path} was made with other weights of pack {stored.name}; build from the photos again"
        )
    starter = path.resolve() == settings.starter_path.resolve()
    photos = [portrait for row in cache.actors.values() for portrait in row]
    removed = take_out(cache, load_removals(settings.removals_path))
    listing = starter_listing(path) if starter else listing_of(photos, settings.dataset_dir)
    index = build_index(
        cache,
        stored,
        source="starter" if starter else "gallery",
        listing=listing,
        clusters=clusters,
    )
    return _enrolment(index, cache, len(photos), 0, removed)


def _enrolment(
    index: ActorIndex,
    cache: EmbeddingsCache,
    photos: int,
    embedded: int,
    removed: dict[str, str],
) -> Enrolment:
    if removed:
        info = replace(index.info, left_out={**index.info.left_out, **removed})
        index = replace(index, info=info)
    missing = tuple(sorted(cache.actors.keys() - set(index.actors)))
    return Enrolment(index, photos, embedded, missing)
