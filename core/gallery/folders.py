"""What lies in a dataset folder: the actors' photos, and what is passed over, with the reason.

A photo is what is called like one, or what is one by its content, whatever it is called. Hidden
files and folders are nobody's business and are not told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from core.errors import GalleryError
from core.faces.photo import DECODER_FAULTS, FORMATS, PHOTO_SUFFIXES

# Why something is passed over, in words for people.
PASSED_OVER = {
    "loose": "beside the actors' folders; put it into <Actor name>/",
    "too_deep": "no photo of its own, only folders; move them up, or name it as the dataset folder",
    "subfolder": "a folder inside an actor's; move its photos up",
    "dangling": "a link to nowhere; mount what it leads to, or delete it",
    "not_opened": "may not be opened; let the user who runs this read it",
    "archive": "an archive; unpack it",
    "no_picture": "no picture of a kind that is read",
    "empty": "a folder without a photo",
    "system": "a system's own",
}
HARMLESS = ("empty", "system")  # nobody's photo is lost by these
ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
# What systems and their tools leave in folders: bins, previews, snapshots, other forks of a file.
SYSTEM = re.compile(
    r"[#@~]recycle|recycle[rd]|[#@~]snapshots?|\$recycle\.bin|\$extend|system volume information"
    r"|lost\+found|lost\.dir|found\.\d{3}|__macosx|__pycache__|@eadir|@tmp|@sharebin|@__thumb"
    r"|@recently-snapshot|@synoresource|network trash folder|temporary ?items"
    r"|msocache|thumbs\.db(:.*)?|ehthumbs(_vista)?\.db|desktop\.ini|icon[\r\uf00d]|picasa\.ini"
    r"|\.(ds_store|appledouble|trash(es|-.+)?|spotlight-v100|fseventsd|temporaryitems|@__thumb"
    r"|documentrevisions-v100|thumbnails|picasa\.ini|directory|nfs[0-9a-f]{8,})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PassedOver:
    """A file or folder of which nothing is matched."""

    file: str  # below the dataset, "/" on every system
    reason: str  # a key of PASSED_OVER


@dataclass(frozen=True)
class Contents:
    """What was found in a dataset folder."""

    photos: tuple[Path, ...]  # <dataset>/<actor>/<file>
    passed_over: tuple[PassedOver, ...]  # by reason, then name


def is_system(name: str) -> bool:
    """Whether a file or folder is a system's own, by its name."""
    return SYSTEM.fullmatch(name) is not None


def is_picture(path: Path) -> bool:
    """Whether a file is a picture of a kind that is read: by its name, else by its first bytes."""
    called_so = path.suffix.lower() in PHOTO_SUFFIXES
    try:
        if not path.is_file():  # a pipe would never end
            return called_so and _is_dangling(path)  # who reads it tells
        if called_so:
            return True
        with Image.open(path, formats=FORMATS):
            return True
    except Image.DecompressionBombError:
        return True
    except PermissionError:
        return called_so
    except (UnidentifiedImageError, *DECODER_FAULTS):
        return False


def look_through(dataset: Path) -> Contents:
    """The photos of `dataset/<Actor name>/*`, and what else lies there.

    Only files that are not called like a photo are opened.

    Raises:
        GalleryError: it is no folder, or may not be opened.
    """
    try:
        entries = sorted(dataset.iterdir())
    except (NotADirectoryError, FileNotFoundError):
        raise GalleryError(f"{dataset} is not a folder; make it, or name another one") from None
    except OSError as error:
        raise GalleryError(
            f"{dataset} cannot be opened: {error.strerror or error}; let the user who runs this"
            " read it, or name another folder"
        ) from error
    photos: list[Path] = []
    passed: list[tuple[Path, str]] = []
    for entry in _of_people(entries, passed):
        if _is_folder(entry):
            found, left = _in_folder(entry)
            photos += found
            passed += left
        elif reason := _loose(entry):
            passed.append((entry, reason))
    order = list(PASSED_OVER)
    told = [PassedOver(path.relative_to(dataset).as_posix(), reason) for path, reason in passed]
    told.sort(key=lambda entry: (order.index(entry.reason), entry.file))
    return Contents(tuple(photos), tuple(told))


def _in_folder(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """An actor's photos, and what else lies in the folder."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return [], [(folder, "not_opened")]
    photos: list[Path] = []
    folders: list[Path] = []
    passed: list[tuple[Path, str]] = []
    for entry in _of_people(entries, passed):
        if is_picture(entry):
            photos.append(entry)
        elif _is_folder(entry):
            folders.append(entry)
        else:
            passed.append((entry, "dangling" if _is_dangling(entry) else "no_picture"))
    if folders and not photos:
        passed.append((folder, "too_deep"))
    else:
        passed += [(entry, "subfolder") for entry in folders]
    return photos, passed if photos or passed else [(folder, "empty")]


def _of_people(entries: Iterable[Path], passed: list[tuple[Path, str]]) -> Iterator[Path]:
    """What is neither hidden nor a system's own; the latter is noted as passed over."""
    for entry in entries:
        if is_system(entry.name):
            passed.append((entry, "system"))
        elif not entry.name.startswith("."):
            yield entry


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # not even that may be asked
        return False


def _is_dangling(path: Path) -> bool:
    try:
        return path.is_symlink() and not path.exists()
    except OSError:
        return False


def _loose(path: Path) -> str:
    """Why a file beside the folders is passed over; "" for what has its place there."""
    if is_picture(path):
        return "loose"
    if _is_dangling(path):
        return "dangling"
    return "archive" if path.suffix.lower() in ARCHIVES else ""


def told(passed_over: Iterable[PassedOver]) -> Iterator[tuple[str, list[str]]]:
    """What was passed over by reason, in words; a system's own by name and number."""
    by_reason: dict[str, list[str]] = {}
    for entry in passed_over:
        by_reason.setdefault(entry.reason, []).append(entry.file)
    for reason, files in by_reason.items():
        yield PASSED_OVER[reason], _names(files) if reason == "system" else files


def _names(files: list[str]) -> list[str]:
    names = [file.rpartition("/")[2] for file in files]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return [name if count == 1 else f"{name} ({count})" for name, count in counts.items()]


def holds_a_picture(folder: Path) -> bool:
    """Whether there is one anywhere below a folder; what may not be opened has none."""
    return any(
        is_picture(Path(place) / name) for place, _, names in os.walk(folder) for name in names
    )
