"""Visitors with browser settings of their own, and a gallery for them that has portraits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from core.faces.engine import FaceEngine
from core.models.install import InstalledPack
from tests.conftest import six_actors
from tests.running_app import RunningApp, running_app

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
ACTORS = """folder,name,name_ko,wikidata,birth_year,gender,country
배우 1,Actor One,배우 하나,,,female,KR
배우 2,Actor Two,배우 둘,,,male,KR
배우 3,Actor Three,배우 셋,,,female,US
배우 4,Actor Four,배우 넷,,,male,US
배우 5,Actor Five,배우 다섯,,,female,US
배우 6,Actor Six,배우 여섯,,,male,US
"""
CREDITS = """file,source,author,licence,licence_url
배우 3/1.png,https://example.org/3,Jane Doe,CC BY-SA 4.0,https://example.org/by-sa
"""


@contextmanager
def portrait_app(tmp_path: Path, sface: InstalledPack, engine: FaceEngine) -> Iterator[RunningApp]:
    """The app with six actors' portraits, one of them credited, and filters."""
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    six_actors(dataset, engine)
    (dataset / "actors.csv").write_text(ACTORS, "utf-8")
    (dataset / "credits.csv").write_text(CREDITS, "utf-8")
    env = {
        "LOOKALIKE_MODELS_DIR": str(sface.folder.parent),
        "LOOKALIKE_DATASET_DIR": str(dataset),
    }
    with running_app(tmp_path, env=env) as running:
        yield running


@contextmanager
def visiting(browser: Browser, locale: str = "en-US", **options: Any) -> Iterator[Page]:
    """A page of a context of its own; `options` are the context's. It has gone nowhere yet."""
    options = {"viewport": PHONE, "permissions": ["camera"], **options}
    context = browser.new_context(locale=locale, **options)
    try:
        yield context.new_page()
    finally:
        context.close()
