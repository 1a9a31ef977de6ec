"""The page's voice in one language: its words, numbers, dates, names of people and countries.

What visitors may choose between, from the gallery's own data.

What every part of the page asks of one finder, in one language.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from core.faces.quality import COACHING_TEXT, NO_FACE_TIPS
from core.index.actor_index import Match
from core.index.verdict import Verdict
from core.lookalike import LookalikeFinder
from core.models.packs import get_pack
from core.page.portraits import PortraitPictures, Size
from core.page.words.en import ENGLISH, GRADIO_ENGLISH
from core.page.words.ko import GRADIO_KOREAN, KOREAN

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

    def html(self, key: str, **values: object) -> Markup:
        """The same as HTML, in which values that are `Markup` stay HTML."""
        return Markup(escape(WORDS[self.lang][key])).format(**{**self.known, **values})  # noqa: S704

    def tips(self, codes: Iterable[str]) -> list[str]:
        """What a better photo would change, of the codes that have words."""
        texts = COACHING_TEXT[self.lang]
        return [texts[code] for code in codes if code in texts]

    def no_face_tips(self) -> tuple[str, ...]:
        """What to do about a photo without a face."""
        return NO_FACE_TIPS[self.lang]

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


@dataclass(frozen=True, eq=False)
class View:
    """One finder's answers in words of one language."""

    finder: LookalikeFinder
    pictures: PortraitPictures
    speech: Speech

    def name(self, match: Match) -> str:
        """The actor's name in the visitor's language."""
        return self.finder.people.name(match.actor, self.speech.lang)

    def has_picture(self, match: Match) -> bool:
        """Whether the match's portrait can be shown."""
        return self.finder.portrait_path(match.portrait) is not None

    def address(self, match: Match, size: Size) -> str | None:
        """Where the page finds the match's portrait; None where there is none to show."""
        return self.pictures.address(match.portrait, size)

    def sentence(self, verdict: Verdict, match: Match, rank: int) -> str:
        """The true sentence of a match; the verdict on the face is the first match's."""
        if rank == 1:
            return self.speech(verdict.key, share=verdict.share)
        if match.score is None:
            return self.speech("no_score")
        share = int(match.score)
        return self.speech("meaning" if share else "meaning_low", share=share)

    def points(self, match: Match) -> str | None:
        """Its score as shown; None where the gallery is too small for one."""
        return None if match.score is None else self.speech.score(match.score)
