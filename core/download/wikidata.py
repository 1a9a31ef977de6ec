"""Who the actors are: Wikidata's query service, most widely known first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from core.download.http import WebClient
from core.download.source import SourceActor
from core.errors import SettingsError, SourceError
from core.languages import ENGLISH, LANGUAGES

PAGE = 250  # actors a query
RESULTS = "application/sparql-results+json"
ENTITY = re.compile(r"https?://www\.wikidata\.org/entity/(Q\d+)")
FILE_PATH = "/wiki/Special:FilePath/"  # how Wikidata writes the name of a file on Commons
COUNTRY = re.compile(r"[A-Z]{2}")  # ISO 3166-1 alpha-2, as P297 has it

MUL = "mul"  # where Wikidata keeps a name that is written alike in many languages

# Q5 human; Q33999 actor, Q10800557 film actor, Q10798782 television actor; P18 image.
# The inner query orders and pages over actors, the outer one adds what is known of each:
# one row for every combination of image and country, merged in `_merged`.
QUERY = """\
SELECT ?actor ?sitelinks ?image %(labels)s ?iso ?category ?birth ?gender WHERE {
  {
    SELECT DISTINCT ?actor ?sitelinks WHERE {
      VALUES ?occupation { wd:Q33999 wd:Q10800557 wd:Q10798782 }
      ?actor wdt:P106 ?occupation ;
             wdt:P31 wd:Q5 ;
             wikibase:sitelinks ?sitelinks .
      FILTER EXISTS { ?actor wdt:P18 [] }
      %(countries)s
    }
    ORDER BY DESC(?sitelinks) ?actor
    LIMIT %(limit)d
    OFFSET %(offset)d
  }
  ?actor wdt:P18 ?image .
%(names)s
  OPTIONAL { ?actor wdt:P27/wdt:P297 ?iso . }
  OPTIONAL { ?actor wdt:P373 ?category . }
  OPTIONAL { ?actor wdt:P569 ?birth . }
  OPTIONAL { ?actor wdt:P21/rdfs:label ?gender . FILTER(LANG(?gender) = "en") }
}
ORDER BY DESC(?sitelinks) ?actor
"""


def actor_query(limit: int, offset: int, countries: Sequence[str] = ()) -> str:
    """The SPARQL text of one page of actors.

    Raises:
        SettingsError: a country that is no two-letter code.
    """
    for code in countries:
        if not COUNTRY.fullmatch(code):
            raise SettingsError(f"{code!r} is no country; give ISO codes as in KR,US")
    codes = " ".join(f'"{code}"' for code in countries)
    clause = f"VALUES ?wanted {{ {codes} }} ?actor wdt:P27/wdt:P297 ?wanted ." if codes else ""
    return QUERY % {
        "limit": limit,
        "offset": offset,
        "countries": clause,
        "labels": " ".join(f"?{lang}" for lang in (*LANGUAGES, MUL)),
        "names": "\n".join(map(_name_clause, (*LANGUAGES, MUL))),
    }


def _name_clause(lang: str) -> str:
    return f'  OPTIONAL {{ ?actor rdfs:label ?{lang} . FILTER(LANG(?{lang}) = "{lang}") }}'


def find_actors(
    client: WebClient, url: str, countries: Sequence[str] = ()
) -> Iterator[SourceActor]:
    """Actors with a picture, most widely known first, each once; pages are asked for as needed.

    Args:
        client: asks.
        url: of the query service.
        countries: of citizenship, ISO 3166-1 alpha-2; none means all.

    Raises:
        SourceError: the query service does not answer, or not with what it documents.
    """
    seen: set[str] = set()
    offset = 0
    while rows := _rows(client, url, actor_query(PAGE, offset, countries)):
        for actor in _merged(rows):
            if actor.id not in seen:  # ranks may move between two pages
                seen.add(actor.id)
                yield actor
        offset += PAGE


def _rows(client: WebClient, url: str, query: str) -> list[dict[str, Any]]:
    parameters = {"query": query, "format": "json"}
    answer = client.get_json(url, parameters, accept=RESULTS)
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
