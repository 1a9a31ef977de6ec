"""Packs on disk: verified, made whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from core.errors import ModelError
from core.files import sha256_of
from core.models import install
from core.models.install import InstalledPack, ensure_models, ensure_or_fall_back
from core.models.packs import GLINTR100, PACKS, ModelPack
from core.settings import Settings
from tests.audit.sitecustomize import take_converted
from tests.hub_standin import (
    ROOT,
    download_here,
    download_models,
    finish,
    refusal,
    script_env,
    start_download,
)

RECOGNISER = "face_recognition_sface_2021dec_int8bq.onnx"
DETECTOR, SECOND = "detector.onnx", "likeness.onnx"
MODELS = (RECOGNISER, SECOND, DETECTOR)
SUMS = "SHA256SUMS"


@pytest.fixture
def mine(sface: InstalledPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a models folder of the test's own: a good pack, times of its files kept.

    One made in this process gets its networks from the session's.
    """
    monkeypatch.setattr(install, "_write_network", install._write_network)  # put back afterwards
    take_converted(sface.folder)
    shutil.copytree(sface.folder, tmp_path / "models" / sface.folder.name)
    return Settings(models_dir=tmp_path / "models")


@pytest.fixture
def folder(mine: Settings, sface: InstalledPack) -> Path:
    return mine.models_dir / sface.folder.name


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def check_good(folder: Path, sface: InstalledPack) -> None:
    """The very bytes of the session's pack with their sums, and nothing else about."""
    assert {path.name for path in folder.iterdir()} == {*MODELS, SUMS}
    sums = [line.split("  ") for line in (folder / SUMS).read_text("utf-8").splitlines()]
    assert {name: digest for digest, name in sums} == {
        name: sha256_of(sface.folder / name) for name in MODELS
    }
    for digest, name in sums:
        assert sha256_of(folder / name) == digest
    assert {path.name for path in folder.parent.iterdir()} <= {".lock", folder.name}


def alter(path: Path) -> None:
    """Flip one bit in the middle: same size, other bytes."""
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte ^ 1]))


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


SEEN_AT_A_START: dict[str, Callable[[Path], object]] = {
    "absent-folder": shutil.rmtree,
    "empty-folder": empty,
    "missing-recogniser": lambda folder: (folder / RECOGNISER).unlink(),
    "missing-detector": lambda folder: (folder / DETECTOR).unlink(),
    "missing-second": lambda folder: (folder / SECOND).unlink(),
    "missing-sums": lambda folder: (folder / SUMS).unlink(),
    "extra-model": lambda folder: shutil.copy(folder / DETECTOR, folder / "genderage.onnx"),
}
SEEN_BY_VERIFY: dict[str, Callable[[Path], object]] = {
    "truncated-recogniser": lambda folder: os.truncate(folder / RECOGNISER, 20_000_000),
    "empty-detector": lambda folder: os.truncate(folder / DETECTOR, 0),
    "altered-recogniser": lambda folder: alter(folder / RECOGNISER),
    "altered-detector": lambda folder: alter(folder / DETECTOR),
    "other-sums": lambda folder: (folder / SUMS).write_text("[]", "utf-8"),
}


@pytest.mark.parametrize("damage", SEEN_AT_A_START.values(), ids=SEEN_AT_A_START)
def test_a_pack_that_is_not_complete_is_made_anew(
    damage: Callable[[Path], object], mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    damage(folder)
    assert ensure_models(mine, "sface").folder == folder
    check_good(folder, sface)


@pytest.mark.parametrize("damage", SEEN_BY_VERIFY.values(), ids=SEEN_BY_VERIFY)
def test_a_damaged_pack_is_trusted_until_it_is_verified_and_then_made_anew(
    damage: Callable[[Path], object],
    mine: Settings,
    folder: Path,
    sface: InstalledPack,
) -> None:
    damage(folder)
    before = contents(folder)
    ensure_models(mine, "sface")
    assert contents(folder) == before
    ensure_models(mine, "sface", verify=True)
    check_good(folder, sface)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in folder.iterdir()}


@pytest.fixture
def twin(mine: Settings, monkeypatch: pytest.MonkeyPatch) -> ModelPack:
    """A pack of another name with the same parts, and none of the packages that carry them."""

    def files(distribution: str) -> None:
        raise metadata.PackageNotFoundError(distribution)

    twin = replace(PACKS["sface"], name="twin")
    monkeypatch.setitem(PACKS, "twin", twin)
    monkeypatch.setattr(metadata, "files", files)
    return twin


def test_parts_are_taken_from_another_pack_though_their_packages_are_gone(
    twin: ModelPack, mine: Settings, folder: Path
) -> None:
    installed = ensure_models(mine, "twin")
    assert (installed.pack, installed.warning) == (twin, None)
    assert {path.name for path in installed.folder.iterdir()} == {*MODELS, SUMS}
    for name in (*MODELS, SUMS):
        assert (installed.folder / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.usefixtures("twin", "no_hub")
def test_damaged_parts_are_not_taken(mine: Settings, folder: Path) -> None:
    alter(folder / SECOND)
    with pytest.raises(ModelError):
        ensure_models(mine, "twin")
    assert {path.name for path in mine.models_dir.iterdir()} == {".lock", folder.name}


def test_without_an_argument_the_settings_of_the_environment_count(
    mine: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_MODELS_DIR", str(mine.models_dir))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = subprocess.run(
        [sys.executable, "-c", "from core.models import ensure_models; print(ensure_models())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert str(folder) in found.stdout  # auto: SFace, as AuraFace is not to be had


def test_the_embedded_pack_that_cannot_be_made_has_nothing_to_fall_back_on(
    mine: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(folder)
    pack = PACKS["sface"]
    networks = (replace(pack.recogniser, weights=GLINTR100), pack.networks[1])
    monkeypatch.setitem(PACKS, "sface", replace(pack, networks=networks))
    with pytest.raises(ModelError):
        ensure_or_fall_back(mine, "sface")


def test_packs_of_earlier_versions_go_when_theirs_is_made(
    mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    shutil.copytree(folder, mine.models_dir / "sface")
    folder.rename(mine.models_dir / "sface-0123456789abcdef")
    ensure_models(mine, "sface")
    check_good(folder, sface)


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
    assert [path.name for path in mine.models_dir.iterdir()] == [folder.name]


def test_the_script_verifies(folder: Path, sface: InstalledPack, tmp_path: Path) -> None:
    alter(folder / RECOGNISER)
    done = download_here(tmp_path, "--pack", "sface", "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    check_good(folder, sface)


def test_verify_leaves_a_good_pack_alone(mine: Settings, folder: Path) -> None:
    before = times(folder)
    ensure_models(mine, "sface", verify=True)
    assert times(folder) == before


def test_two_processes_starting_together_make_one_pack(
    sface: InstalledPack, tmp_path: Path
) -> None:
    started = [start_download(tmp_path, "--pack", "sface") for _ in range(2)]
    both = [finish(process) for process in started]
    assert [(done.returncode, done.stderr) for done in both] == [(0, "")] * 2
    assert sum("📦" in done.stdout for done in both) == 1
    check_good(tmp_path / "models" / sface.folder.name, sface)


def test_what_a_killed_run_left_is_swept(
    mine: Settings, folder: Path, sface: InstalledPack
) -> None:
    shutil.copytree(folder, folder.with_name(f".{folder.name}.new") / "pack")
    shutil.copytree(folder, folder.with_name(".sface.new"))
    (folder / SUMS).unlink()
    ensure_models(mine, "sface")
    check_good(folder, sface)


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
            stack.enter_context(mounted(folder, "size=80m"))
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
        line = refusal(download_here(tmp_path, "--pack", "sface"))
        assert "cannot write" in line
        assert "LOOKALIKE_MODELS_DIR" in line
        assert "space" not in line
        assert not list(models.iterdir())


def test_full_disk_is_one_clear_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    models = tmp_path / "models"
    with mounted(models, "size=5m"):
        line = refusal(download_here(tmp_path, "--pack", "sface"))
        assert "No space left" in line
        assert "free some space" in line
        assert {path.name for path in models.iterdir()} <= {".lock"}


@pytest.mark.parametrize("arguments", [[], ["--verify"]], ids=["plain", "verify"])
def test_good_pack_in_a_read_only_folder_is_used(
    arguments: list[str], sface: InstalledPack, tmp_path: Path
) -> None:
    with read_only(tmp_path / "models", sface.folder):
        done = download_models(tmp_path, "--pack", "sface", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert "WARNING" not in done.stdout
