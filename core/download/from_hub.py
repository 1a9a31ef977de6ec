"""A gallery from the Hugging Face Hub: a dataset repository in imagefolder shape.

Folders of photos, one per actor, at the top or below a split ("train/Actor/1.jpg"), with
`actors.csv`, and `credits.csv` or `metadata.csv` beside them if their owner keeps them; and with
`actor_index.npz`, so that whoever starts with this gallery need not enrol it.
"""

from __future__ import annotations

import csv
import glob
import shutil
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from core.download.store import only_download
from core.errors import GalleryError, PhotoError, SettingsError
from core.faces.photo import PHOTO_SUFFIXES, read_photo
from core.files import new_file, storage_errors
from core.gallery.credits import (
    CREDITS_FILE,
    Credit,
    read_credits,
    readable_name,
    stamped,
    write_credits,
)
from core.gallery.folders import HARMLESS, PASSED_OVER, look_through
from core.gallery.people import ACTORS_FILE, read_actors, safe_folder, write_actors
from core.gallery.photos import GalleryPhoto, photos_of
from core.gallery.removals import load_removals
from core.models.hub import CHECK_NETWORK, ask_in_time, remedy_of, stopped_downloads
from core.settings import REPO, Settings

STAGING = ".from_hub"  # below the dataset: an interrupted download goes on from there
SPLITS = ("train", "test", "validation", "data")  # of imagefolder; "data" is common
METADATA_FILE = "metadata.csv"  # imagefolder's: a column file_name and any others
INDEX_FILE = "actor_index.npz"
WANTED = [f"*{end}" for end in (ACTORS_FILE, CREDITS_FILE, METADATA_FILE, INDEX_FILE)] + [
    f"*/*{ending}" for suffix in sorted(PHOTO_SUFFIXES) for ending in (suffix, suffix.upper())
]
UNSAFE = [".*", "*/.*", "/*", "*//*"]  # hidden, or leading out of the folder


@dataclass
class HubResult:
    """What came of it."""

    there: int = 0  # photos that were in the dataset already
    new: dict[str, Credit | None] = field(default_factory=dict)  # by "<folder>/<file>"
    left_out: dict[str, str] = field(default_factory=dict)  # the reason, by "<folder>/<file>"

    def summary(self) -> list[str]:
        """Lines: counts; then what was left out, and why."""
        credited = sum(credit is not None and credit.is_given for credit in self.new.values())
        counts = f"{len(self.new)} new, {credited} of them with a credit"
        lines = [f"{self.there + len(self.new)} photos ({counts})"]
        lines += [f"  left out {file}: {why}" for file, why in sorted(self.left_out.items())]
        return lines


def fetch_from_hub(repo: str, settings: Settings) -> HubResult:
    """Bring a repository's photos into the dataset; what is there already stays.

    Raises:
        SettingsError: no repository can be called that.
        HubUnreachableError: offline by setting, no answer, or no such repository.
        GalleryError: it has no folders of photos, or its tables cannot be read.
        StorageError: the dataset cannot be written.
    """
    info = _ask(repo, settings.hub_timeout)
    dataset = settings.dataset_dir
    staging = dataset / STAGING / repo.replace("/", "--")
    result = HubResult()
    with only_download(dataset), storage_errors(dataset):
        new = not dataset.is_dir() or not look_through(dataset).photos
        result.there = _download(repo, info, dataset, staging)
        for root in (staging, *(staging / split for split in SPLITS)):
            if root.is_dir():
                _take_over(root, settings, result)
        if new and (staging / INDEX_FILE).is_file():
            _take_index(staging / INDEX_FILE, settings.index_path)
        shutil.rmtree(dataset / STAGING, ignore_errors=True)
    if not (result.there or result.new or result.left_out):
        raise GalleryError(
            f"{repo} has no folders of photos; arrange it as <Actor>/<photo>.jpg (imagefolder)"
        )
    return result


def is_unfinished(dataset: Path) -> bool:
    """Whether a download into a dataset folder was stopped on the way."""
    return (dataset / STAGING).is_dir()


def _ask(repo: str, seconds: float) -> Any:
    """What the Hub has under a name: one try."""
    from huggingface_hub import HfApi

    if not REPO.fullmatch(repo):
        raise SettingsError(f"{repo!r} is no owner/name, as in a repository's address on the Hub")
    return ask_in_time(
        lambda: HfApi().dataset_info(repo, timeout=seconds),
        seconds,
        lambda error: (
            f"the Hub gave no dataset {repo} that you may read ({type(error).__name__});"
            f" {_remedy(error)}"
        ),
    )


def _remedy(error: Exception) -> str:
    remedy = remedy_of(error)
    if remedy == CHECK_NETWORK:
        return "check the name and the network, or log in"
    return f"check the name, and {remedy}"


def _download(repo: str, info: Any, dataset: Path, staging: Path) -> int:
    """Bring the repository into a staging folder, but for photos in the dataset: how many."""
    from huggingface_hub import snapshot_download

    paths = [sibling.rfilename for sibling in info.siblings or ()]
    wanted = [path for path in paths if _fits(path, WANTED) and not _fits(path, UNSAFE)]
    there = [p for p in wanted if "/" in p and (dataset / "/".join(p.split("/")[-2:])).is_file()]
    with stopped_downloads(repo):
        snapshot_download(
            repo,
            repo_type="dataset",
            revision=info.sha,
            local_dir=staging,
            allow_patterns=WANTED,
            ignore_patterns=UNSAFE + [glob.escape(path) for path in there],
            max_workers=1,
        )
        if not all((staging / path).is_file() for path in set(wanted) - set(there)):
            raise ConnectionError  # the client gives back what there is if the Hub falls silent
    return len(there)


def _fits(path: str, patterns: list[str]) -> bool:
    return any(
        fnmatchcase(path.replace("\\", "/"), pattern) for pattern in patterns
    )  # as the Hub's


def _take_over(root: Path, settings: Settings, result: HubResult) -> None:
    """Photos of one folder of actors: rows and credits first, then the photos."""
    dataset, removals = settings.dataset_dir, load_removals(settings.removals_path)
    metadata = _metadata(root / METADATA_FILE)
    new: dict[str, GalleryPhoto] = {}
    found = look_through(root)
    for entry in found.passed_over:
        is_split = root.parent.name == STAGING and entry.file.partition("/")[0] in SPLITS
        if entry.reason not in HARMLESS and not is_split:
            result.left_out[entry.file] = PASSED_OVER[entry.reason]
    for photo in photos_of(root, found):
        if photo.actor in SPLITS and root.parent.name == STAGING:
            continue
        try:
            if photo.actor in removals:
                raise GalleryError("removed for good, by removals.json")
            read_photo(photo.path, settings.photo_limits)
            file = "/".join(map(safe_folder, photo.file.split("/")))
        except (GalleryError, PhotoError) as error:
            result.left_out[photo.file] = str(error)
            continue
        if (dataset / file).exists():
            result.there += 1
        else:
            credit = photo.credit or metadata.get(readable_name(photo.file))
            new[file] = replace(photo, credit=credit)
    _write_tables(root, dataset, new)
    for file, photo in new.items():
        data = photo.path.read_bytes()
        with new_file(dataset / file) as temporary:
            temporary.write_bytes(stamped(data, photo.credit) if photo.credit else data)
        result.new[file] = photo.credit


def _take_index(source: Path, index: Path) -> None:
    """The start refuses it where it is not this gallery's, as any other."""
    with new_file(index) as temporary:
        shutil.copyfile(source, temporary)


def _write_tables(root: Path, dataset: Path, new: dict[str, GalleryPhoto]) -> None:
    """Credits of new photos, and rows of their actors that have none yet."""
    rows = read_actors(dataset / ACTORS_FILE)
    given = read_actors(root / ACTORS_FILE)
    folders = {photo.path.parent.name: file.partition("/")[0] for file, photo in new.items()}
    for folder in folders.keys() & given.keys():
        rows.setdefault(folders[folder], replace(given[folder], folder=folders[folder]))
    credits = {readable_name(file): photo.credit for file, photo in new.items() if photo.credit}
    if rows:
        write_actors(dataset / ACTORS_FILE, rows.values())
    if credits:
        write_credits(dataset / CREDITS_FILE, read_credits(dataset / CREDITS_FILE) | credits)


def _metadata(path: Path) -> dict[str, Credit]:
    """Credits of imagefolder's metadata.csv, where it has an author and a licence."""
    found = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream, restval=""):
                licence = row.get("licence") or row.get("license") or ""
                url = row.get("licence_url") or row.get("license_url") or ""
                if row.get("author") and licence:
                    credit = Credit(row["author"], licence, url, row.get("source", ""))
                    found[readable_name(row["file_name"])] = credit
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise GalleryError(f"{path.name} of the repository cannot be read ({error})") from error
    return found
