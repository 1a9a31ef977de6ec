"""`actors.csv`: what is known of each actor of the gallery besides the photos."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from core.errors import GalleryError
from core.files import new_file

ACTORS_FILE = "actors.csv"
# Not allowed in a file name on some system; the look-alikes keep the name readable.
STAND_INS = str.maketrans('/\\:*?"<>|', "∕⧵꞉∗？”‹›∣")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
LONGEST_FOLDER = 200  # bytes of UTF-8; file systems allow 255


@dataclass(frozen=True)
class ActorEntry:
    """One row, with empty texts for what is not known."""

    folder: str  # below the dataset; see `safe_folder`
    name: str  # as written, in English where there is an English name
    name_ko: str = ""
    wikidata: str = ""  # "Q…"
    birth_year: str = ""
    gender: str = ""  # as Wikidata has it: "female", "male", …
    country: str = ""  # of citizenship, ISO 3166 codes, joined by a space


COLUMNS = tuple(field.name for field in fields(ActorEntry))


def safe_folder(name: str) -> str:
    """A folder name for any actor's name: one path component, the same on every system.

    Raises:
        GalleryError: nothing of the name is left.
    """
    text = unicodedata.normalize("NFC", name)
    text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs"))
    text = text.translate(STAND_INS).strip(" .")
    if RESERVED.fullmatch(text):
        text = f"{text}_"
    text = text.encode()[:LONGEST_FOLDER].decode(errors="ignore").strip(" .")
    if not text:
        raise GalleryError(f"{name!r} is no name for an actor; use one with a letter in it")
    return text


def read_actors(path: Path) -> dict[str, ActorEntry]:
    """Actors by folder; {} if the file is not there.

    Raises:
        GalleryError: the file cannot be read or lacks the column folder or name.
    """
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [_entry(row) for row in csv.DictReader(stream)]
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise GalleryError(
            f"{path} cannot be read ({error}); it needs the columns {', '.join(COLUMNS)}"
        ) from error
    return {row.folder: row for row in rows}


def write_actors(path: Path, actors: Iterable[ActorEntry]) -> None:
    """Write all actors, by folder, in the place of the old ones."""
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, sorted(actors, key=lambda entry: entry.folder)))


def _entry(row: dict[str, str | None]) -> ActorEntry:
    values = {name: row.get(name) or "" for name in COLUMNS}
    if not values["folder"] or not values["name"]:
        raise ValueError("a row without folder or name")
    return ActorEntry(**values)
