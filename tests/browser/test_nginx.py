"""The page behind real nginx, with TLS and a sub-path, on a host whose disk is nearly full."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page, expect

from core.models.install import InstalledPack
from core.page.words.en import GRADIO as ENGLISH
from core.page.words.ko import GRADIO as KOREAN
from core.page.words.ko import WORDS
from tests.browser.visits import OWN_SCHEMES, PATIENCE, shown, upload
from tests.conftest import ASTRONAUT
from tests.models.test_install import mounted
from tests.nginx import PROGRAM, running_nginx
from tests.running_app import RunningApp, gallery_env, running_app

pytestmark = pytest.mark.slow

DISK = "size=6m"  # for visitors' photos, where the tests may mount one


@dataclass(frozen=True)
class Host:
    """An app, and where nginx has it."""

    app: RunningApp
    url: str
    held: str  # the same behind an nginx that holds event streams back
    small_disk: bool


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack) -> Iterator[Host]:
    if not Path(PROGRAM).exists():
        pytest.skip("needs nginx (Debian: apt-get install nginx-light)")
    folder = tmp_path_factory.mktemp("nginx")
    env = gallery_env(sface.folder.parent, folder / "dataset", GRADIO_ROOT_PATH="/look")
    with contextlib.ExitStack() as stack:
        small_disk = os.geteuid() == 0
        if small_disk:
            stack.enter_context(mounted(folder / "photos", DISK))
        app = stack.enter_context(running_app(folder, env=env))
        port = urlsplit(app.url).port or 0
        url, held = stack.enter_context(running_nginx(folder / "nginx", port))
        yield Host(app, url, held, small_disk)


@pytest.fixture(scope="module")
def opened(host: Host, browser: Browser) -> Iterator[dict[str, Page]]:
    """A page in each language, watched: nothing below another address, no script that breaks."""
    pages, faults = {}, []
    for locale in ("en-US", "ko-KR"):
        context = browser.new_context(
            locale=locale, ignore_https_errors=True, permissions=["camera"]
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda line: faults.append(line.text) if "Security Policy" in line.text else None,
        )
        page.on("request", lambda asked: faults.append(asked.url) if _strange(asked.url) else None)
        pages[locale] = page
    yield pages
    for page in pages.values():
        page.context.close()
    assert faults == []


def _strange(url: str) -> bool:
    parts = urlsplit(url)
    own = parts.scheme == "https" and parts.path.startswith("/look/")
    return not own and parts.scheme not in OWN_SCHEMES


@pytest.fixture
def page(opened: dict[str, Page], host: Host) -> Page:
    return at(opened["en-US"], host.url)


def at(page: Page, url: str) -> Page:
    page.goto(url)
    page.wait_for_selector(".result.waiting")
    return page


def test_page_upload_card_language_and_credits(page: Page) -> None:
    upload(page, ASTRONAUT)
    shown(page)
    page.click("#make-card")
    page.wait_for_selector(".card img")
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("h1")).to_have_text(WORDS["title"])
    page.wait_for_selector(".result.shown")
    with page.context.expect_page() as credits:
        page.locator("#footer a").click()
    expect(credits.value.locator("h1")).to_have_text(WORDS["credits"])
    credits.value.close()


def test_live_names_somebody(page: Page) -> None:
    page.get_by_role("tab", name="Live").click()
    page.locator("#camera").get_by_role("button", name="Start").click()
    page.wait_for_selector(".live[data-actor]")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_health_and_the_python_client(host: Host, tmp_path: Path) -> None:
    assert httpx.get(f"{host.url}health", verify=False).json()["status"] == "ok"
    client = Client(host.url, verbose=False, ssl_verify=False, download_files=tmp_path)
    answer = client.predict(handle_file(ASTRONAUT), api_name="/match")
    assert answer["faces"][0]["matches"]


def test_no_event_stream_may_be_held_back(host: Host) -> None:
    with httpx.stream("GET", f"{host.app.url}gradio_api/heartbeat/me") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
    assert "x-accel-buffering" not in httpx.get(host.app.url).headers


def test_where_streams_are_held_back_live_says_so(opened: dict[str, Page], host: Host) -> None:
    page = opened["en-US"]
    page.goto(host.held)
    page.get_by_role("tab", name="Live").click()
    page.locator("#camera").get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert")).to_have_text(ENGLISH["live silent"])
    page.get_by_role("tab", name="Photo").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_upload_that_is_cut_short_is_one_line_of_the_log(host: Host) -> None:
    before = len(host.app.lines)
    parts = urlsplit(host.app.url)
    head = (
        "POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition:"
        ' form-data; name="files"; filename="private.jpg"\r\n\r\n'
    )
    with socket.create_connection((parts.hostname, parts.port)) as cut:
        cut.sendall(head.encode() + b"0" * 5000)
        time.sleep(0.3)
    deadline = time.monotonic() + 10
    while not host.app.lines[before:] and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    assert host.app.lines[before:] == ["an upload was cut short"]


@pytest.mark.parametrize(("locale", "words"), [("en-US", ENGLISH), ("ko-KR", KOREAN)])
def test_a_photo_that_the_proxy_or_the_disk_refuses_is_told_in_the_pages_words(
    locale: str, words: dict[str, str], opened: dict[str, Page], host: Host, tmp_path: Path
) -> None:
    page = at(opened[locale], host.url)
    photo = tmp_path / "large.jpg"
    photo.write_bytes(os.urandom(9_000_000))
    upload(page, photo)
    expect(page.get_by_test_id("toast-text")).to_have_text(words["photo too large"])
    if not host.small_disk:
        pytest.skip("needs the right to mount a small disk")
    page = at(page, host.url)
    before = len(host.app.lines)
    photo.write_bytes(os.urandom(7_000_000))
    upload(page, photo)
    expect(page.get_by_test_id("toast-text")).to_have_text(words["no answer"])
    assert_no_room(host.app.lines[before:])


def assert_no_room(lines: list[str]) -> None:
    (line,) = lines
    assert line.startswith("ERROR: a photo could not be kept: No space left on device; free some")
    assert "LOOKALIKE_TEMP_DIR" in line


def test_base64_that_the_disk_refuses_is_one_sentence_and_one_line(host: Host) -> None:
    if not host.small_disk:
        pytest.skip("needs the right to mount a small disk")
    before = len(host.app.lines)
    uri = f"data:image/png;base64,{base64.b64encode(os.urandom(7_000_000)).decode()}"
    api = f"{host.app.url}gradio_api/call"
    event = httpx.post(f"{api}/v2/match", json={"photo": uri}, timeout=60).json()["event_id"]
    assert "something went wrong on the server" in httpx.get(f"{api}/match/{event}").text
    assert_no_room(host.app.lines[before:])
