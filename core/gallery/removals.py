"""`removals.json`: people who are not to be matched, honoured whenever an index is made.

    {"schema": 1, "names": ["<SHA-256 of the name>", …, ""]}

The list is committed, so it carries no name: only the hash of each one's normalised name. There
is no salt, since it would stand beside the hashes: whoever knows a name can ask whether it is
listed, nobody can read the names off. The empty text at the end lets any other line be deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import GalleryError
from core.files import DAMAGE, new_file, sha256_of
from core.gallery.people import name_key, safe_folder

SCHEMA = 1
HEX_DIGITS = 64


@dataclass(frozen=True)
class Removals:
    """Who was taken out; `name in removals` asks for a name, however it is written."""

    hashes: frozenset[str] = frozenset()  # of `name_hash`

    def __contains__(self, name: object) -> bool:
        """Whether this person was taken out."""
        return isinstance(name, str) and bool(self.lines_of(name))

    def lines_of(self, name: str) -> list[str]:
        """The hashes by which a name is listed; lists of old had another key."""
        if not self.hashes:
            return []
        return [entry for entry in (name_hash(name), _old_hash(name)) if entry in self.hashes]

    def and_of(self, names: Iterable[str]) -> Removals:
        """These and the people of these names."""
        return Removals(self.hashes | set(map(name_hash, names)))


def name_hash(name: str) -> str:
    """SHA-256 of a name as it looks, however it is spelt (core/gallery/people.py: name_key)."""
    return sha256_of(name_key(name).encode(errors="replace"))


def _old_hash(name: str) -> str:
    """As up to 0.1: of a name as its folder is called (NFC, safe signs), in folded case."""
    with suppress(GalleryError):  # a folder's name that no actor could be given: as it is
        name = safe_folder(name)
    return sha256_of(name.casefold().encode(errors="replace"))


def load_removals(path: Path) -> Removals:
    """The list; an empty one if the file is not there.

    Raises:
        GalleryError: it cannot be read. Going on without it would match people who asked not to be.
    """
    if not path.exists():
        return Removals()
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']}, this version reads {SCHEMA}")
        return Removals(frozenset(_checked(entry) for entry in content["names"] if entry))
    except DAMAGE as error:
        raise GalleryError(
            f"{path} cannot be read ({error}); restore it, so that nobody on it is matched"
        ) from error


def save_removals(removals: Removals, path: Path) -> None:
    """Write the list by rename, one hash a line, so that one can be deleted by hand."""
    content = {"schema": SCHEMA, "names": [*sorted(removals.hashes), ""]}
    with new_file(path, "LOOKALIKE_REMOVALS_FILE") as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _checked(entry: str) -> str:
    if len(entry) != HEX_DIGITS or set(entry) - set("0123456789abcdef"):
        raise ValueError(f"{entry!r} is no SHA-256")
    return entry
