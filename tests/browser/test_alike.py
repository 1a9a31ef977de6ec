""" "What is alike?": asked with a key, said aloud, shown as light, and of another pair anew."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from core.faces.framing import in_frame
from core.index.alike import Alike
from core.lookalike import LookalikeFinder
from tests.browser.test_accessibility import grave_findings
from tests.browser.test_keyboard import tab_to
from tests.browser.visits import DESK, matches, shown, upload
from tests.conftest import ASTRONAUT, SIX_PEOPLE

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
    page: Page, pairs: list[Pair]
) -> None:
    upload(page, SIX_PEOPLE)
    choose(page, pairs[0])
    sent: list[int] = []
    page.on("request", lambda one: sent.append(len(one.post_data or "")))
    button(page).click()
    words = {"eyes": "the eyes", "nose": "the nose", "mouth": "the mouth", "shape": "the shape"}
    assert sentence(page).startswith(f"Especially {words[pairs[0].alike.told[0]]}")
    assert 20_000 < max(sent) < 200_000  # one face of six
    for pressed in ("true", "false", "true"):
        expect(button(page)).to_have_attribute("aria-pressed", pressed)
        assert heat(page).is_visible() == (pressed == "true")
        button(page).click()


def test_where_no_part_stands_out_the_whole_face_is_named_and_nothing_lit(
    page: Page, pairs: list[Pair]
) -> None:
    upload(page, SIX_PEOPLE)
    choose(page, pairs[-1])
    button(page).click()
    assert sentence(page) == WHOLE
    expect(heat(page)).to_have_count(0)


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


def test_a_card_says_it_once_it_was_asked(page: Page, pairs: list[Pair]) -> None:
    upload(page, SIX_PEOPLE)
    choose(page, pairs[0])
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


def test_nothing_grave_is_found_in_light_and_dark(page: Page, pairs: list[Pair]) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    upload(page, SIX_PEOPLE)
    choose(page, pairs[0])
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
        page.wait_for_timeout(300)
        asked = grave_findings(page)
        button(page).click()
        assert sentence(page)
        page.mouse.move(0, 0)
        assert asked + grave_findings(page) == []


def test_less_motion_is_respected(page: Page, pairs: list[Pair]) -> None:
    page.emulate_media(reduced_motion="reduce")
    upload(page, SIX_PEOPLE)
    choose(page, pairs[0])
    button(page).click()
    expect(heat(page)).to_be_visible()
    assert heat(page).evaluate("one => parseFloat(getComputedStyle(one).animationDuration)") < 0.01
