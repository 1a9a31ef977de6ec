"""A gallery from the Hugging Face Hub: a dataset repository in imagefolder shape.

Folders of photos, one per actor, at the top or below a split ("train/Actor/1.jpg"), with
`actors.csv`, and `credits.csv` or `metadata.csv` beside them if their owner keeps them.
"""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import GalleryError, PhotoError
from core.faces.photo import read_photo
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
from core.gallery.people import safe_folder
from core.gallery.removals import load_removals
from core.hub_listing import HubPhoto, ask_hub, is_safe, photos_of
from core.hub_tables import TABLES, credits_in, take_actors
from core.models.hub import stopped_downloads
from core.settings import Settings

STAGING = ".from_hub"  # below the dataset: an interrupted download goes on from there
WORKERS = 2  # files at once


@dataclass
class HubResult:
    """What came of it."""

    repo: str
    actors: set[str] = field(default_factory=set)
    photos: int = 0  # of the repository that are in the dataset now
    new: int = 0  # of them by this run
    credited: int = 0
    left_out: dict[str, str] = field(default_factory=dict)  # reason by path
    dry_run: bool = False

    def summary(self) -> str:
        """Counts; then what was left out, and why."""
        verb = "would be fetched" if self.dry_run else "new"
        lines = [
            f"{self.repo}: {len(self.actors)} actors, {self.photos} photos ({self.new} {verb}),"
            f" {self.credited} with a credit"
        ]
        if self.left_out:
            lines.append(f"left out: {len(self.left_out)} files")
            lines += [f"  {path}: {why}" for path, why in sorted(self.left_out.items())]
        return "\n".join(lines)


def fetch_from_hub(repo: str, settings: Settings, *, dry_run: bool = False) -> HubResult:
    """Bring a repository's photos into the dataset; photos that are there already stay.

    Raises:
        SettingsError: no repository can be called that.
        HubUnreachableError: offline by setting, no answer, or no such repository.
        GalleryError: it has no folders of photos.
        StorageError: the dataset cannot be written.
    """
    from core.shelf import only_download

    info = ask_hub(repo, settings)
    photos, left_out = photos_of(info.siblings or (), load_removals(settings.removals_path))
    result = HubResult(repo, left_out=left_out, dry_run=dry_run)
    if not photos:
        raise GalleryError(
            f"{repo} has no folders of photos; arrange it as <Actor>/<photo>.jpg (imagefolder)"
        )
    if dry_run:
        missing = _missing(photos, settings.dataset_dir)
        result.actors = {safe_folder(photo.actor) for photo in photos}
        result.photos, result.new = len(photos), len(missing)
        return result
    with only_download(settings.dataset_dir), storage_errors(settings.dataset_dir):
        _fetch(info, photos, settings, result)
    return result


def _missing(photos: Iterable[HubPhoto], dataset: Path) -> list[HubPhoto]:
    return [photo for photo in photos if not photo.is_at(dataset / photo.target)]


def _fetch(info: Any, photos: list[HubPhoto], settings: Settings, result: HubResult) -> None:
    """Download what is missing into a staging folder; then rows, credits, and the photos."""
    dataset = settings.dataset_dir
    staging = dataset / STAGING / result.repo.replace("/", "--")
    staging.mkdir(parents=True, exist_ok=True)
    _download(result.repo, info, _missing(photos, dataset), staging)
    take_actors(staging, dataset, photos)
    credits = read_credits(dataset / CREDITS_FILE)
    taken = _judge(photos, staging, settings, result, credits)
    if credits:
        write_credits(dataset / CREDITS_FILE, credits)
    for photo in taken:
        _land(photo, staging / photo.path, dataset / photo.target, credits)
    result.new = len(taken)
    shutil.rmtree(dataset / STAGING, ignore_errors=True)


def _judge(
    photos: list[HubPhoto],
    staging: Path,
    settings: Settings,
    result: HubResult,
    credits: dict[str, Credit],
) -> list[HubPhoto]:
    """Photos to land, those left out being noted; adds what is new to the dataset's credits.

    The credit of a photo that is there already stays: its owner may have corrected it.
    """
    theirs = credits_in(staging, photos)
    taken: list[HubPhoto] = []
    for photo in photos:
        staged, place = staging / photo.path, settings.dataset_dir / photo.target
        reason = _fault_of(photo, staged, place, settings)
        if reason:
            result.left_out[photo.path] = reason
            continue
        name, is_new = readable_name(photo.target), staged.is_file()
        rows = [credits.get(name), theirs.get(photo.path)]
        row = next((row for row in (rows[::-1] if is_new else rows) if row and row.is_given), None)
        credit = credit_of(staged if is_new else place, row or theirs.get(photo.path))
        if credit is not None:
            credits[name] = credit
        if is_new:
            taken.append(photo)
        result.actors.add(safe_folder(photo.actor))
        result.photos += 1
        result.credited += credit is not None and credit.is_given
    return taken


def _land(photo: HubPhoto, staged: Path, place: Path, credits: dict[str, Credit]) -> None:
    """Put a photo in its place; one with a credit carries it from now on."""
    credit = credits.get(readable_name(photo.target))
    place.parent.mkdir(exist_ok=True)
    if credit is None:
        staged.replace(place)
        return
    with new_file(place) as temporary:
        temporary.write_bytes(stamped(staged.read_bytes(), credit, photo.origin))
    staged.unlink()


def _fault_of(photo: HubPhoto, staged: Path, place: Path, settings: Settings) -> str:
    """Why a photo is left out: the Hub's client may give back a folder that lacks it."""
    if photo.is_at(place):
        return ""
    if place.exists():
        return f"another photo is called {photo.target}; it stays"
    if staged.is_symlink() or not staged.is_file():
        return "it was not downloaded; run it again"
    if not photo.is_at(staged):
        return "it is not what the Hub says it has; run it again"
    try:
        read_photo(staged, settings)
    except PhotoError as error:
        return f"it cannot be read as a picture ({error.code})"
    return ""


def _download(repo: str, info: Any, missing: list[HubPhoto], staging: Path) -> None:
    from huggingface_hub import snapshot_download

    folders = {str(PurePosixPath(photo.path).parent) for photo in missing}
    wanted = [f"{glob.escape(folder)}/*" for folder in sorted(folders)]
    wanted += [name for table in TABLES for name in (table, f"*/{table}")]
    paths = [sibling.rfilename for sibling in info.siblings]
    unsafe = [glob.escape(path) for path in paths if not is_safe(path)]
    with stopped_downloads(repo):
        snapshot_download(
            repo,
            repo_type="dataset",
            revision=info.sha,
            local_dir=staging,
            allow_patterns=wanted,
            ignore_patterns=unsafe,
            max_workers=WORKERS,
        )
