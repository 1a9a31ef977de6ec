"""The page inside another site's frame, where a browser grants less."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FrameLocator, Page, expect

from core.page.words.en import GRADIO as ENGLISH
from core.page.words.ko import GRADIO as KOREAN
from core.page.words.ko import WORDS
from tests.browser.visits import Visits
from tests.conftest import ASTRONAUT
from tests.running_app import RunningApp

NO_STORAGE = """
  for (const name of ['sessionStorage', 'localStorage'])
    Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError'); }});
"""
NO_HTTPS = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined});"
CAMERA_LATER = """
  const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
  window.refused = true;
  media.getUserMedia = async (wanted) => {
    if (window.refused) throw new DOMException('Permission denied', 'NotAllowedError');
    return ask(wanted);
  };
"""


# What the Hub lets a Space's frame do, of what an app like this could ask for.
SPACE = (
    'allow="autoplay; camera; clipboard-read; clipboard-write; fullscreen; microphone; sync-xhr"'
    ' sandbox="allow-downloads allow-forms allow-modals allow-pointer-lock allow-popups'
    " allow-popups-to-escape-sandbox allow-same-origin allow-scripts"
    ' allow-storage-access-by-user-activation"'
)


@contextmanager
def site_with_a_frame(source: str, permissions: str = "") -> Iterator[str]:
    """A page at another host's address that has the app in a frame, and a name for it."""
    frame = (
        f'<iframe name="theirs" src="{source}" width="390" height="1800" {permissions}></iframe>'
    )
    html = f"<!doctype html>{frame}".encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def other_site(app: RunningApp) -> Iterator[str]:
    """One that permits the frame nothing."""
    with site_with_a_frame(app.url) as address:
        yield address


@pytest.fixture
def hubs_page(app: RunningApp) -> Iterator[str]:
    """One that permits it what the Hub permits a Space, and hands it the theme as the Hub does."""
    with site_with_a_frame(f"{app.url}?__theme=dark", SPACE) as address:
        yield address


def framed(visits: Visits, address: str, script: str) -> tuple[Page, FrameLocator]:
    page = visits.blank(script=script)
    page.goto(address)
    frame = page.frame_locator("iframe")
    frame.locator(".result.waiting").wait_for()
    return page, frame


def name_of(page: Page) -> str:
    return str(page.frames[1].evaluate("window.name"))


def test_the_result_stays_in_another_language_where_storage_is_refused(
    visits: Visits, other_site: str
) -> None:
    page, frame = framed(visits, other_site, NO_STORAGE)
    frame.locator("#photo input[type=file]").set_input_files(ASTRONAUT)
    frame.locator(".matches label").nth(1).click()
    picture = frame.locator(".compare:visible img").first.get_attribute("src")
    frame.get_by_role("link", name="한국어").click()
    expect(frame.locator("h1")).to_have_text(WORDS["title"])
    expect(frame.locator(".compare:visible img").first).to_have_attribute("src", picture or "")
    expect(frame.locator("#result input[name=match-0]").nth(1)).to_be_checked()
    assert name_of(page) == "theirs"  # nothing of the photo in it
    before = set(page.context.pages)  # and nothing where a language is opened elsewhere
    frame.get_by_role("link", name="English").dispatch_event("click", {"ctrlKey": True})
    assert name_of(page) == "theirs"
    for opened in set(page.context.pages) - before:
        opened.close()


def test_live_without_permission_says_what_to_do_in_a_frame(
    visits: Visits, other_site: str
) -> None:
    """Really refused: the frame has no `allow="camera"`."""
    _, frame = framed(visits, other_site, "0;")
    frame.get_by_role("tab", name="Live").click()
    expect(frame.get_by_role("alert")).to_have_text(ENGLISH["camera refused"])


def test_camera_language_and_share_card_work_in_a_spaces_frame(
    visits: Visits, hubs_page: str, tmp_path: Path
) -> None:
    page, frame = framed(visits, hubs_page, "0;")
    frame.locator("#photo").get_by_label("Camera", exact=True).click()
    theirs = page.frames[1]
    theirs.wait_for_function("document.querySelector('#photo video')?.videoWidth > 0")
    frame.get_by_label("Take the photo").click()
    frame.locator(".result.shown").wait_for()
    picture = frame.locator(".compare:visible img").first.get_attribute("src")
    frame.get_by_role("link", name="한국어").click()
    expect(frame.locator("h1")).to_have_text(WORDS["title"])
    expect(frame.locator(".compare:visible img").first).to_have_attribute("src", picture or "")
    assert "__theme=dark" in theirs.url
    expect(frame.locator("body")).to_have_class(re.compile("dark"))
    frame.locator("#make-card").click()
    frame.locator("#card .card").wait_for()
    with page.expect_download() as download:
        frame.locator("#card a[download]").click()
    download.value.save_as(tmp_path / "card.png")
    with Image.open(tmp_path / "card.png") as card:
        assert card.size == (1080, 1350)
    frame.get_by_role("tab").nth(1).click()
    theirs.wait_for_function("document.querySelector('#camera video')?.videoWidth > 0")
    expect(frame.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(("locale", "words"), [("en-US", ENGLISH), ("ko-KR", KOREAN)])
def test_an_address_without_https_is_told_in_the_place_of_the_camera(
    visits: Visits, app: RunningApp, locale: str, words: dict[str, str]
) -> None:
    page = visits.open(app.url, locale=locale, script=NO_HTTPS)
    note = page.get_by_role("alert")
    page.locator("#photo .source-selection button").nth(1).click()
    expect(note).to_have_text(words["camera needs https"])
    page.locator("#photo .image-container button:has(> .wrap > .icon-wrap)").last.click()
    page.get_by_role("tab").nth(1).click()
    expect(note).to_have_text(words["camera needs https"])
    assert "no_webcam_support" not in page.locator("body").inner_text()
    expect(page.get_by_test_id("toast-text")).to_have_count(0)


@pytest.mark.parametrize(("locale", "words"), [("en-US", ENGLISH), ("ko-KR", KOREAN)])
def test_a_refused_camera_is_told_until_it_is_allowed(
    visits: Visits, app: RunningApp, locale: str, words: dict[str, str]
) -> None:
    page = visits.open(app.url, locale=locale, script=CAMERA_LATER)
    page.get_by_role("tab").nth(1).click()
    note = page.get_by_role("alert")
    expect(note).to_have_text(words["camera refused"])
    page.evaluate("window.refused = false")
    page.locator("#camera .image-container button:visible").first.click()
    expect(note).to_have_count(0)
    expect(page.locator("#camera video")).to_be_visible()
