"""Actors from Wikidata's query service: band by band, merged, and with gaps."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from itertools import islice

import pytest

from core.download.http import WebClient
from core.download.source import SourceActor
from core.download.wikidata import BANDS, RESULTS, band_query, bands, detail_query, find_actors
from core.errors import BusyError, SettingsError, SourceError
from tests.conftest import ASTRONAUT
from tests.wikidata_triples import MOST, Person
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


def asked_ranges(wikimedia: WikimediaStandin) -> list[str]:
    """The numbers of sitelinks that were asked for, in turn."""
    ranges = [re.search(r"FILTER\((\?sitelinks.*)\)", seen.what) for seen in wikimedia.requests]
    return [found[1].replace("?sitelinks ", "") for found in ranges if found]


def test_bands_hold_everyone_once() -> None:
    holds = [
        sum(band.low <= sitelinks < (band.end or math.inf) for band in bands())
        for sitelinks in range(400)
    ]
    assert holds == [1] * 400
    upper, lower = bands()[3].halves()
    assert (upper.end, upper.low, lower.low) == (bands()[3].end, lower.end, bands()[3].low)
    assert bands()[-1].halves() == ()


def test_hundreds_of_actors_come_by_how_widely_they_are_known(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    draw = random.Random(0)
    for number in range(300):
        countries = tuple(draw.sample(["US", "KR", "FR", "IN"], draw.randrange(3)))
        wikimedia.add(f"Actor {number}", ASTRONAUT, countries=countries)
        wikimedia.people[-1].sitelinks = draw.choice([0, 1, 2, 9, 29, 30, 49, 51, 79, 120, 250])
    wikimedia.people += [
        Person("Q901", "A singer", ["A.jpg"], occupations=("Q177220",)),
        Person("Q902", "A role", ["B.jpg"], kind="Q15632617"),
        Person("Q903", "Without a picture", []),
        Person("Q904", "Of television", ["C.jpg"], occupations=("Q177220", "Q10798782")),
    ]
    wanted = wikimedia.people[:300] + wikimedia.people[303:]
    ranked = sorted(wanted, key=lambda one: (-rank_of(wikimedia, one), int(one.qid[1:])))
    found = list(find_actors(client, url))
    assert [actor.id for actor in found] == [person.qid for person in ranked]
    assert [actor.countries for actor in found] == [tuple(sorted(one.countries)) for one in ranked]
    koreans = [person.qid for person in ranked if "KR" in person.countries]
    assert [actor.id for actor in find_actors(client, url, ["KR"])] == koreans


def rank_of(wikimedia: WikimediaStandin, person: Person) -> int:
    return MOST - wikimedia.people.index(person) if person.sitelinks is None else person.sitelinks


def test_no_more_is_asked_than_there_must_be(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    for number in range(250):
        wikimedia.add(f"Actor {number}", ASTRONAUT)
    names = [actor.name for actor in islice(find_actors(client, url), 5)]
    assert names == [f"Actor {number}" for number in range(5)]
    assert len(wikimedia.requests) == 2  # the first band, and the first of its actors
    assert wikimedia.requests[0].parameters["format"] == "json"
    assert RESULTS == "application/sparql-results+json"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500, body=b"java.util.concurrent.TimeoutException", times=2),
        Fault(status=504, times=2),
        Fault(body=b'{"head": {}, "results": {"bindings": [', times=2),
        Fault(cut=True, times=2),
    ],
)
def test_a_band_that_takes_too_long_is_halved(
    client: WebClient, wikimedia: WikimediaStandin, url: str, fault: Fault
) -> None:
    for sitelinks in (300, 200, 90):
        wikimedia.add(f"With {sitelinks}", ASTRONAUT)
        wikimedia.people[-1].sitelinks = sitelinks
    wikimedia.faults["sparql"] = [fault]
    assert [actor.name for actor in find_actors(client, url)] == ["With 300", "With 200", "With 90"]
    ranges = asked_ranges(wikimedia)[:5]
    assert ranges == [">= 120", ">= 120", ">= 240", ">= 120 && < 240", ">= 80 && < 120"]


def test_a_service_that_never_answers_is_given_up(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.faults["sparql"] = [Fault(status=504, times=99)]
    with pytest.raises(BusyError, match="run it again later"):
        list(find_actors(client, url))
    assert len(wikimedia.requests) == 8


def test_an_actor_met_in_two_bands_counts_once(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    for number in range(3):
        wikimedia.add(f"Actor {number}", ASTRONAUT)
    found = find_actors(client, url)
    assert next(found).id == "Q1"
    wikimedia.people[0].sitelinks = BANDS[1]  # an article was deleted meanwhile
    assert [actor.id for actor in found] == ["Q2", "Q3"]


def test_rows_of_one_actor_are_merged(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.add("Ann", ASTRONAUT, countries=("US", "KR"))
    wikimedia.people[0].images = ["B.jpg", "A.jpg"]
    (actor,) = find_actors(client, url)
    assert actor.portraits == ("A.jpg", "B.jpg")
    assert actor.countries == ("KR", "US")


def test_missing_fields_are_empty(client: WebClient, wikimedia: WikimediaStandin, url: str) -> None:
    wikimedia.add("", ASTRONAUT, countries=(), gender="", birth="")
    wikimedia.add("Bob", ASTRONAUT, birth="_:unknown")
    wikimedia.people.append(Person("Q3", "Without a picture", []))
    nameless, bob = find_actors(client, url)
    assert (nameless.name, nameless.countries, nameless.birth_year) == ("", (), "")
    assert (bob.name, bob.birth_year) == ("Bob", "")


def test_a_name_that_is_only_korean_is_the_name(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.add("", ASTRONAUT, ko="송강호")
    (actor,) = find_actors(client, url)
    assert (actor.name, actor.names) == ("송강호", {"ko": "송강호"})


def test_names_are_asked_for_in_every_language_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.download.wikidata.LANGUAGES", ("en", "ko", "ja"))
    query = detail_query(["Q1"])
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
        band_query(bands()[0], [code])


def test_an_answer_without_results_is_reported(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.faults["sparql"] = [Fault(body=b"{}", headers={"Content-Length": "2"})]
    with pytest.raises(SourceError, match="LOOKALIKE_WIKIDATA_URL"):
        list(find_actors(client, url))
