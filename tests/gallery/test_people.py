"""Names, genders and countries as the gallery's own list has them, and what may be chosen."""

from __future__ import annotations

import unicodedata

import pytest

from core.gallery.people import ActorEntry, Filter, People, name_key, read_actors
from core.settings import Settings

ROWS = [
    ActorEntry("Ann Lee", "Ann Lee", {"ko": "앤 리"}, gender="female", country="US"),
    ActorEntry("Bea", "Bea", gender="trans woman", country="KR US"),
    ActorEntry("Cid", "Cid", {"ko": "시드"}, gender="male", country="KR"),
    ActorEntry("Dan", "Dan", gender="trans man", country="FR"),
    ActorEntry("Eli", "Eli", gender="non-binary", country="KR"),
    ActorEntry("Fay", "Fay", gender="genderfluid"),
    ActorEntry("Gus", "Gus"),
    ActorEntry("송강호", "Song Kang-ho", {"ko": "송강호"}, gender="male", country="KR"),
]
PEOPLE = People({row.folder: row for row in ROWS})
EVERYBODY = (*PEOPLE.entries, "Nobody Knows")  # the last has photos and no row


@pytest.fixture(scope="module")
def starter() -> People:
    return People(read_actors(Settings().starter_people_path))


def test_a_name_is_in_the_visitors_language_as_far_as_it_is_known() -> None:
    assert (PEOPLE.name("Ann Lee", "en"), PEOPLE.name("Ann Lee", "ko")) == ("Ann Lee", "앤 리")
    assert (PEOPLE.name("송강호", "en"), PEOPLE.name("송강호", "ko")) == ("Song Kang-ho", "송강호")
    assert PEOPLE.name("Bea", "ko") == "Bea"
    assert PEOPLE.name("Bea", "fr") == "Bea"


def test_an_actor_without_a_row_goes_by_the_folder() -> None:
    assert PEOPLE.name("Nobody Knows", "ko") == "Nobody Knows"
    assert People({}).name("송강호", "en") == "송강호"


def test_no_filter_leaves_everyone_in() -> None:
    assert PEOPLE.among(Filter(), EVERYBODY) is None


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Filter("women"), {"Ann Lee", "Bea"}),
        (Filter("men"), {"Cid", "Dan", "송강호"}),
        (Filter(country="KR"), {"Bea", "Cid", "Eli", "송강호"}),
        (Filter(country="US"), {"Ann Lee", "Bea"}),
        (Filter("women", "KR"), {"Bea"}),
        (Filter("men", "US"), set()),
        (Filter("aliens"), set()),
        (Filter(country="K"), set()),  # a code, not a part of one
        (Filter(country="KR US"), set()),
    ],
)
def test_a_filter_lets_those_through_whom_the_gallery_says_to_be_so(
    wanted: Filter, names: set[str]
) -> None:
    """Trans women are women, trans men men; who is neither or unknown is in "everyone"."""
    assert PEOPLE.among(wanted, EVERYBODY) == names


def test_a_filter_answers_only_actors_of_the_index() -> None:
    assert PEOPLE.among(Filter("women"), ["Bea", "Cid"]) == {"Bea"}


def test_genders_are_to_choose_between_where_both_are_known() -> None:
    assert PEOPLE.genders(EVERYBODY) == ("women", "men")
    assert PEOPLE.genders(["Bea", "Dan", "Gus"]) == ("women", "men")
    assert PEOPLE.genders(["Ann Lee", "Bea", "Eli", "Gus"]) == ()
    assert PEOPLE.genders(["Eli", "Fay"]) == ()
    assert PEOPLE.genders([]) == People({}).genders(EVERYBODY) == ()


def test_countries_with_most_actors_come_first_and_single_actors_are_no_choice() -> None:
    assert PEOPLE.countries(EVERYBODY) == ("KR", "US")  # 4 and 2; FR has one
    assert PEOPLE.countries(["Cid", "Eli", "Dan", "Ann Lee"]) == ()  # one country to choose
    assert People({}).countries(EVERYBODY) == ()


def test_equally_large_countries_come_by_their_codes() -> None:
    rows = [ActorEntry(f"{code}{n}", "x", country=code) for code in ("US", "DE") for n in (1, 2)]
    people = People({row.folder: row for row in rows})
    assert people.countries(people.entries) == ("DE", "US")


def test_the_starter_gallery_offers_genders_and_countries(starter: People) -> None:
    actors = tuple(starter.entries)
    assert starter.genders(actors) == ("women", "men")
    countries = starter.countries(actors)
    assert countries[0] == "US"
    assert "KR" in countries
    women, men = (starter.among(Filter(word), actors) for word in ("women", "men"))
    assert women
    assert men
    assert not women & men
    assert "Elliot Page" in men
    assert starter.name("Brad Pitt", "ko") == "브래드 피트"


SPELT = {
    "two blanks": "Uma  Thurman",
    "underscore": "uma_thurman",
    "full width": "ＵＭＡ Thurman",
    "zero width": "Uma\u200b Thur\u2060man",
    "direction marks": "\u202eUma Thurman\u202c",
    "no-break blank": "Uma\u00a0Thurman",
    "Hangul filler": "Uma\u3164Thurman",
    "Braille blank": "Uma\u2800Thurman",
    "tab and bell": "Uma\tThur\x07man",
    "variation selector": "Uma\ufe0f Thurman",
    "dot behind": "Uma Thurman. ",
}


@pytest.mark.parametrize("name", SPELT.values(), ids=SPELT.keys())
def test_names_that_look_the_same_have_one_key(name: str) -> None:
    assert name_key(name) == name_key("Uma Thurman")


def test_other_names_have_other_keys() -> None:
    names = ["Uma Thurman", "Umathurman", "송강호", "송 강호", "Zoe", "Zoë", "AC/DC", "ACDC"]
    assert len(set(map(name_key, names))) == len(names)
    assert name_key(unicodedata.normalize("NFD", "송강호")) == name_key("송강호")
