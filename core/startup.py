"""From settings to a ready finder: the pack follows the index, the index follows the gallery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.errors import GalleryError, IndexRefusedError, LookalikeError, ModelError
from core.faces.engine import FaceEngine
from core.gallery.people import People, read_actors
from core.gallery.photos import gallery_listing, scan_gallery, starter_listing
from core.gallery.removals import load_removals
from core.index.actor_index import ActorIndex, load_index, save_index
from core.index.enrol import Enrolment, detection_settings, enrol_gallery, index_from_cache
from core.log import log, say
from core.lookalike import LookalikeFinder
from core.models.install import InstalledPack, ensure_models, is_at_hand
from core.models.packs import get_pack
from core.settings import Settings


@dataclass(frozen=True, eq=False)
class Plan:
    """What a start will do: use `index` as it is, or make one with `pack`."""

    pack: str
    index: ActorIndex | None
    source: str  # of the index to make: "gallery", "cache" or "starter"
    made: Enrolment | None = None  # already, from the cache, to see whether that can be used


def plan_start(settings: Settings) -> Plan:
    """Decide, without loading a model, which index and which pack a start uses."""
    photos = scan_gallery(settings.dataset_dir) if settings.dataset_dir.is_dir() else []
    listing = gallery_listing(photos) if photos else None
    try:
        index = load_index(settings.index_path)
        check_index(index, settings, listing)
        return Plan(index.info.pack, index, index.info.source)
    except IndexRefusedError as error:
        if settings.index_path.exists():
            log.info("the index is built anew: %s", error)
    if photos:
        return Plan(pack_for_photos(settings), None, "gallery")
    made = _from_cache(settings)
    if made:
        return Plan(made.index.info.pack, None, "cache", made)
    return Plan(_named_pack(settings) or "sface", None, "starter")


def check_index(index: ActorIndex, settings: Settings, listing: str | None = None) -> None:
    """Refuse an index that does not fit the settings, the weights, or the gallery as it is now.

    Raises:
        IndexRefusedError: with the reason.
    """
    info = index.info
    wanted = settings.model_pack
    if wanted not in ("auto", info.pack):
        raise IndexRefusedError(f"it is of pack {info.pack}, {wanted} is asked for")
    if info.pack not in ("auraface", "sface"):
        raise IndexRefusedError(f"it is of pack {info.pack}, which this version does not know")
    if info.identity != get_pack(info.pack, settings).identity:
        raise IndexRefusedError(f"it was made with other weights of pack {info.pack}")
    if listing is not None and info.detection != detection_settings(settings):
        raise IndexRefusedError("it was made with other detection settings")
    if listing is None and info.source == "starter" and settings.starter_path.is_file():
        listing = starter_listing(settings.starter_path)
    if listing is not None and listing != info.listing:
        raise IndexRefusedError("the gallery has changed")
    removals = load_removals(settings.removals_path)
    if any(name in removals for name in index.actors):
        raise IndexRefusedError("it holds people who were taken out")


def pack_for_photos(settings: Settings) -> str:
    """The pack new photos are enrolled with: AuraFace if it is at hand, else SFace."""
    if settings.model_pack != "auto":
        return settings.model_pack
    return "auraface" if is_at_hand(get_pack("auraface", settings), settings) else "sface"


def _from_cache(settings: Settings) -> Enrolment | None:
    """The index of a usable embeddings cache, if there is one."""
    if not settings.cache_path.exists():
        return None
    try:
        return index_from_cache(settings.cache_path, settings, pack=_named_pack(settings))
    except (IndexRefusedError, GalleryError) as error:
        log.warning("the embeddings cache is not used: %s", error)
        return None


def _named_pack(settings: Settings) -> str | None:
    return None if settings.model_pack == "auto" else settings.model_pack


def load_engine(installed: InstalledPack, settings: Settings) -> FaceEngine:
    """The engine of a pack, as the settings wish it."""
    return FaceEngine(installed, settings.detection, threads=settings.threads, lang=settings.lang)


def load_finder(plan: Plan, installed: InstalledPack, settings: Settings) -> LookalikeFinder:
    """Engine and index of a plan, made where needed; a new index is kept for the next start."""
    engine = load_engine(installed, settings)
    index = plan.index or build(engine, plan.source, settings, made=plan.made).index
    if index.info.pack != engine.pack.name:
        raise IndexRefusedError(f"the index is of pack {index.info.pack}, not {engine.pack.name}")
    return LookalikeFinder(engine, index, settings, installed.warning, people_of(index, settings))


def people_of(index: ActorIndex, settings: Settings) -> People:
    """What is known of an index's actors besides their photos; an unreadable file is a warning."""
    is_starter = index.info.source == "starter"
    path = settings.starter_people_path if is_starter else settings.people_path
    try:
        return People(read_actors(path))
    except GalleryError as error:
        log.warning("names, genders and countries are not shown: %s", error)
        return People({})


def build(
    engine: FaceEngine | None,
    source: str,
    settings: Settings,
    *,
    clusters: int = 1,
    keep: bool = True,
    made: Enrolment | None = None,
) -> Enrolment:
    """Make an index from the gallery's photos, the cache or the starter gallery, and keep it.

    `made` is one that was made before, and only waits to be kept.
    """
    if made is not None:
        enrolment = made
    elif source == "gallery" and engine is not None:
        enrolment = enrol_gallery(engine, settings, clusters=clusters, progress=progress_bar)
    else:
        path = settings.cache_path if source == "cache" else settings.starter_path
        enrolment = index_from_cache(path, settings, pack=_named_pack(settings), clusters=clusters)
    say("index_done", settings.lang, count=len(enrolment.index.actors))
    if keep:
        _keep(enrolment.index, settings.index_path)
    return enrolment


def progress_bar(photos: Iterable[Any]) -> Iterable[Any]:
    """Photos with a bar on stderr; silent where there is no terminal."""
    return tqdm(photos, unit=" photos", disable=None)


def _keep(index: ActorIndex, path: Path) -> None:
    try:
        save_index(index, path)
    except LookalikeError as error:
        log.warning("the index is used, but will be built again at the next start: %s", error)


def start(settings: Settings) -> LookalikeFinder:
    """All of it: plan, models, index. What `app.py` and the command line call.

    Under `auto`, an index whose pack cannot be had gives way to one made with SFace from the
    photos or the starter gallery, with a warning; the index on disk is left as it is.

    Raises:
        ModelError: the pack asked for by name cannot be had.
    """
    plan = plan_start(settings)
    try:
        return load_finder(plan, ensure_models(settings, plan.pack), settings)
    except ModelError as error:
        if settings.model_pack != "auto" or plan.pack == "sface":
            raise
        warning = f"{plan.pack} is not to be had ({error}); the embedded SFace pack is used instead"
        log.warning(warning)
        installed = ensure_models(settings, "sface")
    return _fallback(replace(installed, warning=warning), settings)


def _fallback(installed: InstalledPack, settings: Settings) -> LookalikeFinder:
    engine = load_engine(installed, settings)
    has_photos = settings.dataset_dir.is_dir() and scan_gallery(settings.dataset_dir)
    enrolment = build(engine, "gallery" if has_photos else "starter", settings, keep=False)
    people = people_of(enrolment.index, settings)
    return LookalikeFinder(engine, enrolment.index, settings, installed.warning, people)
