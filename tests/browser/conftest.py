"""Headless Chromium, driven by Playwright, on the app as a user starts it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from core.models import InstalledPack
from tests.conftest import ASTRONAUT
from tests.running_app import RunningApp, running_app

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack) -> Iterator[RunningApp]:
    """The app with the starter gallery: a dataset folder without photos."""
    tmp_path = tmp_path_factory.mktemp("app")
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    env = {
        "LOOKALIKE_MODELS_DIR": str(sface.folder.parent),
        "LOOKALIKE_DATASET_DIR": str(dataset),
        "GRADIO_SERVER_PORT": "7979",
    }
    with running_app(tmp_path, env=env) as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium whose camera sees the astronaut."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    film = tmp_path_factory.mktemp("camera") / "cam.mjpeg"
    picture = film.with_suffix(".jpg")
    Image.open(ASTRONAUT).save(picture, quality=95)
    film.write_bytes(picture.read_bytes() * 30)
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *camera])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    """The page in English, on a phone-sized window."""
    yield from open_page(browser, app.url, "en-US")


@pytest.fixture
def korean_page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    """The page as a Korean browser gets it."""
    yield from open_page(browser, app.url, "ko-KR")


def open_page(browser: Browser, url: str, locale: str) -> Iterator[Page]:
    context = browser.new_context(
        locale=locale,
        viewport={"width": 390, "height": 844},
        permissions=["camera", "clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".result.waiting")
    yield page
    context.close()
