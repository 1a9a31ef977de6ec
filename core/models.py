"""Getting model packs onto disk, verified: `models/<pack>/` with two ONNX files and a stamp.

A pack is made in a staging folder and takes its place by rename: it is whole or not there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import LookalikeError, ModelError
from core.packs import PACKS, ModelPack, get_pack
from core.phrases import log, say
from core.settings import Settings
from core.stamps import DETECTOR, is_verified, write_stamp
from core.storage import storage_errors
from core.weights import cached_weights, obtain_weights


@dataclass(frozen=True)
class InstalledPack:
    """A verified pack on disk."""

    pack: ModelPack
    folder: Path  # what insightface's FaceAnalysis loads
    warning: str | None = None  # why this is not what was wished for; the page shows it


def ensure_models(
    settings: Settings, name: str | None = None, *, force: bool = False, verify: bool = False
) -> InstalledPack:
    """See to it that a pack is on disk and verified; cheap and silent when it is.

    Args:
        name: "auraface", "sface", or "auto" (AuraFace where it is here or the Hub answers,
            else SFace with a warning). Default: the setting.
        force: make it anew. A good pack already there survives a failure.
        verify: hash the files again instead of trusting the stamp.

    Raises:
        ModelError: the pack asked for by name cannot be had.
        StorageError: the models folder cannot be written.
    """
    name = name or settings.model_pack
    if name != "auto":
        return _ensure(get_pack(name, settings), settings, force, verify)
    try:
        return _ensure(get_pack("auraface", settings), settings, force, verify)
    except ModelError as error:
        warning = f"AuraFace is not to be had ({error}); the embedded SFace pack is used instead"
        log.warning(warning)
        installed = _ensure(get_pack("sface", settings), settings, force, verify)
        return InstalledPack(installed.pack, installed.folder, warning)


def is_at_hand(pack: ModelPack, settings: Settings) -> bool:
    """Whether a pack can be had without the network: on disk, or its weights in the Hub's cache."""
    return is_verified(pack, pack_folder(pack, settings), rehash=False) or (
        cached_weights(pack.recogniser) is not None
    )


def pack_folder(pack: ModelPack, settings: Settings) -> Path:
    """Where a pack lives."""
    return settings.models_dir / pack.name


def _ensure(pack: ModelPack, settings: Settings, force: bool, verify: bool) -> InstalledPack:
    folder = pack_folder(pack, settings)
    if not force and is_verified(pack, folder, rehash=verify):
        return InstalledPack(pack, folder)
    try:
        with _only_one_process(settings.models_dir):
            if force or not is_verified(pack, folder, rehash=verify):
                _make(pack, folder, settings, force)
        return InstalledPack(pack, folder)
    except LookalikeError as error:
        if not (force and is_verified(pack, folder, rehash=True)):
            raise
        warning = f"{pack.title} could not be made anew ({error}); the pack already here is used"
        log.warning(warning)
        return InstalledPack(pack, folder, warning)


@contextmanager
def _only_one_process(models_dir: Path) -> Iterator[None]:
    from filelock import FileLock

    with storage_errors(models_dir):
        models_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(models_dir / ".lock")
        lock.acquire()
    try:
        with storage_errors(models_dir):
            _sweep(models_dir)
        yield
    finally:
        lock.release()


def _sweep(models_dir: Path) -> None:
    """Clear what a killed run left: half-made packs go, a pack moved aside comes back."""
    for name in PACKS:
        shutil.rmtree(models_dir / f".{name}.new", ignore_errors=True)
        moved, folder = models_dir / f".{name}.old", models_dir / name
        if folder.exists():
            shutil.rmtree(moved, ignore_errors=True)
        elif moved.exists():
            moved.rename(folder)


def _make(pack: ModelPack, folder: Path, settings: Settings, force: bool) -> None:
    staging = folder.with_name(f".{folder.name}.new")
    with storage_errors(folder):
        staging.mkdir(parents=True)
        try:
            _fill(pack, staging, None if force else folder, settings)
            write_stamp(pack, staging)
            _swap_in(staging, folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _swap_in(staging: Path, folder: Path) -> None:
    """Put the new folder in the old one's place; the old one comes back if that fails."""
    old = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _fill(pack: ModelPack, staging: Path, previous: Path | None, settings: Settings) -> None:
    from core.embedded_pack import build_detector, build_recogniser

    if pack.recogniser.carrier:
        say("build_embedded", settings.lang, title=pack.title)
        source = obtain_weights(pack, pack.recogniser, staging, None, settings)
        build_recogniser(source, staging / "converted")
        (staging / "converted").replace(staging / pack.recogniser.name)
    else:
        obtain_weights(pack, pack.recogniser, staging, previous, settings).replace(
            staging / pack.recogniser.name
        )
    detector = obtain_weights(pack, pack.detector, staging, None, settings)
    build_detector(detector, staging / DETECTOR)
    for leftover in staging.iterdir():
        if leftover.is_dir():
            shutil.rmtree(leftover)
