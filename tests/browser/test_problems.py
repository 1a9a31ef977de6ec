"""What a visitor is told about a photo that gives no answer, or a poor one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect

from core.page.words import words_of
from tests.browser.visits import PATIENCE, shown, upload
from tests.conftest import ASTRONAUT

TIPS = words_of("en").coaching


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    file = tmp_path / "blank.png"
    Image.new("RGB", (320, 240), "steelblue").save(file)
    return file


def spoilt(kind: str) -> Image.Image:
    image = Image.open(ASTRONAUT).convert("RGB")
    return {
        "too_dark": lambda: image.point(lambda value: value * 0.15),
        "blurred": lambda: image.filter(ImageFilter.GaussianBlur(3.5)),
        "too_small": lambda: image.resize((200, 200)),
    }[kind]()


@pytest.mark.parametrize("fault", ["too_dark", "blurred", "too_small"])
def test_a_poor_photo_is_answered_with_what_to_do_and_a_better_one_clears_it(
    page: Page, tmp_path: Path, fault: str
) -> None:
    photo = tmp_path / "poor.png"
    spoilt(fault).save(photo)
    upload(page, photo)
    shown(page)
    expect(page.locator(".result .tip:visible")).to_have_text([TIPS[fault]])
    page.get_by_label("Remove photo").click()
    page.wait_for_selector(".result.waiting")
    expect(page.locator(".result .tip")).to_have_count(0)
    upload(page, ASTRONAUT)
    shown(page)
    expect(page.locator(".result .tip")).to_have_count(0)


def test_without_a_face_there_are_three_tips_and_the_example(page: Page, blank: Path) -> None:
    upload(page, blank)
    problem = page.locator(".result.problem")
    expect(problem.locator("p")).to_have_text("No face found.", timeout=PATIENCE)
    lines = problem.locator("li").all_inner_texts()
    assert len(lines) == 4
    assert len(set(lines)) == 4
    assert lines[-1] == "Or try the example below the photo."
    page.locator("#example").click()
    shown(page)


def test_a_photo_with_a_face_replaces_the_advice(page: Page, blank: Path) -> None:
    upload(page, blank)
    page.wait_for_selector(".result.problem")
    page.get_by_label("Remove photo").click()
    page.wait_for_selector(".result.waiting")
    upload(page, ASTRONAUT)
    shown(page)
    expect(page.locator(".result.problem")).to_have_count(0)


@pytest.mark.parametrize("content", [b"not a picture", b""])
def test_a_file_that_is_no_picture_gets_one_plain_sentence(
    page: Page, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "notes.jpg"
    file.write_bytes(content)
    upload(page, file)
    expect(page.locator(".result.problem")).to_have_text(
        "This file cannot be read as a picture. Try a JPEG, PNG, WebP or HEIC photo.",
        timeout=PATIENCE,
    )
    expect(page.locator(".toast-body")).to_have_count(0)  # no second message of Gradio's


@pytest.mark.parametrize(
    ("status", "key"), [(429, "too many"), (503, "busy"), (502, "no answer"), (0, "no answer")]
)
def test_a_photo_that_is_not_taken_is_told_until_one_is(
    page: Page, status: int, key: str, blank: Path
) -> None:
    page.route(
        "**/queue/join*",
        lambda route: route.fulfill(status=status, body="<html>") if status else route.abort(),
    )
    upload(page, blank)
    note = page.get_by_role("alert")
    expect(note).to_have_text(words_of("en").gradio[key], timeout=PATIENCE)
    page.unroute_all()
    if status:  # where the network refuses, Gradio connects anew, and the page may wait for it
        page.get_by_label("Remove photo").click()
        expect(note).to_have_count(0)


def test_a_photo_of_too_many_pixels_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "huge.png"
    Image.new("1", (9000, 6000)).save(file)
    upload(page, file)
    expect(page.locator(".result.problem")).to_have_text(
        "This picture is too large. Up to 20 MB and 50 megapixels are fine.", timeout=PATIENCE
    )
