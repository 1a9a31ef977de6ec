"""The page of a gallery with AuraFace (a stand-in of its weights) and an actors.csv."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from core.faces.engine import FaceEngine
from core.models.install import InstalledPack
from tests.browser.visits import Visits, matches, shown, upload
from tests.conftest import ASTRONAUT, ROOT, six_actors
from tests.hub_standin import HubStandin, publish_standin
from tests.running_app import RunningApp, clean_env, running_app

ACTORS = "folder,name,name_ko,wikidata,birth_year,gender,country\n" + "".join(
    f"배우 {number},Actor {number},배우 {number},,,{'female' if number > 3 else 'male'},KR\n"
    for number in range(1, 7)
)
KEPT_SECONDS = 3


@pytest.fixture(scope="module")
def auraface_app(
    tmp_path_factory: pytest.TempPathFactory, engine: FaceEngine, sface: InstalledPack
) -> Iterator[RunningApp]:
    tmp_path = tmp_path_factory.mktemp("auraface")
    dataset = tmp_path / "dataset"
    six_actors(dataset, engine)
    (dataset / "actors.csv").write_text(ACTORS, "utf-8")
    env = publish_standin(tmp_path / "hub") | {
        "CONVERTED": str(sface.folder),
        "LOOKALIKE_MODELS_DIR": str(tmp_path / "models"),
        "LOOKALIKE_DATASET_DIR": str(dataset),
        "LOOKALIKE_PHOTO_SECONDS": str(KEPT_SECONDS),
    }
    with HubStandin(tmp_path / "hub") as hub:
        download = [sys.executable, "scripts/download_models.py", "--pack", "auraface"]
        subprocess.run(
            download, cwd=ROOT, env=clean_env(tmp_path, HF_ENDPOINT=hub.url, **env), check=True
        )
    with running_app(tmp_path, env=env) as running:
        yield running


def test_the_full_gallery_has_no_banner_names_its_model_and_filters_outlive_the_photo(
    visits: Visits, auraface_app: RunningApp
) -> None:
    page = visits.open(auraface_app.url)
    expect(page.locator("#footer")).to_contain_text("6 actors, 6 portraits")
    expect(page.locator("#footer")).to_contain_text("AuraFace-v1 (Apache-2.0, CC0-1.0)")
    expect(page.locator(".block.banner")).to_have_count(0)
    expect(page.locator("#privacy")).to_contain_text(f"about {KEPT_SECONDS} seconds later")
    expect(page.locator("#filters").get_by_label("Country")).to_have_count(0)  # all of one
    upload(page, ASTRONAUT)
    shown(page)
    for _ in range(60):  # until the server's sweep has been
        if not [path for path in auraface_app.photos.rglob("*.png") if path.is_file()]:
            break
        page.wait_for_timeout(500)
    else:
        pytest.fail("the photo is still there")
    page.locator("#filters").get_by_label("Women").check()
    expect(matches(page)).to_have_count(3)
    names = set(matches(page).locator(".name").all_inner_texts())
    assert names == {"Actor 4", "Actor 5", "Actor 6"}
