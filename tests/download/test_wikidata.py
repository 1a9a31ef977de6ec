"""Actors from Wikidata's query service: paged, merged, and with gaps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

import core.download.wikidata
from core.download.http import WebClient
from core.download.source import SourceActor
from core.download.wikidata import RESULTS, actor_query, find_actors
from core.errors import SettingsError, SourceError
from tests.conftest import ASTRONAUT
from tests.wikimedia_standin import CONTACT, Fault, WikimediaStandin


@pytest.fixture
def wikimedia(monkeypatch: pytest.MonkeyPatch) -> Iterator[WikimediaStandin]:
    monkeypatch.setenv("NO_PROXY", "*")
    with WikimediaStandin() as standin:
        yield standin


@pytest.fixture
def url(wikimedia: WikimediaStandin) -> str:
    return f"{wikimedia.url}/sparql"


@pytest.fixture
def client() -> Iterator[WebClient]:
    with WebClient(CONTACT, sleep=lambda _: None) as client:
        yield client


def test_an_actor_has_what_wikidata_knows(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.add("Song Kang-ho", ASTRONAUT, ko="송강호", countries=("KR",), gender="male")
    wikimedia.people[0].category = "Song Kang-ho"
    assert list(find_actors(client, url)) == [
        SourceActor(
            id="Q1",
            name="Song Kang-ho",
            names={"ko": "송강호"},
            portraits=("Photo 1-1.jpg",),
            countries=("KR",),
            category="Song Kang-ho",
            birth_year="1970",
            gender="male",
        )
    ]


def test_the_question_is_documented_sparql(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    list(find_actors(client, url))
    query = wikimedia.requests[0].what
    for part in ("wd:Q33999 wd:Q10800557 wd:Q10798782", "wdt:P31 wd:Q5", "wdt:P18", "wdt:P373"):
        assert part in query
    assert "ORDER BY DESC(?sitelinks)" in query
    assert wikimedia.requests[0].parameters["format"] == "json"
    assert RESULTS == "application/sparql-results+json"


def test_pages_are_asked_for_until_there_are_enough(
    client: WebClient,
    wikimedia: WikimediaStandin,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(core.download.wikidata, "PAGE", 4)
    for number in range(10):
        wikimedia.add(f"Actor {number}", ASTRONAUT)
    names = [actor.name for actor in islice(find_actors(client, url), 5)]
    assert names == [f"Actor {number}" for number in range(5)]
    assert len(wikimedia.requests) == 2
    assert len(list(find_actors(client, url))) == 10


def test_an_actor_met_on_two_pages_counts_once(
    client: WebClient,
    wikimedia: WikimediaStandin,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(core.download.wikidata, "PAGE", 2)
    for number in range(3):
        wikimedia.add(f"Actor {number}", ASTRONAUT)
    wikimedia.people.append(wikimedia.people[0])  # ranks moved between the pages
    assert [actor.id for actor in find_actors(client, url)] == ["Q1", "Q2", "Q3"]


def test_rows_of_one_actor_are_merged(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.add("Ann", ASTRONAUT, countries=("US", "KR"))
    wikimedia.people[0].images = ["A.jpg", "B.jpg"]
    (actor,) = find_actors(client, url)
    assert actor.portraits == ("A.jpg", "B.jpg")
    assert actor.countries == ("KR", "US")


def test_missing_fields_are_empty(client: WebClient, wikimedia: WikimediaStandin, url: str) -> None:
    wikimedia.add("", ASTRONAUT, countries=(), gender="", birth="")
    wikimedia.add("Bob", birth="_:unknown")
    wikimedia.people[1].images = []
    nameless, bob = find_actors(client, url)
    assert (nameless.name, nameless.countries, nameless.birth_year) == ("", (), "")
    assert (bob.portraits, bob.birth_year) == ((), "")


def test_a_name_that_is_only_korean_is_the_name(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.add("", ASTRONAUT, ko="송강호")
    (actor,) = find_actors(client, url)
    assert (actor.name, actor.names) == ("송강호", {"ko": "송강호"})


def test_names_are_asked_for_in_every_language_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.download.wikidata, "LANGUAGES", ("en", "ko", "ja"))
    query = actor_query(1, 0)
    assert "?image ?en ?ko ?ja ?mul ?iso" in query
    assert 'OPTIONAL { ?actor rdfs:label ?ja . FILTER(LANG(?ja) = "ja") }' in query


def test_a_file_name_with_signs_is_decoded(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.add("Ann", ASTRONAUT)
    wikimedia.people[0].images = ["Ann_O'Hara (100%) 배우.jpg"]
    (actor,) = find_actors(client, url)
    assert actor.portraits == ("Ann O'Hara (100%) 배우.jpg",)


def test_countries_are_asked_for_by_their_codes(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.add("Ann", ASTRONAUT, countries=("US",))
    wikimedia.add("Song", ASTRONAUT, countries=("KR",))
    wikimedia.add("Eve", ASTRONAUT, countries=("FR",))
    assert [a.name for a in find_actors(client, url, ("KR", "FR"))] == ["Song", "Eve"]


@pytest.mark.parametrize("code", ["kr", "KOR", 'X" }', ""])
def test_what_is_no_country_never_reaches_the_query(code: str) -> None:
    with pytest.raises(SettingsError, match="is no country"):
        actor_query(1, 0, [code])


def test_an_answer_without_results_is_reported(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.faults["sparql"] = [Fault(body=b"{}", headers={"Content-Length": "2"})]
    with pytest.raises(SourceError, match="LOOKALIKE_WIKIDATA_URL"):
        list(find_actors(client, url))
