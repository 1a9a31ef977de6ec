"""`dataset/` on disk: actors, their photos, the credits of the photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import GalleryError
from core.files import sha256_of
from core.gallery.credits import CREDITS_FILE, Credit, credit_of, read_credits, readable_name
from core.gallery.folders import (
    HARMLESS,
    PASSED_OVER,
    Contents,
    PassedOver,
    holds_a_picture,
    look_through,
)
from core.gallery.people import name_key
from core.gallery.removals import Removals, load_removals


@dataclass(frozen=True)
class Portrait:
    """One gallery photo of an actor."""

    sha256: str  # of the file's bytes
    file: str | None = None  # "<folder>/<name>" below the dataset, "/" on every system
    credit: Credit | None = None  # None: the owner's own photo
    landmarks: tuple[float, ...] = ()  # x, y of five points, pixels of the upright photo
    crop_hash: str = ""  # of the aligned crop; see core/faces/copies.py

    @property
    def key(self) -> str:
        """By which the page and an index find it."""
        return self.sha256[:16]

    @property
    def hidden(self) -> bool:
        """Downloaded, and without a credit: matched, and never shown."""
        return self.credit is not None and not self.credit.is_given

    def to_json(self) -> dict[str, Any]:
        """As stored in the index and the cache; empty fields are left out."""
        return {key: value for key, value in asdict(self).items() if value not in (None, (), "")}

    @staticmethod
    def from_json(entry: dict[str, Any]) -> Portrait:
        """Inverse of `to_json`; what is no text where one belongs is a TypeError."""
        credit, file = entry.get("credit"), entry.get("file")
        texts = [entry["sha256"], *(credit or {}).values(), *([] if file is None else [file])]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a photo's hash, file and credit are texts")
        return Portrait(
            entry["sha256"],
            file,
            Credit(**credit) if credit else None,
            tuple(map(float, entry.get("landmarks", ()))),
            str(entry.get("crop_hash", "")),
        )


@dataclass(frozen=True)
class GalleryPhoto:
    """A photo file waiting to be enrolled."""

    actor: str
    path: Path
    file: str  # "<folder>/<name>" below the dataset
    credit: Credit | None  # of credits.csv, else of the photo's own EXIF data

    def portrait(self) -> Portrait:
        """Read the file's bytes for their hash."""
        return Portrait(sha256_of(self.path), self.file, self.credit)


def scan_gallery(dataset_dir: Path) -> list[GalleryPhoto]:
    """Photos of `dataset_dir/<Actor name>/*`, by actor and file name; [] if there is none.

    A folder's name is the actor's, normalised to NFC (macOS stores Hangul taken apart) and
    with "\N{REPLACEMENT CHARACTER}" for bytes that are no UTF-8.

    Raises:
        GalleryError: `dataset_dir` is not a folder, or credits.csv cannot be read.
    """
    return photos_of(dataset_dir, look_through(dataset_dir))


def photos_of(dataset_dir: Path, contents: Contents) -> list[GalleryPhoto]:
    """As `scan_gallery`, of a folder that was looked through already."""
    credits = read_credits(dataset_dir / CREDITS_FILE)
    photos = []
    for path in contents.photos:
        file = f"{path.parent.name}/{path.name}"
        credit = credit_of(path, credits.get(readable_name(file)))
        photos.append(GalleryPhoto(readable_name(path.parent.name), path, file, credit))
    return sorted(photos, key=lambda photo: (photo.actor, photo.file))


@dataclass(frozen=True, eq=False)
class Gallery:
    """A dataset folder, read once and handed on."""

    folder: Path
    photos: tuple[GalleryPhoto, ...]  # by actor and file name
    removals: Removals  # people who are not to be matched
    passed_over: tuple[PassedOver, ...] = ()  # what else lies in the folder

    @cached_property
    def listing(self) -> str:
        """Short fingerprint of which files there are, how large they are, and their credits.

        Cheap enough for every start; tells whether an index still belongs to its gallery.
        "" where there are no photos.
        """
        if not self.photos:
            return ""
        lines = [f"{photo.file}\t{_size_of(photo.path)}\t{photo.credit}" for photo in self.photos]
        return sha256_of("\n".join(lines).encode(errors="surrogateescape"))[:16]

    @property
    def twins(self) -> list[list[str]]:
        """Actors whose names look the same."""
        groups: dict[str, list[str]] = {}
        for actor in sorted({photo.actor for photo in self.photos}):
            groups.setdefault(name_key(actor), []).append(actor)
        return [actors for actors in groups.values() if len(actors) > 1]

    @property
    def lost(self) -> tuple[PassedOver, ...]:
        """What was passed over and may be somebody's photos."""
        return tuple(entry for entry in self.passed_over if entry.reason not in HARMLESS)

    @cached_property
    def unseen(self) -> str:
        """Where no photo is found though something was passed over: that, in a sentence's part.

        "" for a folder that is empty but for what a system or a broken-off run left.
        """
        if self.photos:
            return ""
        bins = [entry for entry in self.passed_over if entry.reason == "system"]
        lost = self.lost or [e for e in bins if holds_a_picture(self.folder / e.file)]
        more = f", and {len(lost) - 1} more" if lost[1:] else ""
        return f"{lost[0].file} ({PASSED_OVER[lost[0].reason]}){more}" if lost else ""

    def refuse_unseen(self) -> None:
        """Refuse a folder in which something lies and no photo is found.

        Raises:
            GalleryError: with the first thing that was passed over.
        """
        if self.unseen:
            raise GalleryError(
                f"{self.folder} has no photo of any actor; photos belong into"
                f" {self.folder / '<Actor name>'}/, and what is there is passed over: {self.unseen}"
            )

    def holds_just(self, portraits: Iterable[Portrait]) -> bool:
        """Whether these are all its photos, with the credits they have now."""
        known = {(portrait.file, portrait.credit) for portrait in portraits}
        return known == {(photo.file, photo.credit) for photo in self.photos}


def read_gallery(folder: Path, removals_file: Path) -> Gallery:
    """The gallery of a folder; one that is not there yet has no photos.

    Raises:
        GalleryError: not a folder, or credits.csv or the removals cannot be read.
    """
    removals = load_removals(removals_file)
    if not _is_there(folder):
        return Gallery(folder, (), removals)
    found = look_through(folder)
    return Gallery(folder, tuple(photos_of(folder, found)), removals, found.passed_over)


def _is_there(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:  # a folder above it may not be entered: opening it says so
        return True


def starter_listing(path: Path) -> str:
    """Fingerprint of the starter gallery, which a new version of the app may replace."""
    return sha256_of(path)[:16]


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a link to nowhere: reported as unreadable when it is enrolled
        return -1


def label_of(actor: str, portrait: Portrait) -> str:
    """How messages name a photo: its file, or the actor and the start of its hash."""
    return portrait.file or f"{actor}/{portrait.sha256[:12]}"
