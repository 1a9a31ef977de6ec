"""The page with a gallery of one's own, enrolled with AuraFace (a stand-in of its weights)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.faces import FaceEngine
from tests.browser.conftest import open_page
from tests.conftest import ROOT, six_actors
from tests.hub_standin import HubStandin, publish_standin
from tests.running_app import RunningApp, clean_env, running_app

CREDITS = """file,source,author,licence,licence_url
배우 3/1.png,https://example.org/3,Jane <b>Doe</b>,CC BY-SA 4.0,https://example.org/by-sa
"""


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory, engine: FaceEngine) -> Path:
    """A portrait of a gallery of six actors, one of them with a credit."""
    dataset = tmp_path_factory.mktemp("gallery")
    portrait = six_actors(dataset, engine)
    (dataset / "credits.csv").write_text(CREDITS, "utf-8")
    return portrait


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, portrait: Path) -> Iterator[RunningApp]:
    tmp_path = tmp_path_factory.mktemp("app")
    pins = publish_standin(tmp_path / "hub")
    env = {
        "LOOKALIKE_PACK_PINS": str(pins),
        "LOOKALIKE_MODELS_DIR": str(tmp_path / "models"),
        "LOOKALIKE_DATASET_DIR": str(portrait.parent.parent),
    }
    with HubStandin(tmp_path / "hub") as hub:
        download = [sys.executable, "scripts/download_models.py", "--pack", "auraface"]
        subprocess.run(
            download, cwd=ROOT, env=clean_env(tmp_path, HF_ENDPOINT=hub.url, **env), check=True
        )
    with running_app(tmp_path, ["--port", "7972"], env=env) as running:
        yield running


def test_portraits_and_credits_stand_beside_the_visitor(
    browser: Browser, app: RunningApp, portrait: Path
) -> None:
    for page in open_page(browser, app.url, "en-US"):
        expect(page.locator("#footer")).to_contain_text("6 actors, 6 portraits")
        expect(page.locator("#footer")).to_contain_text("AuraFace-v1 (Apache-2.0)")
        page.set_input_files("input[type=file]", portrait)
        expect(page.locator(".result .headline .name")).to_have_text("배우 3", timeout=20_000)
        expect(page.locator(".result .headline")).to_contain_text(
            "Photo: Jane <b>Doe</b>, CC BY-SA"
        )
        licence = page.locator(".result .headline small a", has_text="CC BY-SA 4.0")
        expect(licence).to_have_attribute("href", "https://example.org/by-sa")
        expect(page.locator(".result .note")).to_contain_text("A small gallery")
        pictures = page.locator(".result img.face")
        expect(pictures).to_have_count(6)  # the visitor and five portraits
        expect(pictures.nth(1)).to_have_attribute("alt", "Portrait of 배우 3")
        widths = pictures.evaluate_all("pictures => pictures.map(one => one.naturalWidth)")
        assert all(width >= 112 for width in widths)
