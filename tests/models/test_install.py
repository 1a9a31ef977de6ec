"""Packs on disk: verified, made whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.files import sha256_of
from core.models.install import InstalledPack, ensure_models
from core.settings import Settings
from tests.hub_standin import (
    ROOT,
    download_models,
    finish,
    refusal,
    script_env,
    start_download,
)

RECOGNISER = "face_recognition_sface_2021dec_int8bq.onnx"
DETECTOR = "detector.onnx"
STAMP = "pack.json"


@pytest.fixture
def mine(sface: InstalledPack, tmp_path: Path) -> Settings:
    """Settings with a models folder of the test's own: a good pack, times of its files kept."""
    shutil.copytree(sface.folder, tmp_path / "models" / "sface")
    return Settings(models_dir=tmp_path / "models")


@pytest.fixture
def folder(mine: Settings) -> Path:
    return mine.models_dir / "sface"


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def check_good(folder: Path, sface: InstalledPack) -> None:
    """The very bytes of the session's pack, a stamp that fits them, and nothing else about."""
    assert {path.name for path in folder.iterdir()} == {RECOGNISER, DETECTOR, STAMP}
    stamp = json.loads((folder / STAMP).read_text("utf-8"))
    assert stamp["identity"] == sface.pack.identity
    for name in (RECOGNISER, DETECTOR):
        path = folder / name
        assert sha256_of(path) == sha256_of(sface.folder / name)
        size, seconds = path.stat().st_size, path.stat().st_mtime_ns // 10**9
        assert stamp["files"][name]["fingerprint"] == [size, seconds]
    assert {path.name for path in folder.parent.iterdir()} <= {".lock", "sface"}


def alter(path: Path, *, keep_time: bool = False) -> None:
    """Flip one bit in the middle: same size, other bytes."""
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(before.st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte ^ 1]))
    later = before.st_mtime_ns if keep_time else before.st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))


def damage_stamp(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / STAMP).write_text(text, "utf-8")


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "absent-folder": shutil.rmtree,
    "empty-folder": empty,
    "missing-recogniser": lambda folder: (folder / RECOGNISER).unlink(),
    "missing-detector": lambda folder: (folder / DETECTOR).unlink(),
    "truncated-recogniser": lambda folder: os.truncate(folder / RECOGNISER, 20_000_000),
    "empty-detector": lambda folder: os.truncate(folder / DETECTOR, 0),
    "altered-recogniser": lambda folder: alter(folder / RECOGNISER),
    "altered-detector": lambda folder: alter(folder / DETECTOR),
    "extra-model": lambda folder: shutil.copy(folder / DETECTOR, folder / "genderage.onnx"),
    "missing-stamp": lambda folder: (folder / STAMP).unlink(),
    "stamp-not-json": damage_stamp("{"),
    "stamp-of-another-shape": damage_stamp("[]"),
    "stamp-of-another-pack": damage_stamp('{"identity": "sface-0000", "files": {}}'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_pack_is_made_anew(
    damage: Callable[[Path], object], mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    damage(folder)
    assert ensure_models(mine, "sface").folder == folder
    check_good(folder, sface)


def test_stamp_with_odd_entries_is_made_anew(
    mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    stamp = json.loads((folder / STAMP).read_text("utf-8"))
    stamp["files"] = {RECOGNISER: 1, DETECTOR: None}
    (folder / STAMP).write_text(json.dumps(stamp), "utf-8")
    ensure_models(mine, "sface")
    check_good(folder, sface)


def test_touched_files_are_accepted_and_stamped_again(
    mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    for name in (RECOGNISER, DETECTOR):
        os.utime(folder / name, ns=(10**18, 10**18))
    inode = (folder / RECOGNISER).stat().st_ino
    ensure_models(mine, "sface")
    check_good(folder, sface)
    assert (folder / RECOGNISER).stat().st_ino == inode
    assert (folder / RECOGNISER).stat().st_mtime_ns == 10**18


def test_times_cut_to_seconds_in_an_image_need_no_new_stamp(mine: Settings, folder: Path) -> None:
    for path in folder.iterdir():
        whole = path.stat().st_mtime_ns // 10**9 * 10**9
        os.utime(path, ns=(whole, whole))
    before = times(folder)
    ensure_models(mine, "sface")
    assert times(folder) == before


VERIFIED = """
import json, sys, time
events = []
sys.addaudithook(lambda event, _: events.append(event) if event.startswith("socket.") else None)
from core.models import ensure_models
from core.settings import load_settings
seconds = []
for _ in range(3):
    begun = time.perf_counter()
    ensure_models(load_settings(), "sface")
    seconds.append(time.perf_counter() - begun)
quiet = not events and "huggingface_hub" not in sys.modules
import socket
socket.socket().close()  # the check checked: this is noticed
print(json.dumps({"seconds": min(seconds), "quiet": quiet, "noticed": bool(events)}))
"""


def test_verified_pack_opens_no_socket_writes_nothing_and_takes_under_50_ms(
    mine: Settings, folder: Path, tmp_path: Path
) -> None:
    before = times(folder)
    done = subprocess.run(
        [sys.executable, "-c", VERIFIED],
        cwd=ROOT,
        env=script_env(tmp_path),
        capture_output=True,
        check=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    assert found["quiet"]
    assert found["noticed"]
    assert found["seconds"] < 0.05
    assert times(folder) == before
    assert [path.name for path in mine.models_dir.iterdir()] == ["sface"]


def test_verify_finds_what_the_stamp_cannot_see(
    mine: Settings, folder: Path, sface: InstalledPack, tmp_path: Path
) -> None:
    alter(folder / RECOGNISER, keep_time=True)
    altered = sha256_of(folder / RECOGNISER)
    ensure_models(mine, "sface")
    assert sha256_of(folder / RECOGNISER) == altered  # the stamp is trusted
    done = download_models(tmp_path, "--pack", "sface", "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    check_good(folder, sface)


def test_verify_leaves_a_good_pack_alone(mine: Settings, folder: Path) -> None:
    before = times(folder)
    ensure_models(mine, "sface", verify=True)
    assert times(folder) == before


def test_force_makes_a_good_pack_anew(folder: Path, sface: InstalledPack, tmp_path: Path) -> None:
    before = times(folder)
    done = download_models(tmp_path, "--pack", "sface", "--force")
    assert (done.returncode, done.stderr) == (0, "")
    check_good(folder, sface)
    assert not before.items() & times(folder).items()


def test_two_processes_starting_together_make_one_pack(
    sface: InstalledPack, tmp_path: Path
) -> None:
    started = [start_download(tmp_path, "--pack", "sface") for _ in range(2)]
    both = [finish(process) for process in started]
    assert [(done.returncode, done.stderr) for done in both] == [(0, "")] * 2
    assert sum("📦" in done.stdout for done in both) == 1
    check_good(tmp_path / "models" / "sface", sface)


def test_leftovers_of_a_killed_run_are_swept(
    mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    shutil.copytree(folder, folder.with_name(".sface.old"))
    shutil.copytree(folder, folder.with_name(".sface.new"))
    (folder / STAMP).unlink()
    ensure_models(mine, "sface")
    check_good(folder, sface)


def test_pack_moved_aside_by_a_killed_run_comes_back(
    mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    before = times(folder)
    folder.rename(folder.with_name(".sface.old"))
    ensure_models(mine, "sface")
    check_good(folder, sface)
    assert times(folder) == before


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own; needs root."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is refused here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def read_only(folder: Path, contents: Path | None = None) -> Iterator[None]:
    """A folder with a copy of `contents` that cannot be written: a mount for root, else modes."""
    with contextlib.ExitStack() as stack:
        if os.geteuid() == 0:
            stack.enter_context(mounted(folder, "size=60m"))
        folder.mkdir(exist_ok=True)
        if contents:
            shutil.copytree(contents, folder / contents.name)
        if os.geteuid() == 0:
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        else:
            for path in (folder, *(entry for entry in folder.iterdir() if entry.is_dir())):
                stack.callback(path.chmod, 0o755)
                path.chmod(0o555)
        yield


def test_read_only_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    models = tmp_path / "models"
    with read_only(models):
        line = refusal(download_models(tmp_path, "--pack", "sface"))
        assert "cannot write" in line
        assert "writable folder" in line
        assert not list(models.iterdir())


def test_full_disk_is_one_clear_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    models = tmp_path / "models"
    with mounted(models, "size=5m"):
        line = refusal(download_models(tmp_path, "--pack", "sface"))
        assert "No space left" in line
        assert "free some space" in line
        assert {path.name for path in models.iterdir()} <= {".lock"}


def test_full_disk_leaves_the_damaged_pack_that_could_not_be_replaced(
    sface: InstalledPack, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    with mounted(models, "size=45m"):
        shutil.copytree(sface.folder, models / "sface")
        (models / "sface" / STAMP).unlink()
        refusal(download_models(tmp_path, "--pack", "sface"))
        assert {path.name for path in models.iterdir()} <= {".lock", "sface"}
        assert (models / "sface" / RECOGNISER).is_file()


@pytest.mark.parametrize("arguments", [[], ["--verify"]], ids=["plain", "verify"])
def test_good_pack_in_a_read_only_folder_is_used(
    arguments: list[str], sface: InstalledPack, tmp_path: Path
) -> None:
    with read_only(tmp_path / "models", sface.folder):
        done = download_models(tmp_path, "--pack", "sface", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert "WARNING" not in done.stdout


def test_stale_stamp_in_a_read_only_folder_is_a_warning(
    folder: Path, sface: InstalledPack, tmp_path: Path
) -> None:
    os.utime(folder / RECOGNISER, ns=(10**18, 10**18))
    away = folder.parent.rename(tmp_path / "made")
    with read_only(tmp_path / "models", away / "sface"):
        done = download_models(tmp_path, "--pack", "sface")
        assert (done.returncode, done.stderr) == (0, "")
        assert "WARNING: SFace is good, but its stamp is out of date" in done.stdout


def test_force_in_a_read_only_folder_keeps_the_good_pack(
    sface: InstalledPack, tmp_path: Path
) -> None:
    with read_only(tmp_path / "models", sface.folder):
        done = download_models(tmp_path, "--pack", "sface", "--force")
        assert (done.returncode, done.stderr) == (0, "")
        assert "WARNING" in done.stdout


@pytest.mark.parametrize(
    "text", [None, "{", "[]", '{"auraface": {"size": 1}}', '{"auraface": {"size": "x"}}']
)
def test_unreadable_pins_are_one_clear_sentence(text: str | None, tmp_path: Path) -> None:
    pins = tmp_path / "pins.json"
    if text is not None:
        pins.write_text(text, "utf-8")
    done = download_models(tmp_path, "--pack", "auraface", LOOKALIKE_PACK_PINS=str(pins))
    assert "LOOKALIKE_PACK_PINS" in refusal(done)
    assert not (tmp_path / "models").exists()
