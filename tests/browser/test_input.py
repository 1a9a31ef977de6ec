"""Ways for a face to reach the page: file, camera, clipboard, drag and drop, example."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.lookalike import LookalikeFinder
from core.page.layout import EXAMPLE
from tests.browser.visits import shown_names, upload
from tests.conftest import ASTRONAUT


@pytest.fixture(scope="module")
def expected(starter: LookalikeFinder) -> list[str]:
    """The five actors closest to the astronaut, by the match function itself."""
    return names(starter, ASTRONAUT)


def names(starter: LookalikeFinder, photo: Path) -> list[str]:
    found = starter.find(photo).faces[0].matches
    return [starter.people.name(match.actor, "en") for match in found]


def test_one_tap_takes_a_picture_once_the_camera_is_chosen(page: Page) -> None:
    page.locator("#photo").get_by_label("Camera", exact=True).click()
    video = page.locator("#photo video")
    page.wait_for_function("document.querySelector('#photo video')?.videoWidth > 0")
    mirrored = video.evaluate("video => new DOMMatrix(getComputedStyle(video).transform).a")
    assert mirrored == -1  # as in a mirror: nobody finds their own face otherwise
    page.get_by_label("Take the photo").click()
    assert len(set(shown_names(page))) == 5


def test_a_pasted_picture_is_answered(page: Page, expected: list[str]) -> None:
    page.evaluate(
        """async url => {
            const blob = await (await fetch(url)).blob();
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }""",
        f"data:image/png;base64,{encoded(ASTRONAUT)}",
    )
    page.locator("#photo").get_by_label("Paste", exact=True).click()
    assert shown_names(page) == expected


def test_a_file_dropped_onto_the_input_is_answered(page: Page, expected: list[str]) -> None:
    files = page.evaluate_handle(
        """async url => {
            const blob = await (await fetch(url)).blob();
            const files = new DataTransfer();
            files.items.add(new File([blob], 'me.png', {type: 'image/png'}));
            return files;
        }""",
        f"data:image/png;base64,{encoded(ASTRONAUT)}",
    )
    target = page.locator("#photo button[aria-dropeffect]")
    for event in ("dragenter", "dragover", "drop"):
        target.dispatch_event(event, {"dataTransfer": files})
    assert shown_names(page) == expected


def test_the_example_needs_no_photo_and_an_uploaded_face_replaces_it(
    page: Page, starter: LookalikeFinder, expected: list[str]
) -> None:
    page.get_by_role("button", name="No photo at hand? Try an astronaut").click()
    assert shown_names(page) == names(starter, EXAMPLE)
    page.get_by_label("Remove photo").click()
    expect(page.locator(".result.waiting")).to_be_visible()
    upload(page, ASTRONAUT)
    assert shown_names(page) == expected


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
