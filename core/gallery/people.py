"""What the gallery itself says of its actors: names by language, gender, country, birth year.

From actors.csv beside the photos, or the starter gallery's: the columns folder and name, then
name_<language>, wikidata, birth_year, gender and country. Nothing is guessed from a face.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from core.errors import GalleryError
from core.files import new_file
from core.gallery.folders import is_system
from core.gallery.tables import Row, read_rows
from core.languages import ENGLISH, LANGUAGES

ACTORS_FILE = "actors.csv"
# Not allowed in a file name on some system; the look-alikes keep the name readable.
STAND_INS = str.maketrans('/\\:*?"<>|', "∕⧵꞉∗？”‹›∣")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # Unicode categories of signs without a shape
BLANKS = str.maketrans(dict.fromkeys("\u2800\u3164\uffa0_", " "))  # look like a space
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5") | {
    *map(chr, range(0x180B, 0x1810)),  # Mongolian selectors
    *map(chr, range(0xFE00, 0xFE10)),  # variation selectors
    *map(chr, range(0xE0100, 0xE01F0)),
}
LONGEST_FOLDER = 200  # bytes of UTF-8; file systems allow 255


@dataclass(frozen=True)
class ActorEntry:
    """One row, with empty texts for what is not known."""

    folder: str  # below the dataset; see `safe_folder`
    name: str  # as written, in English where there is an English name
    names: Mapping[str, str] = field(default_factory=dict)  # in other languages, by their code
    wikidata: str = ""  # "Q…"
    birth_year: str = ""
    gender: str = ""  # as Wikidata has it: "female", "male", …
    country: str = ""  # of citizenship, ISO 3166 codes, joined by a space

    def name_in(self, lang: str) -> str:
        """In one language, as far as it is known."""
        return self.names.get(lang) or self.name


NAME_IN = "name_"  # a column's start; a language's code follows
PLAIN = tuple(entry.name for entry in fields(ActorEntry) if entry.name != "names")
REQUIRED = ("folder", "name")


def safe_folder(name: str) -> str:
    """A folder name for any actor's name: one path component, the same on every system.

    Raises:
        GalleryError: nothing of the name is left, or it is one of a system's own folders.
    """
    text = unicodedata.normalize("NFC", name)
    text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs"))
    text = text.translate(STAND_INS).strip(" .")
    if RESERVED.fullmatch(text):
        text = f"{text}_"
    text = text.encode()[:LONGEST_FOLDER].decode(errors="ignore").strip(" .")
    if not text or is_system(text):
        raise GalleryError(f"{name!r} is no name for an actor; use one with a letter in it")
    return text


def name_key(name: str) -> str:
    """By which two names are the same: as they look, in folded case.

    NFKC, without signs that are not seen (joiners, marks of direction, fillers), and with one
    space for any run of blanks and underscores.
    """
    text = unicodedata.normalize("NFKC", name.translate(BLANKS))
    seen = "".join(
        sign for sign in text
        if sign.isspace() or (unicodedata.category(sign) not in UNSEEN and sign not in FILLERS)
    )  # fmt: skip
    words = re.sub(r"[\s_]+", " ", seen.translate(STAND_INS)).strip(" .")
    return unicodedata.normalize("NFKC", words.casefold())


def read_actors(path: Path) -> dict[str, ActorEntry]:
    """Actors by folder; {} if the file is not there.

    Raises:
        GalleryError: the file cannot be read or lacks the column folder or name.
    """
    if not path.is_file():
        return {}
    return {row.folder: row for row in read_rows(path, REQUIRED, _entry)}


def write_actors(path: Path, actors: Iterable[ActorEntry]) -> None:
    """Write all actors, by folder, in the place of the old ones."""
    rows = sorted(actors, key=lambda entry: entry.folder)
    known = {lang for row in rows for lang in row.names} | set(LANGUAGES)
    names = [NAME_IN + lang for lang in sorted(known - {ENGLISH})]
    columns = [*REQUIRED, *names, *PLAIN[len(REQUIRED) :]]
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_row, rows))


def _row(entry: ActorEntry) -> dict[str, str]:
    names = {NAME_IN + lang: name for lang, name in entry.names.items()}
    return {column: getattr(entry, column) for column in PLAIN} | names


def _entry(row: Row) -> ActorEntry:
    values = {column: (row.get(column) or "").strip() for column in PLAIN}
    if not all(values[column] for column in REQUIRED):
        known = ", ".join(filter(None, values.values()))
        raise ValueError(f"the row of {known[:60]} has no folder or no name; fill it in")
    values["folder"] = unicodedata.normalize("NFC", values["folder"])  # as folders are read
    values |= {"gender": values["gender"].lower(), "country": values["country"].upper()}
    named = ((column or "", name) for column, name in row.items())
    names = {
        column.removeprefix(NAME_IN): name
        for column, name in named
        if column.startswith(NAME_IN) and name
    }
    return ActorEntry(**values, names=names)


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
        return self._entry(actor).name_in(lang)

    def names(self, actor: str) -> dict[str, str]:
        """An actor's known names by the codes of their languages; `name` stands for English."""
        entry = self._entry(actor)
        return {ENGLISH: entry.name, **entry.names}

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
