"""What visitors may choose between; a gallery that knows nothing of its actors still answers."""

from __future__ import annotations

from dataclasses import replace

from core.gallery.people import ActorEntry, People
from core.lookalike import LookalikeFinder
from core.page.language import country_choices, gender_choices, speeches


def test_without_a_table_everyone_is_the_one_choice(gallery: LookalikeFinder) -> None:
    finder = replace(gallery, people=People({}))
    speech = speeches(finder)["ko"]
    assert gender_choices(finder, speech) == [("모두", "")]
    assert country_choices(finder, speech) == [("모든 나라", "")]


def test_countries_stand_in_the_order_of_their_names(gallery: LookalikeFinder) -> None:
    names = gallery.index.actors
    codes = ["US", "US", "KR", "KR"]
    entries = {
        name: ActorEntry(name, name, country=code) for name, code in zip(names, codes, strict=False)
    }
    finder = replace(gallery, people=People(entries))
    assert country_choices(finder, speeches(finder)["en"])[1:] == [
        ("South Korea", "KR"),
        ("United States", "US"),
    ]
