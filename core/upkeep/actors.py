"""The owner's changes to a gallery: list, add, rename and remove actors.

Cache and index are derived from photos and tables, so a change is an order of steps that a kill
cannot spoil: what is derived comes last, and until then the index on disk does not fit the
gallery, so that a start makes it anew. The same command again ends the job.

    add     embed; row in actors.csv, photos, build
    rename  rows of the new name, folder, rows of the old name out, build
    remove  removals.json; folder, rows, starter gallery, build
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from core.errors import GalleryError, IndexRefusedError, StorageError, UnreadablePhotoError
from core.faces.engine import FaceEngine
from core.faces.photo import PHOTO_SUFFIXES
from core.files import new_file, sha256_of, storage_errors
from core.gallery.credits import CREDITS_FILE, credit_of, read_credits, readable_name, write_credits
from core.gallery.folders import is_system
from core.gallery.people import ActorEntry, name_key, read_actors, safe_folder, write_actors
from core.gallery.photos import Gallery, GalleryPhoto, Portrait
from core.gallery.removals import Removals, load_removals, save_removals
from core.index.embeddings_cache import (
    LEFT_OUT,
    EmbeddingsCache,
    load_cache,
    save_cache,
    take_out,
)
from core.index.enrol import embedder_here, enrolment_of, load_or_new, update_cache
from core.index.kept import drop_kept, is_kept, keep, load_kept
from core.index.templates import make_templates
from core.log import log
from core.models.install import pack_to_be_had
from core.models.packs import known_packs, pack_named, whole_of
from core.settings import Settings
from core.startup import check_index, open_gallery, pack_for_photos

MakeEngine = Callable[[str], FaceEngine]  # by the pack's name; only called for new photos

CONTACT_SHEET = "contact_sheet.html"  # of scripts/check_gallery.py; has everyone's thumbnails
LOCK_FILE = ".actors.lock"


@dataclass(frozen=True)
class Listed:
    """An actor as `list` prints them."""

    actor: str
    photos: int
    source: str  # "gallery" (photos), "cache" or "starter" (embeddings alone)


def list_actors(settings: Settings) -> list[Listed]:
    """The actors a visitor is compared with, by name; those taken out are not among them."""
    gallery = open_gallery(settings)
    if gallery.photos:
        source, counts = "gallery", Counter(photo.actor for photo in gallery.photos)
    else:
        source = "cache" if settings.cache_path.exists() else "starter"
        cache = load_cache(settings.cache_path if source == "cache" else settings.starter_path)
        counts = Counter({name: len(row) for name, row in cache.actors.items()})
    names = sorted(name for name in counts if name not in gallery.removals)
    return [Listed(name, counts[name], source) for name in names]


def add_photos(
    name: str, paths: Sequence[Path], settings: Settings, make_engine: MakeEngine
) -> str:
    """Enrol photos of a new or an enrolled actor; the actor's name in the gallery.

    Raises:
        GalleryError: a photo without one clear face, or unlike the actor's others; a name taken
            out by removals.json.
        PhotoError: no such photo.
    """
    _refuse_removed(name, settings)
    with _one_at_a_time(settings.dataset_dir):
        actor = _resolve(name, settings, _folders_of(settings)) or safe_folder(name)
        pack, clusters = _pack_and_clusters(settings)
        gallery = open_gallery(settings)
        new = _photos_to_add(actor, paths, settings, gallery)
        cache = load_or_new(settings.cache_path)
        _embed(cache, replace(gallery, photos=(*gallery.photos, *new)), pack, settings, make_engine)
        _refuse_bad(cache, actor, {photo.file: photo.path for photo in new})
        entries = read_actors(settings.people_path)
        if actor not in entries and (entries or name != actor):
            entry = ActorEntry(folder=actor, name=readable_name(name))
            write_actors(settings.people_path, [*entries.values(), entry])
        for photo in new:
            with new_file(settings.dataset_dir / photo.file) as temporary:
                shutil.copyfile(photo.path, temporary)
        _build(settings, pack, clusters, make_engine, cache)
    return actor


def rename_actor(old: str, new: str, settings: Settings, make_engine: MakeEngine) -> str:
    """Give an actor another name; nothing is embedded again. The new name in the gallery.

    Raises:
        GalleryError: no such actor, or the new name is taken or taken out by removals.json.
    """
    _refuse_removed(new, settings)
    target = safe_folder(new)
    with _one_at_a_time(settings.dataset_dir):
        plan = _pack_and_clusters(settings)
        actor = _half_renamed(old, target, settings)
        if actor is None:
            actor, folder = _folder_to_rename(old, target, settings)
            _add_rows(settings, actor, ActorEntry(folder=target, name=readable_name(new)))
            folder.rename(settings.dataset_dir / target)
        (settings.dataset_dir / CONTACT_SHEET).unlink(missing_ok=True)
        _drop_rows(settings, actor)
        _build(settings, *plan, make_engine)
    return target


def remove_actor(name: str, settings: Settings, make_engine: MakeEngine) -> str:
    """Take a person out for good: photos, embeddings of every pack, index, tables, starter.

    The name's hash goes into removals.json, which every later build honours. The name as it was.

    Raises:
        GalleryError: nobody of this name.
    """
    with _one_at_a_time(settings.dataset_dir):
        removals = load_removals(settings.removals_path)
        folders = _folders_of(settings)
        half_removed = readable_name(name) if name in removals else ""  # by a killed run
        actor = _known(name, settings, folders, half_removed)
        entry = _entries(settings).get(actor)
        plan = _pack_and_clusters(settings)
        removals = removals.and_of({actor, *((entry.name, *entry.names.values()) if entry else ())})
        save_removals(removals, settings.removals_path)
        same = [name for name in folders if name_key(name) == name_key(actor)]
        for folder in (folder for name in same for folder in folders[name]):
            folder.unlink() if folder.is_symlink() else shutil.rmtree(folder)
        (settings.dataset_dir / CONTACT_SHEET).unlink(missing_ok=True)
        for alike in {actor, *same}:
            _drop_rows(settings, alike)
        _clean_starter(settings, removals)
        _build(settings, *plan, make_engine)
    return actor


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep other changes out.

    Raises:
        StorageError: another change is under way, or something cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(folder / LOCK_FILE).acquire(timeout=0)
        except Timeout:
            raise StorageError(f"{folder} is being changed by another run; wait for it") from None
        with lock:
            yield


def _build(
    settings: Settings,
    pack: str,
    clusters: int,
    make_engine: MakeEngine,
    cache: EmbeddingsCache | None = None,
) -> None:
    """Cache and index of the photos as they are now.

    Where none can be used there is no index: the next start makes one from the cache, or from the
    starter gallery.
    """
    gallery = open_gallery(settings)
    cache = cache or load_or_new(settings.cache_path)
    if not gallery.photos:
        take_out(cache, gallery.removals)
    new = _embed(cache, gallery, pack, settings, make_engine) if gallery.photos else set()
    if cache.actors:
        save_cache(cache, settings.cache_path)
    else:
        settings.cache_path.unlink(missing_ok=True)
    if gallery.photos:
        try:
            index = enrolment_of(cache, gallery, new, clusters=clusters).index
            keep(index, settings)
            return
        except GalleryError as error:
            log.warning("there is no index any more: %s", error)
    drop_kept(settings)


def _embed(
    cache: EmbeddingsCache,
    gallery: Gallery,
    pack: str,
    settings: Settings,
    make_engine: MakeEngine,
) -> set[str]:
    """Bring the cache up to date with a gallery; the hashes of the photos that were new to it."""
    limits = settings.photo_limits
    embedder = embedder_here(
        pack_named(pack), settings.detection, lambda: make_engine(pack), limits
    )
    return update_cache(cache, gallery, embedder, limits=limits)


def _pack_and_clusters(settings: Settings) -> tuple[str, int]:
    """Those of the gallery's index, whether it fits or not, else what a start would take."""
    with suppress(IndexRefusedError):
        info = load_kept(settings).info
        pack = known_packs().get(info.pack)
        if pack is not None and info.source == "gallery":
            name = (whole_of(pack) or pack).name
            if settings.model_pack in ("auto", name):
                return pack_to_be_had(name, settings).name, info.clusters
    return pack_for_photos(settings), 1


def _photos_to_add(
    actor: str, paths: Sequence[Path], settings: Settings, gallery: Gallery
) -> list[GalleryPhoto]:
    """The photos under free names of the actor's folder.

    What a killed run has copied already is passed over: nothing was built after that.
    """
    folder = next(iter(_folders_of(settings).get(actor, [])), settings.dataset_dir / actor)
    files = list(folder.iterdir()) if folder.is_dir() else []
    there = _hashes_of(actor, gallery)
    is_built = _is_built(settings, gallery)
    free = (number for number in count(1) if str(number) not in {file.stem for file in files})
    given, photos = set(), []
    for path in paths:
        if path.is_dir():
            raise UnreadablePhotoError(f"{path} is a folder, no photo; name the photos in it")
        if not path.is_file():
            raise UnreadablePhotoError(f"{path}: no such file; check the path")
        key = sha256_of(path)
        if key in given or (key in there and is_built):
            raise GalleryError(f"{path.name} is among {actor}'s photos already; leave it out")
        given.add(key)
        if key not in there:
            suffix = path.suffix.lower() if path.suffix.lower() in PHOTO_SUFFIXES else ".jpg"
            file = f"{folder.name}/{next(free)}{suffix}"
            photos.append(GalleryPhoto(actor, path, file, credit_of(path, None)))
    return photos


def _is_built(settings: Settings, gallery: Gallery) -> bool:
    """Whether the index on disk is of the gallery as it is."""
    try:
        check_index(load_kept(settings), settings, gallery)
    except IndexRefusedError:
        return False
    return True


def _refuse_bad(cache: EmbeddingsCache, actor: str, new: dict[str, Path]) -> None:
    """Refuse new photos, by file, without one clear face or unlike the actor's others."""
    pack = cache.packs[cache.latest or ""]
    row = [(entry.file or "", pack.photos[entry.sha256]) for entry in cache.actors[actor]]
    usable = [f.embedding for file, f in row if file not in new and f.embedding is not None]
    template = make_templates(np.stack(usable), 1)[0] if usable else None
    for file, found in row:
        if file not in new:
            continue
        if found.embedding is None:
            reason = LEFT_OUT.get(found.left_out or "", found.left_out)
            raise GalleryError(
                f"{new[file].name}: {reason}; use a photo that shows one face clearly"
            )
        if template is not None:
            _refuse_unlike(float(template @ found.embedding), pack.name, new[file], actor)


def _refuse_unlike(similarity: float, pack: str, path: Path, actor: str) -> None:
    """By the pack's same-person threshold.

    With SFace and the development gallery's templates 2 of 562 further photos of the actors fall
    below it, and 0.4 % of other people's reach it.
    """
    threshold = pack_named(pack).same_person
    if similarity < threshold:
        raise GalleryError(
            f"{path.name} is unlike {actor}'s photos (similarity {similarity:.2f}, at least"
            f" {threshold:g} is expected); check who is in it"
        )


def _folder_to_rename(old: str, target: str, settings: Settings) -> tuple[str, Path]:
    """The actor who is to get another name, and the folder."""
    folders = _folders_of(settings)
    actor = _known(old, settings, folders)
    if actor not in folders:
        raise GalleryError(f"{actor} has no folder of photos here; add some under the new name")
    if target == actor:
        raise GalleryError(f"{actor} is called that already; choose another name")
    if any(name_key(target) == name_key(name) for name in folders.keys() - {actor}):
        raise GalleryError(f"{target} is in the gallery already; choose another name")
    if len(folders[actor]) > 1:
        raise GalleryError(f"{actor} has two folders, spelt in two ways; put them together first")
    return actor, folders[actor][0]


def _half_renamed(old: str, target: str, settings: Settings) -> str | None:
    """The actor as the index still has them whose folder a killed run renamed already."""
    folders = _folders_of(settings)
    if target not in folders or not is_kept(settings):
        return None
    moved = _hashes_of(target, open_gallery(settings))
    found = load_kept(settings).portraits_of(Portrait(sha256).key for sha256 in moved)
    names = {actor for actor, _ in found}
    return _resolve(old, settings, names - folders.keys())


def _add_rows(settings: Settings, actor: str, entry: ActorEntry) -> None:
    """Give the new name what credits.csv and actors.csv have of the old one."""
    path = settings.dataset_dir / CREDITS_FILE
    credits = read_credits(path)
    same = {
        f"{entry.folder}/{file.partition('/')[2]}": credit
        for file, credit in credits.items()
        if file.startswith(f"{actor}/")
    }
    if same:
        write_credits(path, {**credits, **same})
    entries = read_actors(settings.people_path)
    if actor in entries:
        entry = replace(entries[actor], folder=entry.folder, name=entry.name)
    if actor in entries or entry.folder != entry.name:
        write_actors(settings.people_path, [*entries.values(), entry])


def _drop_rows(settings: Settings, actor: str) -> None:
    path = settings.dataset_dir / CREDITS_FILE
    credits = read_credits(path)
    others = {file: row for file, row in credits.items() if not file.startswith(f"{actor}/")}
    if len(others) < len(credits):
        write_credits(path, others)
    entries = read_actors(settings.people_path)
    if entries.pop(actor, None):
        write_actors(settings.people_path, entries.values())


def _clean_starter(settings: Settings, removals: Removals) -> None:
    """Take removed people out of the starter gallery."""
    if settings.starter_path.exists():
        starter = load_cache(settings.starter_path)
        if take_out(starter, removals):
            save_cache(starter, settings.starter_path)
    people = read_actors(settings.starter_people_path).values()
    others = [entry for entry in people if entry.folder not in removals]
    if len(others) < len(people):
        write_actors(settings.starter_people_path, others)


def _hashes_of(actor: str, gallery: Gallery) -> set[str]:
    """SHA-256 of an actor's photos on disk."""
    photos = [photo for photo in gallery.photos if photo.actor == actor]
    return {sha256_of(photo.path) for photo in photos if photo.path.is_file()}


def _folders_of(settings: Settings) -> dict[str, list[Path]]:
    """The dataset's folders by actor; a name spelt in two ways (NFC, NFD) has two."""
    folders: dict[str, list[Path]] = {}
    if settings.dataset_dir.is_dir():
        for path in sorted(settings.dataset_dir.iterdir()):
            if path.is_dir() and not (path.name.startswith(".") or is_system(path.name)):
                folders.setdefault(readable_name(path.name), []).append(path)
    return folders


def _entries(settings: Settings) -> dict[str, ActorEntry]:
    """What is known of the gallery's actors and the starter gallery's; the former goes first."""
    return {**read_actors(settings.starter_people_path), **read_actors(settings.people_path)}


def _resolve(name: str, settings: Settings, known: Iterable[str]) -> str | None:
    """The actor a person means: by folder, in any case, or by a name in actors.csv."""
    known = list(known)
    wanted = readable_name(name)
    if wanted in known:
        return wanted
    same = (name_key(name), name_key(safe_folder(name)))
    entries = _entries(settings).values()
    by_table = [
        entry.folder
        for entry in entries
        if same[0] in map(name_key, (entry.name, *entry.names.values()))
    ]
    fits = {actor for actor in known if name_key(actor) in same or actor in by_table}
    if len(fits) > 1:
        raise GalleryError(f"{name} may be {' or '.join(sorted(fits))}; write which")
    return fits.pop() if fits else None


def _known(name: str, settings: Settings, folders: Iterable[str], default: str = "") -> str:
    """The actor a person means: anybody of whom something is left."""
    listed = [entry.actor for entry in list_actors(settings)]
    starter = load_cache(settings.starter_path).actors if settings.starter_path.exists() else {}
    credits = read_credits(settings.dataset_dir / CREDITS_FILE)
    credited = [file.partition("/")[0] for file in credits]
    known = {*folders, *listed, *starter, *credited, *_entries(settings)}
    actor = _resolve(name, settings, known) or default
    if not actor:
        raise GalleryError(f"nobody here is called {name}; `scripts/actors.py list` shows who is")
    return actor


def _refuse_removed(name: str, settings: Settings) -> None:
    if lines := load_removals(settings.removals_path).lines_of(name):
        raise GalleryError(
            f"{name} was taken out for good; to undo that, delete the line"
            f" {' and '.join(lines)} from {settings.removals_path}"
        )
