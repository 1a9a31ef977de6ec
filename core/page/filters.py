"""What visitors and callers may choose between, from the gallery's own data."""

from __future__ import annotations

from typing import Any

from core.errors import SettingsError
from core.gallery.people import GENDERS, Filter
from core.lookalike import LookalikeFinder
from core.page.language import Speech

ANYONE = ""  # the value that leaves everyone in
Choices = list[tuple[str, str]]  # words, value


def gender_choices(finder: LookalikeFinder, speech: Speech) -> Choices:
    """Everyone, women, men; everyone alone where the gallery does not tell them apart."""
    found = finder.people.genders(finder.index.actors)
    return [(speech("everyone"), ANYONE), *((speech(word), word) for word in found)]


def country_choices(finder: LookalikeFinder, speech: Speech) -> Choices:
    """All countries, then each by name; all alone where the gallery does not tell them."""
    codes = finder.people.countries(finder.index.actors)
    return [
        (speech("all_countries"), ANYONE),
        *sorted((speech.country(code), code) for code in codes),
    ]


def read_filter(gender: Any, country: Any) -> Filter:
    """The filter that was sent; of a value that is none it lets nobody through.

    Args:
        gender: "women", "men", or nothing.
        country: ISO 3166 code in capitals or not, or nothing.
    """
    return Filter(str(gender or ANYONE).strip().lower(), str(country or ANYONE).strip().upper())


def check_filter(finder: LookalikeFinder, wanted: Filter) -> None:
    """Refuse a filter that this gallery cannot apply.

    Raises:
        SettingsError: with what it can.
    """
    gender, country = wanted.gender, wanted.country
    people, actors = finder.people, finder.index.actors
    if gender and gender not in GENDERS:
        raise SettingsError(f"gender is {gender!r}; set it to women or men, or leave it empty")
    if gender and not people.among(Filter(gender), actors):
        raise SettingsError(f"gender is {gender!r}; this gallery names none of its actors so")
    if country and not people.among(Filter("", country), actors):
        known = ", ".join(sorted(set(_countries(finder)))) or "no countries at all"
        raise SettingsError(f"country is {country!r}; this gallery knows {known}")


def _countries(finder: LookalikeFinder) -> list[str]:
    entries = (finder.people.entries.get(actor) for actor in finder.index.actors)
    return [code for entry in entries if entry for code in entry.country.split()]
