"""The page as a visitor sees it, in Chromium."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from core.cache import load_cache
from core.enrol import index_from_cache
from core.faces import FaceEngine
from core.lookalike import LookalikeFinder
from core.settings import Settings
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.running_app import RunningApp

PATIENCE = 20_000  # milliseconds; a busy machine


def upload(page: Page, photo: Path) -> None:
    page.set_input_files("input[type=file]", photo)


def shown_names(page: Page) -> list[str]:
    """Names on the page, best first, once a result is there."""
    page.wait_for_selector(".result .headline .name", timeout=PATIENCE)
    return page.locator(".result .name").all_inner_texts()


def starter_names() -> set[str]:
    return set(load_cache(Settings().starter_path).actors)


@pytest.fixture(scope="module")
def expected(engine: FaceEngine) -> list[str]:
    """The five actors closest to the astronaut, by the match function itself."""
    index = index_from_cache(Settings().starter_path, Settings()).index
    answer = LookalikeFinder(engine, index, Settings()).find(ASTRONAUT)
    return [match.actor for match in answer.faces[0].matches]


def test_an_uploaded_face_is_answered_with_five_actors(page: Page, expected: list[str]) -> None:
    upload(page, ASTRONAUT)
    names = shown_names(page)
    assert names == expected
    assert set(names) <= starter_names()
    scores = [float(text) for text in page.locator(".result .score b").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    expect(page.locator(".result .headline")).to_contain_text("similarity 0.")


def test_a_webcam_picture_is_answered(page: Page) -> None:
    page.get_by_label("Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.get_by_label("capture photo").click()
    names = shown_names(page)
    assert len(names) == 5
    assert set(names) <= starter_names()


def test_a_pasted_picture_is_answered(page: Page, expected: list[str]) -> None:
    picture = base64.b64encode(ASTRONAUT.read_bytes()).decode()
    page.evaluate(
        """async url => {
            const blob = await (await fetch(url)).blob();
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }""",
        f"data:image/png;base64,{picture}",
    )
    page.get_by_label("Paste from clipboard").click()
    assert shown_names(page) == expected


def test_a_korean_browser_gets_a_korean_page(korean_page: Page) -> None:
    expect(korean_page.locator("h1")).to_have_text("나는 어떤 배우를 닮았을까?")
    upload(korean_page, ASTRONAUT)
    shown_names(korean_page)
    expect(korean_page.locator(".result .headline")).to_contain_text("유사도")
    expect(korean_page.locator("#privacy")).to_contain_text("삭제됩니다")


def test_an_english_browser_is_told_of_the_starter_gallery(page: Page) -> None:
    expect(page.locator("h1")).to_have_text("Which actor do you look like?")
    expect(page.locator(".banner").first).to_contain_text("starter gallery: 397 actors")
    expect(page.locator("#footer")).to_contain_text("SFace (Apache-2.0)")


def test_several_faces_are_announced_and_the_largest_is_matched(page: Page) -> None:
    upload(page, SIX_PEOPLE)
    assert len(shown_names(page)) == 5
    expect(page.locator(".result .note")).to_have_text("6 faces found. This is the largest one.")


def test_a_picture_without_a_face_gets_advice(page: Page, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    Image.new("RGB", (320, 240), "steelblue").save(blank)
    upload(page, blank)
    expect(page.locator(".result.problem")).to_contain_text("No face found.", timeout=PATIENCE)


def test_a_file_that_is_no_picture_gets_one_plain_sentence(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("not a picture")
    upload(page, text)
    expect(page.locator(".result.problem")).to_contain_text(
        "This file cannot be read as a picture.", timeout=PATIENCE
    )


def test_a_better_photo_replaces_the_advice(
    page: Page, tmp_path: Path, expected: list[str]
) -> None:
    blank = tmp_path / "blank.png"
    Image.new("RGB", (320, 240), "steelblue").save(blank)
    upload(page, blank)
    page.wait_for_selector(".result.problem", timeout=PATIENCE)
    page.get_by_label("Remove Image").first.click()
    page.wait_for_selector(".result.waiting", timeout=PATIENCE)
    upload(page, ASTRONAUT)
    assert shown_names(page) == expected


def test_no_request_leaves_the_machine(page: Page, app: RunningApp) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_selector(".result.waiting")
    upload(page, ASTRONAUT)
    shown_names(page)
    local = (app.url, "data:", "blob:")
    assert asked
    assert [url for url in asked if not url.startswith(local)] == []
