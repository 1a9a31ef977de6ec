"""scripts/actors.py as an owner calls it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.index.actor_index import load_index
from core.models.install import InstalledPack
from core.settings import Settings
from tests.conftest import ROOT
from tests.index.test_enrol import fill_gallery, head


class Owner:
    """Calls the script on a dataset and committed files of the test's own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.removals = folder / "removals.json"
        self.starter = folder / "starter.json"
        shutil.copyfile(settings.starter_path, self.starter)

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        options = ["--dataset-dir", self.settings.dataset_dir, "--pack", "sface"]
        options += ["--starter", self.starter, "--removals", self.removals]
        environ = {**os.environ, "LOOKALIKE_MODELS_DIR": str(self.settings.models_dir)}
        command = [sys.executable, ROOT / "scripts" / "actors.py", *args, *options]
        return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


@pytest.fixture
def owner(settings: Settings, sface: InstalledPack, tmp_path: Path) -> Owner:
    return Owner(settings, tmp_path)


def test_an_owner_adds_renames_lists_and_removes(owner: Owner, tmp_path: Path) -> None:
    fill_gallery(owner.settings.dataset_dir, ["Ann", "Bob"])
    photo = tmp_path / "dan.png"
    head("Dan").save(photo)
    added = owner("add", "Dan", str(photo))
    assert (added.returncode, added.stdout) == (0, "Dan: 1 photos added\n"), added.stderr
    renamed = owner("rename", "Ann", "송강호")
    assert renamed.returncode == 0, renamed.stderr
    listed = owner("list")
    assert listed.stdout.splitlines() == [
        "   2  Bob",
        "   1  Dan",
        "   2  송강호",
        "3 actors, 5 photos, from the gallery",
    ]
    assert owner("remove", "Bob").returncode == 0
    rows = [json.loads(line) for line in owner("list", "--json").stdout.splitlines()]
    assert rows == [
        {"actor": "Dan", "photos": 1, "source": "gallery"},
        {"actor": "송강호", "photos": 2, "source": "gallery"},
    ]
    assert load_index(owner.settings.index_path).actors == ("Dan", "송강호")


def test_a_refusal_is_one_line_and_status_2(owner: Owner, tmp_path: Path) -> None:
    fill_gallery(owner.settings.dataset_dir, ["Ann"])
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    answer = owner("add", "Ann", str(bad))
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1].startswith("error: bad.jpg cannot be read as a picture")
    assert sorted(path.name for path in (owner.settings.dataset_dir / "Ann").iterdir()) == [
        "1.png",
        "2.png",
    ]
    assert owner("remove", "Nobody").returncode == 2
    assert owner("juggle").returncode == 2
    assert owner().returncode == 2


def test_removing_a_starter_actor_leaves_the_committed_files_alone(owner: Owner) -> None:
    committed = [Settings().starter_path, Settings().removals_path]
    before = [path.read_bytes() for path in committed]
    answer = owner("remove", "Brad Pitt")
    assert answer.returncode == 0, answer.stderr
    assert "for good" in answer.stdout
    assert '"Brad Pitt"' not in owner.starter.read_text(encoding="utf-8")
    assert "Brad Pitt" not in owner("list").stdout
    assert [path.read_bytes() for path in committed] == before
