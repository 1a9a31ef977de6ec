"""What the tests share: real weights made once, real photos, a small gallery."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import insightface
import pytest
from PIL import Image
from skimage import data

from core.faces.engine import FaceEngine
from core.faces.photo import read_photo
from core.index.enrol import Enrolment, enrol_gallery, index_from_cache
from core.models.install import InstalledPack, ensure_models
from core.settings import Settings
from core.startup import open_gallery

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"  # labelled photos; not every copy has them beside it
ASTRONAUT = Path(data.__file__).parent / "astronaut.png"  # NASA, public domain
SIX_PEOPLE = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background: programs that tests start would not hear Ctrl-C either.
    signal.signal(signal.SIGINT, signal.default_int_handler)

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of this test session: the embedded pack is made in it once."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def sface(models_dir: Path) -> InstalledPack:
    return ensure_models(Settings(models_dir=models_dir), "sface")


@pytest.fixture(scope="session")
def engine(sface: InstalledPack) -> FaceEngine:
    return FaceEngine(sface)


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
