"""Who the actors are: Wikidata's query service, most widely known first.

The public service ends a query after 60 s, and ordering every actor may take longer. So actors are
asked for in bands, by how many Wikipedias have an article on them, and what is known of each in
small queries of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from core.download.http import WebClient
from core.download.source import SourceActor
from core.errors import BusyError, SettingsError, SourceError
from core.languages import ENGLISH, LANGUAGES
from core.log import log

# Least sitelinks of each band; of a band that takes too long, half is asked for.
BANDS = (120, 80, 50, 30, 20, 14, 10, 7, 5, 3, 2, 1, 0)
SHORTER = 4  # bands in a row that may fail, each half as wide; then it is not the width
ATTEMPTS = 2  # at one band: what takes too long takes too long again
DETAILS = 100  # actors a query
RESULTS = "application/sparql-results+json"
ENTITY = re.compile(r"https?://www\.wikidata\.org/entity/(Q\d+)")
FILE_PATH = "/wiki/Special:FilePath/"  # how Wikidata writes the name of a file on Commons
COUNTRY = re.compile(r"[A-Z]{2}")  # ISO 3166-1 alpha-2, as P297 has it

MUL = "mul"  # where Wikidata keeps a name that is written alike in many languages

# Wikidata's own service knows these; its mirrors need not.
PREFIXES = """\
PREFIX wd: <http://www.wikidata.org/entity/>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
PREFIX wikibase: <http://wikiba.se/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""

# Q5 human; Q33999 actor, Q10800557 film actor, Q10798782 television actor; P18 image.
BAND_QUERY = """\
SELECT DISTINCT ?actor ?sitelinks WHERE {
  VALUES ?occupation { wd:Q33999 wd:Q10800557 wd:Q10798782 }
  ?actor wdt:P106 ?occupation ;
         wdt:P31 wd:Q5 ;
         wikibase:sitelinks ?sitelinks .
  FILTER(%(range)s)
  FILTER EXISTS { ?actor wdt:P18 [] }
  %(countries)s
}
"""

# One row for every combination of image and country, merged in `_merged`.
DETAIL_QUERY = """\
SELECT ?actor ?image %(labels)s ?iso ?category ?birth ?gender WHERE {
  VALUES ?actor { %(actors)s }
  ?actor wdt:P18 ?image .
%(names)s
  OPTIONAL { ?actor wdt:P27/wdt:P297 ?iso . }
  OPTIONAL { ?actor wdt:P373 ?category . }
  OPTIONAL { ?actor wdt:P569 ?birth . }
  OPTIONAL { ?actor wdt:P21/rdfs:label ?gender . FILTER(LANG(?gender) = "en") }
}
ORDER BY ?image
"""


@dataclass(frozen=True)
class Band:
    """The actors with so many sitelinks."""

    low: int
    end: int | None = None  # above the highest; None: there is no highest

    def condition(self) -> str:
        """In SPARQL."""
        lower = f"?sitelinks >= {self.low}"
        return lower if self.end is None else f"{lower} && ?sitelinks < {self.end}"

    def halves(self) -> tuple[Band, ...]:
        """The upper first; () of one number of sitelinks."""
        middle = 2 * self.low if self.end is None else (self.low + self.end) // 2
        return () if middle == self.low else (Band(middle, self.end), Band(self.low, middle))


def bands() -> list[Band]:
    """From the most widely known to everyone."""
    return [Band(BANDS[0]), *(Band(low, end) for end, low in pairwise(BANDS))]


def band_query(band: Band, countries: Sequence[str] = ()) -> str:
    """The SPARQL text that finds a band's actors.

    Raises:
        SettingsError: a country that is no two-letter code.
    """
    for code in countries:
        if not COUNTRY.fullmatch(code):
            raise SettingsError(f"{code!r} is no country; give ISO codes as in KR,US")
    codes = " ".join(f'"{code}"' for code in countries)
    clause = f"VALUES ?wanted {{ {codes} }} ?actor wdt:P27/wdt:P297 ?wanted ." if codes else ""
    return PREFIXES + BAND_QUERY % {"range": band.condition(), "countries": clause}


def detail_query(actors: Sequence[str]) -> str:
    """The SPARQL text that asks what is known of actors, given as Q…."""
    return PREFIXES + DETAIL_QUERY % {
        "actors": " ".join(f"wd:{actor}" for actor in actors),
        "labels": " ".join(f"?{lang}" for lang in (*LANGUAGES, MUL)),
        "names": "\n".join(map(_name_clause, (*LANGUAGES, MUL))),
    }


def _name_clause(lang: str) -> str:
    return f'  OPTIONAL {{ ?actor rdfs:label ?{lang} . FILTER(LANG(?{lang}) = "{lang}") }}'


def find_actors(
    client: WebClient, url: str, countries: Sequence[str] = ()
) -> Iterator[SourceActor]:
    """Actors with a picture, most widely known first, each once; asked for as they are needed.

    Args:
        client: asks.
        url: of the query service.
        countries: of citizenship, ISO 3166-1 alpha-2; none means all.

    Raises:
        SourceError: the query service does not answer, or not with what it documents.
    """
    seen: set[str] = set()
    for found in _ids_by_band(client, url, countries):
        new = [actor for actor in found if actor not in seen]  # ranks may move between two bands
        seen.update(new)
        for start in range(0, len(new), DETAILS):
            some = new[start : start + DETAILS]
            known = {actor.id: actor for actor in _merged(_rows(client, url, detail_query(some)))}
            yield from (known[actor] for actor in some if actor in known)


def _ids_by_band(client: WebClient, url: str, countries: Sequence[str]) -> Iterator[list[str]]:
    """Q… of each band, the most widely known first."""
    waiting, failed = bands()[::-1], 0
    while waiting:
        band = waiting.pop()
        try:
            rows = _rows(client, url, band_query(band, countries), attempts=ATTEMPTS)
        except BusyError as error:
            failed += 1
            if failed == SHORTER or not band.halves():
                raise
            log.info("%s; fewer actors are asked for at a time", error)
            waiting += band.halves()[::-1]
            continue
        failed = 0
        yield _ranked(rows)


def _ranked(rows: Iterable[dict[str, Any]]) -> list[str]:
    ranks = {}
    for row in rows:
        if entity := ENTITY.fullmatch(_value(row, "actor")):
            ranks[entity[1]] = (-int(_value(row, "sitelinks") or 0), int(entity[1][1:]))
    return sorted(ranks, key=lambda actor: ranks[actor])


def _rows(
    client: WebClient, url: str, query: str, attempts: int | None = None
) -> list[dict[str, Any]]:
    parameters = {"query": query, "format": "json"}
    answer = client.get_json(url, parameters, accept=RESULTS, attempts=attempts)
    try:
        rows: list[dict[str, Any]] = answer["results"]["bindings"]
    except (KeyError, TypeError) as error:
        raise SourceError(
            f"{url} answered with no results; check LOOKALIKE_WIKIDATA_URL"
        ) from error
    return rows


def _merged(rows: Iterable[dict[str, Any]]) -> list[SourceActor]:
    """One actor for all rows of one id, in the order in which they first appear."""
    actors: dict[str, SourceActor] = {}
    for row in rows:
        actor = _actor_of(row)
        if actor is not None:
            known = actors.get(actor.id)
            actors[actor.id] = actor if known is None else _joined(known, actor)
    return list(actors.values())


def _joined(known: SourceActor, more: SourceActor) -> SourceActor:
    texts = ("name", "category", "birth_year", "gender")
    return replace(
        known,
        names={**more.names, **known.names},
        portraits=tuple(dict.fromkeys(known.portraits + more.portraits)),
        countries=tuple(sorted({*known.countries, *more.countries})),
        **{name: getattr(known, name) or getattr(more, name) for name in texts},
    )


def _actor_of(row: dict[str, Any]) -> SourceActor | None:
    """One row; None for one without an id."""
    entity = ENTITY.fullmatch(_value(row, "actor"))
    if entity is None:
        return None
    image, iso, gender = (_value(row, key) for key in ("image", "iso", "gender"))
    english = _value(row, ENGLISH) or _value(row, MUL)
    others = [lang for lang in LANGUAGES if lang != ENGLISH]
    names = {lang: name for lang in others if (name := _value(row, lang))}
    year = re.match(r"(-?\d{1,4})-\d\d-\d\d", _value(row, "birth"))  # not for "unknown value"
    return SourceActor(
        id=entity[1],
        name=english or next(iter(names.values()), ""),
        names=names,
        portraits=(_file_name(image),) if FILE_PATH in image else (),
        countries=(iso,) if COUNTRY.fullmatch(iso) else (),
        category=_value(row, "category"),
        birth_year=year[1] if year else "",
        gender="" if gender.startswith("http") else gender,
    )


def _file_name(address: str) -> str:
    return unquote(address.partition(FILE_PATH)[2]).replace("_", " ")


def _value(row: dict[str, Any], key: str) -> str:
    """A binding's text; "" if it is missing or a blank node, which stands for "unknown"."""
    binding = row.get(key) or {}
    return "" if binding.get("type") == "bnode" else str(binding.get("value", "")).strip()
