"""An empty dataset folder is filled from the Hub, if the settings say so, before the page is up."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.download.from_hub import fetch_from_hub
from core.errors import SettingsError
from core.faces.engine import FaceEngine
from core.index.actor_index import save_index
from core.settings import Settings
from core.startup import fill_from_hub, open_gallery, plan_start, start
from tests.conftest import enrolled, six_actors
from tests.hub_repos import WRITING, Repo
from tests.hub_standin import HubStandin, client_at, script_env
from tests.index.test_enrol import fill_gallery
from tests.readme_blocks import readme_block

pytestmark = pytest.mark.usefixtures("logged")
REPO = "me/actors"


@pytest.fixture
def hub(tmp_path: Path, engine: FaceEngine) -> Iterator[HubStandin]:
    """The Hub with a dataset of six people, a folder each."""
    six_actors(tmp_path / "six", engine)
    photos = sorted((tmp_path / "six").rglob("*.png"))
    files = {path.relative_to(tmp_path / "six").as_posix(): path.read_bytes() for path in photos}
    with HubStandin(tmp_path / "files") as standin, client_at(standin.url, tmp_path):
        standin.repos.repos[f"datasets/{REPO}"] = Repo(False, None, files)
        yield standin


@pytest.fixture
def named(settings: Settings) -> Settings:
    return settings.replaced(gallery=REPO)


def filled(settings: Settings) -> list[str]:
    return sorted({p.actor for p in fill_from_hub(settings, open_gallery(settings)).photos})


SIX = [f"배우 {number}" for number in range(1, 7)]


def test_an_empty_gallery_is_filled_and_enrolled_at_the_start_and_asked_for_once(
    hub: HubStandin, named: Settings, logged: pytest.LogCaptureFixture
) -> None:
    finder = start(named)
    assert sorted(finder.index.actors) == SIX
    assert finder.index.info.source == "gallery"
    assert "me/actors: 6 photos (6 new, 0 of them with a credit)" in logged.messages
    hub.requests.clear()
    assert sorted(start(named).index.actors) == SIX
    assert hub.requests == []


def test_without_the_setting_nobody_is_asked(hub: HubStandin, settings: Settings) -> None:
    assert filled(settings) == []
    assert hub.requests == []


def test_photos_that_are_there_are_the_gallery(hub: HubStandin, named: Settings) -> None:
    fill_gallery(named.dataset_dir, ("Ann",), photos=1)
    assert filled(named) == ["Ann"]
    assert hub.requests == []


def test_where_the_hub_is_away_the_starter_gallery_stands_in_until_it_is_back(
    hub: HubStandin, named: Settings, logged: pytest.LogCaptureFixture
) -> None:
    hub.faults.status = 503
    finder = start(named)
    assert (len(finder.index.actors), finder.index.info.source) == (712, "starter")
    assert any("next start tries again: the Hub gave no dataset" in m for m in logged.messages)
    hub.faults.status = None
    assert sorted(start(named).index.actors) == SIX


def test_a_download_that_stopped_goes_on_at_the_next_start(
    hub: HubStandin, named: Settings
) -> None:
    """As after a kill while photos were taken over: one is there, the others are not."""
    fill_gallery(named.dataset_dir, ("Ann",), photos=1)
    (named.dataset_dir / ".from_hub").mkdir()
    assert filled(named) == ["Ann", *SIX]
    assert not (named.dataset_dir / ".from_hub").exists()


def test_a_repository_that_is_not_there_is_a_warning(
    hub: HubStandin, settings: Settings, logged: pytest.LogCaptureFixture
) -> None:
    assert filled(settings.replaced(gallery="me/nobody")) == []
    assert any("no dataset me/nobody that you may read" in line for line in logged.messages)


def test_a_name_that_is_none_is_refused_before_the_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="LOOKALIKE_GALLERY is 'actors'; set it to owner/name"):
        settings.replaced(gallery="actors")


def upload(words: list[str], tmp_path: Path, hub: HubStandin) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = script_env(tmp_path, hub.url, HF_TOKEN=WRITING, HF_HUB_DISABLE_XET="1", PATH=path)
    done = subprocess.run(words, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_gallery_of_this_machine_is_put_on_the_hub_as_documented_and_comes_back(
    hub: HubStandin, settings: Settings, tmp_path: Path, engine: FaceEngine
) -> None:
    """Photos, tables and the index, and nothing else that lies beside them."""
    hub.repos.repos.clear()
    made = settings.replaced(dataset_dir=tmp_path / "mine")
    six_actors(made.dataset_dir, engine)
    table = "file,source,author,licence,licence_url\n배우 1/1.png,,Eve,CC0,\n"
    (made.dataset_dir / "credits.csv").write_text(table, "utf-8")
    (made.dataset_dir / "actors.csv").write_text("folder,name\n배우 1,배우 1\n", "utf-8")
    save_index(enrolled(engine, made).index, made.index_path)
    for leftover in ("contact_sheet.html", "README.md", ".from_hub/x/1.png"):
        (made.dataset_dir / leftover).parent.mkdir(parents=True, exist_ok=True)
        (made.dataset_dir / leftover).write_text("{}")
    command = readme_block("run: upload", page="docs/hosting.md")
    words = shlex.split(command.replace(" dataset . ", f" {made.dataset_dir} . "))
    (name,) = [word for word in words if word.startswith("me/")]
    upload(words, tmp_path, hub)
    repo = hub.repos.repos[f"datasets/{name}"]
    assert repo.private
    repo.files["Gone/1.png"] = b"of somebody who was taken out here"
    upload(words, tmp_path, hub)
    photos = {f"{actor}/1.png" for actor in SIX}
    first = {".gitattributes", "README.md"}  # the Hub's own
    assert repo.files.keys() - first == photos | {"actors.csv", "credits.csv", "actor_index.npz"}
    there = settings.replaced(gallery=name)
    with client_at(hub.url, tmp_path, WRITING):
        plan = plan_start(there, fill_from_hub(there, open_gallery(there)))
    assert plan.index is not None
    assert (plan.new, sorted(plan.index.actors)) == (False, SIX)  # nothing is enrolled again
    assert (settings.dataset_dir / "actors.csv").is_file()


def test_an_index_of_another_gallery_is_made_anew(
    hub: HubStandin, named: Settings, settings: Settings, engine: FaceEngine, tmp_path: Path
) -> None:
    other = settings.replaced(dataset_dir=tmp_path / "other")
    other.dataset_dir.mkdir()
    fill_gallery(other.dataset_dir, ("Ann", "Bob"), photos=1)
    save_index(enrolled(engine, other).index, other.index_path)
    files = hub.repos.repos[f"datasets/{REPO}"].files
    files["actor_index.npz"] = other.index_path.read_bytes()
    plan = plan_start(named, fill_from_hub(named, open_gallery(named)))
    assert plan.index is None


def test_photos_that_are_there_keep_their_index(
    hub: HubStandin, named: Settings, engine: FaceEngine
) -> None:
    """Also where a repository's are added to them."""
    fill_gallery(named.dataset_dir, ("Ann",), photos=1)
    named.index_path.write_bytes(b"mine")
    hub.repos.repos[f"datasets/{REPO}"].files["actor_index.npz"] = b"theirs"
    fetch_from_hub(REPO, named)
    assert named.index_path.read_bytes() == b"mine"
