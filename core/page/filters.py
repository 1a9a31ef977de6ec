"""What visitors may choose between, from the gallery's own data."""

from __future__ import annotations

from core.lookalike import LookalikeFinder
from core.page.speech import Speech

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
