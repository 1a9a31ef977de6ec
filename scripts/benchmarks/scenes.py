"""What all engines are shown: photos, galleries, and the pack before any rewriting."""

from __future__ import annotations

import io
import shutil
import subprocess  # git and pip, by fixed arguments # nosec B404
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from core.errors import GalleryError, SettingsError
from core.models.convert import build_detector, build_recogniser
from core.models.install import DETECTOR_FILE, carried_file
from core.models.packs import SFACE, YUNET, Weights
from core.settings import ROOT, load_settings
from scripts.cli import complain

SCENE = (1280, 720)
PHONE = (4032, 3024)  # pixels of a 12-megapixel phone
FRAME = (640, 480)  # of the page's camera
BUILD_ACTORS = 24
REBUILD = (302, 5)  # actors, photos each
# The last commit before the second network, whose build is compared.
BEFORE_SECOND_NETWORK = "4ee675c~1"


@dataclass(frozen=True)
class Photos:
    """Files, JPEG."""

    one: Path  # 1280×720 with one face, of a stranger
    known: Path  # the same scene with somebody of the gallery
    six: Path  # 1280×720 with six
    phone: Path  # 4032×3024 with one
    frame: Path  # 640×480, as the page's camera sends it


class Scenes:
    """Made in the scratch folder, once."""

    def __init__(self, data: Path, scratch: Path, *, rivals: bool = True) -> None:
        """Nothing is made yet.

        Args:
            data: the labelled photos.
            scratch: what is made stays there for the next run.
            rivals: whether an environment for them may be made.

        Raises:
            GalleryError: the labelled photos are not there.
        """
        if not (data / "headshots").is_dir():
            raise GalleryError(f"{data} is not there; name the labelled photos with --data")
        self.data = data
        self.scratch = scratch
        self._with_rivals = rivals
        scratch.mkdir(parents=True, exist_ok=True)

    @property
    def photos(self) -> Photos:
        """The photos of a match."""
        names = ("one", "known", "six", "phone", "frame")
        photos = Photos(*(self.scratch / f"{name}.jpg" for name in names))
        if not photos.frame.exists():
            self._make(photos)
        return photos

    def _make(self, photos: Photos) -> None:
        import insightface

        stranger, known = self._headshots()[-1], self._headshots()[0]
        _on_plain(stranger).save(photos.one, quality=90)
        _on_plain(known).save(photos.known, quality=90)
        six = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"
        ImageOps.fit(Image.open(six).convert("RGB"), SCENE).save(photos.six, quality=90)
        scene = _on_plain(stranger)
        ImageOps.fit(scene, PHONE, Image.Resampling.BICUBIC).save(photos.phone, quality=90)
        ImageOps.fit(scene, FRAME).save(photos.frame, quality=80)

    def _headshots(self) -> list[Path]:
        return sorted((self.data / "headshots").glob("*/1.jpg"))

    @property
    def headshots(self) -> Path:
        """A dataset folder: all headshots but the stranger's."""
        return self._gallery("headshots", [[photo] for photo in self._headshots()[:-1]])

    @property
    def others(self) -> Path:
        """A dataset folder: the same without the one of `known`."""
        return self._gallery("others", [[photo] for photo in self._headshots()[1:-1]])

    @property
    def portraits(self) -> Path:
        """A dataset folder to be built: real photos, five an actor."""
        actors = sorted((self.data / "gallery").iterdir())[:BUILD_ACTORS]
        return self._gallery("portraits", [sorted(actor.glob("*.*")) for actor in actors])

    @property
    def large(self) -> Path:
        """A dataset folder of 302 × 5 different photos, whoever is on them."""
        actors, each = REBUILD
        folders = ("gallery", "probes", "probes_wild", "indian_actors", "korean_actors")
        photos = [
            photo
            for folder in folders
            for photo in sorted((self.data / folder).glob("*/*.*"))
            if photo.suffix in (".jpg", ".jpeg", ".png")
        ][: actors * each]
        groups = [photos[start : start + each] for start in range(0, len(photos), each)]
        return self._gallery("large", groups)

    def _gallery(self, name: str, actors: list[list[Path]]) -> Path:
        folder = self.scratch / name
        if not folder.exists():
            new = self.scratch / f"{name}.new"
            shutil.rmtree(new, ignore_errors=True)
            for number, photos in enumerate(actors):
                actor = new / f"{number:03} {photos[0].parent.name}"
                actor.mkdir(parents=True)
                for place, photo in enumerate(photos):
                    shutil.copyfile(photo, actor / f"{place}{photo.suffix}")
            new.rename(folder)
        return folder

    def settings_for(self, dataset: Path | None) -> dict[str, str]:
        """Environment of the app or its engine; None: the starter gallery."""
        name = dataset.name if dataset else "starter"
        empty = self.scratch / "no-photos"
        empty.mkdir(exist_ok=True)
        return {
            "LOOKALIKE_MODEL_PACK": "sface",
            "LOOKALIKE_MODELS_DIR": str(load_settings().models_dir),
            "LOOKALIKE_DATASET_DIR": str(dataset or empty),
            "LOOKALIKE_INDEX_FILE": str(self.scratch / f"{name}.npz"),
            "LOOKALIKE_CACHE_FILE": str(self.scratch / f"{name}.json"),
            "LOOKALIKE_TEMP_DIR": str(self.scratch / "visitors"),
        }

    @property
    def plain_pack(self) -> Path:
        """SFace and YuNet of the same weights, their graphs as published but for the format."""
        folder = self.scratch / "plain-pack"
        if not folder.exists():
            new = self.scratch / "plain-pack.new"
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            build_detector(_weights(YUNET), new / DETECTOR_FILE)
            build_recogniser(_weights(SFACE), new / SFACE.name, rewritten=False)
            new.rename(folder)
        return folder

    @property
    def before(self) -> Path | None:
        """The project before the second network, from its own history; None without one."""
        folder = self.scratch / "before"
        if folder.exists():
            return folder
        command = ["git", "archive", BEFORE_SECOND_NETWORK, "core", "dataset"]
        try:
            done = subprocess.run(  # noqa: S603 # nosec B603
                command, cwd=ROOT, check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError):
            complain("no build before the second network: the project's history is not here")
            return None
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        return folder

    @property
    def rivals(self) -> Path | None:
        """Python of an environment with face_recognition and faiss; None: it cannot be made."""
        if not self._with_rivals:
            return None
        folder = self.scratch / "rivals"
        python = folder / "bin" / "python"
        wanted = ROOT / "requirements-benchmark.txt"
        done = folder / "done"
        if done.exists() and done.read_text() == wanted.read_text():
            return python
        shutil.rmtree(folder, ignore_errors=True)
        install = [str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(wanted)]
        try:
            for command in ([sys.executable, "-m", "venv", str(folder)], install):
                subprocess.run(  # noqa: S603 # nosec B603
                    command, check=True, capture_output=True
                )
        except (OSError, subprocess.CalledProcessError) as error:
            complain(f"no comparison with face_recognition and faiss: {error}")
            return None
        done.write_text(wanted.read_text())
        return python


def _on_plain(headshot: Path) -> Image.Image:
    """A headshot in the middle of a plain scene."""
    scene = Image.new("RGB", SCENE, "#8794a8")
    with Image.open(headshot) as opened:
        face = opened.convert("RGB")
    scene.paste(face, ((SCENE[0] - face.width) // 2, (SCENE[1] - face.height) // 2))
    return scene


def _weights(weights: Weights) -> Path:
    found = carried_file(weights.carrier or "", weights.name)
    if found is None:
        raise SettingsError(f"{weights.carrier} is missing; install requirements.txt again")
    return found
