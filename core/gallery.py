"""`dataset/` on disk: actors, their photos, the credits of the photos."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import GalleryError
from core.storage import sha256_of

PHOTO_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"]
)
CREDITS_FILE = "credits.csv"


@dataclass(frozen=True)
class Credit:
    """Who made a photo and under which licence it may be shown."""

    author: str
    licence: str
    licence_url: str = ""
    source: str = ""  # page the photo came from


@dataclass(frozen=True)
class Portrait:
    """One gallery photo of an actor."""

    sha256: str  # of the file's bytes
    file: str | None = None  # "<folder>/<name>" below the dataset, "/" on every system
    credit: Credit | None = None

    def to_json(self) -> dict[str, Any]:
        """As stored in the index and the cache; empty fields are left out."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @staticmethod
    def from_json(entry: dict[str, Any]) -> Portrait:
        """Inverse of `to_json`."""
        credit = entry.get("credit")
        return Portrait(
            str(entry["sha256"]), entry.get("file"), Credit(**credit) if credit else None
        )


@dataclass(frozen=True)
class GalleryPhoto:
    """A photo file waiting to be enrolled."""

    actor: str
    path: Path
    file: str  # "<folder>/<name>" below the dataset
    credit: Credit | None

    def portrait(self) -> Portrait:
        """Read the file's bytes for their hash."""
        return Portrait(sha256_of(self.path), self.file, self.credit)


def scan_gallery(dataset_dir: Path) -> list[GalleryPhoto]:
    """Photos of `dataset_dir/<Actor name>/*`, by actor and file name; [] if there is none.

    A folder's name is the actor's, normalised to NFC (macOS stores Hangul taken apart).
    Hidden files and folders, and files that do not end like a picture, are passed over.

    Raises:
        GalleryError: `dataset_dir` is not a folder, or credits.csv cannot be read.
    """
    if not dataset_dir.is_dir():
        raise GalleryError(f"{dataset_dir} is not a folder; make it, or name another one")
    credits = _read_credits(dataset_dir / CREDITS_FILE)
    photos = [
        GalleryPhoto(
            actor=unicodedata.normalize("NFC", folder.name),
            path=path,
            file=f"{folder.name}/{path.name}",
            credit=credits.get(unicodedata.normalize("NFC", f"{folder.name}/{path.name}")),
        )
        for folder in dataset_dir.iterdir()
        if folder.is_dir() and not folder.name.startswith(".")
        for path in folder.iterdir()
        if path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".")
    ]
    return sorted(photos, key=lambda photo: (photo.actor, photo.file))


def gallery_listing(photos: list[GalleryPhoto]) -> str:
    """Short fingerprint of which files a gallery has and how large they are.

    Cheap enough for every start; tells whether an index still belongs to its gallery.
    """
    lines = [f"{photo.file}\t{photo.path.stat().st_size}" for photo in photos]
    return sha256_of("\n".join(lines).encode())[:16]


def _read_credits(path: Path) -> dict[str, Credit]:
    """credits.csv: columns file, source, author, licence, licence_url."""
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return {
                unicodedata.normalize("NFC", row["file"]): Credit(
                    row["author"], row["licence"], row["licence_url"] or "", row["source"] or ""
                )
                for row in csv.DictReader(stream)
            }
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise GalleryError(
            f"{path} cannot be read ({error}); it needs the columns"
            " file, source, author, licence, licence_url"
        ) from error
