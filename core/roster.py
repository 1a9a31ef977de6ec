"""The owner's changes to a gallery: add, rename, remove. Dataset, cache and index go together.

Each change is worked out whole, beside what is there, then takes its place by renames
(core/swap.py). The index is the one that a rebuild from the changed photos would give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import GalleryError
from core.gallery.credits import readable_name
from core.gallery.people import ACTORS_FILE, ActorEntry, read_actors, safe_folder, write_actors
from core.gallery.removals import load_removals, name_hash, save_removals
from core.index.embeddings_cache import load_cache
from core.settings import Settings
from core.staging import (
    MakeEngine,
    folders_of,
    in_order,
    pack_and_clusters,
    photos_of,
    refuse_bad,
    stage_embeddings_alone,
    stage_gallery,
    stage_starter,
    stage_tables,
    staged_photos,
)
from core.swap import all_or_nothing

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
    names = {actor, *((entry.name, entry.name_ko) if entry else ())} - {""}
    plan = pack_and_clusters(settings)
    with all_or_nothing(settings.dataset_dir) as swap:
        removals = load_removals(settings.removals_path).and_of(names)
        after = replace(settings, removals_file=swap.put(settings.removals_path))
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
    by_table = [entry.folder for entry in entries if wanted in (entry.name, entry.name_ko)]
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
