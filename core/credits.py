"""`credits.csv`: who made each photo of the gallery, and under which licence it may be shown."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import GalleryError
from core.files import new_file

CREDITS_FILE = "credits.csv"
COLUMNS = ("file", "source", "author", "licence", "licence_url", "sha1")


@dataclass(frozen=True)
class Credit:
    """Who made a photo and under which licence it may be shown."""

    author: str
    licence: str
    licence_url: str = ""
    source: str = ""  # page the photo came from
    sha1: str = ""  # of the original, as its source publishes it

    @property
    def is_given(self) -> bool:
        """Whether it names anybody, or a licence."""
        return bool(self.author or self.licence)


def readable_name(name: str) -> str:
    """A file's or folder's name as text: NFC, and a replacement for bytes that are no UTF-8."""
    text = name.encode(errors="surrogateescape").decode(errors="replace")
    return unicodedata.normalize("NFC", text)


def read_credits(path: Path) -> dict[str, Credit]:
    """Credits by "<folder>/<file>"; {} if the file is not there.

    Columns file, source, author, licence, licence_url, and sha1 if it is known.

    Raises:
        GalleryError: a column is missing, or a row is cut short.
    """
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return dict(_credit_of(row) for row in csv.DictReader(stream))
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise GalleryError(
            f"{path} cannot be read ({error}); it needs the columns"
            " file, source, author, licence, licence_url"
        ) from error


def write_credits(path: Path, credits: Mapping[str, Credit]) -> None:
    """Write all credits, by file, in the place of the old ones."""
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({"file": file, **vars(credit)} for file, credit in sorted(credits.items()))


def _credit_of(row: dict[str, str | None]) -> tuple[str, Credit]:
    file, author, licence = row["file"], row["author"], row["licence"]
    if file is None or author is None or licence is None:
        raise ValueError(f"the row of {file or author or licence} is cut short")
    credit = Credit(
        author, licence, row["licence_url"] or "", row["source"] or "", row.get("sha1") or ""
    )
    return readable_name(file), credit
