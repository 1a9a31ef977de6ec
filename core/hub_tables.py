"""What a dataset repository's tables say: who its actors are, and who made its photos."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from core.errors import GalleryError
from core.gallery.credits import CREDITS_FILE, Credit, read_credits, readable_name
from core.gallery.people import ACTORS_FILE, read_actors, safe_folder, write_actors
from core.hub_listing import HubPhoto

METADATA_FILE = "metadata.csv"  # imagefolder's: a column file_name and any others
TABLES = (ACTORS_FILE, CREDITS_FILE, METADATA_FILE)


def take_actors(staging: Path, dataset: Path, photos: Iterable[HubPhoto]) -> None:
    """Rows of the repository's actors.csv for its own actors that have none yet."""
    rows = read_actors(dataset / ACTORS_FILE)
    known = len(rows)
    actors = {photo.actor: safe_folder(photo.actor) for photo in photos}
    for table in _tables(staging, ACTORS_FILE):
        for folder, row in read_actors(table).items():
            if folder in actors:
                rows.setdefault(actors[folder], replace(row, folder=actors[folder]))
    if len(rows) > known:
        write_actors(dataset / ACTORS_FILE, rows.values())


def credits_in(staging: Path, photos: Iterable[HubPhoto]) -> dict[str, Credit]:
    """Credits by the repository's path, from credits.csv or metadata.csv, at the top or lower."""
    found: dict[str, Credit] = {}
    for table in _tables(staging, METADATA_FILE):
        base = table.parent.relative_to(staging).as_posix()
        found |= {_below(base, name): credit for name, credit in _metadata(table).items()}
    for table in _tables(staging, CREDITS_FILE):
        base = table.parent.relative_to(staging).as_posix()
        found |= {_below(base, name): credit for name, credit in read_credits(table).items()}
    by_name = {readable_name(path): credit for path, credit in found.items()}
    credits = {photo.path: by_name.get(readable_name(photo.path)) for photo in photos}
    return {path: credit for path, credit in credits.items() if credit}


def _below(base: str, name: str) -> str:
    return name if base == "." else f"{base}/{name}"


def _tables(staging: Path, name: str) -> list[Path]:
    return sorted(path for path in (staging / name, *staging.glob(f"*/{name}")) if path.is_file())


def _metadata(path: Path) -> dict[str, Credit]:
    """Credits of imagefolder's metadata.csv, where it has an author and a licence."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(stream)]
    except (OSError, ValueError, csv.Error) as error:
        raise GalleryError(f"{path.name} of the repository cannot be read ({error})") from error
    return {
        row["file_name"]: Credit(
            author=row["author"],
            licence=row.get("licence") or row.get("license") or "",
            licence_url=row.get("licence_url") or row.get("license_url") or "",
            source=row.get("source", ""),
            sha1=row.get("sha1", ""),
        )
        for row in rows
        if row.get("file_name") and row.get("author") and (row.get("licence") or row.get("license"))
    }
