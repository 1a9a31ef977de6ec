"""Actors as Wikidata has them: triples, and a real SPARQL engine to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolutions,
    Store,
)

ENTITY = "http://www.wikidata.org/entity/"
DIRECT = "http://www.wikidata.org/prop/direct/"
FILES = "http://commons.wikimedia.org/wiki/Special:FilePath/"
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
SITELINKS = NamedNode("http://wikiba.se/ontology#sitelinks")
DATE = NamedNode("http://www.w3.org/2001/XMLSchema#dateTime")
GENDERS = {"female": "Q6581072", "male": "Q6581097"}
ACTOR = "Q33999"
HUMAN = "Q5"
MOST = 500  # sitelinks of the first person


@dataclass
class Person:
    """Somebody on Wikidata; empty texts leave the statement out."""

    qid: str
    name: str
    images: list[str]
    ko: str = ""
    countries: tuple[str, ...] = ("US",)
    category: str = ""
    birth: str = "1970-01-02T00:00:00Z"  # "_…": that there is one, and nobody knows it
    gender: str = "female"
    sitelinks: int | None = None  # by default one fewer than of the person before
    occupations: tuple[str, ...] = (ACTOR,)
    kind: str = HUMAN


def evaluate(query: str, people: Sequence[Person]) -> bytes:
    """The answer of a SPARQL 1.1 engine, as application/sparql-results+json."""
    store = Store()
    for gender, qid in GENDERS.items():
        store.add(Quad(_entity(qid), LABEL, Literal(gender, language="en")))
        store.add(Quad(_entity(qid), LABEL, Literal(f"{gender} auf Deutsch", language="de")))
    for rank, person in enumerate(people):
        for predicate, value in _statements(person, MOST - rank):
            store.add(Quad(_entity(person.qid), predicate, value))
        for code in person.countries:
            store.add(Quad(_country(code), _property("P297"), Literal(code)))
    found = store.query(query)
    assert isinstance(found, QuerySolutions)
    body = found.serialize(format=QueryResultsFormat.JSON)
    assert body is not None
    return body


def _statements(person: Person, sitelinks: int) -> Iterator[tuple[NamedNode, Any]]:
    yield SITELINKS, Literal(sitelinks if person.sitelinks is None else person.sitelinks)
    yield _property("P31"), _entity(person.kind)
    for occupation in person.occupations:
        yield _property("P106"), _entity(occupation)
    for image in person.images:
        yield _property("P18"), NamedNode(FILES + quote(image))
    for code in person.countries:
        yield _property("P27"), _country(code)
    for lang, name in (("en", person.name), ("ko", person.ko)):
        if name:
            yield LABEL, Literal(name, language=lang)
    if person.category:
        yield _property("P373"), Literal(person.category)
    if person.birth:
        unknown = person.birth.startswith("_")
        birth = BlankNode() if unknown else Literal(person.birth, datatype=DATE)
        yield _property("P569"), birth
    if person.gender:
        yield _property("P21"), _entity(GENDERS[person.gender])


def _entity(qid: str) -> NamedNode:
    return NamedNode(ENTITY + qid)


def _country(code: str) -> NamedNode:
    return _entity(f"Q{int.from_bytes(code.encode(), 'big')}")


def _property(pid: str) -> NamedNode:
    return NamedNode(DIRECT + pid)
