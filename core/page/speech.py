"""The page's voice in one language: its words, numbers, dates, names of people and countries."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from core.lookalike import LookalikeFinder
from core.models.packs import get_pack
from core.page.words_en import ENGLISH, GRADIO_ENGLISH
from core.page.words_ko import GRADIO_KOREAN, KOREAN

WORDS: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "ko": KOREAN}
GRADIO_WORDS = {"en": GRADIO_ENGLISH, "ko": GRADIO_KOREAN}
DEFAULT = "en"


@dataclass(frozen=True)
class Speech:
    """One language."""

    lang: str
    known: Mapping[str, str]  # what the words may name: the gallery's size, the model, limits

    def __call__(self, key: str, **values: object) -> str:
        """The words for a key, with the values they name."""
        return WORDS[self.lang][key].format(**{**self.known, **values})

    def score(self, score: float) -> str:
        """Such as 87.3."""
        return format_decimal(score, "0.0", locale=self.lang)

    def similarity(self, similarity: float) -> str:
        """Such as 0.412."""
        return format_decimal(similarity, "0.000", locale=self.lang)

    def country(self, code: str) -> str:
        """A country's name; its code where it has none."""
        return str(Locale(self.lang).territories.get(code, code))


def speeches(finder: LookalikeFinder) -> dict[str, Speech]:
    """Every language the page speaks, about this finder's gallery and model."""
    return {lang: Speech(lang, _known(finder, lang)) for lang in WORDS}


def visitor_language(wanted: str | None, accept_language: str | None) -> str:
    """The language asked for, else the first of the browser's that the page speaks, else "en".

    Args:
        wanted: of the page's address, `?lang=ko`.
        accept_language: the HTTP header.
    """
    for entry in (wanted or "", *(accept_language or "").split(",")):
        tag = entry.split(";")[0].strip().lower().split("-")[0]
        if tag in WORDS:
            return tag
    return DEFAULT


def banners(finder: LookalikeFinder) -> list[str]:
    """What a visitor should know of this gallery and model, as keys of the words."""
    if finder.notice:
        return ["fallback"]
    if finder.index.info.source == "starter":
        return ["starter"]
    return ["embedded"] if finder.engine.pack.name == "sface" else []


def _known(finder: LookalikeFinder, lang: str) -> dict[str, str]:
    info, settings = finder.index.info, finder.settings
    pack = get_pack(info.pack, settings)
    built = datetime.date.fromisoformat(info.built[:10])
    return {
        "actors": format_decimal(len(finder.index.actors), locale=lang),
        "portraits": format_decimal(len(finder.index.portraits), locale=lang),
        "built": format_date(built, "long", locale=lang),
        "model": pack.title,
        "licence": pack.recogniser.licence,
        "seconds": str(settings.photo_seconds),
        "megabytes": format_decimal(settings.max_megabytes, locale=lang),
        "megapixels": format_decimal(settings.max_megapixels, locale=lang),
    }
