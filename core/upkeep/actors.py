"""The owner's changes to a gallery: add, rename, remove. Dataset, cache and index go together.

Each change is worked out whole, beside what is there, then takes its place by renames
(core/upkeep/swap.py). The index is the one that a rebuild from the changed photos would give.

What a change of the gallery will leave: photos, cache, index and tables, staged.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import GalleryError, UnreadablePhotoError
from core.faces.engine import FaceEngine
from core.faces.photo import PHOTO_SUFFIXES
from core.gallery.credits import CREDITS_FILE, credit_of, read_credits, readable_name, write_credits
from core.gallery.people import ACTORS_FILE, ActorEntry, read_actors, safe_folder, write_actors
from core.gallery.photos import Gallery, GalleryPhoto, scan_gallery
from core.gallery.removals import load_removals, name_hash, save_removals
from core.index.actor_index import save_index
from core.index.embeddings_cache import EmbeddingsCache, load_cache, save_cache, take_out
from core.index.enrol import enrolment_of, index_from_cache, load_or_new, update_cache
from core.index.templates import make_templates
from core.log import log
from core.models.packs import PACKS
from core.settings import Settings
from core.startup import open_gallery, pack_for_photos, plan_start
from core.upkeep.swap import Swap, all_or_nothing

MakeEngine = Callable[[str], FaceEngine]  # by the pack's name; only called for new photos
FAULTS = {
    "unreadable": "cannot be read as a picture; use another photo",
    "too_large": "is too large; use a smaller copy",
    "no_face": "shows no face; use a photo that shows it clearly",
    "several_faces": "shows several faces, none dominant; crop it to one person",
}


def photos_of(settings: Settings) -> list[GalleryPhoto]:
    """The gallery's photos; [] without a dataset folder."""
    return scan_gallery(settings.dataset_dir) if settings.dataset_dir.is_dir() else []


def in_order(photos: Iterable[GalleryPhoto]) -> list[GalleryPhoto]:
    """As `scan_gallery` sorts them."""
    return sorted(photos, key=lambda photo: (photo.actor, photo.file))


def folders_of(settings: Settings) -> dict[str, list[Path]]:
    """The dataset's folders by actor; a name spelt in two ways (NFC, NFD) has two."""
    folders: dict[str, list[Path]] = {}
    if settings.dataset_dir.is_dir():
        for path in sorted(settings.dataset_dir.iterdir()):
            if path.is_dir() and not path.name.startswith("."):
                folders.setdefault(readable_name(path.name), []).append(path)
    return folders


def staged_photos(
    actor: str, paths: Sequence[Path], settings: Settings, swap: Swap
) -> list[GalleryPhoto]:
    """Copies of the photos under free names, where they wait to take their places."""
    folder = next(iter(folders_of(settings).get(actor, [])), settings.dataset_dir / actor)
    staged_folder = None if folder.exists() else swap.put(folder)
    if staged_folder:
        staged_folder.mkdir()
    number, photos = 0, []
    taken = {path.stem for path in folder.iterdir()} if folder.exists() else set()
    for path in paths:
        if not path.is_file():
            raise UnreadablePhotoError(f"{path}: no such file; check the path")
        number = next(n for n in range(number + 1, 10**9) if str(n) not in taken)
        suffix = path.suffix.lower()
        file = f"{number}{suffix if suffix in PHOTO_SUFFIXES else '.jpg'}"
        staged = staged_folder / file if staged_folder else swap.put(folder / file)
        shutil.copyfile(path, staged)
        photos.append(GalleryPhoto(actor, staged, f"{folder.name}/{file}", credit_of(staged, None)))
    return photos


def stage_gallery(
    swap: Swap,
    photos: list[GalleryPhoto],
    settings: Settings,
    plan: tuple[str, int],
    make_engine: MakeEngine,
    *,
    new: Sequence[GalleryPhoto] = (),
) -> EmbeddingsCache:
    """Stage cache and index of the photos as they will be; no photo left, no cache and index."""
    cache = load_or_new(settings.cache_path)
    if not photos:
        swap.drop(settings.cache_path)
        swap.drop(settings.index_path)
        return cache
    pack, clusters = plan
    gallery = Gallery(settings.dataset_dir, tuple(photos), load_removals(settings.removals_path))
    embedded = update_cache(
        cache,
        gallery,
        PACKS[pack],
        settings.detection,
        lambda: make_engine(pack),
        limits=settings.photo_limits,
    )
    save_cache(cache, swap.put(settings.cache_path))
    try:
        index = enrolment_of(cache, gallery, embedded, clusters=clusters).index
    except GalleryError:
        if new:  # `refuse_bad` says which photo and why
            return cache
        log.warning("no usable photo is left; put some into %s", settings.dataset_dir)
        swap.drop(settings.index_path)
        return cache
    save_index(index, swap.put(settings.index_path))
    return cache


def pack_and_clusters(settings: Settings) -> tuple[str, int]:
    """Those of the gallery's index, or of the one that the next start would make."""
    plan = plan_start(settings, open_gallery(settings))
    if plan.index is not None and plan.index.info.source == "gallery":
        return plan.pack, plan.index.info.clusters
    return pack_for_photos(settings), 1


def refuse_bad(cache: EmbeddingsCache, actor: str, new: dict[str, Path]) -> None:
    """Refuse photos without one clear face, given twice, or unlike the actor's others."""
    pack = cache.packs[cache.latest or ""]
    before = [entry for entry in cache.actors[actor] if entry.file not in new]
    known = {entry.sha256 for entry in before}
    vectors = [pack.photos[key].embedding for key in known]
    usable = [vector for vector in vectors if vector is not None]
    template = make_templates(np.stack(usable), 1)[0] if usable else None
    for portrait in cache.actors[actor]:
        path = new.get(portrait.file or "")
        if path is None:
            continue
        found = pack.photos[portrait.sha256]
        if found.left_out:
            raise GalleryError(f"{path.name} {FAULTS.get(found.left_out, found.left_out)}")
        if portrait.sha256 in known:
            raise GalleryError(f"{path.name} is among {actor}'s photos already; leave it out")
        known.add(portrait.sha256)
        if template is not None and found.embedding is not None:
            _refuse_unlike(float(template @ found.embedding), pack.name, path, actor)


def _refuse_unlike(similarity: float, pack: str, path: Path, actor: str) -> None:
    """By the pack's same-person threshold.

    With SFace and the development gallery's templates 2 of 562 further photos of the actors fall
    below it, and 0.4 % of other people's reach it.
    """
    threshold = PACKS[pack].same_person
    if similarity < threshold:
        raise GalleryError(
            f"{path.name} is unlike {actor}'s photos (similarity {similarity:.2f}, at least"
            f" {threshold:g} is expected); check who is in it"
        )


def stage_starter(swap: Swap, settings: Settings) -> Settings:
    """Stage the starter gallery without those taken out; settings that read what is staged."""
    if not settings.starter_path.exists():
        return settings
    starter = load_cache(settings.starter_path)
    if not take_out(starter, load_removals(settings.removals_path)):
        return settings
    staged = swap.put(settings.starter_path)
    save_cache(starter, staged)
    people = read_actors(settings.starter_people_path)
    kept = [entry for entry in people.values() if entry.folder in starter.actors]
    if len(kept) < len(people):
        write_actors(swap.put(settings.starter_people_path), kept)
    return settings.replaced(starter_file=staged)


def stage_embeddings_alone(swap: Swap, settings: Settings) -> None:
    """Without photos the index comes from a cache, else from the starter gallery."""
    source = settings.starter_path
    if settings.cache_path.exists():
        cache = load_cache(settings.cache_path)
        take_out(cache, load_removals(settings.removals_path))
        if cache.actors:
            source = swap.put(settings.cache_path)
            save_cache(cache, source)
        else:
            swap.drop(settings.cache_path)
    if not source.exists():
        swap.drop(settings.index_path)
    elif settings.index_path.exists():
        index = index_from_cache(
            source, open_gallery(settings), starter=source == settings.starter_path
        ).index
        save_index(index, swap.put(settings.index_path))


def stage_tables(swap: Swap, settings: Settings, actor: str, entry: ActorEntry | None) -> None:
    """Stage credits.csv and actors.csv with the actor renamed, or without the actor."""
    path = settings.dataset_dir / CREDITS_FILE
    credits = read_credits(path)
    kept = {
        f"{entry.folder}/{file.partition('/')[2]}" if entry else "": credit
        for file, credit in credits.items()
        if file.startswith(f"{actor}/")
    }
    others = {file: row for file, row in credits.items() if not file.startswith(f"{actor}/")}
    if kept:
        write_credits(swap.put(path), {**others, **(kept if entry else {})})
    path = settings.dataset_dir / ACTORS_FILE
    entries = read_actors(path)
    if actor in entries or (entry and entry.folder != entry.name):
        old = entries.pop(actor, None)
        if entry:
            renamed = replace(old, folder=entry.folder, name=entry.name) if old else entry
            entries[entry.folder] = renamed
        write_actors(swap.put(path), entries.values())


CONTACT_SHEET = "contact_sheet.html"  # of scripts/check_gallery.py; has everyone's thumbnails


@dataclass(frozen=True)
class Listed:
    """An actor as `list` prints them."""

    actor: str
    photos: int
    source: str  # "gallery" (photos), "cache" or "starter" (embeddings alone)


def list_actors(settings: Settings) -> list[Listed]:
    """The actors a visitor is compared with, by name; those taken out are not among them."""
    photos = photos_of(settings)
    if photos:
        source, counts = "gallery", Counter(photo.actor for photo in photos)
    else:
        source = "cache" if settings.cache_path.exists() else "starter"
        cache = load_cache(settings.cache_path if source == "cache" else settings.starter_path)
        counts = Counter({name: len(row) for name, row in cache.actors.items()})
    removals = load_removals(settings.removals_path)
    return [Listed(name, counts[name], source) for name in sorted(counts) if name not in removals]


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
    actor = _resolve(name, settings, folders_of(settings)) or safe_folder(name)
    plan = pack_and_clusters(settings)
    with all_or_nothing(settings.dataset_dir) as swap:
        new = staged_photos(actor, paths, settings, swap)
        photos = in_order([*photos_of(settings), *new])
        cache = stage_gallery(swap, photos, settings, plan, make_engine, new=new)
        refuse_bad(cache, actor, dict(zip((photo.file for photo in new), paths, strict=True)))
        entries = read_actors(settings.dataset_dir / ACTORS_FILE)
        if actor not in entries and (entries or name != actor):
            entry = ActorEntry(folder=actor, name=readable_name(name))
            write_actors(swap.put(settings.dataset_dir / ACTORS_FILE), [*entries.values(), entry])
    return actor


def rename_actor(old: str, new: str, settings: Settings, make_engine: MakeEngine) -> str:
    """Give an actor another name; nothing is embedded again. The new name in the gallery.

    Raises:
        GalleryError: no such actor, or the new name is taken or taken out by removals.json.
    """
    folders = folders_of(settings)
    actor = _known(old, settings, folders)
    if actor not in folders:
        raise GalleryError(f"{actor} has no folder of photos here; add some under the new name")
    _refuse_removed(new, settings)
    target = safe_folder(new)
    if any(target.casefold() == name.casefold() for name in folders):
        raise GalleryError(f"{target} is in the gallery already; choose another name")
    if len(folders[actor]) > 1:
        raise GalleryError(f"{actor} has two folders, spelt in two ways; put them together first")
    source = folders[actor][0]
    plan = pack_and_clusters(settings)
    with all_or_nothing(settings.dataset_dir) as swap:
        photos = in_order(
            replace(photo, actor=target, file=f"{target}/{photo.path.name}")
            if photo.actor == actor
            else photo
            for photo in photos_of(settings)
        )
        stage_gallery(swap, photos, settings, plan, make_engine)
        stage_tables(swap, settings, actor, ActorEntry(folder=target, name=readable_name(new)))
        swap.drop(settings.dataset_dir / CONTACT_SHEET)
        swap.move(source, settings.dataset_dir / target)
    return target


def remove_actor(name: str, settings: Settings, make_engine: MakeEngine) -> str:
    """Take a person out for good: photos, embeddings of every pack, index, tables, starter.

    The name's hash goes into removals.json, which every later build honours. The name as it was.

    Raises:
        GalleryError: nobody of this name.
    """
    folders = folders_of(settings)
    actor = _known(name, settings, folders)
    entry = _entries(settings).get(actor)
    names = {actor, *((entry.name, *entry.names.values()) if entry else ())} - {""}
    plan = pack_and_clusters(settings)
    with all_or_nothing(settings.dataset_dir) as swap:
        removals = load_removals(settings.removals_path).and_of(names)
        after = settings.replaced(removals_file=swap.put(settings.removals_path))
        save_removals(removals, after.removals_path)
        after = stage_starter(swap, after)
        photos = [photo for photo in photos_of(settings) if photo.actor not in removals]
        if photos_of(settings):
            stage_gallery(swap, photos, after, plan, make_engine)
        else:
            stage_embeddings_alone(swap, after)
        stage_tables(swap, settings, actor, None)
        for gone in [*folders.get(actor, []), settings.dataset_dir / CONTACT_SHEET]:
            swap.drop(gone)
    return actor


def _entries(settings: Settings) -> dict[str, ActorEntry]:
    """What is known of the gallery's actors and the starter gallery's; the former goes first."""
    return {**read_actors(settings.starter_people_path), **read_actors(settings.people_path)}


def _resolve(name: str, settings: Settings, known: Iterable[str]) -> str | None:
    """The actor a person means: by folder, in any case, or by a name in actors.csv."""
    known = list(known)
    wanted = readable_name(name)
    if wanted in known:
        return wanted
    same = (wanted.casefold(), safe_folder(name).casefold())
    entries = _entries(settings).values()
    by_table = [entry.folder for entry in entries if wanted in (entry.name, *entry.names.values())]
    fits = {actor for actor in known if actor.casefold() in same or actor in by_table}
    if len(fits) > 1:
        raise GalleryError(f"{name} may be {' or '.join(sorted(fits))}; write which")
    return fits.pop() if fits else None


def _known(name: str, settings: Settings, folders: dict[str, list[Path]]) -> str:
    listed = [entry.actor for entry in list_actors(settings)]
    starter = load_cache(settings.starter_path).actors if settings.starter_path.exists() else {}
    actor = _resolve(name, settings, {*folders, *listed, *starter})
    if actor is None:
        raise GalleryError(f"nobody here is called {name}; `scripts/actors.py list` shows who is")
    return actor


def _refuse_removed(name: str, settings: Settings) -> None:
    if name in load_removals(settings.removals_path):
        raise GalleryError(
            f"{name} was taken out for good; to undo that, delete the line"
            f" {name_hash(name)} from {settings.removals_path}"
        )
