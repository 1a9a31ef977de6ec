"""From settings to a ready finder: the pack follows the index, the index follows the gallery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.download.from_hub import fetch_from_hub, is_unfinished
from core.errors import (
    GalleryError,
    HubUnreachableError,
    IndexRefusedError,
    LookalikeError,
    StorageError,
)
from core.faces.engine import FaceEngine
from core.gallery.people import People, read_actors
from core.gallery.photos import Gallery, read_gallery, starter_listing
from core.index.actor_index import ActorIndex
from core.index.enrol import Enrolment, detection_settings, enrol_gallery, index_from_cache
from core.index.kept import Index, is_kept, keep, load_kept, place_of
from core.log import log, say
from core.lookalike import LookalikeFinder
from core.models.install import (
    InstalledPack,
    ensure_models,
    ensure_or_fall_back,
    is_at_hand,
    pack_to_be_had,
)
from core.models.packs import PACKS, known_packs, whole_of
from core.settings import Settings


@dataclass(frozen=True, eq=False)
class Plan:
    """Which pack a start uses, and which index: one that is there, or one to be made."""

    pack: str
    index: Index | None = None  # None: enrol the gallery's photos
    new: bool = True  # just made, or yet to be
    kept: bool = True  # a new index waits on disk for the next start


def start(settings: Settings) -> LookalikeFinder:
    """All of it: gallery, plan, models, index. What `app.py` and the command line call.

    An empty gallery is filled from the Hub before, if the settings name a repository there.

    Under `auto`, an index whose pack cannot be had gives way to one made with SFace from the
    photos or the starter gallery, with a warning; the index on disk is left as it is. An index in
    Milvus is never built by a start, nor given up.

    Raises:
        ModelError: the pack asked for by name, or by an index in Milvus, cannot be had.
        IndexRefusedError, IndexServerError: of an index in Milvus.
    """
    gallery = fill_from_hub(settings, open_gallery(settings))
    tell_passed_over(gallery)
    plan = plan_start(settings, gallery)
    may_fall_back = settings.model_pack == "auto" and not settings.index
    ensure = ensure_or_fall_back if may_fall_back else ensure_models
    installed = ensure(settings, plan.pack)
    if installed.pack.name != plan.pack:
        plan = _without_index(settings, gallery, installed.pack.name, kept=False)
    return finder_of(plan, installed, settings, gallery)


def open_gallery(settings: Settings) -> Gallery:
    """The dataset folder, read once."""
    return read_gallery(settings.dataset_dir, settings.removals_path)


def fill_from_hub(settings: Settings, gallery: Gallery) -> Gallery:
    """The gallery with the settings' repository in it, if it was empty or half filled.

    Where that cannot be had, it is used as it is, with a warning.
    """
    filled = gallery.photos or gallery.unseen
    if not settings.gallery or (filled and not is_unfinished(settings.dataset_dir)):
        return gallery
    log.info("the gallery is filled from %s on the Hub", settings.gallery)
    try:
        counts, *left_out = fetch_from_hub(settings.gallery, settings).summary()
    except (HubUnreachableError, GalleryError, StorageError) as error:
        log.warning("the gallery is used as it is, and the next start tries again: %s", error)
        return gallery
    for line in (f"{settings.gallery}: {counts}", *left_out):
        log.info(line)
    return open_gallery(settings)


def tell_passed_over(gallery: Gallery) -> None:
    """Log that photos may have been left out, in one line."""
    lost = [entry.file for entry in gallery.lost if entry.reason != "no_picture"]
    if lost and gallery.photos:
        more = f" and {len(lost) - 3} more" if lost[3:] else ""
        log.warning(
            "passed over in %s: %s%s; scripts/check_gallery.py says why",
            gallery.folder,
            ", ".join(lost[:3]),
            more,
        )


def plan_start(settings: Settings, gallery: Gallery) -> Plan:
    """Decide, without loading a model, which index and which pack a start uses.

    Raises:
        IndexRefusedError, IndexServerError: of an index in Milvus, which others may use as well.
    """
    try:
        index = load_kept(settings)
        check_index(index, settings, gallery)
        return Plan(index.info.pack, index, new=False)
    except IndexRefusedError as error:
        if settings.index:
            raise IndexRefusedError(
                f"the index in {place_of(settings)} is refused: {error}; write it with"
                " scripts/build_actor_index_insightface.py"
            ) from error
        if is_kept(settings):
            log.info("the index is built anew: %s", error)
    cached = None if gallery.photos else _cached_index(settings, gallery)
    if cached is not None:
        return Plan(cached.info.pack, cached)
    return _without_index(settings, gallery, pack_for_photos(settings) if gallery.photos else None)


def _without_index(
    settings: Settings, gallery: Gallery, pack: str | None, *, kept: bool = True
) -> Plan:
    """Enrol the photos with a pack; where there are none, use the starter gallery."""
    if pack and gallery.photos:
        return Plan(pack, kept=kept)
    index = starter_enrolment(settings, gallery).index
    return Plan(index.info.pack, index, kept=kept)


def check_index(index: Index, settings: Settings, gallery: Gallery) -> None:
    """Refuse an index that does not fit the settings, the weights, or the gallery as it is now.

    A gallery without photos is compared only for people who were taken out.

    Raises:
        IndexRefusedError: with the reason.
    """
    info, wanted = index.info, settings.model_pack
    pack = known_packs().get(info.pack)
    if pack is None:
        raise IndexRefusedError(f"it is of pack {info.pack}, which this version does not know")
    whole = whole_of(pack)
    if wanted not in ("auto", (whole or pack).name):
        raise IndexRefusedError(f"it is of pack {info.pack}, {wanted} is asked for")
    if info.identity != pack.identity:
        raise IndexRefusedError(f"it was made with other weights of pack {info.pack}")
    if pack_to_be_had(pack.name, settings) != pack:
        raise IndexRefusedError(f"the second network of pack {info.pack} is not to be had")
    can_be_made = gallery.photos or info.source == "starter"
    if whole and can_be_made and pack_to_be_had(whole.name, settings) == whole:
        raise IndexRefusedError("it was made without the second network, which is here now")
    if info.source == "starter" and gallery.unseen:
        raise IndexRefusedError("it is the starter gallery's, and something lies in the gallery")
    listing = gallery.listing
    if listing and info.detection != detection_settings(settings.detection):
        raise IndexRefusedError("it was made with other detection settings")
    if not listing and info.source == "starter" and settings.starter_path.is_file():
        listing = starter_listing(settings.starter_path)
    if listing and listing != info.listing:
        raise IndexRefusedError("the gallery has changed")
    if any(name in gallery.removals for name in index.actors):
        raise IndexRefusedError("it holds people who were taken out")


def pack_for_photos(settings: Settings) -> str:
    """The pack new photos are enrolled with: AuraFace if it is at hand, else SFace.

    Either may be what is left of it without its second network.
    """
    name = _named_pack(settings)
    if name is None:
        name = "auraface" if is_at_hand(PACKS["auraface"], settings) else "sface"
    return pack_to_be_had(name, settings).name


def _cached_index(settings: Settings, gallery: Gallery) -> ActorIndex | None:
    """The index of a usable embeddings cache, if there is one."""
    if not settings.cache_path.exists():
        return None
    try:
        return _from_cache(settings.cache_path, settings, gallery).index
    except (IndexRefusedError, GalleryError) as error:
        log.warning("the embeddings cache is not used: %s", error)
        return None


def starter_enrolment(settings: Settings, gallery: Gallery, *, clusters: int = 1) -> Enrolment:
    """The starter gallery, without the people who were taken out.

    Raises:
        GalleryError: the gallery has something in it, and no photo where photos belong.
        IndexRefusedError: another pack is asked for than the starter gallery's.
    """
    gallery.refuse_unseen()
    return _from_cache(settings.starter_path, settings, gallery, starter=True, clusters=clusters)


def _from_cache(
    path: Path, settings: Settings, gallery: Gallery, *, starter: bool = False, clusters: int = 1
) -> Enrolment:
    """The index of a cache, cut to the recogniser's part where no more is to be had."""
    pack = _named_pack(settings)
    while True:
        found = index_from_cache(path, gallery, starter=starter, pack=pack, clusters=clusters)
        used, pack = found.index.info.pack, pack_to_be_had(found.index.info.pack, settings).name
        if used == pack:
            return found


def _named_pack(settings: Settings) -> str | None:
    return None if settings.model_pack == "auto" else settings.model_pack


def load_engine(installed: InstalledPack, settings: Settings) -> FaceEngine:
    """The engine of a pack, as the settings wish it."""
    return FaceEngine(installed, settings.detection, threads=settings.threads, lang=settings.lang)


def finder_of(
    plan: Plan, installed: InstalledPack, settings: Settings, gallery: Gallery
) -> LookalikeFinder:
    """Engine and index of a plan; an index that is made is kept for the next start."""
    engine = load_engine(installed, settings)
    index: Index = plan.index or enrol(engine, settings, gallery).index
    if index.info.pack != engine.pack.name:
        raise IndexRefusedError(f"the index is of pack {index.info.pack}, not {engine.pack.name}")
    if plan.new:
        say("index_done", settings.lang, count=len(index.actors))
    if plan.new and plan.kept and isinstance(index, ActorIndex):
        _keep(index, settings)
    return LookalikeFinder(engine, index, settings, installed.warning, people_of(index, settings))


def enrol(
    engine: FaceEngine, settings: Settings, gallery: Gallery, *, clusters: int = 1
) -> Enrolment:
    """The gallery's photos enrolled, with a bar, and the cache where the settings say."""
    return enrol_gallery(
        engine,
        gallery,
        settings.cache_path,
        limits=settings.photo_limits,
        clusters=clusters,
        progress=progress_bar,
    )


def people_of(index: Index, settings: Settings) -> People:
    """What is known of an index's actors besides their photos; an unreadable file is a warning."""
    is_starter = index.info.source == "starter"
    path = settings.starter_people_path if is_starter else settings.people_path
    try:
        return People(read_actors(path))
    except GalleryError as error:
        log.warning("names, genders and countries are not shown: %s", error)
        return People({})


def progress_bar(photos: Iterable[Any]) -> Iterable[Any]:
    """Photos with a bar on stderr; silent where there is no terminal."""
    return tqdm(photos, unit=" photos", disable=None)


def _keep(index: ActorIndex, settings: Settings) -> None:
    try:
        keep(index, settings)
    except LookalikeError as error:
        log.warning("the index is used, but will be built again at the next start: %s", error)
