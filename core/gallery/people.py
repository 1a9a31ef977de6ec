"""What the gallery itself says of its actors: names in two languages, gender, country.

From actors.csv beside the photos, or the starter gallery's. Nothing is guessed from a face.

`actors.csv`: what is known of each actor of the gallery besides the photos.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
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


# Wikidata's words for the item "sex or gender" of a person; others are in "everyone" only.
WOMEN = frozenset(["female", "trans woman", "cisgender woman"])
MEN = frozenset(["male", "trans man", "cisgender man"])
GENDERS = {"women": WOMEN, "men": MEN}


@dataclass(frozen=True)
class Filter:
    """Which actors may be answered; empty fields leave everyone in."""

    gender: str = ""  # "women", "men"
    country: str = ""  # ISO 3166 code


EVERYONE = Filter()


@dataclass(frozen=True)
class People:
    """The actors of one gallery, by the names of their folders."""

    entries: Mapping[str, ActorEntry]

    def name(self, actor: str, lang: str) -> str:
        """An actor's name in a visitor's language, as far as it is known."""
        entry = self.entries.get(actor)
        if entry is None:
            return actor
        return (lang == "ko" and entry.name_ko) or entry.name

    def among(self, wanted: Filter, actors: Iterable[str]) -> frozenset[str] | None:
        """The actors that pass a filter; None where it leaves everyone in."""
        if not wanted.gender and not wanted.country:
            return None
        return frozenset(name for name in actors if self._passes(name, wanted))

    def genders(self, actors: Iterable[str]) -> tuple[str, ...]:
        """Women and men, to choose between; () where the gallery does not tell both."""
        known = [self._entry(name).gender for name in actors]
        found = tuple(word for word, words in GENDERS.items() if words & set(known))
        return found if len(found) == len(GENDERS) else ()

    def countries(self, actors: Iterable[str]) -> tuple[str, ...]:
        """ISO codes, most actors first; () where there are not two to choose between.

        A country with a single actor is no choice.
        """
        counts = Counter(code for name in actors for code in self._entry(name).country.split())
        codes = [code for code, count in counts.items() if count > 1]
        return tuple(sorted(codes, key=lambda code: (-counts[code], code))) if codes[1:] else ()

    def _entry(self, actor: str) -> ActorEntry:
        return self.entries.get(actor) or ActorEntry(actor, actor)

    def _passes(self, actor: str, wanted: Filter) -> bool:
        entry = self._entry(actor)
        fits = not wanted.gender or entry.gender in GENDERS.get(wanted.gender, ())
        return fits and (not wanted.country or wanted.country in entry.country.split())
