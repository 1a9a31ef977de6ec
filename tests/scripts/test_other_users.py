"""Scripts on a gallery that belongs to another user, run by one whom the system can refuse."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.faces.engine import FaceEngine
from core.index.actor_index import save_index
from core.settings import Settings
from tests.conftest import ROOT, enrolled
from tests.index.test_enrol import fill_gallery, head
from tests.running_app import clean_env

NOBODY = 65534
# Root without the capabilities of root is a user as any other.
ORDINARY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
RUN_ALL = """
import json, os, sys
from pathlib import Path
from tests.running_script import run_here
done = [run_here(*args, cwd=Path.cwd(), env={}) for args in json.load(sys.stdin)]
print(json.dumps([(one.returncode, one.stdout, one.stderr) for one in done]))
"""


def given_away(folder: Path) -> None:
    """Owned by another user, for all to read."""
    for path in (folder, *folder.rglob("*")):
        if ORDINARY:
            os.chown(path, NOBODY, NOBODY)
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


@pytest.fixture
def foreign(settings: Settings, engine: FaceEngine, tmp_path: Path) -> Iterator[Path]:
    """A built gallery, starter gallery and folder of models of another user's."""
    folder = tmp_path / "foreign"
    dataset = folder / "dataset"
    dataset.mkdir(parents=True)
    fill_gallery(dataset, ["Ann", "Bob"], photos=1)
    mine = settings.replaced(dataset_dir=dataset)
    save_index(enrolled(engine, mine).index, mine.index_path)
    shutil.copyfile(Settings().starter_path, folder / "starter_embeddings.json")
    (folder / "models").mkdir()
    given_away(folder)
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def all_run(commands: list[list[str]], env: dict[str, str]) -> list[tuple[int, str, str]]:
    done = subprocess.run(
        [*ORDINARY, sys.executable, "-c", RUN_ALL],
        cwd=ROOT,
        env=env,
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(row) for row in json.loads(done.stdout.splitlines()[-1])]


def state(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_every_script_that_writes_says_in_one_sentence_that_it_may_not(
    foreign: Path, models_dir: Path, sface: object, tmp_path: Path
) -> None:
    new = tmp_path / "new.png"
    head("Cid").save(new)
    env = clean_env(
        tmp_path,
        HF_HUB_OFFLINE="1",
        PYTHONPATH=str(ROOT),
        LOOKALIKE_CONTACT="tests@example.org",
        LOOKALIKE_MODELS_DIR=str(models_dir),
        LOOKALIKE_DATASET_DIR=str(foreign / "dataset"),
        LOOKALIKE_STARTER_FILE=str(foreign / "starter_embeddings.json"),
        LOOKALIKE_REMOVALS_FILE=str(tmp_path / "removals.json"),
        LOOKALIKE_MODEL_PACK="sface",
    )
    commands = [
        ["actors", "add", "Cid", str(new)],
        ["actors", "add", "Ann", str(new)],
        ["actors", "rename", "Ann", "Zoe"],
        ["actors", "remove", "Ann"],
        ["build_actor_index_insightface", "--clusters", "2"],
        ["build_index_from_cache"],
        ["check_gallery"],
        ["download_dataset", "--limit", "1"],
        ["maintenance/make_starter_gallery", str(foreign / "dataset")],
        ["page/take_screenshots", "--out", str(foreign / "screenshots")],
    ]
    before = state(foreign)
    told = all_run(commands, env)
    told += all_run([["download_models"]], env | {"LOOKALIKE_MODELS_DIR": str(foreign / "models")})
    assert state(foreign) == before
    for (status, _, said), command in zip(told, [*commands, ["download_models"]], strict=True):
        assert status == 2, (command, said)
        assert "Traceback" not in said
        *_, last = said.splitlines()
        assert last.startswith("error: "), (command, said)
        assert "denied" in last
        assert "let the user who runs this" in last, (command, last)
        assert said.count("error: ") == 1
    assert "the actor's only usable photo: 2" in told[6][1]  # found before the sheet was refused


def test_a_gallery_that_may_not_be_opened_is_told_in_one_sentence(
    foreign: Path, models_dir: Path, sface: object, tmp_path: Path
) -> None:
    dataset = foreign / "dataset"
    env = clean_env(
        tmp_path,
        HF_HUB_OFFLINE="1",
        PYTHONPATH=str(ROOT),
        LOOKALIKE_MODELS_DIR=str(models_dir),
        LOOKALIKE_DATASET_DIR=str(dataset),
    )
    index = ["--index", str(tmp_path / "i.npz"), "--cache", str(tmp_path / "c.json")]
    commands = [
        ["build_actor_index_insightface", *index],
        ["check_gallery"],
        ["actors", "list"],
        ["find_lookalike", str(dataset / "Bob" / "1.png")],
    ]
    (dataset / "Ann").chmod(0)
    (dataset / "Bob" / "1.png").chmod(0)
    try:
        build, _, actors, _ = all_run(commands, env)
        assert build[0] == 2  # one folder and one photo, and neither can be read
        assert actors[:2] == (0, "   1  Bob\n1 actors, 1 photos, from the gallery\n")
        dataset.chmod(0)
        for status, printed, said in all_run(commands, env):
            assert (status, printed) == (2, "")
            assert said.splitlines()[-1].startswith("error: ")
            assert "Permission denied" in said.splitlines()[-1]
    finally:
        dataset.chmod(0o755)
        (dataset / "Ann").chmod(0o755)
