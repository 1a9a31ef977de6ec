"""What a visitor is told about a photo that gives no answer, or a poor one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect

from core.page.words import words_of
from tests.browser.visits import Visits, shown, upload
from tests.conftest import ASTRONAUT
from tests.running_app import RunningApp

TIPS = words_of("en").coaching
# The last message of each stream of answers comes late, as it may beside another connection.
LATE_END = """
  const real = window.fetch;
  window.fetch = async (resource, options) => {
    const response = await real(resource, options);
    if (!String(resource?.url ?? resource).includes('/queue/data')) return response;
    const decoder = new TextDecoder(), encoder = new TextEncoder();
    const late = new TransformStream({
      async transform(part, out) {
        for (const text of decoder.decode(part, {stream: true}).split(/(?<=\\n\\n)/)) {
          if (text.includes('"close_stream"')) await new Promise(go => setTimeout(go, 400));
          out.enqueue(encoder.encode(text));
        }
      },
    });
    const {status, headers} = response;
    return new Response(response.body.pipeThrough(late), {status, headers});
  };
"""


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


def remove_photo(page: Page) -> None:
    page.get_by_label("Remove photo").click()
    page.wait_for_selector(".result.waiting")


def test_a_poor_photo_is_answered_with_what_to_do_and_a_better_one_clears_it(
    page: Page, tmp_path: Path
) -> None:
    for fault in ("too_dark", "blurred", "too_small"):
        photo = tmp_path / f"{fault}.png"
        spoilt(fault).save(photo)
        upload(page, photo)
        shown(page)
        expect(page.locator(".result .tip:visible")).to_have_text([TIPS[fault]])
        remove_photo(page)
        expect(page.locator(".result .tip")).to_have_count(0)
    upload(page, ASTRONAUT)
    shown(page)
    expect(page.locator(".result .tip")).to_have_count(0)


def test_without_a_face_there_are_three_tips_and_the_example(page: Page, blank: Path) -> None:
    upload(page, blank)
    problem = page.locator(".result.problem")
    expect(problem.locator("p")).to_have_text("No face found.")
    lines = problem.locator("li").all_inner_texts()
    assert len(lines) == 4
    assert len(set(lines)) == 4
    assert lines[-1] == "Or try the example below the photo."
    page.locator("#example").click()
    shown(page)
    expect(page.locator(".result.problem")).to_have_count(0)


def test_what_is_no_picture_or_too_large_gets_one_plain_sentence_until_there_is_a_face(
    page: Page, tmp_path: Path
) -> None:
    unread = "This file cannot be read as a picture. Try a JPEG, PNG, WebP or HEIC photo."
    for number, content in enumerate((b"not a picture", b"")):
        file = tmp_path / f"{number}.jpg"
        file.write_bytes(content)
        upload(page, file)
        expect(page.locator(".result.problem")).to_have_text(unread)
        expect(page.locator(".toast-body")).to_have_count(0)  # no second message of Gradio's
        remove_photo(page)
    Image.new("1", (9000, 6000)).save(tmp_path / "huge.png")
    upload(page, tmp_path / "huge.png")
    expect(page.locator(".result.problem")).to_have_text(
        "This picture is too large. Up to 20 MB and 50 megapixels are fine."
    )
    remove_photo(page)
    upload(page, ASTRONAUT)
    shown(page)
    expect(page.locator(".result.problem")).to_have_count(0)


def test_a_photo_that_is_not_taken_is_told_until_one_is(page: Page, blank: Path) -> None:
    note = page.get_by_role("alert")
    for status, key in ((429, "too many"), (503, "busy"), (502, "no answer")):
        refuse(page, status)
        upload(page, blank)
        expect(note).to_have_text(words_of("en").gradio[key])
        page.unroute_all()
        remove_photo(page)
        expect(note).to_have_count(0)
    # Where the network refuses, Gradio connects anew, and the page may wait for it.
    refuse(page, 0)
    upload(page, blank)
    expect(note).to_have_text(words_of("en").gradio["no answer"])


def refuse(page: Page, status: int) -> None:
    """Photos, with this status; 0: the network does."""
    page.route(
        "**/queue/join*",
        lambda route: route.fulfill(status=status, body="<html>") if status else route.abort(),
    )


def test_a_choice_made_while_the_last_answers_stream_ends_is_answered(
    visits: Visits, app: RunningApp
) -> None:
    """Else Gradio waits for it on the stream that ends, as it may over a mobile network."""
    page = visits.open(app.url, script=LATE_END)
    upload(page, ASTRONAUT)
    first = shown(page).locator("h2")
    for label in ("Men", "Women"):
        before = first.inner_text()
        page.locator("#filters").get_by_label(label, exact=True).check()
        expect(first).not_to_have_text(before)
