"""Where visitors' photos lie for a minute: a folder of this process's own, swept at start."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import StorageError
from core.files import storage_errors

SWEEP_SECONDS = 10  # between rounds; less where photos live less long


class VisitorFolder:
    """A private temporary folder; what earlier, dead processes left beside it is deleted.

    A lock that the operating system frees with its process tells the living from the dead, so
    that two apps on one machine do not sweep each other's photos.
    """

    def __init__(self, parent: Path | None = None) -> None:
        """Sweep `parent`, which must hold nothing else (default: `own_folder()`)."""
        self._parent = parent or own_folder()
        with storage_errors(self._parent, "LOOKALIKE_TEMP_DIR"):
            self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep_dead()
            self.path = self._parent / uuid.uuid4().hex
            self._lock = FileLock(self._lock_file(self.path))
            self._lock.acquire()  # before there is a folder that another process could sweep
            self.path.mkdir(mode=0o700)

    def take_all_temporary_files(self) -> None:
        """Let Gradio, once it is imported, and every library use this folder alone.

        The system's may be another user's (`gradio` in it at least), full or read-only.
        """
        os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = str(self.path)

    def empty(self) -> None:
        """Delete all that is in the folder, and the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Delete the folder and all that is in it, for good."""
        self.empty()
        self._lock.release()
        self._lock_file(self.path).unlink(missing_ok=True)

    def keep_swept(self, seconds: int) -> None:
        """Delete files older than `seconds`, and the emptied folders named after their hashes.

        Gradio's `delete_cache` would keep each file's name for it, and after the file at times.
        """

        def sweep() -> None:
            while self.path.exists():
                self.sweep_old(seconds)
                time.sleep(min(SWEEP_SECONDS, seconds))

        threading.Thread(target=sweep, daemon=True, name="photo-sweeper").start()

    def sweep_old(self, seconds: float) -> None:
        """One round of `keep_swept`."""
        limit = time.time() - seconds
        for folder, folders, files in os.walk(self.path, topdown=False):
            for name in files:
                _delete_if_older(Path(folder, name), limit, Path.unlink)
            for name in folders:
                _delete_if_older(Path(folder, name), limit, Path.rmdir)

    @staticmethod
    def _lock_file(folder: Path) -> Path:
        return folder.with_name(f"{folder.name}.lock")

    def _sweep_dead(self) -> None:
        for folder in [entry for entry in self._parent.iterdir() if entry.is_dir()]:
            lock = FileLock(self._lock_file(folder))
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()
            self._lock_file(folder).unlink(missing_ok=True)


def own_folder(base: Path | None = None) -> Path:
    """The user's own folder for `VisitorFolder`, below a folder that may hold other things.

    Args:
        base: default: the system's temporary folder.

    Raises:
        StorageError: the system has none that can be written.
    """
    return (base or _system_folder()) / f"lookalike-photos-{_user()}"


def _system_folder() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise StorageError(
            "no temporary folder of the system can be written; set LOOKALIKE_TEMP_DIR to a folder"
            " that can"
        ) from error


def _user() -> int | str:
    """Who runs this: another user's folder could be neither read nor swept."""
    return os.getuid() if hasattr(os, "getuid") else "all"


def _delete_if_older(path: Path, limit: float, delete: Callable[[Path], None]) -> None:
    with contextlib.suppress(OSError):  # deleted meanwhile, or a folder that is not empty
        if path.lstat().st_ctime < limit:
            delete(path)
