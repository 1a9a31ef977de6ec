"""The dataset folder while it is being filled: photos, `actors.csv`, `credits.csv`, `refused.csv`.

A photo lands, by rename, only after its actor's row and its credit are written. What was refused
is remembered, so that nothing is fetched twice.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from core.download.source import SourceActor
from core.errors import GalleryError
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
from core.gallery.folders import is_picture
from core.gallery.people import (
    ACTORS_FILE,
    ActorEntry,
    name_key,
    read_actors,
    safe_folder,
    write_actors,
)

REFUSED_FILE = "refused.csv"
REFUSED_COLUMNS = ("actor", "file", "reason")
TAKEN_OUT = "it was taken out by hand"


class Refusals:
    """Which pictures were refused, and why: lines of `refused.csv`, only ever added to."""

    def __init__(self, dataset: Path) -> None:
        """Read it, without a last line that a power cut broke off.

        Raises:
            GalleryError: it cannot be read.
        """
        self.path = dataset / REFUSED_FILE
        self._reasons: dict[tuple[str, str], str] = {}
        if not self.path.is_file():
            return
        try:
            text = self.path.read_text("utf-8-sig")
        except (OSError, ValueError) as error:
            raise GalleryError(f"{self.path} cannot be read ({error}); delete it") from error
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            with new_file(self.path) as temporary:
                temporary.write_text(whole, "utf-8")
        for row in csv.DictReader(whole.split("\n")):
            self._reasons[row.get("actor") or "", row.get("file") or ""] = row.get("reason") or ""

    def reason_for(self, actor: str, page: str) -> str:
        """Why a picture was refused, by the page that shows it; "" if it was not."""
        return self._reasons.get((actor, page), "")

    def note(self, actor: str, page: str, reason: str) -> None:
        """Remember that a picture was refused."""
        row = (actor, page, " ".join(reason.split()))
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                writer.writerows([row] if file.tell() else [REFUSED_COLUMNS, row])
                file.write(stream.getvalue().encode())
        self._reasons[actor, page] = reason

    def is_searched(self, actor: str, photos: int) -> bool:
        """Whether no more pictures of an actor were found when so many were wanted."""
        return self.reason_for(actor, "") == _searched(photos)

    def note_searched(self, actor: str, photos: int) -> None:
        """Remember that there are no more to find."""
        self.note(actor, "", _searched(photos))


def _searched(photos: int) -> str:
    return f"no more pictures that would do were found; {photos} were wanted"


class Store:
    """The photos by actor, with `actors.csv` and `credits.csv` kept in step."""

    def __init__(self, dataset: Path) -> None:
        """Clear what a killed run left. Only one process may have one: see `only_download`."""
        self.dataset = dataset
        with storage_errors(dataset):
            dataset.mkdir(parents=True, exist_ok=True)
        self.refusals = Refusals(dataset)
        self._forget_missing_photos()

    def folder_of(self, actor: SourceActor) -> str:
        """The folder of an actor, made or not; of two with one name, the second's has the id.

        Raises:
            GalleryError: the owner has a folder of that name, or the name cannot be one.
        """
        rows = read_actors(self.dataset / ACTORS_FILE)
        own = [row.folder for row in rows.values() if row.wikidata == actor.id]
        if own:
            return safe_folder(own[0])
        name = safe_folder(actor.name)
        if _same(name) in {_same(folder) for folder, row in rows.items() if row.wikidata}:
            return safe_folder(f"{actor.name[:60]} ({actor.id})")
        if _same(name) in {_same(path.name) for path in self.dataset.iterdir()}:
            raise GalleryError(f"{name} is a folder of your own; it is left as it is")
        return name

    def photos_in(self, folder: str) -> list[Path]:
        """Photos of a folder, "2.jpg" before "10.jpg"."""
        path = self.dataset / folder
        found = path.iterdir() if path.is_dir() else iter(())
        photos = [file for file in found if is_picture(file) and not file.name.startswith(".")]
        return sorted(photos, key=lambda file: (len(file.name), file.name))

    def pages_in(self, folder: str) -> set[str]:
        """Pages that the photos of a folder came from."""
        credits = read_credits(self.dataset / CREDITS_FILE)
        found = {
            credit_of(photo, credits.get(readable_name(f"{folder}/{photo.name}")))
            for photo in self.photos_in(folder)
        }
        return {credit.source for credit in found if credit}

    def put(self, actor: SourceActor, folder: str, jpeg: bytes, credit: Credit) -> Path:
        """Add a photo under the next free number; it carries its credit too.

        Raises:
            StorageError: the dataset cannot be written.
        """
        numbers = [int(p.stem) for p in self.photos_in(folder) if p.stem.isdecimal()]
        path = self.dataset / folder / f"{max(numbers, default=0) + 1}.jpg"
        self._write_row(
            _row_of(actor, folder)
        )  # before the folder: one without a row is the owner's
        with new_file(path) as temporary:
            temporary.write_bytes(stamped(jpeg, credit))
            credits = read_credits(self.dataset / CREDITS_FILE)
            credits[readable_name(f"{folder}/{path.name}")] = credit
            write_credits(self.dataset / CREDITS_FILE, credits)
        return path

    def _write_row(self, row: ActorEntry) -> None:
        rows = read_actors(self.dataset / ACTORS_FILE)
        if row.folder not in rows:
            write_actors(self.dataset / ACTORS_FILE, [*rows.values(), row])

    def _forget_missing_photos(self) -> None:
        """Drop credits of downloaded photos that are not there.

        What its owner took out is remembered, to stay out; not what a kill kept from landing,
        nor the photos of a folder that is wholly gone.
        """
        unfinished = self._clear_unfinished()
        credits = read_credits(self.dataset / CREDITS_FILE)
        kept = dict(credits)
        for row in read_actors(self.dataset / ACTORS_FILE).values():
            folder = readable_name(row.folder)
            names = [name for name in credits if name.partition("/")[0] == folder]
            there = {readable_name(f"{folder}/{p.name}") for p in self.photos_in(row.folder)}
            for name in set(names) - there if row.wikidata else ():
                page = kept.pop(name).source
                if there and name not in unfinished:
                    self.refusals.note(row.wikidata, page, TAKEN_OUT)
        if len(kept) < len(credits):
            write_credits(self.dataset / CREDITS_FILE, kept)

    def _clear_unfinished(self) -> set[str]:
        """Remove what `new_file` had begun when a run was killed; the photos it was to become."""
        names = set()
        with storage_errors(self.dataset):
            for leftover in (*self.dataset.glob(".*.tmp"), *self.dataset.glob("*/.*.tmp")):
                photo = leftover.name[1:].rsplit(".", 2)[0]
                names.add(readable_name(f"{leftover.parent.name}/{photo}"))
                leftover.unlink()
        return names


def _same(name: str) -> str:
    """Alike for names that look the same, and those that some file systems take for one."""
    return name_key(readable_name(name))


def _row_of(actor: SourceActor, folder: str) -> ActorEntry:
    return ActorEntry(
        folder=folder,
        name=actor.name,
        names=actor.names,
        wikidata=actor.id,
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
