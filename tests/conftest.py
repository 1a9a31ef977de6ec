"""What the tests share: workers, real weights made once, real photos, a small gallery, apps."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import insightface
import pytest
from PIL import Image
from skimage import data
from xdist.scheduler import LoadScopeScheduling

from core.faces.engine import FaceEngine, usable_cpus
from core.faces.photo import read_photo
from core.index.enrol import Enrolment, enrol_gallery, index_from_cache
from core.log import log
from core.models.install import InstalledPack, ensure_models
from core.models.packs import DLIB_RESNET
from core.settings import Settings
from core.startup import open_gallery
from tests.remembering_engine import RememberingEngine
from tests.running_app import ROOT, RunningApp, gallery_env, running_app, without_mcp

SHARED = ROOT.parent / "shared" / "data"  # labelled photos; not every copy has them beside it
ASTRONAUT = Path(data.__file__).parent / "astronaut.png"  # NASA, public domain
SIX_PEOPLE = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background: programs that tests start would not hear Ctrl-C either.
    signal.signal(signal.SIGINT, signal.default_int_handler)

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")


MOST_WORKERS = 4  # each holds models and, some of the time, apps
WITH_OWN_GALLERIES = ("accessibility", "auraface", "card", "gallery", "keyboard", "page", "result",
                      "speed")  # fmt: skip
TOGETHER = {
    "Chromium on own galleries": tuple(f"tests/browser/test_{n}.py" for n in WITH_OWN_GALLERIES),
    "Chromium": ("tests/browser/",),
    "Ray": ("tests/cluster/",),
    "apps": ("tests/test_app.py", "tests/page/test_api.py", "tests/page/test_mcp.py"),
    "served": ("tests/page/test_document.py", "tests/page/test_server.py"),
}


LONGEST = ("tests/browser/", "tests/cluster/", "tests/faces/test_hostile.py",
           "tests/test_kills.py", "tests/evaluation/")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest is begun first: the last worker at work shall not be long alone."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One a core for folders; none for files named one by one, which are soon done.

    One more without the slow tests, some of which measure: a page, a script or a stand-in that
    is waited for leaves a core to another worker.
    """
    named = [arg for arg in config.args if arg.partition("::")[0].endswith(".py")]
    more = config.option.markexpr == "not slow"
    return 0 if named else min(usable_cpus() + more, MOST_WORKERS)


class FileByFile(LoadScopeScheduling):
    """A file's tests share a worker and its fixtures; so do those of several files TOGETHER."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((name for name, files in TOGETHER.items() if file.startswith(files)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileByFile:
    return FileByFile(config, log)


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of this test session, of all its workers: the embedded pack is made in it once."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    (shared / "models").mkdir(exist_ok=True)
    return shared / "models"


@pytest.fixture(scope="session")
def sface(models_dir: Path) -> InstalledPack:
    return ensure_models(Settings(models_dir=models_dir), "sface")


@pytest.fixture(scope="session")
def engine(sface: InstalledPack) -> FaceEngine:
    """One thread, as the apps of these tests have: the other cores have other workers."""
    return RememberingEngine(sface, threads=1)


@pytest.fixture(scope="session")
def plain_engine(sface: InstalledPack) -> FaceEngine:
    """As the app has it, for tests of the engine itself and of what it keeps: nothing."""
    return FaceEngine(sface, threads=1)


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No Hub, and no AuraFace in its cache, wherever the tests run."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """The app's log, wherever else it goes."""
    monkeypatch.setattr(log, "propagate", True)
    caplog.set_level(logging.INFO, logger="lookalike")
    return caplog


def take_second_network_away(patch: pytest.MonkeyPatch) -> None:
    """As if the package that carries the second network were not installed."""
    found = metadata.files

    def files(distribution: str) -> Any:
        if distribution == DLIB_RESNET.carrier:
            raise metadata.PackageNotFoundError(distribution)
        return found(distribution)

    patch.setattr(metadata, "files", files)


@pytest.fixture(scope="session")
def alone_pack(tmp_path_factory: pytest.TempPathFactory) -> InstalledPack:
    """What is made where the second network is not to be had, in a models folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        take_second_network_away(patch)
        return ensure_models(Settings(models_dir=tmp_path_factory.mktemp("alone")), "sface")


@pytest.fixture(scope="session")
def alone(alone_pack: InstalledPack) -> FaceEngine:
    """The recogniser without the second network."""
    return RememberingEngine(alone_pack, threads=1)


@pytest.fixture(scope="session")
def starter_app(
    tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack
) -> Iterator[RunningApp]:
    """The app with the starter gallery, installed without the package for language models."""
    folder = tmp_path_factory.mktemp("starter-app")
    path = without_mcp(folder / "no_mcp")
    env = gallery_env(sface.folder.parent, folder / "dataset", PYTHONPATH=path)
    with running_app(folder, env=env) as running:
        yield running


@pytest.fixture(scope="session")
def brief_app(
    tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack
) -> Iterator[RunningApp]:
    """The same for language models too; visitors' photos live five seconds."""
    folder = tmp_path_factory.mktemp("brief-app")
    more = {"LOOKALIKE_MCP": "1", "LOOKALIKE_PHOTO_SECONDS": "5"}
    env = gallery_env(sface.folder.parent, folder / "dataset", **more)
    with running_app(folder, env=env) as running:
        yield running


@pytest.fixture
def settings(models_dir: Path, tmp_path: Path) -> Settings:
    """Settings with an empty dataset folder of the test's own."""
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    return Settings(models_dir=models_dir, dataset_dir=dataset)


def copy_actors(names: list[str], target: Path, source: str = "gallery") -> None:
    """Copy actors' folders of ../shared/data into a gallery."""
    for name in names:
        shutil.copytree(SHARED / source / name, target / name)


@pytest.fixture
def small_gallery(settings: Settings) -> Settings:
    """Settings whose dataset holds four actors of the development gallery, five photos each."""
    copy_actors(["Brad Pitt", "Gal Gadot", "Tom Hardy", "Uma Thurman"], settings.dataset_dir)
    return settings


def enrolled(engine: FaceEngine, settings: Settings, **options: Any) -> Enrolment:
    """The gallery of the settings' dataset folder, enrolled; its cache where they say."""
    limits = settings.photo_limits
    return enrol_gallery(
        engine, open_gallery(settings), settings.cache_path, limits=limits, **options
    )


def rebuilt(cache: Path, settings: Settings, **options: Any) -> Enrolment:
    """The index of an embeddings cache, or of the settings' starter gallery."""
    starter = cache == settings.starter_path
    return index_from_cache(cache, open_gallery(settings), starter=starter, **options)


def six_actors(dataset: Path, engine: FaceEngine) -> Path:
    """Enrol the six people of one photo, a folder each; one of the portraits."""
    pixels = read_photo(SIX_PEOPLE).pixels
    for number, face in enumerate(engine.detect(read_photo(SIX_PEOPLE)), start=1):
        x1, y1, x2, y2 = (round(value) for value in face.box)
        around = pixels[max(0, y1 - 40) : y2 + 40, max(0, x1 - 30) : x2 + 30]
        folder = dataset / f"배우 {number}"
        folder.mkdir(parents=True)
        Image.fromarray(around).save(folder / "1.png")
    return dataset / "배우 3" / "1.png"
