"""Visitors' photos: deleted when old, when the app ends, and when a dead app left them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import StorageError
from core.page.serving.uploads import VisitorFolder
from tests.conftest import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from core.page.serving.uploads import VisitorFolder
folder = VisitorFolder(Path(sys.argv[1]))
(folder.path / "photo.jpg").write_bytes(b"a face")
print(folder.path, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def other_app(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a folder and a photo in it, and that folder."""
    command = [sys.executable, "-c", HOLDER, str(parent)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_folder_is_private_and_empty(parent: Path) -> None:
    folder = VisitorFolder(parent)
    assert folder.path.parent == parent
    assert list(folder.path.iterdir()) == []
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    folder.close()


def test_folder_is_deleted_on_close_with_all_in_it(parent: Path) -> None:
    folder = VisitorFolder(parent)
    (folder.path / "deep" / "er").mkdir(parents=True)
    (folder.path / "deep" / "er" / "photo.jpg").write_bytes(b"a face")
    folder.close()
    assert list(parent.iterdir()) == []  # nor is a lock left


def test_folder_of_a_killed_app_is_swept(
    other_app: tuple[subprocess.Popen[str], Path], parent: Path
) -> None:
    process, left = other_app
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (left / "photo.jpg").is_file()
    folder = VisitorFolder(parent)
    assert not left.exists()
    assert folder.path.is_dir()
    folder.close()
    assert list(parent.iterdir()) == []


def test_folder_of_a_living_app_is_left_alone(
    other_app: tuple[subprocess.Popen[str], Path], parent: Path
) -> None:
    _, theirs = other_app
    ours = VisitorFolder(parent)
    assert ours.path != theirs
    assert (theirs / "photo.jpg").is_file()
    ours.close()
    assert (theirs / "photo.jpg").is_file()


def test_two_folders_of_one_process_are_left_alone(parent: Path) -> None:
    first, second = VisitorFolder(parent), VisitorFolder(parent)
    assert first.path.is_dir()
    assert second.path.is_dir()
    first.close()
    second.close()


def test_old_photos_and_emptied_folders_are_swept_young_ones_kept(parent: Path) -> None:
    folder = VisitorFolder(parent)
    old = folder.path / "hash" / "photo.jpg"
    old.parent.mkdir()
    old.write_bytes(b"a face")
    time.sleep(0.6)
    young = folder.path / "other" / "photo.jpg"
    young.parent.mkdir()
    young.write_bytes(b"a face")
    folder.sweep_old(60)
    assert old.exists()
    folder.sweep_old(0.4)
    assert not old.exists()
    assert young.exists()
    time.sleep(0.6)  # the emptied folder changed when its photo went
    young.write_bytes(b"another face")
    folder.sweep_old(0.4)
    assert [path.name for path in folder.path.iterdir()] == ["other"]
    assert young.exists()
    folder.close()


def test_age_counts_from_the_arrival_not_from_the_time_a_file_claims(parent: Path) -> None:
    folder = VisitorFolder(parent)
    photo = folder.path / "photo.jpg"
    photo.write_bytes(b"a face")
    os.utime(photo, (1, 1))
    folder.sweep_old(60)
    assert photo.exists()
    os.utime(photo, (time.time() + 9999,) * 2)
    time.sleep(0.2)
    folder.sweep_old(0.1)
    assert not photo.exists()
    folder.close()


def test_sweeper_works_by_itself_and_ends_with_the_folder(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.page.serving.uploads.SWEEP_SECONDS", 0.05)
    folder = VisitorFolder(parent)
    (folder.path / "photo.jpg").write_bytes(b"a face")
    sweepers = folder_threads()
    folder.keep_swept(0)
    assert eventually(lambda: list(folder.path.iterdir()) == [])
    folder.close()
    assert eventually(lambda: folder_threads() == sweepers)


def folder_threads() -> int:
    import threading

    return sum(thread.name == "photo-sweeper" for thread in threading.enumerate())


def eventually(holds: object) -> bool:
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        VisitorFolder(tmp_path / "file" / "photos")


def test_each_user_of_a_machine_has_a_folder_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parents = []
    for user in (1000, 1001):
        monkeypatch.setattr(os, "getuid", lambda user=user: user)
        folder = VisitorFolder()
        parents.append(folder.path.parent)
        folder.close()
    assert len(set(parents)) == 2
    assert {path.parent for path in parents} == {tmp_path}
