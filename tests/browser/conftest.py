"""Headless Chromium, driven by Playwright, on the app as a user starts it.

Playwright keeps an event loop in this thread: it ends with the package, so that tests after it
may run their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from core.faces.engine import FaceEngine
from core.gallery.people import People, read_actors
from core.lookalike import LookalikeFinder
from core.settings import Settings
from scripts.page.chromium import chromium, chromium_program
from tests.browser.galleries import OwnGallery, make_known_gallery, make_own_gallery
from tests.browser.visits import PATIENCE, Contexts, Visits
from tests.conftest import ASTRONAUT, rebuilt
from tests.running_app import RunningApp, gallery_env, running_app

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def app(starter_app: RunningApp) -> RunningApp:
    """The app with the starter gallery: a dataset folder without photos."""
    return starter_app


@pytest.fixture(scope="package")
def starter(engine: FaceEngine) -> LookalikeFinder:
    """The match function itself, on the starter gallery."""
    index = rebuilt(Settings().starter_path, Settings()).index
    people = People(read_actors(Settings().starter_people_path))
    return LookalikeFinder(engine, index, Settings(), people=people)


@pytest.fixture(scope="package")
def own_gallery(tmp_path_factory: pytest.TempPathFactory, engine: FaceEngine) -> OwnGallery:
    """Portraits and credits, but no actors.csv."""
    return make_own_gallery(tmp_path_factory.mktemp("own"), engine)


@pytest.fixture(scope="package")
def own_app(
    tmp_path_factory: pytest.TempPathFactory, models_dir: Path, own_gallery: OwnGallery
) -> Iterator[RunningApp]:
    """The app with a gallery of one's own, enrolled with the embedded pack."""
    env = gallery_env(models_dir, own_gallery.folder)
    with running_app(tmp_path_factory.mktemp("own-app"), env=env) as running:
        own_gallery.damage_a_portrait()
        yield running


@pytest.fixture(scope="package")
def portraits(
    tmp_path_factory: pytest.TempPathFactory, models_dir: Path, engine: FaceEngine
) -> Iterator[RunningApp]:
    """The app with six actors' portraits, one of them credited, and filters."""
    tmp_path = tmp_path_factory.mktemp("portraits")
    env = gallery_env(models_dir, make_known_gallery(tmp_path / "dataset", engine))
    with running_app(tmp_path, env=env) as running:
        yield running


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium whose camera sees the astronaut."""
    if chromium_program() is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    folder = tmp_path_factory.mktemp("camera")
    Image.open(ASTRONAUT).save(folder / "seen.jpg", quality=95)
    with chromium(folder / "seen.jpg", folder) as started:
        yield started


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    return Contexts(browser)


@pytest.fixture
def visits(contexts: Contexts) -> Iterator[Visits]:
    """Opens pages; at the end of the test none of them may have asked another machine."""
    opened = Visits(contexts)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def long_visits(contexts: Contexts) -> Iterator[Visits]:
    """The same for pages that several tests of a file look at."""
    opened = Visits(contexts)
    yield opened
    opened.close()


@pytest.fixture
def page(visits: Visits, app: RunningApp) -> Page:
    """The page with the starter gallery in English, on a phone-sized window."""
    return visits.open(app.url)


@pytest.fixture
def korean_page(visits: Visits, app: RunningApp) -> Page:
    """The same as a Korean browser gets it."""
    return visits.open(app.url, locale="ko-KR")


@pytest.fixture
def own_page(visits: Visits, own_app: RunningApp) -> Page:
    """The page with a gallery of one's own."""
    return visits.open(own_app.url)
