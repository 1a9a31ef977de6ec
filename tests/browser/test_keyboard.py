"""The whole flow with a keyboard, and what a visitor who cannot see the page is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import FileChooser, Page, expect

from tests.browser.visits import DESK, Visits
from tests.conftest import SIX_PEOPLE
from tests.running_app import RunningApp

MOST_STOPS = 60  # of the Tab key on the whole page

# Whether the focused element, or the label that stands for an invisible one, has a ring.
RING = """() => {
  const focused = document.activeElement;
  const ringed = element => {
    const style = getComputedStyle(element);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
      && style.outlineColor !== "rgba(0, 0, 0, 0)";
  };
  const unseen = getComputedStyle(focused).opacity === "0";
  return unseen ? [...focused.labels].some(ringed) : ringed(focused);
}"""


@pytest.fixture
def page(visits: Visits, portraits: RunningApp) -> Iterator[Page]:
    """A desktop's page as it opens, in English; nothing is focused."""
    page = visits.blank(size=DESK)
    page.emulate_media(reduced_motion="reduce")
    # Chromium is told in good time that there will be a chooser, not as it opens.
    page.on("filechooser", ignore)
    page.goto(portraits.url)
    page.wait_for_selector(".result.waiting")
    yield page
    page.remove_listener("filechooser", ignore)


def ignore(chooser: FileChooser) -> None:
    pass


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; every stop on the way shows where it is."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.outerHTML.slice(0, 160)")
        if not where.startswith("<body"):
            page.wait_for_timeout(30)  # the ring's own transition, 0.01 ms long
            assert page.evaluate(RING), f"no visible focus on {where}"
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never reached {selector}")


def choose_file(page: Page, photo: object) -> None:
    """Through the upload area, as the keyboard opens it."""
    tab_to(page, "#photo button.upload-container")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(str(photo))
    page.wait_for_selector(".result.shown")


def test_language_example_blend_matches_and_card_need_no_mouse(page: Page) -> None:
    tab_to(page, "#languages a[lang=ko]")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("나는 어떤 배우를 닮았을까?")
    page.wait_for_selector(".result.waiting")

    tab_to(page, "#example")
    page.keyboard.press("Enter")
    page.wait_for_selector(".result.shown")

    tab_to(page, ".blend summary")
    page.keyboard.press("Enter")
    tab_to(page, ".blend input[type=range]")
    theirs = page.locator(".blend:visible .face img").last
    expect(theirs).to_have_css("opacity", "0.5")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(theirs).to_have_css("opacity", "0.6")

    tab_to(page, ".matches input")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    third = page.locator(".matches .name").nth(2).inner_text()
    expect(page.locator(".compare:visible h2")).to_have_text(third)

    tab_to(page, "#make-card")
    page.keyboard.press("Space")
    page.wait_for_selector(".card img")
    expect(page.locator(".card img")).to_have_attribute("alt", f"공유할 그림: 나와 {third}")
    tab_to(page, ".card a[download]")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".png")


def test_one_of_several_faces_is_chosen_on_the_photo_and_in_the_list(page: Page) -> None:
    choose_file(page, SIX_PEOPLE)
    tab_to(page, ".scene input")
    page.keyboard.press("ArrowRight")
    expect(page.locator("section.one:visible")).to_have_attribute("data-face", "1")
    expect(page.locator(".group [aria-pressed=true]")).to_have_attribute("data-face", "1")

    tab_to(page, ".group li:nth-child(3) button")
    chosen = page.locator(".group li:nth-child(3) button").get_attribute("data-face") or ""
    page.keyboard.press("Enter")
    expect(page.locator("section.one:visible")).to_have_attribute("data-face", chosen)
    expect(page.locator(f".scene input[value='{chosen}']")).to_be_checked()


def test_a_result_is_said_in_a_live_region_that_was_there_before_and_filters_need_no_mouse(
    page: Page,
) -> None:
    said = page.locator("#said")
    expect(said).to_have_attribute("role", "status")
    expect(said).to_have_attribute("aria-live", "polite")
    expect(said).to_have_text("")
    said.evaluate("element => { window.region = element; }")
    tab_to(page, "#example")
    page.keyboard.press("Space")
    page.wait_for_selector(".result.shown")
    name = page.locator(".compare:visible h2").inner_text()
    meaning = page.locator(".compare:visible .meaning").inner_text()
    expect(said).to_have_text(f"Closest actor: {name}. {meaning}")
    assert said.evaluate("element => element === window.region")
    page.click("#make-card")
    expect(said).to_have_text(f"A picture to share: you beside {name}")

    expect(page.locator(".matches label:visible")).to_have_count(5)
    page.locator("#example").focus()
    tab_to(page, "#filters input[type=radio]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#filters input[value=women]")).to_be_checked()
    expect(page.locator(".matches label:visible")).to_have_count(3)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".matches label:visible")).to_have_count(5)
    tab_to(page, "#filters input[role=combobox]")


def test_the_live_camera_starts_and_stops_with_the_keyboard(page: Page) -> None:
    tab_to(page, "#live-tab-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#camera video")
    tab_to(page, "#camera .capture-button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".live[data-actor]")
    button = page.locator("#camera .capture-button")
    expect(button).to_contain_text("Stop")
    page.keyboard.press("Enter")
    expect(button).not_to_contain_text("Stop")


# What moved, from the page's first script on.
WATCH = """
  window.moved = {scrolls: [], animations: []};
  const scroll = Element.prototype.scrollIntoView;
  Element.prototype.scrollIntoView = function (how) {
    window.moved.scrolls.push(how?.behavior ?? "auto");
    return scroll.call(this, how);
  };
  const look = () => {
    for (const one of document.getAnimations()) {
      const { duration } = one.effect.getComputedTiming();
      if (one.playState === "running" && duration > 10) {
        window.moved.animations.push(
          `${one.animationName ?? one.transitionProperty} of ${one.effect.target?.className}`);
      }
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_where_less_motion_is_asked_for(
    visits: Visits, portraits: RunningApp, motion: Literal["reduce", "no-preference"]
) -> None:
    page = visits.blank(script=WATCH)
    page.emulate_media(reduced_motion=motion)
    page.goto(portraits.url)
    page.wait_for_selector(".result.waiting")
    page.click("#example")
    page.wait_for_selector(".result.shown")
    page.click("#make-card")
    page.wait_for_selector(".card img")
    page.wait_for_function("window.moved.scrolls.length >= 2")
    moved = page.evaluate("window.moved")
    if motion == "reduce":
        assert set(moved["scrolls"]) == {"auto"}
        assert moved["animations"] == []
    else:  # the watch does see movement
        assert set(moved["scrolls"]) == {"smooth"}
        assert moved["animations"]
