"""Enrolment by a cluster is enrolment: the same index, whatever is killed or interrupted."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from core.errors import ClusterError
from core.faces.engine import FaceEngine
from core.index.embeddings_cache import load_cache
from core.index.enrol import Enrolment, enrol_by
from core.models.install import InstalledPack
from core.settings import Settings
from core.startup import open_gallery
from tests.cluster.processes import kill_one, pids_of
from tests.conftest import ROOT, enrolled
from tests.index.test_enrol import SIX_FACES, head
from tests.running_app import clean_env, gallery_env

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("ray_cluster"),
    # Ray Data sets its own deprecated defaults.
    pytest.mark.filterwarnings("ignore:`use_\\w+` is deprecated:DeprecationWarning"),
]
LOOKS = 7  # photos an actor: 49, and six odd ones, are three times what is sent together


@pytest.fixture
def people(settings: Settings) -> Settings:
    """Seven people, and a photo of each kind that is left out; one name is no UTF-8."""
    for name in [*SIX_FACES, "Astronaut"]:
        folder = settings.dataset_dir / name
        folder.mkdir()
        for number in range(LOOKS):
            width, height = (side - number for side in head(name).size)
            head(name).resize((width, height)).save(folder / f"{number}.png", compress_level=1)
    odd = settings.dataset_dir / "Astronaut"
    (odd / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    (odd / "empty.png").write_bytes(b"")
    Image.fromarray(data.coffee()).save(odd / "no face.png")
    (odd / "large.png").write_bytes(bytes(2_000_001))
    (odd / "nowhere.png").symlink_to(odd / "gone.png")
    Path(str(odd / "caf\udce9.png")).write_bytes((odd / "0.png").read_bytes() + b" ")
    return settings.replaced(max_megabytes=2.0)


def enrolled_by_ray(sface: InstalledPack, settings: Settings, progress: Any = iter) -> Enrolment:
    from core.cluster.enrol import embedder_on_cluster

    embedder = embedder_on_cluster(sface, settings, progress)
    limits = settings.photo_limits
    return enrol_by(embedder, open_gallery(settings), settings.cache_path, limits=limits)


def assert_same(ours: Enrolment, theirs: Enrolment) -> None:
    assert ours.index.actors == theirs.index.actors
    assert ours.index.portraits == theirs.index.portraits
    assert ours.index.info.left_out == theirs.index.info.left_out
    assert (ours.photos, ours.without_photo) == (theirs.photos, theirs.without_photo)
    for name in ("embeddings", "templates"):
        far = np.abs(getattr(ours.index, name) - getattr(theirs.index, name)).max()
        assert far < 1e-5, name


def test_a_killed_engine_costs_no_photo_and_the_index_is_that_of_one_process(
    people: Settings, sface: InstalledPack, engine: FaceEngine
) -> None:
    killed: list[int] = []

    def kill_at_first(photos: Any) -> Iterator[Any]:
        for photo in photos:
            if not killed:
                assert pids_of("EngineWorker")
                killed.append(kill_one("EngineWorker"))
            yield photo

    by_ray = enrolled_by_ray(sface, people, kill_at_first)
    assert killed
    again = enrolled_by_ray(sface, people)
    people.cache_path.unlink()
    here = enrolled(engine, people)
    assert_same(by_ray, here)
    assert set(here.index.info.left_out.values()) >= {"no_face", "unreadable", "too_large"}
    assert (by_ray.embedded, again.embedded) == (here.embedded, 0)
    assert_same(again, here)


def test_an_interrupted_run_keeps_what_has_come_back(
    people: Settings, sface: InstalledPack
) -> None:
    def interrupt(photos: Any) -> Iterator[Any]:
        for number, photo in enumerate(photos):
            if number == 40:
                raise KeyboardInterrupt
            yield photo

    with pytest.raises(KeyboardInterrupt):
        enrolled_by_ray(sface, people, interrupt)
    kept = load_cache(people.cache_path).packs["sface"].photos
    assert len(kept) >= 40
    rest = enrolled_by_ray(sface, people)
    found = sum(photo.embedding is not None for photo in kept.values())
    assert rest.embedded + found == 7 * LOOKS + 1


def test_the_script_runs_from_any_folder_and_tells_its_rate(
    models_dir: Path, tmp_path: Path
) -> None:
    for name in ("Ann", "Bob", "Cid"):
        (tmp_path / "dataset" / name).mkdir(parents=True)
        head(name).save(tmp_path / "dataset" / name / "1.png")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_actor_index_insightface.py", "--ray"],
        cwd=tmp_path,
        env=clean_env(tmp_path) | gallery_env(models_dir, tmp_path / "dataset"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Ray, \d+ engines: \d+\.\d photos a second$", done.stdout, re.MULTILINE)
    assert "3 actors, 3 of 3 photos used (3 new)" in done.stdout


def test_an_engine_that_cannot_be_loaded_ends_the_build_with_a_sentence(
    people: Settings, sface: InstalledPack
) -> None:
    (people.dataset_dir.parent / "file").write_text("no folder")
    nowhere = people.replaced(models_dir=people.dataset_dir.parent / "file" / "models")
    with pytest.raises(ClusterError, match=r"cannot do its work .*LOOKALIKE_MODELS_DIR"):
        enrolled_by_ray(sface, nowhere)
