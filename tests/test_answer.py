"""What the JSON of an answer says besides the matches: names, credits, verdict, filters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.answer import actors_json, answer_json, health_json
from core.faces.engine import FaceEngine
from core.gallery.credits import Credit
from core.gallery.people import ActorEntry, Filter, People
from core.lookalike import LookalikeFinder
from core.settings import Settings
from tests.conftest import ASTRONAUT, enrolled
from tests.index.test_enrol import SIX_FACES, fill_gallery

CREDIT = Credit("Ann Photographer", "CC BY 4.0", "https://example.org/by", "https://example.org/1")
PEOPLE = People(
    {
        "Astronaut": ActorEntry(
            "Astronaut", "Eileen", {"ko": "아일린"}, gender="female", country="US KR"
        ),
        "Bob": ActorEntry("Bob", "Bob", gender="male", country="US"),
        "Eve": ActorEntry("Eve", "Eve", gender="neutrois"),
    }
)


@pytest.fixture(scope="module")
def finder(
    engine: FaceEngine, models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> LookalikeFinder:
    """Seven real people with photos; three of them are known by more than their folder."""
    dataset = tmp_path_factory.mktemp("gallery")
    fill_gallery(dataset, [*SIX_FACES, "Astronaut"])
    (dataset / "credits.csv").write_text(
        "file,source,author,licence,licence_url\n"
        f"Astronaut/1.png,{CREDIT.source},{CREDIT.author},{CREDIT.licence},{CREDIT.licence_url}\n"
    )
    settings = Settings(models_dir=models_dir, dataset_dir=dataset)
    index = enrolled(engine, settings).index
    return LookalikeFinder(engine, index, settings, people=PEOPLE)


def only_face(answer: dict[str, Any]) -> dict[str, Any]:
    (face,) = answer["faces"]
    return face  # type: ignore[no-any-return]


def test_a_match_is_named_in_two_languages_as_far_as_known(finder: LookalikeFinder) -> None:
    first, *others = only_face(answer_json(finder, ASTRONAUT, 7))["matches"]
    assert (first["actor"], first["name"], first["name_ko"]) == ("Astronaut", "Eileen", "아일린")
    assert first["names"] == {"en": "Eileen", "ko": "아일린"}
    assert {match["actor"]: match["names"] for match in others}["Bob"] == {"en": "Bob"}
    names = {match["actor"]: (match["name"], match["name_ko"]) for match in others}
    assert names["Bob"] == ("Bob", None)
    assert names["Ann"] == ("Ann", None)  # in no list of people


def test_a_portrait_brings_its_credit_and_one_not_on_disk_none(
    finder: LookalikeFinder, tmp_path: Path
) -> None:
    portrait = finder.settings.dataset_dir / "Astronaut" / "1.png"
    match = only_face(answer_json(finder, portrait, 1))["matches"][0]
    assert match["portrait"] == "Astronaut/1.png"
    assert match["credit"] == {
        "author": CREDIT.author,
        "licence": CREDIT.licence,
        "licence_url": CREDIT.licence_url,
        "source": CREDIT.source,
    }
    moved = replace(finder, settings=finder.settings.replaced(dataset_dir=tmp_path))
    match = only_face(answer_json(moved, portrait, 1))["matches"][0]
    assert (match["portrait"], match["credit"]) == (None, None)


def test_the_verdict_knows_the_very_photo_of_the_gallery(finder: LookalikeFinder) -> None:
    own = only_face(answer_json(finder, finder.settings.dataset_dir / "Bob" / "1.png"))
    assert (own["matches"][0]["actor"], own["verdict"]["same_photo"]) == ("Bob", True)
    everyone_else = Filter(gender="women")
    other = answer_json(finder, finder.settings.dataset_dir / "Bob" / "1.png", 5, everyone_else)
    assert [match["actor"] for match in only_face(other)["matches"]] == ["Astronaut"]
    assert only_face(other)["verdict"]["same_photo"] is False
    assert only_face(other)["verdict"]["rough"] is True


def test_a_filter_that_nobody_passes_leaves_no_match(finder: LookalikeFinder) -> None:
    face = only_face(answer_json(finder, ASTRONAUT, 5, Filter("men", "KR")))
    assert face["matches"] == []
    assert face["verdict"]["share"] is None


def test_actors_say_which_filters_find_them(finder: LookalikeFinder) -> None:
    actors = {entry["actor"]: entry for entry in actors_json(finder)}
    assert list(actors) == list(finder.index.actors)
    assert actors["Astronaut"] == {
        "actor": "Astronaut",
        "name": "Eileen",
        "name_ko": "아일린",
        "names": {"en": "Eileen", "ko": "아일린"},
        "gender": "women",
        "country": ["US", "KR"],
        "portraits": 2,
    }
    assert actors["Eve"]["gender"] is None  # known, but in neither filter
    assert (actors["Ann"]["gender"], actors["Ann"]["country"]) == (None, [])
    for entry in actors.values():
        for wanted in [Filter("women"), Filter("men"), Filter("", "KR")]:
            passes = entry["gender"] == wanted.gender or wanted.country in entry["country"]
            assert (entry in actors_json(finder, wanted)) == passes


def test_health_counts_the_gallery(finder: LookalikeFinder) -> None:
    health = health_json(finder)
    assert (health["status"], health["gallery"], health["actors"]) == ("ok", "gallery", 7)
    assert health["portraits"] == len(finder.index.portraits)
    assert health["built"] == finder.index.info.built
