"""scripts/actors.py as an owner calls it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import GalleryError
from core.index.actor_index import load_index
from core.models.install import InstalledPack
from core.settings import Settings
from scripts.actors import main, parsed
from tests.index.test_enrol import fill_gallery, head

Owner = Callable[..., str]


@pytest.fixture
def starter(settings: Settings, tmp_path: Path) -> Path:
    """A copy of the starter gallery."""
    return shutil.copyfile(settings.starter_path, tmp_path / "starter.json")


@pytest.fixture
def owner(
    settings: Settings,
    sface: InstalledPack,
    starter: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Owner:
    """Calls the script on a dataset and committed files of the test's own; what it prints."""
    monkeypatch.setenv("LOOKALIKE_MODELS_DIR", str(settings.models_dir))
    options = ["--dataset-dir", str(settings.dataset_dir), "--pack", "sface"]
    options += ["--starter", str(starter), "--removals", str(tmp_path / "removals.json")]

    def call(*args: str) -> str:
        monkeypatch.setattr(sys, "argv", ["actors.py", *options, *args])
        assert main() == 0
        return capsys.readouterr().out

    return call


def test_an_owner_adds_renames_lists_and_removes(
    owner: Owner, settings: Settings, tmp_path: Path
) -> None:
    fill_gallery(settings.dataset_dir, ["Ann", "Bob"])
    photo = tmp_path / "dan.png"
    head("Dan").save(photo)
    assert owner("add", "Dan", str(photo)) == "Dan: 1 photos added\n"
    assert owner("rename", "Ann", "송강호") == "Ann is 송강호 now\n"
    assert owner("list").splitlines() == [
        "   2  Bob",
        "   1  Dan",
        "   2  송강호",
        "3 actors, 5 photos, from the gallery",
    ]
    assert "for good" in owner("remove", "Bob")
    rows = [json.loads(line) for line in owner("list", "--json").splitlines()]
    assert rows == [
        {"actor": "Dan", "photos": 1, "source": "gallery"},
        {"actor": "송강호", "photos": 2, "source": "gallery"},
    ]
    assert load_index(settings.index_path).actors == ("Dan", "송강호")


def test_a_refusal_says_why(owner: Owner, settings: Settings, tmp_path: Path) -> None:
    fill_gallery(settings.dataset_dir, ["Ann"])
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(GalleryError, match=r"bad\.jpg: cannot be read as a picture"):
        owner("add", "Ann", str(bad))
    with pytest.raises(GalleryError, match="nobody here is called Nobody"):
        owner("remove", "Nobody")
    for command in (["list"], ["remove", "Ann"], ["rename", "Ann", "Bob"]):
        with pytest.raises(GalleryError, match="mistyped is not a folder"):
            owner(*command, "--dataset-dir", str(tmp_path / "mistyped"))
    assert (settings.dataset_dir / "Ann").is_dir()


@pytest.mark.parametrize("option", ["--dataset-dir", "--pack", "--starter", "--removals"])
@pytest.mark.parametrize(
    "command", [["list"], ["add", "A", "b"], ["rename", "A", "B"], ["remove", "A"]]
)
def test_every_option_counts_before_and_after_the_command(
    option: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "sface" if option == "--pack" else "/given"
    field = option.removeprefix("--").replace("-", "_")
    for arguments in ([option, value, *command], [*command, option, value]):
        monkeypatch.setattr(sys, "argv", ["actors.py", *arguments])
        args = parsed()
        assert str(getattr(args, field)) == value
        others = {"dataset_dir", "pack", "starter", "removals"} - {field}
        assert [getattr(args, other) for other in others] == [None] * 3


def test_a_command_it_does_not_know_is_status_2(owner: Owner) -> None:
    for args in (["juggle"], []):
        with pytest.raises(SystemExit) as stopped:
            owner(*args)
        assert stopped.value.code == 2


def test_removing_a_starter_actor_leaves_the_committed_files_alone(
    owner: Owner, starter: Path
) -> None:
    committed = [Settings().starter_path, Settings().removals_path]
    before = [path.read_bytes() for path in committed]
    owner("remove", "Brad Pitt")
    assert '"Brad Pitt"' not in starter.read_text(encoding="utf-8")
    assert "Brad Pitt" not in owner("list")
    assert [path.read_bytes() for path in committed] == before
