"""axe-core finds nothing serious in any state; names, sizes and contrast that it cannot judge."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from scripts.page.states import (
    PHOTO,
    SETTLED,
    STATES,
    Pictures,
    State,
    open_state,
    state_named,
)
from tests.browser.visits import DESK, PHONE, Visits
from tests.running_app import RunningApp

GRAVE = ("serious", "critical")
ALLOWED: dict[str, str] = {}
# Of a phone's own guidelines, CSS pixels; WCAG 2.2 AA asks for 24.
THUMB = 40
OFTEN = ("waiting", "result", "several-faces", "live-running")  # the other states: -m slow


# Controls that are too low.
SMALL = """(thumb) => [...document.querySelectorAll(
    '#languages a, [role=tab], #photo button, #example, .matches label, .group button, ' +
    '.alike button, .blend summary, .blend input, #make-card, .card .action, #filters .wrap label')]
  .filter(one => one.getClientRects().length && !one.disabled && !one.closest('[aria-hidden=true]'))
  .map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect().height])
  .filter(([, height]) => height < thumb)"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return Pictures.made_of(PHOTO, tmp_path_factory.mktemp("pictures"))


def grave_findings(page: Page) -> list[str]:
    """axe's serious and critical findings, each with the element and the reason."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    result: dict[str, Any] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations'], preload: false})"
    )
    return [
        f"{violation['id']} at {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
        if violation["impact"] in GRAVE and not any(part in str(node["target"]) for part in ALLOWED)
    ]


def check(page: Page, url: str, state: State, pictures: Pictures) -> None:
    """In the light on a phone, whose controls a thumb must hit, and in the dark on a desk."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    open_state(page, url, state, pictures)
    found = [*grave_findings(page), *page.evaluate(SMALL, THUMB)]
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    if state.path:
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    else:
        wear(page, "dark")
    assert found + grave_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def wear(page: Page, colours: Literal["light", "dark"]) -> None:
    """Light or dark, and all of the page has changed to it."""
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    page.wait_for_selector("body.dark" if colours == "dark" else "body:not(.dark)")
    page.evaluate(SETTLED)


@pytest.mark.parametrize(
    "state",
    [
        state if state.name in OFTEN else pytest.param(state, marks=pytest.mark.slow)
        for state in STATES
        if "alike" not in state.name  # seven actors have no parts
    ],
    ids=[state.name for state in STATES if "alike" not in state.name],
)
def test_nothing_grave_is_found_with_portraits(
    visits: Visits, portraits: RunningApp, pictures: Pictures, state: State
) -> None:
    locale = ("en-US", "ko-KR")[STATES.index(state) % 2]
    page = visits.blank(locale=locale)
    check(page, portraits.url, state, pictures)
    if state.name == "several-faces":
        check_names_of_pictures(page)


@pytest.mark.parametrize("name", ["result", "share-card", "share-card-alike"])
def test_nothing_grave_is_found_with_monograms(
    visits: Visits, app: RunningApp, pictures: Pictures, name: str
) -> None:
    page = visits.blank()
    check(page, app.url, state_named(name), pictures)
    check_name_without_portrait(page)


def test_axe_does_find_what_is_wrong(page: Page) -> None:
    page.add_style_tag(content="#intro p { color: #ddd !important; }")
    page.evaluate("document.querySelector('#example').textContent = ''")
    found = " ".join(grave_findings(page))
    assert "color-contrast" in found
    assert "button-name" in found


def check_names_of_pictures(page: Page) -> None:
    shown = page.locator(".compare:visible")
    name = shown.locator("h2").inner_text()
    alts = shown.locator(".pair img").evaluate_all("all => all.map(image => image.alt)")
    assert alts == ["Your face, cut out and straightened", f"Portrait of {name}"]
    scene = page.locator(".scene > img")
    assert scene.get_attribute("alt") == "Your photo with 3 numbered faces"


def check_name_without_portrait(page: Page) -> None:
    shown = page.locator(".compare:visible")
    name = shown.locator("h2").inner_text()
    label = shown.locator(".pair [role=img]").get_attribute("aria-label")
    assert label == f"No portrait of {name} in this gallery"


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_what_stands_below_does_not_move_when_a_result_comes(
    visits: Visits, app: RunningApp, pictures: Pictures, size: tuple[int, int]
) -> None:
    page = visits.blank(size=size)
    open_state(page, app.url, state_named("waiting"), pictures)
    before = _height(page)
    state_named("result").reach(page, pictures)
    assert abs(_height(page) - before) <= 24


def _height(page: Page) -> float:
    return float(page.locator(".result").evaluate("one => one.getBoundingClientRect().height"))
