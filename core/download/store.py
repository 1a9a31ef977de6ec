"""The dataset folder while it is being filled: photos, `actors.csv` and `credits.csv` in step.

A photo lands only after its actor's row and its credit are written, each by rename.

What became of each file that was met on the way to a gallery; nothing is fetched twice.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.download.wikidata import WikidataActor
from core.errors import GalleryError
from core.faces.photo import PHOTO_SUFFIXES
from core.files import new_file, storage_errors
from core.gallery.credits import (
    CREDITS_FILE,
    Credit,
    credit_of,
    read_credits,
    readable_name,
    stamped,
    write_credits,
)
from core.gallery.people import ACTORS_FILE, ActorEntry, read_actors, safe_folder, write_actors

LOG_FILE = "download_log.jsonl"
KEPT = ""  # what the log has in the place of a reason


class DownloadLog:
    """What became of each file and actor: JSON lines, only ever added to."""

    def __init__(self, dataset: Path) -> None:
        """Read it; a last line that a kill cut short is passed over."""
        self.path = dataset / LOG_FILE
        self._lock = threading.Lock()
        self._files: dict[tuple[str, str], str] = {}
        self._searched: dict[str, int] = {}
        if self.path.is_file():
            for line in self.path.read_text("utf-8", errors="replace").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    self._take(json.loads(line))

    def reason_for(self, actor: str, name: str) -> str | None:
        """Why a file was refused, `KEPT`, or None if it was not met yet."""
        return self._files.get((actor, name))

    def searched(self, actor: str) -> int:
        """For how many photos an actor's category was searched to its end."""
        return self._searched.get(actor, 0)

    def note_file(self, actor: str, name: str, reason: str) -> None:
        """Note that a file was kept or refused."""
        self._add({"actor": actor, "file": name, "reason": reason})

    def note_searched(self, actor: str, photos: int) -> None:
        """Note that there is no more to find, for that many photos."""
        self._add({"actor": actor, "searched": photos})

    def _take(self, entry: dict[str, Any]) -> None:
        actor = str(entry["actor"])
        if "file" in entry:
            self._files[actor, str(entry["file"])] = str(entry["reason"])
        else:
            self._searched[actor] = int(entry["searched"])

    def _add(self, entry: dict[str, Any]) -> None:
        with self._lock, storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as stream:
                text = json.dumps(entry, ensure_ascii=False) + "\n"
                if stream.seek(0, 2) and _last_byte(self.path) != b"\n":
                    text = "\n" + text  # after a line that was cut short
                stream.write(text.encode())
            self._take(entry)


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        return stream.read(1)


class Shelf:
    """The dataset folder: photos by actor, with `actors.csv` and `credits.csv` kept in step."""

    def __init__(self, dataset: Path) -> None:
        """Clear what a killed run left. Only one process may have a shelf: see `only_download`."""
        self.dataset = dataset
        self._lock = threading.RLock()
        self._claims: dict[str, str] = {}  # folders promised by this run, to whose id
        with storage_errors(dataset):
            dataset.mkdir(parents=True, exist_ok=True)
            for leftover in (*dataset.glob(".*.tmp"), *dataset.glob("*/.*.tmp")):
                leftover.unlink()
        self._forget_missing_photos()

    def folder_of(self, actor: WikidataActor) -> str:
        """The folder of an actor, made or not; of two with one name, the second's has the id.

        Raises:
            GalleryError: the owner has a folder of that name, or the name cannot be one.
        """
        with self._lock:
            rows = read_actors(self.dataset / ACTORS_FILE)
            own = [row.folder for row in rows.values() if row.wikidata == actor.wikidata]
            if own:
                return safe_folder(own[0])
            name = safe_folder(actor.name)
            taken = {_same(folder) for folder, row in rows.items() if row.wikidata}
            if _same(name) in taken or self._claims.get(_same(name)) not in (None, actor.wikidata):
                return safe_folder(f"{actor.name[:60]} ({actor.wikidata})")
            if _same(name) in {_same(path.name) for path in self.dataset.iterdir()}:
                raise GalleryError(f"{name} is a folder of your own; it is left as it is")
            self._claims[_same(name)] = actor.wikidata
            return name

    def photos_in(self, folder: str) -> list[Path]:
        """Photos of a folder, "2.jpg" before "10.jpg"."""
        path = self.dataset / folder
        found = path.iterdir() if path.is_dir() else iter(())
        photos = [
            file
            for file in found
            if file.suffix.lower() in PHOTO_SUFFIXES and not file.name.startswith(".")
        ]
        return sorted(photos, key=lambda file: (len(file.name), file.name))

    def sources_in(self, folder: str) -> set[str]:
        """Pages that the photos of a folder came from."""
        with self._lock:
            credits = read_credits(self.dataset / CREDITS_FILE)
        found = {
            credit_of(photo, credits.get(readable_name(f"{folder}/{photo.name}")))
            for photo in self.photos_in(folder)
        }
        return {credit.source for credit in found if credit}

    def put(self, actor: WikidataActor, folder: str, jpeg: bytes, credit: Credit) -> Path:
        """Add a photo under the next free number: row, credit, and then the photo itself.

        The photo carries its credit too (core/gallery/credits.py).

        Raises:
            StorageError: the dataset cannot be written.
        """
        with self._lock:
            number = max(
                (int(p.stem) for p in self.photos_in(folder) if p.stem.isdecimal()), default=0
            )
            path = self.dataset / folder / f"{number + 1}.jpg"
            self._write_row(_row_of(actor, folder))
            credits = read_credits(self.dataset / CREDITS_FILE)
            credits[readable_name(f"{folder}/{path.name}")] = credit
            write_credits(self.dataset / CREDITS_FILE, credits)
            with new_file(path) as temporary:
                temporary.write_bytes(stamped(jpeg, credit))
            return path

    def _write_row(self, row: ActorEntry) -> None:
        rows = read_actors(self.dataset / ACTORS_FILE)
        if row.folder not in rows:
            write_actors(self.dataset / ACTORS_FILE, [*rows.values(), row])

    def _forget_missing_photos(self) -> None:
        """Drop credits of photos of downloaded actors that never landed, or were removed."""
        credits = read_credits(self.dataset / CREDITS_FILE)
        rows = read_actors(self.dataset / ACTORS_FILE).values()
        ours = {readable_name(row.folder) for row in rows if row.wikidata}
        there = {
            readable_name(f"{folder}/{photo.name}")
            for folder in ours
            for photo in self.photos_in(folder)
        }
        kept = {f: c for f, c in credits.items() if f in there or f.partition("/")[0] not in ours}
        if len(kept) < len(credits):
            write_credits(self.dataset / CREDITS_FILE, kept)


def _same(name: str) -> str:
    """Alike for names that some file systems take for one."""
    return readable_name(name).casefold()


def _row_of(actor: WikidataActor, folder: str) -> ActorEntry:
    return ActorEntry(
        folder=folder,
        name=actor.name,
        names={"ko": actor.name_ko} if actor.name_ko else {},
        wikidata=actor.wikidata,
        birth_year=actor.birth_year,
        gender=actor.gender,
        country=" ".join(actor.countries),
    )


@contextlib.contextmanager
def only_download(dataset: Path) -> Iterator[None]:
    """Keep a second download out of a dataset; a killed one does not.

    Raises:
        GalleryError: another download is at work there.
        StorageError: the dataset cannot be written.
    """
    with storage_errors(dataset):
        dataset.mkdir(parents=True, exist_ok=True)
    lock = FileLock(dataset / ".download.lock")
    with storage_errors(dataset):
        try:
            lock.acquire(timeout=0)
        except Timeout:  # an OSError too, but not the disk's
            raise GalleryError(
                f"another download into {dataset} is at work; wait for it, or end it"
            ) from None
    try:
        yield
    finally:
        lock.release()
