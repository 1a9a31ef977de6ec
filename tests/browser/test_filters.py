"""Filters from the gallery's own data: women or men, and country."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from babel import Locale
from playwright.sync_api import Locator, Page, expect

from core.gallery.people import ActorEntry, read_actors
from core.lookalike import LookalikeFinder
from core.settings import Settings
from tests.browser.visits import matches, shown, upload
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.running_app import RunningApp

Ranking = Callable[[Callable[[ActorEntry], bool]], list[str]]


@pytest.fixture(scope="module")
def entries() -> dict[str, ActorEntry]:
    """What dataset/starter_actors.csv tells, by folder."""
    return read_actors(Settings().starter_people_path)


@pytest.fixture(scope="module")
def closest(starter: LookalikeFinder, entries: dict[str, ActorEntry]) -> Ranking:
    """The five closest to the astronaut among those that fit, from the whole ranking."""
    face = starter.find(ASTRONAUT).faces[0].face
    everyone = starter.index.search(face.embedding, len(starter.index.actors))
    ranking = [entries[match.actor] for match in everyone]

    def five(fits: Callable[[ActorEntry], bool]) -> list[str]:
        found = [entry.name for entry in ranking if fits(entry)][:5]
        assert found, "nobody fits, which a page that shows nobody would pass"
        return found

    return five


def choose_gender(page: Page, label: str) -> None:
    page.locator("#filters").get_by_label(label, exact=True).check()


def choose_country(page: Page, name: str) -> None:
    page.locator("#filters").get_by_label("Country").click()
    page.get_by_role("option", name=name, exact=True).click()


def names(page: Page) -> Locator:
    return matches(page).locator(".name")


def test_women_only_or_men_only_one_country_only_and_both_filters_together(
    page: Page, closest: Ranking
) -> None:
    upload(page, ASTRONAUT)
    everyone = closest(lambda _: True)  # all of them women, so men are chosen first
    women = closest(lambda entry: entry.gender == "female")
    men = closest(lambda entry: entry.gender == "male")
    british = closest(lambda entry: "GB" in entry.country.split())
    both = closest(lambda entry: "GB" in entry.country.split() and entry.gender == "female")
    expect(names(page)).to_have_text(everyone)
    choose_gender(page, "Men")
    expect(names(page)).to_have_text(men)
    choose_gender(page, "Women")
    expect(names(page)).to_have_text(women)
    choose_gender(page, "Men")
    expect(names(page)).to_have_text(men)
    choose_gender(page, "Everyone")
    expect(names(page)).to_have_text(everyone)
    choose_country(page, "United Kingdom")
    expect(names(page)).to_have_text(british)
    choose_gender(page, "Women")
    expect(names(page)).to_have_text(both)


def test_another_answer_starts_again_at_its_first_match_and_is_announced(
    page: Page, closest: Ranking
) -> None:
    upload(page, ASTRONAUT)
    matches(page).nth(2).click()
    choose_gender(page, "Men")
    men = closest(lambda entry: entry.gender == "male")
    expect(names(page)).to_have_text(men)
    expect(shown(page).locator("h2")).to_have_text(men[0])
    expect(matches(page).locator("input").first).to_be_checked()
    expect(page.locator("#said")).to_contain_text(f"Closest actor: {men[0]}.")
    page.locator("#make-card").click()
    card = page.locator("#card img")
    expect(card).to_have_attribute("alt", f"A picture to share: you beside {men[0]}")


def test_a_filter_set_beforehand_holds_for_the_next_photo(page: Page, closest: Ranking) -> None:
    choose_gender(page, "Men")
    upload(page, ASTRONAUT)
    men = closest(lambda entry: entry.gender == "male")
    expect(names(page)).to_have_text(men)


def test_a_choice_that_leaves_nobody_says_so(page: Page, entries: dict[str, ActorEntry]) -> None:
    genders = defaultdict(list)
    for entry in entries.values():
        for code in entry.country.split():
            genders[code].append(entry.gender)
    code, label = next(
        (code, label)
        for code, found in sorted(genders.items())
        for label, gender in (("Women", "female"), ("Men", "male"))
        if len(found) > 1 and gender not in found
    )
    upload(page, ASTRONAUT)
    shown(page)
    choose_country(page, Locale("en").territories[code])
    choose_gender(page, label)
    expect(page.locator(".result.problem")).to_have_text(
        "The gallery has no such actor. Choose a wider filter."
    )
    choose_gender(page, "Everyone")
    shown(page)


def test_a_filter_still_works_when_the_photo_is_deleted(
    page: Page, app: RunningApp, closest: Ranking
) -> None:
    upload(page, ASTRONAUT)
    shown(page)
    photos = [path for path in app.photos.rglob("*") if path.is_file() and is_picture(path)]
    assert photos, "the photo's file is not where it is looked for"
    for photo in photos:
        photo.unlink()
    choose_gender(page, "Men")
    men = closest(lambda entry: entry.gender == "male")
    expect(names(page)).to_have_text(men)


def test_filters_narrow_each_face_of_a_group(page: Page, entries: dict[str, ActorEntry]) -> None:
    upload(page, SIX_PEOPLE)
    shown(page)
    choose_gender(page, "Women")
    women = {entry.name for entry in entries.values() if entry.gender == "female"}
    page.wait_for_function(
        """women => [...document.querySelectorAll('.result.shown .matches .name')]
            .every(name => women.includes(name.textContent))""",
        arg=sorted(women),
    )
    assert page.locator(".result .matches .name").count() == 30


def is_picture(path: Path) -> bool:
    return path.suffix in (".png", ".jpg", ".jpeg", ".webp")
