"""kill -9 at 100 random moments: the next start works, nothing is half there, nothing is lost.

The processes are forked from this one, so that a hundred of them take no hundred starts.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from core.faces.engine import FaceEngine
from core.gallery.credits import read_credits
from core.gallery.people import read_actors
from core.gallery.photos import scan_gallery
from core.gallery.removals import load_removals
from core.index.actor_index import load_index, save_index
from core.index.embeddings_cache import load_cache
from core.models.install import InstalledPack, ensure_models, pack_folder
from core.models.packs import PACKS
from core.settings import Settings
from core.startup import enrol, open_gallery
from core.upkeep.actors import add_photos, remove_actor, rename_actor
from tests.conftest import ASTRONAUT
from tests.index.test_enrol import head
from tests.models.test_install import check_good
from tests.running_app import clean_env
from tests.scripts.test_download_dataset import check_whole
from tests.upkeep.test_actors import (
    Change,
    actors_of_a_start,
    ended,
    moved,
    no_engine,
    owned,
    owned_once,
    picture,
)
from tests.wikimedia_standin import WikimediaStandin

__all__ = ["owned", "owned_once"]  # fixtures
KILLS = {"models": 12, "download": 12, "build": 16, "add": 20, "rename": 20, "remove": 20}
pytestmark = pytest.mark.slow


def test_there_are_a_hundred() -> None:
    assert sum(KILLS.values()) == 100


def forked(job: Callable[[], object]) -> int:
    """A process that does this and ends; its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        job()
        status = 0
    finally:
        os._exit(status)


def killed(job: Callable[[], object], seconds: float) -> bool:
    """Whether a process that does this was killed so many seconds after it began."""
    child = forked(job)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        assert os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


class Moments:
    """Random ones within the time that a job takes, until so many met it at work."""

    def __init__(self, kind: str, seconds: float) -> None:
        self.left, self.seconds = KILLS[kind], seconds
        self.choice = random.Random(kind)

    def __iter__(self) -> Iterator[int]:
        number = 0
        while self.left:
            yield number
            number += 1
            assert number < 500

    def kill(self, job: Callable[[], object]) -> None:
        if killed(job, self.choice.uniform(0, self.seconds)):
            self.left -= 1
        else:  # it had ended
            self.seconds *= 0.9


def done(job: Callable[[], object]) -> float:
    """How many seconds a process takes that does this to its end."""
    started = time.monotonic()
    _, status = os.waitpid(forked(job), 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return time.monotonic() - started


def assert_whole(settings: Settings) -> None:
    """Every file that is read at a start can be read, and every photo to its end."""
    gallery = open_gallery(settings)
    read_actors(settings.people_path)
    load_removals(settings.removals_path)
    load_cache(settings.starter_path)
    if settings.cache_path.exists():
        load_cache(settings.cache_path)
    if settings.index_path.exists():
        load_index(settings.index_path)
    for photo in gallery.photos:
        with Image.open(photo.path) as image:
            image.load()
    assert not [entry for entry in gallery.passed_over if entry.reason != "empty"]


def jobs(engine: FaceEngine, tmp_path: Path) -> dict[str, Change]:
    photos = [picture("Dan", tmp_path, "dan.png"), tmp_path / "smaller.png"]
    head("Dan").resize((200, 250)).save(photos[1])

    def build(settings: Settings) -> str:
        save_index(enrol(engine, settings, open_gallery(settings)).index, settings.index_path)
        return ""

    return {
        "build": build,
        "add": lambda s: add_photos("Dan/Dee", photos, s, lambda pack: engine),
        "rename": lambda s: rename_actor("ann", "Zoe/Z", s, no_engine),
        "remove": lambda s: remove_actor("bob", s, no_engine),
    }


@pytest.mark.parametrize("kind", ["build", "add", "rename", "remove"])
def test_a_gallery_changed_by_killed_processes_is_whole_and_the_job_can_be_ended(
    kind: str, owned: Settings, engine: FaceEngine, tmp_path: Path
) -> None:
    """Cid was taken out before, and Eve put in: both were reported done."""
    (tmp_path / "photos").mkdir()
    job = jobs(engine, tmp_path / "photos")[kind]
    remove_actor("Cid", owned, no_engine)
    eve = picture("Eve", tmp_path, "eve.png")
    add_photos("Eve", [eve], owned, lambda pack: engine)
    if kind == "build":  # all of it
        owned.cache_path.unlink()
        owned.index_path.unlink()
    whole = moved(owned, tmp_path / "whole")
    seconds = done(lambda: job(whole))
    moments = Moments(kind, seconds)
    for number in moments:
        settings = moved(owned, tmp_path / f"killed {number}")
        moments.kill(lambda settings=settings: job(settings))
        assert_whole(settings)
        started = actors_of_a_start(settings)
        assert "Cid" not in started
        assert "Eve" in started
        if "bob" in load_removals(settings.removals_path):
            assert "Bob" not in started
        assert (settings.dataset_dir / "Eve" / "1.png").read_bytes() == eve.read_bytes()
        if kind == "build" or ended(settings) != ended(whole):
            job(settings)
        assert ended(settings) == ended(whole), number
        shutil.rmtree(settings.dataset_dir.parent)


def test_models_made_by_killed_processes_are_whole_or_not_there(
    sface: InstalledPack, tmp_path: Path
) -> None:
    mine = Settings(models_dir=tmp_path / "models")
    folder = pack_folder(PACKS["sface"], mine)
    seconds = done(lambda: ensure_models(mine, "sface"))
    moments = Moments("models", seconds)
    for _ in moments:
        shutil.rmtree(folder)
        moments.kill(lambda: ensure_models(mine, "sface"))
        if not folder.exists():  # the next start makes it
            assert {path.name for path in mine.models_dir.iterdir() if path.name[0] != "."} == set()
            ensure_models(mine, "sface")
        check_good(folder, sface)
        assert {path.name for path in mine.models_dir.iterdir()} <= {folder.name, ".lock"}


def test_a_download_of_killed_processes_has_every_photo_whole_and_credited(
    sface: InstalledPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scripts.download_dataset import main

    dataset = tmp_path / "dataset"
    names = [f"Actor {number}" for number in range(8)]
    with WikimediaStandin() as wikimedia:
        for number, name in enumerate(names):
            photo = tmp_path / f"{number}.png"
            with Image.open(ASTRONAUT) as image:
                image.convert("RGB").resize((500 + number, 500)).save(photo)
            wikimedia.add(name, photo)
        env = clean_env(
            tmp_path,
            LOOKALIKE_MODELS_DIR=str(sface.folder.parent),
            LOOKALIKE_MODEL_PACK="sface",
            LOOKALIKE_THREADS="1",
            LOOKALIKE_DATASET_DIR=str(dataset),
            **wikimedia.environment(),
        )
        for key, value in env.items():
            monkeypatch.setenv(key, value)
        arguments = ["download_dataset.py", "--limit", "8", "--photos-per-actor", "1"]
        monkeypatch.setattr(sys, "argv", arguments)
        seconds = done(main)
        shutil.rmtree(dataset)
        there: set[str] = set()
        moments = Moments("download", seconds)
        for _ in moments:
            moments.kill(main)
            photos = scan_gallery(dataset) if dataset.exists() else []
            credits = read_credits(dataset / "credits.csv")
            for photo in photos:
                with Image.open(photo.path) as image:
                    image.load()
                assert credits[photo.file].author
            assert there <= {photo.file for photo in photos}  # what was there stays
            there = {photo.file for photo in photos}
            if len(there) == len(names):
                shutil.rmtree(dataset)
                there = set()
        done(main)
    check_whole(dataset, actors=len(names))
