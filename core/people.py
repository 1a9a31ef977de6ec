"""What the gallery itself says of its actors: names in two languages, gender, country.

From actors.csv beside the photos, or the starter gallery's. Nothing is guessed from a face.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.actors_file import ActorEntry

# Wikidata's words for the item "sex or gender" of a person; others are in "everyone" only.
WOMEN = frozenset(["female", "trans woman", "cisgender woman"])
MEN = frozenset(["male", "trans man", "cisgender man"])
GENDERS = {"women": WOMEN, "men": MEN}


@dataclass(frozen=True)
class Filter:
    """Which actors may be answered; empty fields leave everyone in."""

    gender: str = ""  # "women", "men"
    country: str = ""  # ISO 3166 code


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
