"""What a dataset repository on the Hub has: its photos by actor, told by their very bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import GalleryError, SettingsError
from core.files import sha256_of
from core.gallery.credits import read_stamp, readable_name
from core.gallery.people import safe_folder
from core.gallery.photos import PHOTO_SUFFIXES
from core.gallery.removals import Removals
from core.models.hub import ask_in_time
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
