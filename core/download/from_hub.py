"""A gallery from the Hugging Face Hub: a dataset repository in imagefolder shape.

Folders of photos, one per actor, at the top or below a split ("train/Actor/1.jpg"), with
`actors.csv`, and `credits.csv` or `metadata.csv` beside them if their owner keeps them.

What a dataset repository on the Hub has: its photos by actor, told by their very bytes.

What a dataset repository's tables say: who its actors are, and who made its photos.
"""

from __future__ import annotations

import csv
import glob
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import GalleryError, PhotoError, SettingsError
from core.faces.photo import PHOTO_SUFFIXES, read_photo
from core.files import new_file, sha256_of, storage_errors
from core.gallery.credits import (
    CREDITS_FILE,
    Credit,
    credit_of,
    read_credits,
    read_stamp,
    readable_name,
    stamped,
    write_credits,
)
from core.gallery.people import ACTORS_FILE, read_actors, safe_folder, write_actors
from core.gallery.removals import Removals, load_removals
from core.models.hub import ask_in_time, stopped_downloads
from core.settings import Settings

SPLITS = frozenset(["train", "test", "validation", "data"])  # of imagefolder; "data" is common
# As the Hub allows names: letters, digits, "-", "_" and ".", no two of the latter in a row.
REPO = re.compile(r"(?!.*(--|\.\.))\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True)
class HubPhoto:
    """One photo of the repository."""

    path: str  # as the repository has it
    actor: str  # folder it lies in
    size: int | None  # bytes
    sha256: str | None  # of files kept as large files, which pictures mostly are

    @property
    def target(self) -> str:
        """`<folder>/<file>` below the dataset; both are single names, whatever they were.

        Raises:
            GalleryError: nothing is left of one of the names.
        """
        return f"{safe_folder(self.actor)}/{safe_folder(PurePosixPath(self.path).name)}"

    @property
    def origin(self) -> str:
        """What a copy that carries its credit says it was made from."""
        return self.sha256 or f"{self.size} bytes"

    def is_at(self, path: Path) -> bool:
        """Whether a file is this photo: its very bytes, or those with a credit written in."""
        if not path.is_file():
            return False
        same_size = path.stat().st_size == self.size
        if same_size and (self.sha256 is None or sha256_of(path) == self.sha256):
            return True
        stamp = read_stamp(path)
        return stamp is not None and stamp.origin == self.origin


def ask_hub(repo: str, settings: Settings) -> Any:
    """What the Hub has under a name: one try, within `hub_timeout`.

    Raises:
        SettingsError: no repository can be called that.
        HubUnreachableError: offline by setting, no answer, or no such repository.
    """
    from huggingface_hub import HfApi

    if not REPO.fullmatch(repo):
        raise SettingsError("--from-hub takes owner/name, as in the repository's address")
    seconds = settings.hub_timeout
    return ask_in_time(
        lambda: HfApi().dataset_info(repo, timeout=seconds, files_metadata=True),
        seconds,
        lambda error: _refusal(repo, error),
    )


def _refusal(repo: str, error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403, 404):
        return f"the Hub has no dataset {repo} that you may read; check the name, or log in"
    if status is None:
        return f"the Hub did not give {repo} ({type(error).__name__}); check the network"
    return f"the Hub answered {status} for {repo}; try again later"


def photos_of(siblings: Iterable[Any], removals: Removals) -> tuple[list[HubPhoto], dict[str, str]]:
    """Photos in a folder of an actor, each target once; the others' paths with the reason."""
    photos: dict[str, HubPhoto] = {}
    left_out: dict[str, str] = {}
    for sibling in siblings:
        path = sibling.rfilename
        if PurePosixPath(path).suffix.lower() not in PHOTO_SUFFIXES:
            continue
        photo = _photo_of(sibling)
        if photo is None:
            left_out[path] = "not in a folder of an actor"
            continue
        if photo.actor in removals:
            left_out[path] = "removed for good, by removals.json"
            continue
        try:
            target = readable_name(photo.target).casefold()
        except GalleryError as error:
            left_out[path] = str(error)
            continue
        if photos.setdefault(target, photo) is not photo:
            left_out[path] = f"of the same name as {photos[target].path}"
    return list(photos.values()), left_out


def _photo_of(sibling: Any) -> HubPhoto | None:
    """None if it does not lie in a folder of an actor."""
    path, lfs = sibling.rfilename, sibling.lfs
    parts = path.split("/")
    if parts[0] in SPLITS and len(parts) > 2:
        parts = parts[1:]
    if not is_safe(path) or len(parts) != 2:
        return None
    return HubPhoto(path, parts[0], sibling.size, lfs.sha256 if lfs else None)


def is_safe(path: str) -> bool:
    """Whether a repository's path stays below the folder it is put in, and is not hidden."""
    parts = path.split("/")
    return "\\" not in path and all(part and not part.startswith(".") for part in parts)


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
    from core.download.store import only_download

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
        read_photo(staged, settings.photo_limits)
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
