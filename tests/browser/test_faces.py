"""A photo of several people: numbered faces to choose from, and who is the most alike."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, expect

from core.faces.engine import Face
from core.faces.photo import read_photo
from core.lookalike import Judged, LookalikeFinder
from tests.browser.visits import Visits, shown, shown_names, upload
from tests.conftest import SIX_PEOPLE
from tests.running_app import RunningApp

Box = tuple[float, float, float, float]  # x1, y1, x2, y2 as shares of the photo


@pytest.fixture(scope="module")
def people(starter: LookalikeFinder) -> list[Judged[Face]]:
    """The six faces with their matches, as the match function orders them."""
    return list(starter.find(SIX_PEOPLE).faces)


@pytest.fixture(scope="module")
def answered(long_visits: Visits, app: RunningApp) -> Page:
    page = long_visits.open(app.url)
    upload(page, SIX_PEOPLE)
    shown(page)
    assert page.evaluate("lookalike.chosen()") == [0, 0]
    return page


@pytest.fixture
def six(answered: Page) -> Page:
    """The answer to six people, of whom the first is on show with the first match."""
    answered.bring_to_front()
    answered.locator(".scene label").nth(0).click()
    answered.locator(".one:visible .matches label").nth(0).click()
    return answered


def spots(page: Page) -> list[Box]:
    """Where the page has its numbers, measured on the screen."""
    found: list[list[float]] = page.evaluate(
        """() => {
            const photo = document.querySelector('.scene img').getBoundingClientRect();
            return [...document.querySelectorAll('.scene label')].map(label => {
                const box = label.getBoundingClientRect();
                return [(box.left - photo.left) / photo.width, (box.top - photo.top) / photo.height,
                        (box.right - photo.left) / photo.width,
                        (box.bottom - photo.top) / photo.height];
            });
        }"""
    )
    return [(box[0], box[1], box[2], box[3]) for box in found]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0.0, width) * max(0.0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


def test_each_face_is_numbered_at_its_place(six: Page, people: list[Judged[Face]]) -> None:
    height, width = read_photo(SIX_PEOPLE).pixels.shape[:2]
    boxes = [entry.face.detection.box for entry in people]
    places = [(x1 / width, y1 / height, x2 / width, y2 / height) for x1, y1, x2, y2 in boxes]
    seen = spots(six)
    assert len(seen) == 6
    assert all(overlap(spot, place) > 0.75 for spot, place in zip(seen, places, strict=True))
    assert six.locator(".scene label span").all_inner_texts() == list("123456")
    expect(six.locator(".group .note")).to_have_text(
        "6 faces found: choose yours, or send a photo of you alone."
    )


def test_the_likeliest_subject_is_answered_first(six: Page, people: list[Judged[Face]]) -> None:
    assert shown_names(six) == [match.actor for match in people[0].matches]
    sizes = [(box[2] - box[0]) * (box[3] - box[1]) for box in spots(six)]
    assert sizes[0] > 0.8 * max(sizes)


def test_a_face_is_chosen_by_its_spot(six: Page, people: list[Judged[Face]]) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    six.on("request", note)
    for number in (3, 5, 0):
        six.locator(".scene label").nth(number).click()
        assert shown_names(six) == [match.actor for match in people[number].matches]
        expect(shown(six)).to_have_count(1)
        own = shown(six).locator(".pair img").first.get_attribute("src")
        row = six.locator(f".group button[data-face='{number}'] img").get_attribute("src")
        assert own == row
    six.remove_listener("request", note)
    assert [url for url in asked if not url.startswith("data:")] == []


def test_a_face_is_chosen_by_its_line_in_the_list(six: Page, people: list[Judged[Face]]) -> None:
    six.get_by_role("button", name="Face 4").click()
    assert shown_names(six) == [match.actor for match in people[3].matches]
    expect(six.get_by_label("Face 4", exact=True)).to_be_checked()


def test_each_face_keeps_the_match_that_was_chosen(six: Page, people: list[Judged[Face]]) -> None:
    six.locator(".one:visible .matches label").nth(2).click()
    six.locator(".scene label").nth(1).click()
    expect(shown(six).locator("h2")).to_have_text(people[1].matches[0].actor)
    six.locator(".scene label").nth(0).click()
    expect(shown(six).locator("h2")).to_have_text(people[0].matches[2].actor)
    assert six.evaluate("lookalike.chosen()") == [0, 2]


def test_the_group_is_ranked_by_who_is_the_most_alike(
    six: Page, people: list[Judged[Face]]
) -> None:
    expect(six.locator(".group h2")).to_have_text("Who of you is the most alike?")
    best = [entry.matches[0].similarity for entry in people]
    order = sorted(range(6), key=lambda number: -best[number])
    rows = six.locator(".group li")
    assert rows.locator("small").all_inner_texts() == [f"Face {number + 1}" for number in order]
    names = [people[number].matches[0].actor for number in order]
    assert rows.locator(".name").all_inner_texts() == names


def test_one_face_alone_is_not_numbered(page: Page) -> None:
    page.locator("#example").click()
    shown(page)
    expect(page.locator(".group")).to_have_count(0)
