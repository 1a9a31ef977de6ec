"""The page in one language: its words, numbers, dates, names, and what may be chosen between."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from core.errors import SettingsError
from core.faces.parts import Part
from core.gallery.people import GENDERS, Filter
from core.index.actor_index import Match
from core.index.verdict import Verdict, meaning_of
from core.lookalike import LookalikeFinder
from core.models.install import WITHOUT_SECOND
from core.models.packs import whole_of
from core.page.arguments import shown
from core.page.portraits import PortraitPictures, Size
from core.page.words import Words, page_languages, words_of


@dataclass(frozen=True)
class Speech:
    """One language."""

    lang: str
    words: Words
    known: Mapping[str, str]  # what the words may name: the gallery's size, the model, limits

    def __call__(self, key: str, **values: object) -> str:
        """The words for a key, with the values they name."""
        return self.words.words[key].format(**{**self.known, **values})

    def html(self, key: str, **values: object) -> Markup:
        """The same as HTML, in which values that are `Markup` stay HTML."""
        words = Markup(escape(self.words.words[key]))  # noqa: S704 - escaped # nosec B704
        return words.format(**{**self.known, **values})  # escapes what is no Markup

    def tips(self, codes: Iterable[str]) -> list[str]:
        """What a better photo would change, of the codes that have words."""
        texts = self.words.coaching
        return [texts[code] for code in codes if code in texts]

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
    return {lang: Speech(lang, words_of(lang), _known(finder, lang)) for lang in page_languages()}


def visitor_language(wanted: str | None, accept_language: str | None) -> str:
    """The language asked for, else the browser's first that the page speaks, else its default.

    Args:
        wanted: of the page's address, `?lang=ko`.
        accept_language: the HTTP header.
    """
    for entry in (wanted or "", *(accept_language or "").split(",")):
        tag = entry.split(";")[0].strip().lower().split("-")[0]
        if tag in page_languages():
            return tag
    return page_languages()[0]


def banners(finder: LookalikeFinder) -> list[str]:
    """What a visitor should know of this gallery and model, as keys of the words."""
    pack = finder.engine.pack
    alone = [] if pack.alone else ["alone"]
    if finder.notice not in (None, WITHOUT_SECOND):
        return ["fallback", *alone]
    if finder.index.info.source == "starter":
        return [*alone, "starter"]
    return [*alone, "embedded"] if (whole_of(pack) or pack).name == "sface" else alone


def _known(finder: LookalikeFinder, lang: str) -> dict[str, str]:
    info, settings = finder.index.info, finder.settings
    pack = finder.engine.pack
    built = datetime.date.fromisoformat(info.built[:10])
    return {
        "actors": format_decimal(len(finder.index.actors), locale=lang),
        "portraits": format_decimal(int(finder.index.portrait_counts.sum()), locale=lang),
        "built": format_date(built, "long", locale=lang),
        "model": pack.title,
        "licence": ", ".join(network.weights.licence for network in pack.networks),
        "seconds": str(settings.photo_seconds),
        "megabytes": format_decimal(settings.max_megabytes, locale=lang),
        "megapixels": format_decimal(settings.max_megapixels, locale=lang),
    }


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
        return self.speech(meaning_of(share), share=share)

    def alike(self, told: Sequence[Part]) -> str:
        """Which parts carry a likeness; that none stands out, if none is told."""
        if not told:
            return self.speech("alike_whole")
        *others, last = told
        words = [*(f"alike_{part}_and" for part in others), f"alike_{last}"]
        return self.speech("alike_parts", parts=" ".join(map(self.speech, words)))

    def points(self, match: Match) -> str | None:
        """Its score as shown; None where the gallery is too small for one."""
        return None if match.score is None else self.speech.score(match.score)


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
        raise SettingsError(f"gender is {shown(gender)}; set it to women or men, or leave it empty")
    if gender and not people.among(Filter(gender), actors):
        raise SettingsError(f"gender is {shown(gender)}; this gallery names none of its actors so")
    if country and not people.among(Filter("", country), actors):
        known = ", ".join(sorted(set(_countries(finder)))) or "no countries at all"
        raise SettingsError(f"country is {shown(country)}; this gallery knows {known}")


def _countries(finder: LookalikeFinder) -> list[str]:
    entries = (finder.people.entries.get(actor) for actor in finder.index.actors)
    return [code for entry in entries if entry for code in entry.country.split()]
