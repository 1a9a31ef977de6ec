"""The committed starter gallery: what it holds, that its labels are right, where it came from."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.errors import GalleryError, ModelError
from core.faces.engine import FaceEngine
from core.files import sha256_of
from core.index.embeddings_cache import EmbeddingsCache, load_cache
from core.index.enrol import detection_settings
from core.models.packs import PACKS
from core.settings import DetectionOptions, Settings
from scripts.maintenance import make_starter_gallery
from scripts.maintenance.make_starter_gallery import disagreements, embedded, label_faults, merged
from tests.conftest import ROOT, SHARED, needs_shared, rebuilt, take_second_network_away
from tests.index.test_enrol import SIX_FACES, fill_gallery, head

FOLDERS = ("gallery", "headshots", "korean_actors", "indian_actors")  # of ../shared/data
LEFT_OUT = "gallery/Andrew Garfield/5.jpg"  # two faces, none dominant


@pytest.fixture(scope="module")
def starter() -> EmbeddingsCache:
    return load_cache(Settings().starter_path)


@pytest.fixture(scope="module")
def full(starter: EmbeddingsCache) -> list[str]:
    """Actors with five portraits or more."""
    return [name for name, row in starter.actors.items() if len(row) >= 5]


def test_it_has_the_announced_actors_and_portraits(starter: EmbeddingsCache) -> None:
    rows = starter.actors.values()
    assert len(starter.actors) == 712
    assert sum(map(len, rows)) == 1942
    assert min(map(len, rows)) >= 1


def test_it_has_hashes_and_embeddings_and_no_picture_nor_file_name(
    starter: EmbeddingsCache,
) -> None:
    portraits = [portrait for row in starter.actors.values() for portrait in row]
    assert all(re.fullmatch("[0-9a-f]{64}", portrait.sha256) for portrait in portraits)
    assert {portrait.file for portrait in portraits} == {None}
    hashes = [portrait.sha256 for portrait in portraits]
    assert len(set(hashes)) == len(hashes)  # no photo is under two names
    photos = starter.packs["sface"].photos
    assert set(photos) == set(hashes)
    embeddings = np.stack([photo.embedding for photo in photos.values()])
    assert embeddings.shape == (1942, 256)
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-4)
    assert Settings().starter_path.stat().st_size < 6_000_000  # it is committed
    assert not re.search(r"\.jpe?g|\.png|/", Settings().starter_path.read_text("utf-8"))


def test_it_has_what_tells_the_very_same_photo(starter: EmbeddingsCache) -> None:
    crop_hashes = [photo.crop_hash for photo in starter.packs["sface"].photos.values()]
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in crop_hashes)
    assert len(set(crop_hashes)) == 1942
    assert {photo.landmarks for photo in starter.packs["sface"].photos.values()} == {()}


def test_it_fits_the_pack_and_the_settings_it_is_used_with(starter: EmbeddingsCache) -> None:
    pack = starter.packs["sface"]
    assert (list(starter.packs), starter.latest) == (["sface"], "sface")
    assert pack.identity == PACKS["sface"].identity
    assert pack.detection == detection_settings(DetectionOptions())


def test_its_labels_pass_the_checks() -> None:
    script = ROOT / "scripts" / "maintenance" / "make_starter_gallery.py"
    command = [sys.executable, script, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "712 actors, 1942 portraits, labels checked" in done.stdout


def changed(starter: EmbeddingsCache, **actors: object) -> EmbeddingsCache:
    return EmbeddingsCache({**starter.actors, **actors}, starter.packs, "sface")


def test_swapped_portraits_are_found(starter: EmbeddingsCache, full: list[str]) -> None:
    first, second = full[0], full[-1]  # who do not look alike
    ours, theirs = starter.actors[first], starter.actors[second]
    swapped = {first: [theirs[0], *ours[1:]], second: [ours[0], *theirs[1:]]}
    assert label_faults(starter) == []
    faults = label_faults(changed(starter, **swapped))
    for name, portrait in ((first, theirs[0]), (second, ours[0])):
        assert f"{name}/{portrait.sha256[:12]} is a likely_mislabel" in faults


def test_one_actor_under_two_names_is_found(starter: EmbeddingsCache, full: list[str]) -> None:
    row = starter.actors[full[0]]
    (fault,) = label_faults(changed(starter, Impostor=row[:3]))
    assert re.fullmatch(
        rf"({full[0]} and Impostor|Impostor and {full[0]}) have .*same face.*", fault
    )


def test_one_name_for_two_people_in_two_folders_is_found(
    starter: EmbeddingsCache, full: list[str]
) -> None:
    names = full[:10]
    ours = EmbeddingsCache({name: starter.actors[name][:3] for name in names}, starter.packs)
    theirs = EmbeddingsCache({name: starter.actors[name][3:] for name in names}, starter.packs)
    assert disagreements([ours, theirs]) == []
    theirs.actors[names[0]], theirs.actors[names[1]] = (
        theirs.actors[names[1]],
        theirs.actors[names[0]],
    )
    faults = disagreements([ours, theirs])
    assert [fault.split(" differs")[0] for fault in faults] == sorted(names[:2])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of the same six people, the second with other photos."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    fill_gallery(first, photos=1)
    fill_gallery(second, photos=1)
    for name in ("Ann", "Eve", "송강호"):
        ImageOps.mirror(head(name)).save(second / name / "1.png")
    return first, second


@pytest.fixture
def target(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the script writes in these tests, in place of the committed file."""
    path = tmp_path / "starter.json"
    committed = sha256_of(Settings().starter_path)
    with monkeypatch.context() as patch:
        patch.setattr(Settings, "starter_path", property(lambda _: path))
        patch.setenv("LOOKALIKE_MODELS_DIR", str(models_dir))
        yield path
    assert sha256_of(Settings().starter_path) == committed


def run_script(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> int:
    monkeypatch.setattr(sys, "argv", ["make_starter_gallery.py", *map(str, folders)])
    return make_starter_gallery.main()


def test_script_writes_names_and_embeddings_of_both_folders(
    folders: tuple[Path, Path], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_script(monkeypatch, *folders) == 0
    written = load_cache(target)
    assert set(written.actors) == set(SIX_FACES)
    counts = {name: len(row) for name, row in written.actors.items()}
    assert counts == {"Ann": 2, "Eve": 2, "송강호": 2, "Bob": 1, "Cid": 1, "Dan": 1}
    assert not any(p.file or p.credit for row in written.actors.values() for p in row)
    assert len(rebuilt(target, Settings()).index.actors) == 6
    assert [path.name for folder in folders for path in folder.glob("*.*")] == []  # none beside


def test_script_names_the_photos_that_it_left_out(
    folders: tuple[Path, Path],
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Image.new("RGB", (300, 300), "white").save(folders[0] / "Ann" / "blank.png")
    assert run_script(monkeypatch, *folders) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == "left out: Ann/blank.png: no face found"
    assert last.startswith("6 actors, 9 portraits, labels checked")


def test_script_writes_nothing_without_the_second_network(
    folders: tuple[Path, Path], target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_MODELS_DIR", str(tmp_path / "models"))
    take_second_network_away(monkeypatch)
    with pytest.raises(ModelError, match="needs both networks"):
        run_script(monkeypatch, *folders)
    assert not target.exists()


def test_script_writes_nothing_if_a_label_is_wrong(
    folders: tuple[Path, Path], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head("Bob").save(folders[1] / "Ann" / "1.png")
    with pytest.raises(GalleryError, match=r"nothing is written: Ann differs between folders"):
        run_script(monkeypatch, *folders)
    assert not target.exists()


@needs_shared
def test_names_and_hashes_are_those_of_the_photos_it_came_from(starter: EmbeddingsCache) -> None:
    photos: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for path in (SHARED / folder).glob("*/*.*"):
            photos.setdefault(path.parent.name, set()).add(sha256_of(path))
    photos["Andrew Garfield"].remove(sha256_of(SHARED / LEFT_OUT))
    hashes = {name: {photo.sha256 for photo in row} for name, row in starter.actors.items()}
    assert hashes == photos


@pytest.mark.slow
@needs_shared
def test_embeddings_are_those_of_the_photos_it_came_from(
    starter: EmbeddingsCache, engine: FaceEngine, settings: Settings, tmp_path: Path
) -> None:
    """Every twentieth photo goes through detection and both networks again."""
    caches = []
    for folder in FOLDERS:
        for path in sorted((SHARED / folder).glob("*/*.*"))[::20]:
            link = tmp_path / folder / path.parent.name / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
        caches.append(embedded(tmp_path / folder, engine, settings))
    again = merged(caches).packs["sface"].photos
    assert len(again) > 70
    committed = starter.packs["sface"].photos
    for key, photo in again.items():
        assert np.allclose(photo.embedding, committed[key].embedding, atol=1e-3)
        bits = int(photo.crop_hash, 16) ^ int(committed[key].crop_hash, 16)
        assert bits.bit_count() <= 4  # where libraries round otherwise
