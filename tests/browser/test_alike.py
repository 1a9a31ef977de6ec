""" "What is alike?": asked with a key, said aloud, shown as light, and of another pair anew."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from core.faces.framing import in_frame
from core.index.alike import Alike
from core.lookalike import LookalikeFinder
from tests.browser.test_accessibility import grave_findings, wear
from tests.browser.test_keyboard import tab_to
from tests.browser.visits import DESK, Visits, matches, shown, upload
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.running_app import RunningApp

WHOLE = "No single part stands out: it is the whole face."


@dataclass(frozen=True)
class Pair:
    """One of six people and one of the matches."""

    face: int
    match: int
    alike: Alike

    @property
    def lead(self) -> float:
        """How much larger the first share is than the third."""
        shares = sorted(self.alike.shares.values(), reverse=True)
        return shares[0] / shares[2]


@pytest.fixture(scope="module")
def pairs(starter: LookalikeFinder) -> list[Pair]:
    """Of all six people, the clearest pair first."""
    answer = starter.find(SIX_PEOPLE)
    found = [
        Pair(face, match, alike)
        for face, judged in enumerate(answer.faces)
        for match, alike in enumerate(
            starter.alike(
                in_frame(answer.photo.pixels, judged.face.detection.landmarks), judged.matches
            )
        )
    ]
    return sorted(found, key=lambda pair: (not pair.alike.told, -pair.lead))


@pytest.fixture(scope="module")
def answered(long_visits: Visits, app: RunningApp) -> Page:
    page = long_visits.open(app.url)
    upload(page, SIX_PEOPLE)
    shown(page)
    return page


@pytest.fixture
def six(answered: Page) -> Page:
    """The answer to six people; each test that looks at it asks of pairs of its own."""
    answered.bring_to_front()
    return answered


def choose(page: Page, pair: Pair) -> None:
    shown(page)
    page.locator(f".group li button[data-face='{pair.face}']").click()
    matches(page).nth(pair.match).click()


def button(page: Page) -> Locator:
    return shown(page).get_by_role("button", name="What is alike?")


def sentence(page: Page) -> str:
    """Once it is there."""
    said = shown(page).locator(".alike p")
    expect(said).to_have_text(re.compile("."))
    return said.inner_text()


def heat(page: Page) -> Locator:
    return shown(page).locator(".pair .heat")


def test_a_key_asks_and_the_answer_is_said_aloud(page: Page) -> None:
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    upload(page, ASTRONAUT)
    shown(page)
    page.locator("#example").focus()
    tab_to(page, ".alike button")
    page.keyboard.press("Enter")
    assert sentence(page) == page.locator("#said").inner_text()
    expect(button(page)).to_be_focused()


def test_a_part_that_stands_out_is_named_and_lit_and_the_button_takes_the_light_away(
    six: Page, pairs: list[Pair]
) -> None:
    page = six
    choose(page, pairs[0])
    sent: list[int] = []

    def note(request: Request) -> None:
        sent.append(len(request.post_data or ""))

    page.on("request", note)
    button(page).click()
    words = {"eyes": "the eyes", "nose": "the nose", "mouth": "the mouth", "shape": "the shape"}
    assert sentence(page).startswith(f"Especially {words[pairs[0].alike.told[0]]}")
    page.remove_listener("request", note)
    assert 20_000 < max(sent) < 200_000  # one face of six
    for pressed in ("true", "false", "true"):
        expect(button(page)).to_have_attribute("aria-pressed", pressed)
        assert heat(page).is_visible() == (pressed == "true")
        button(page).click()


def test_where_no_part_stands_out_the_whole_face_is_named_and_nothing_lit(
    six: Page, pairs: list[Pair]
) -> None:
    choose(six, pairs[-1])
    button(six).click()
    assert sentence(six) == WHOLE
    expect(heat(six)).to_have_count(0)


def test_each_pair_is_asked_for_itself_and_another_photo_anew(
    page: Page, pairs: list[Pair]
) -> None:
    first, other = pairs[0], next(pair for pair in pairs if pair.face != pairs[0].face)
    upload(page, SIX_PEOPLE)
    choose(page, first)
    button(page).click()
    told = sentence(page)
    choose(page, other)
    expect(shown(page).locator(".alike p")).to_have_text("")
    choose(page, first)
    assert sentence(page) == told
    upload(page, ASTRONAUT)
    expect(page.locator(".group")).to_have_count(0)
    expect(page.locator(".heat")).to_have_count(0)
    expect(page.locator("#result .alike p", has_text=re.compile("."))).to_have_count(0)


def test_it_can_be_asked_after_the_language_was_switched(page: Page, pairs: list[Pair]) -> None:
    upload(page, SIX_PEOPLE)
    choose(page, pairs[0])
    page.click("#languages a[lang=ko]")
    page.wait_for_selector("html[lang=ko] .result.shown")
    shown(page).get_by_role("button", name="어디가 닮았나요?").click()
    assert re.fullmatch("특히 .+ 닮았어요.", sentence(page))
    expect(heat(page)).to_be_visible()


def test_a_card_says_it_once_it_was_asked(six: Page, pairs: list[Pair]) -> None:
    page = six
    choose(page, pairs[1])
    pictures = []
    for ask in (False, False, True):
        if ask:
            button(page).click()
            expect(heat(page)).to_be_visible()
        before = page.locator("#card .card").get_attribute("data-token") if pictures else ""
        page.click("#make-card")
        expect(page.locator("#card .card")).not_to_have_attribute("data-token", before or "none")
        pictures.append(page.locator("#card .card img").get_attribute("src"))
    assert pictures[0] == pictures[1] != pictures[2]


def test_nothing_grave_is_found_in_light_and_dark_and_less_motion_is_respected(
    six: Page, pairs: list[Pair]
) -> None:
    choose(six, pairs[2])
    wear(six, "light")  # and less motion
    found = grave_findings(six)  # not yet asked
    button(six).click()
    for colours in ("light", "dark"):
        wear(six, colours)
        expect(heat(six)).to_be_visible()
        six.mouse.move(0, 0)
        found += grave_findings(six)
    assert found == []
    assert heat(six).evaluate("one => parseFloat(getComputedStyle(one).animationDuration)") < 0.01
