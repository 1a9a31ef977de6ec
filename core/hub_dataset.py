"""A gallery from the Hugging Face Hub: a dataset repository in imagefolder shape.

Folders of photos, one per actor, at the top or below a split ("train/Actor/1.jpg"), with
`actors.csv`, and `credits.csv` or `metadata.csv` beside them if their owner keeps them.
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

from core.actors_file import ACTORS_FILE, read_actors, safe_folder, write_actors
from core.credits import CREDITS_FILE, Credit, read_credits, readable_name, write_credits
from core.errors import GalleryError, PhotoError, SettingsError
from core.gallery import PHOTO_SUFFIXES
from core.hub import ask_in_time, stopped_downloads
from core.photo import read_photo
from core.removals import Removals, load_removals
from core.settings import Settings
from core.storage import sha256_of, storage_errors

SPLITS = frozenset(["train", "test", "validation", "data"])  # of imagefolder; "data" is common
METADATA_FILE = "metadata.csv"  # imagefolder's: a column file_name and any others
TABLES = (ACTORS_FILE, CREDITS_FILE, METADATA_FILE)
# As the Hub allows names: letters, digits, "-", "_" and ".", no two of the latter in a row.
REPO = re.compile(r"(?!.*(--|\.\.))\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)
STAGING = ".from_hub"  # below the dataset: an interrupted download goes on from there
WORKERS = 2  # files at once


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
    result = HubResult(repo, dry_run=dry_run)
    photos = _photos_of(info.siblings or (), load_removals(settings.removals_path), result)
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


def _photos_of(siblings: Iterable[Any], removals: Removals, result: HubResult) -> list[HubPhoto]:
    """Photos in a folder of an actor, each target once; the others are left out with a reason."""
    photos: dict[str, HubPhoto] = {}
    for sibling in siblings:
        path = sibling.rfilename
        if PurePosixPath(path).suffix.lower() not in PHOTO_SUFFIXES:
            continue
        parts = path.split("/")
        if parts[0] in SPLITS and len(parts) > 2:
            parts = parts[1:]
        if not is_safe(path) or len(parts) != 2:
            result.left_out[path] = "not in a folder of an actor"
            continue
        if parts[0] in removals:
            result.left_out[path] = "removed for good, by removals.json"
            continue
        lfs = sibling.lfs
        photo = HubPhoto(path, parts[0], sibling.size, lfs.sha256 if lfs else None)
        try:
            target = readable_name(photo.target).casefold()
        except GalleryError as error:
            result.left_out[path] = str(error)
            continue
        if photos.setdefault(target, photo) is not photo:
            result.left_out[path] = f"of the same name as {photos[target].path}"
    return list(photos.values())


def is_safe(path: str) -> bool:
    """Whether a repository's path stays below the folder it is put in, and is not hidden."""
    parts = path.split("/")
    return "\\" not in path and all(part and not part.startswith(".") for part in parts)


def _missing(photos: Iterable[HubPhoto], dataset: Path) -> list[HubPhoto]:
    """Those whose very bytes are not in their place yet."""
    return [photo for photo in photos if not _is_there(photo, dataset / photo.target)]


def _is_there(photo: HubPhoto, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != photo.size:
        return False
    return photo.sha256 is None or sha256_of(path) == photo.sha256


def _fetch(info: Any, photos: list[HubPhoto], settings: Settings, result: HubResult) -> None:
    """Download what is missing into a staging folder; then rows, credits, and the photos."""
    dataset = settings.dataset_dir
    staging = dataset / STAGING / result.repo.replace("/", "--")
    staging.mkdir(parents=True, exist_ok=True)
    _download(result.repo, info, _missing(photos, dataset), staging)
    _take_actors(staging, dataset, photos)
    taken = _judge(photos, staging, settings, result)
    result.new = _land(taken, dataset)
    shutil.rmtree(dataset / STAGING, ignore_errors=True)


def _judge(
    photos: list[HubPhoto], staging: Path, settings: Settings, result: HubResult
) -> list[tuple[HubPhoto, Path]]:
    """Photos to land, with their staged files; their credits are written before they do."""
    dataset = settings.dataset_dir
    credits = _credits_in(staging, photos)
    known = read_credits(dataset / CREDITS_FILE)
    taken: list[tuple[HubPhoto, Path]] = []
    for photo in photos:
        reason = _fault_of(photo, staging / photo.path, dataset / photo.target, settings)
        if reason:
            result.left_out[photo.path] = reason
            continue
        if (staging / photo.path).is_file():
            taken.append((photo, staging / photo.path))
        if photo.path in credits:
            known[readable_name(photo.target)] = credits[photo.path]
        result.actors.add(safe_folder(photo.actor))
        result.photos += 1
        result.credited += readable_name(photo.target) in known
    if known:
        write_credits(dataset / CREDITS_FILE, known)
    return taken


def _land(taken: Iterable[tuple[HubPhoto, Path]], dataset: Path) -> int:
    count = 0
    for photo, source in taken:
        target = dataset / photo.target
        target.parent.mkdir(exist_ok=True)
        source.replace(target)
        count += 1
    return count


def _fault_of(photo: HubPhoto, staged: Path, target: Path, settings: Settings) -> str:
    """Why a photo is left out: the Hub's client may give back a folder that lacks it."""
    if _is_there(photo, target):
        return ""
    if target.exists():
        return f"another photo is called {photo.target}; it stays"
    if staged.is_symlink() or not staged.is_file():
        return "it was not downloaded; run it again"
    if not _is_there(photo, staged):
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


def _take_actors(staging: Path, dataset: Path, photos: Iterable[HubPhoto]) -> None:
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


def _credits_in(staging: Path, photos: Iterable[HubPhoto]) -> dict[str, Credit]:
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
