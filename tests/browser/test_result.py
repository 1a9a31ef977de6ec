"""The result: two faces side by side, the score in words, and the other matches to choose from."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, Request, expect

from core.faces.engine import Face, FaceEngine
from core.faces.photo import Photo
from core.lookalike import Judged, LookalikeFinder
from tests.browser.visits import Visits, matches, shown, upload
from tests.conftest import ASTRONAUT
from tests.running_app import RunningApp


@pytest.fixture(scope="module")
def astronaut(starter: LookalikeFinder) -> Judged[Face]:
    return starter.find(ASTRONAUT).faces[0]


@pytest.fixture(scope="module")
def answered(long_visits: Visits, app: RunningApp) -> Page:
    return answered_by(long_visits, app)


@pytest.fixture(scope="module")
def own_answered(long_visits: Visits, own_app: RunningApp) -> Page:
    """The same with portraits."""
    return answered_by(long_visits, own_app)


def answered_by(visits: Visits, app: RunningApp) -> Page:
    page = visits.open(app.url)
    upload(page, ASTRONAUT)
    shown(page)
    return page


def pixels(element: Locator) -> NDArray[np.float64]:
    """What an element looks like, (H, W, 3) 0-255."""
    image = Image.open(io.BytesIO(element.screenshot(animations="disabled"))).convert("RGB")
    return np.asarray(image, np.float64)


def unlike(picture: NDArray[np.float64], frame: NDArray[np.float64]) -> float:
    """How far a picture is from one of another size, 0-255, without the round corners."""
    image = Image.fromarray(picture.astype(np.uint8)).resize(frame.shape[1::-1])
    return float(np.abs(np.asarray(image, np.float64) - frame)[20:-20, 20:-20].mean())


def test_the_score_is_large_in_words_and_the_similarity_small(
    answered: Page, astronaut: Judged[Face]
) -> None:
    first = astronaut.matches[0]
    assert first.score is not None
    headline = shown(answered).locator(".headline")
    expect(headline.locator(".name")).to_have_text(first.actor)
    expect(headline.locator(".score")).to_have_text(f"{first.score:.1f} points")
    expect(headline.locator(".meaning")).to_have_text(
        f"A closer likeness than {int(first.score)}% of the lookalikes these actors find among"
        " themselves."
    )
    similarity = headline.get_by_text(f"similarity {first.similarity:.3f}")
    large, small = font_size(headline.locator(".score b")), font_size(similarity)
    assert large >= 40
    assert small <= 14


def test_four_more_stand_below_best_first(answered: Page, astronaut: Judged[Face]) -> None:
    rows = matches(answered)
    expect(rows).to_have_count(5)
    assert rows.locator(".rank").all_inner_texts() == ["1", "2", "3", "4", "5"]
    scores = [float(text) for text in rows.locator(".score b").all_inner_texts()]
    assert scores == [match.score for match in astronaut.matches]
    assert scores == sorted(scores, reverse=True)


def test_on_a_phone_the_result_comes_into_view(page: Page) -> None:
    upload(page, ASTRONAUT)
    shown(page)
    page.wait_for_function(
        "Math.abs(document.querySelector('#output').getBoundingClientRect().top) < 24"
    )
    for part in (".pair", ".headline .score b"):
        box = shown(page).locator(part).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 844


def test_both_faces_have_one_scale_and_one_eye_line(own_page: Page, engine: FaceEngine) -> None:
    """Read off the picture of the page itself, by the detector."""
    own_page.set_viewport_size({"width": 1280, "height": 1000})
    upload(own_page, ASTRONAUT)
    frames = shown(own_page).locator(".pair .face")
    left, right = frames.nth(0).bounding_box(), frames.nth(1).bounding_box()
    assert left is not None
    assert right is not None
    assert (left["width"], left["height"]) == (right["width"], right["height"])
    assert left["y"] == right["y"]
    matches(own_page).nth(1).click()  # the first is the astronaut again
    expect(shown(own_page).locator(".place")).to_have_text("No. 2")
    eyes = []
    for number in (0, 1):
        frame = pixels(shown(own_page).locator(".pair .face").nth(number)).astype(np.uint8)
        (face,) = engine.detect(Photo(frame, "page"))
        eyes.append(face.landmarks[:2])
    spans = [float(np.linalg.norm(eye[1] - eye[0])) for eye in eyes]
    heights = [float(eye[:, 1].mean()) for eye in eyes]
    assert spans[0] == pytest.approx(spans[1], rel=0.12)
    assert heights[0] == pytest.approx(heights[1], abs=0.03 * left["height"])


def test_the_visitor_stands_on_the_left(own_answered: Page) -> None:
    faces = shown(own_answered).locator(".pair img")
    expect(faces.nth(0)).to_have_attribute("alt", "Your face, cut out and straightened")
    expect(faces.nth(0)).to_have_attribute("src", re.compile("^data:image/jpeg"))
    expect(faces.nth(1)).to_have_attribute("alt", "Portrait of Eileen Collins")
    expect(shown(own_answered).locator("figcaption").nth(0)).to_have_text("You")


def test_choosing_another_match_swaps_the_comparison_and_asks_nothing(own_answered: Page) -> None:
    first = shown(own_answered).locator("h2").inner_text()
    own_answered.wait_for_timeout(500)  # pictures on show are loaded
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    own_answered.on("request", note)
    second = matches(own_answered).nth(1)
    name = second.locator(".name").inner_text()
    second.click()
    expect(shown(own_answered).locator("h2")).to_have_text(name)
    expect(shown(own_answered).locator(".place")).to_have_text("No. 2")
    expect(shown(own_answered)).to_have_count(1)
    own_answered.wait_for_timeout(500)
    own_answered.remove_listener("request", note)
    assert name != first
    assert [url for url in asked if "/portraits/" not in url] == []
    matches(own_answered).nth(0).click()
    expect(shown(own_answered).locator("h2")).to_have_text(first)


def test_the_slider_blends_one_face_into_the_other(own_answered: Page) -> None:
    matches(own_answered).nth(1).click()
    shown(own_answered).get_by_text("Blend the two faces").click()
    face = shown(own_answered).locator(".blend .face")
    own_answered.wait_for_function(
        "[...document.querySelectorAll('.compare:not([hidden]) .blend img')]"
        ".every(one => one.complete && one.naturalWidth)"
    )
    seen = {}
    for value in (0, 50, 100):
        shown(own_answered).get_by_label("Move from your face to the actor's").fill(str(value))
        seen[value] = pixels(face)
    assert np.abs(seen[0] - seen[100]).mean() > 10  # two people
    assert np.abs(seen[50] - (seen[0] + seen[100]) / 2).mean() < 2
    frames = [pixels(shown(own_answered).locator(".pair .face").nth(number)) for number in (0, 1)]
    for value, own, other in ((0, 0, 1), (100, 1, 0)):
        apart = [unlike(seen[value], frame) for frame in frames]
        assert apart[own] < 0.4 * apart[other]


def test_choosing_works_without_the_server(answered: Page) -> None:
    answered.bring_to_front()
    answered.context.set_offline(True)
    try:
        name = matches(answered).nth(2).locator(".name").inner_text()
        matches(answered).nth(2).click()
        expect(shown(answered).locator("h2")).to_have_text(name)
    finally:
        answered.context.set_offline(False)


def font_size(element: Locator) -> float:
    return float(element.evaluate("element => parseFloat(getComputedStyle(element).fontSize)"))
