"""What the page's tests share: finders on two galleries, the page served, visitors' requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from starlette.requests import Request

from core.faces.engine import FaceEngine
from core.gallery.credits import Credit, write_credits
from core.gallery.people import ActorEntry, write_actors
from core.lookalike import LookalikeFinder
from core.page.handlers import Handlers
from core.page.language import View, speeches
from core.page.portraits import PortraitPictures
from core.settings import Settings
from core.startup import people_of
from tests.conftest import enrolled, rebuilt
from tests.index.test_enrol import SIX_FACES, fill_gallery
from tests.running_app import running_app

PEOPLE = {
    "Ann": ActorEntry("Ann", "Ann Lee", {"ko": "앤 리"}, gender="female", country="US"),
    "Bob": ActorEntry("Bob", "Bob", {"ko": "밥"}, gender="male", country="US"),
    "Cid": ActorEntry("Cid", "Cid", gender="male", country="KR"),
    "Dan": ActorEntry("Dan", "Dan", {"ko": "댄"}, gender="non-binary", country="KR"),
    "송강호": ActorEntry("송강호", "Song Kang-ho", {"ko": "송강호"}, gender="male", country="KR"),
    "Astronaut": ActorEntry(
        "Astronaut", "Eileen Collins", {"ko": "아일린 콜린스"}, gender="female"
    ),
}  # Eve has no row
JANE = Credit("Jane Doe", "CC BY 4.0", "https://example.org/by", "https://example.org/photo")
NOBODY = Credit("", "", "", "https://example.org/unknown")


@pytest.fixture(scope="session")
def starter(engine: FaceEngine, models_dir: Path) -> LookalikeFinder:
    """The starter gallery: no portraits."""
    settings = Settings(models_dir=models_dir)
    index = rebuilt(settings.starter_path, settings).index
    return LookalikeFinder(engine, index, settings, people=people_of(index, settings))


@pytest.fixture(scope="session")
def gallery(
    engine: FaceEngine, models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> LookalikeFinder:
    """Seven real people, two photos each: Ann's credited, Bob's hidden, the others the owner's."""
    dataset = tmp_path_factory.mktemp("gallery")
    fill_gallery(dataset, [*SIX_FACES, "Astronaut"])
    write_actors(dataset / "actors.csv", PEOPLE.values())
    credits = {f"Ann/{n}.png": JANE for n in (1, 2)} | {f"Bob/{n}.png": NOBODY for n in (1, 2)}
    write_credits(dataset / "credits.csv", credits)
    settings = Settings(models_dir=models_dir, dataset_dir=dataset)
    index = enrolled(engine, settings).index
    return LookalikeFinder(engine, index, settings, people=people_of(index, settings))


def view_of(finder: LookalikeFinder, lang: str = "en") -> View:
    """How the page shows a finder's answers."""
    return View(finder, PortraitPictures(finder), speeches(finder)[lang])


def visit(lang: str = "en", **headers: str) -> gr.Request:
    """An event's request, as Gradio hands it to a handler."""
    raw = {"accept-language": lang, **headers}
    scope = {
        "type": "http",
        "headers": [(name.encode(), value.encode()) for name, value in raw.items()],
        "query_string": b"",
    }
    return gr.Request(Request(scope))


@pytest.fixture(scope="session")
def handlers(gallery: LookalikeFinder) -> Handlers:
    return Handlers(gallery)


@pytest.fixture(scope="session")
def served(
    gallery: LookalikeFinder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """The gallery's page in a process of its own; a client that speaks English."""
    env = {
        "LOOKALIKE_MODELS_DIR": str(gallery.settings.models_dir),
        "LOOKALIKE_DATASET_DIR": str(gallery.settings.dataset_dir),
    }
    headers = {"accept-language": "en-US"}
    with (
        running_app(tmp_path_factory.mktemp("served"), env=env) as app,
        httpx.Client(base_url=app.url, headers=headers, timeout=30) as client,
    ):
        yield client
