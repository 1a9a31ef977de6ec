"""A gallery's photos, or the embeddings cache alone → the same index.

Only new or changed photos meet the models; the cache's way needs none and imports none.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from core.errors import IndexRefusedError, PhotoError, StorageError
from core.faces.align import aligned_crop
from core.faces.copies import crop_hash
from core.faces.engine import Detection, FaceEngine, stands_out
from core.faces.photo import PhotoSource, read_photo
from core.gallery.photos import Gallery, GalleryPhoto, Portrait, starter_listing
from core.index.actor_index import ActorIndex
from core.index.embeddings_cache import (
    EmbeddingsCache,
    EnrolledPhoto,
    PackCache,
    load_cache,
    save_cache,
    take_out,
)
from core.index.templates import build_index
from core.log import log
from core.models.packs import ModelPack, known_packs, whole_of
from core.settings import DetectionOptions, PhotoLimits

BATCH = 32  # photos whose crops go to the recogniser together
KEPT_SECONDS = 10.0  # between two writings of the cache while photos are embedded, and
KEPT_SHARE = 0.05  # of the time at most: a cache of 100,000 photos takes half a minute
RETRIED = ("unreadable", "too_large")  # reasons that a change of settings or rights may cure
NO_BYTES = "0" * 64  # stands for the hash of a file that cannot be opened
# Version of how faces are found, aligned and embedded; counted up when embeddings change.
EMBEDDING_VERSION = 5
LIBRARIES = ("insightface", "onnxruntime", "opencv-python-headless", "numpy", "pillow")

Progress = Callable[[Any], Iterable[Any]]  # wraps a sized iterable, as tqdm does
# Photos by SHA-256 → what was found in each, some at a time, in any order.
Embed = Callable[[dict[str, GalleryPhoto]], Iterable[dict[str, EnrolledPhoto]]]


@dataclass(frozen=True)
class Embedder:
    """How many photos are embedded with a pack: by this process, or by many."""

    pack: ModelPack
    options: DetectionOptions
    embed: Embed


def embedder_here(
    pack: ModelPack,
    options: DetectionOptions,
    engine: Callable[[], FaceEngine],
    limits: PhotoLimits = PhotoLimits(),
    progress: Progress = lambda items: items,
) -> Embedder:
    """One engine, in this process; it is asked for only if there is a photo to embed."""

    def embed(photos: dict[str, GalleryPhoto]) -> Iterator[dict[str, EnrolledPhoto]]:
        sources = {key: photo.path for key, photo in photos.items()}
        return embed_photos(engine(), sources, limits, progress)

    return Embedder(pack, options, embed)


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
    gallery: Gallery,
    cache_file: Path,
    *,
    limits: PhotoLimits = PhotoLimits(),
    clusters: int = 1,
    progress: Progress = lambda items: items,
) -> Enrolment:
    """Index of a gallery's photos; brings the embeddings cache up to date.

    A bad photo is left out with its reason and never stops the rest; a cache that cannot be
    written is a warning.

    Raises:
        GalleryError: nothing in it can be used.
    """
    embedder = embedder_here(engine.pack, engine.options, lambda: engine, limits, progress)
    return enrol_by(embedder, gallery, cache_file, limits=limits, clusters=clusters)


def enrol_by(
    embedder: Embedder,
    gallery: Gallery,
    cache_file: Path,
    *,
    limits: PhotoLimits = PhotoLimits(),
    clusters: int = 1,
) -> Enrolment:
    """The same, whoever embeds the photos. Errors as of `enrol_gallery`."""
    cache, new = _embed_gallery_by(embedder, gallery, cache_file, limits)
    return enrolment_of(cache, gallery, new, clusters=clusters)


def embed_gallery(
    engine: FaceEngine,
    gallery: Gallery,
    cache_file: Path,
    *,
    limits: PhotoLimits = PhotoLimits(),
    progress: Progress = lambda items: items,
) -> tuple[EmbeddingsCache, set[str]]:
    """The cache on disk, brought up to date; the hashes of the photos that were new to it."""
    embedder = embedder_here(engine.pack, engine.options, lambda: engine, limits, progress)
    return _embed_gallery_by(embedder, gallery, cache_file, limits)


def _embed_gallery_by(
    embedder: Embedder, gallery: Gallery, cache_file: Path, limits: PhotoLimits
) -> tuple[EmbeddingsCache, set[str]]:
    for actors in gallery.twins:
        names = " and ".join(map(repr, actors))
        log.warning("%s look like one name, and are two actors; put their photos together", names)
    cache = load_or_new(cache_file)
    keep = _NowAndThen(lambda: _keep(cache, cache_file))
    try:
        new = update_cache(cache, gallery, embedder, limits=limits, arrived=keep)
    finally:  # interrupted too: what was embedded need not be embedded again
        _keep(cache, cache_file)
    return cache, new


def update_cache(
    cache: EmbeddingsCache,
    gallery: Gallery,
    embedder: Embedder,
    *,
    limits: PhotoLimits = PhotoLimits(),
    arrived: Callable[[], None] = lambda: None,
) -> set[str]:
    """Bring a cache up to date with a gallery; the hashes of the photos that were new to it.

    Actors who were taken out are left out.

    Args:
        cache: changed in place, whenever embeddings arrive.
        gallery: its photos.
        embedder: asked only if some are new.
        limits: of a photo.
        arrived: called after each change.
    """
    pack = _pack_cache(cache, embedder.pack, embedder.options)
    present = [photo for photo in gallery.photos if photo.actor not in gallery.removals]
    portraits = [(photo, _portrait(photo)) for photo in present]
    cache.latest, cache.actors = pack.name, {}
    for photo, portrait in portraits:
        cache.actors.setdefault(photo.actor, []).append(portrait)
    new = {entry.sha256: photo for photo, entry in portraits if _is_new(entry, pack)}
    cache.forget_gone()
    _hash_crops(pack, {entry.sha256: photo for photo, entry in portraits}, limits)
    if new:
        for found in embedder.embed(new):
            pack.photos.update(found)
            arrived()
    return set(new)


def enrolment_of(
    cache: EmbeddingsCache, gallery: Gallery, new: set[str], *, clusters: int = 1
) -> Enrolment:
    """A gallery's index, by the pack its cache was last brought up to date with.

    Raises:
        GalleryError: nothing in it can be used.
    """
    pack = cache.packs[cache.latest or ""]
    index = build_index(cache, pack, source="gallery", listing=gallery.listing, clusters=clusters)
    removed = {photo.file: "removed" for photo in gallery.photos if photo.actor not in cache.actors}
    embedded = sum(pack.photos[key].embedding is not None for key in new)
    return _enrolment(index, cache, len(gallery.photos), embedded, removed)


def index_from_cache(
    path: Path,
    gallery: Gallery,
    *,
    starter: bool = False,
    pack: str | None = None,
    clusters: int = 1,
) -> Enrolment:
    """The same index from the cached embeddings alone: no photo, no model.

    Args:
        path: an embeddings cache.
        gallery: whose removals are honoured, and whose listing the index gets if it has just
            these photos.
        starter: whether the cache is the starter gallery.
        pack: whose embeddings; default: those last built with.

    Raises:
        IndexRefusedError: the cache is missing, damaged or of another pack.
        GalleryError: nothing in it can be used.
    """
    cache = load_cache(path)
    name = pack or cache.latest
    model_pack = known_packs().get(name or "")
    stored = None if model_pack is None else _stored(cache, model_pack)
    if model_pack is None or stored is None:
        have = ", ".join(sorted(cache.packs)) or "none"
        raise IndexRefusedError(f"{path} has no embeddings of pack {name} (it has: {have})")
    if stored.identity != model_pack.identity:
        raise IndexRefusedError(
            f"{path} was made with other weights of pack {name}; build from the photos again"
        )
    photos = [portrait for row in cache.actors.values() for portrait in row]
    removed = take_out(cache, gallery.removals)
    if starter:
        source, listing = "starter", starter_listing(path)
    else:
        source, listing = "gallery", gallery.listing if gallery.holds_just(photos) else ""
    index = build_index(cache, stored, source=source, listing=listing, clusters=clusters)
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


def detection_settings(options: DetectionOptions) -> dict[str, Any]:
    """What an embedding depends on besides the weights, as index and cache keep it."""
    return {
        "recipe": EMBEDDING_VERSION,  # as caches and indexes on disk call it
        "detection_size": options.size,
        "detection_limit": options.limit,
        "detection_threshold": options.threshold,
        "min_face": options.min_face,
    }


def load_or_new(path: Path) -> EmbeddingsCache:
    """A cache, or an empty one where there is none; a damaged one is a warning."""
    if not path.exists():
        return EmbeddingsCache()
    try:
        return load_cache(path)
    except IndexRefusedError as error:
        log.warning("the embeddings cache is made anew: %s", error)
        return EmbeddingsCache()


class _NowAndThen:
    """Calls a function when it is due: seldom enough that it takes a small share of the time."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._due = time.monotonic() + KEPT_SECONDS

    def __call__(self) -> None:
        started = time.monotonic()
        if started < self._due:
            return
        self._work()
        now = time.monotonic()
        self._due = now + max(KEPT_SECONDS, (now - started) / KEPT_SHARE)


def _keep(cache: EmbeddingsCache, path: Path) -> None:
    try:
        save_cache(cache, path)
    except StorageError as error:
        log.warning("the next build embeds every photo again: %s", error)


def _portrait(photo: GalleryPhoto) -> Portrait:
    """A photo's hash; a link to nowhere, a folder or a pipe has none."""
    with contextlib.suppress(OSError):  # enrolment reports it as unreadable
        if photo.path.is_file():
            return photo.portrait()
    return Portrait(NO_BYTES, photo.file, photo.credit)


def _is_new(portrait: Portrait, pack: PackCache) -> bool:
    known = pack.photos.get(portrait.sha256)
    return known is None or known.left_out in RETRIED


def _pack_cache(cache: EmbeddingsCache, pack: ModelPack, options: DetectionOptions) -> PackCache:
    """The cache's part for this pack, emptied if weights or detection settings changed."""
    detection = detection_settings(options)
    stored = _stored(cache, pack)
    if stored is None or (stored.identity, stored.detection) != (pack.identity, detection):
        stored = PackCache(pack.name, pack.identity, pack.dimension, detection, {})
    cache.packs[pack.name] = replace(stored, libraries=_library_versions())
    return cache.packs[pack.name]


def _stored(cache: EmbeddingsCache, pack: ModelPack) -> PackCache | None:
    """A cache's part for a pack; where it only has the whole pack's, that is cut to fit."""
    whole = whole_of(pack)
    if pack.name in cache.packs or whole is None or whole.name not in cache.packs:
        return cache.packs.get(pack.name)
    stored = cache.packs[whole.name]
    return stored.cut_to(pack) if stored.identity == whole.identity else None


def _library_versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in LIBRARIES}


def _hash_crops(pack: PackCache, photos: dict[str, GalleryPhoto], limits: PhotoLimits) -> None:
    """Give crops a hash that caches of old lack; it takes no model, 5 ms a photo of 450 pixels."""
    for key, photo in photos.items():
        found = pack.photos.get(key)
        if found is None or found.crop_hash or not found.landmarks:
            continue
        with contextlib.suppress(PhotoError, OSError):  # it goes without
            pixels = read_photo(photo.path, limits).pixels
            crop = aligned_crop(pixels, found.landmarks)
            pack.photos[key] = replace(found, crop_hash=crop_hash(crop))


def embed_photos(
    engine: FaceEngine,
    sources: Mapping[str, PhotoSource],
    limits: PhotoLimits = PhotoLimits(),
    progress: Progress = lambda items: items,
) -> Iterator[dict[str, EnrolledPhoto]]:
    """Results by the photos' keys, batch by batch."""
    waiting: dict[str, Detection] = {}
    for key, found in _subjects(engine, sources, limits, progress):
        if isinstance(found, str):
            yield {key: EnrolledPhoto(None, found)}
        else:
            waiting[key] = found
        if len(waiting) == BATCH:
            yield _embed_batch(engine, waiting)
            waiting = {}
    yield _embed_batch(engine, waiting)


def _subjects(
    engine: FaceEngine,
    sources: Mapping[str, PhotoSource],
    limits: PhotoLimits,
    progress: Progress,
) -> Iterator[tuple[str, Detection | str]]:
    """What `_subject_of` says of each photo, in their order.

    One photo alone leaves cores idle while it is read and cut: as many are looked at as there are.
    """
    ahead = 2 * engine.threads - 1
    waiting: deque[tuple[str, Future[Detection | str]]] = deque()
    with ThreadPoolExecutor(engine.threads) as pool:
        for key, source in progress(sources.items()):
            waiting.append((key, pool.submit(_subject_of, engine, source, limits)))
            if len(waiting) == ahead:
                first, found = waiting.popleft()
                yield first, found.result()
        for last, found in waiting:
            yield last, found.result()


def _subject_of(engine: FaceEngine, source: PhotoSource, limits: PhotoLimits) -> Detection | str:
    """The one face a portrait is of, or the reason why there is none."""
    try:
        found = engine.detect(read_photo(source, limits))
    except (PhotoError, OSError) as error:
        return getattr(error, "code", "unreadable")
    if not found:
        return "no_face"
    return found[0] if stands_out(found) else "several_faces"


def _embed_batch(engine: FaceEngine, waiting: dict[str, Detection]) -> dict[str, EnrolledPhoto]:
    embeddings = engine.embed([detection.views for detection in waiting.values()])
    return {
        key: EnrolledPhoto(
            embedding=row,
            box=tuple(round(value, 1) for value in detection.box),
            landmarks=tuple(round(float(value), 1) for value in detection.landmarks.ravel()),
            detection_score=round(detection.detection_score, 3),
            crop_hash=crop_hash(detection.crop),
        )
        for (key, detection), row in zip(waiting.items(), embeddings, strict=True)
    }
