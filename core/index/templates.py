"""From a gallery's embeddings to an index: mislabels out, templates, calibration."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from core.errors import GalleryError
from core.gallery.photos import Portrait, label_of
from core.index.actor_index import ActorIndex, IndexInfo, best_per_actor
from core.index.embeddings_cache import EmbeddingsCache, PackCache
from core.index.scoring import Calibration, calibrate_rows

# A portrait is a likely mislabel if its mean cosine to its actor's other portraits is below
# MISLABEL_CEILING and at least MISLABEL_GAP below theirs to each other. Of SFace with the second
# network: true portraits' means are 0.38 and more in the development gallery (80 actors, five
# portraits each), 0.32 and more in the starter gallery. The rule finds 96 % of the exchanged ones
# in the first, 95 % in the second, and accuses none of 83,000 true ones of the second; with 0.33
# (on another centre of the second network) 99 and 98 %, and one in 1,800. SFace alone finds 99 %
# and accuses one in 1,600; with 0.29, one of the starter gallery as it is.
MISLABEL_CEILING = 0.285
MISLABEL_GAP = 0.20
MIN_PORTRAITS_TO_JUDGE = 3
# Portraits that a calibration goes by: of more, so many by chance (docs/scaling.md). They are
# compared with all templates, so many similarities at a time: some 200 MB with what is made of it.
CALIBRATING = 20_000
CELLS = 4_000_000

Labelled = dict[str, list[tuple[Portrait, NDArray[np.float32]]]]


def build_index(
    cache: EmbeddingsCache, pack: PackCache, *, source: str, listing: str, clusters: int = 1
) -> ActorIndex:
    """The index of all usable photos of a cache, by one pack's embeddings.

    Raises:
        GalleryError: not one photo can be used.
    """
    usable, left_out = _usable_photos(cache, pack)
    names = sorted(usable)
    rows = [(portrait, vector) for name in names for portrait, vector in usable[name]]
    embeddings = np.stack([vector for _, vector in rows])
    portrait_actor = actor_of_each([len(usable[name]) for name in names])
    centres = [make_templates(embeddings[portrait_actor == i], clusters) for i in range(len(names))]
    templates = np.concatenate(centres)
    template_actor = actor_of_each([len(own) for own in centres])
    return ActorIndex(
        info=IndexInfo(
            pack=pack.name,
            identity=pack.identity,
            detection=pack.detection,
            libraries=pack.libraries,
            source=source,
            listing=listing,
            clusters=clusters,
            built=datetime.now(UTC).isoformat(timespec="seconds"),
            left_out=left_out,
        ),
        actors=tuple(names),
        portraits=tuple(portrait for portrait, _ in rows),
        embeddings=embeddings,
        portrait_actor=portrait_actor,
        templates=templates,
        template_actor=template_actor,
        calibration=calibration_of(embeddings, portrait_actor, templates, template_actor),
    )


def actor_of_each(counts: list[int]) -> NDArray[np.int32]:
    """How many rows each actor has → (sum of them,) whose each row is."""
    return np.repeat(np.arange(len(counts), dtype=np.int32), counts)


def calibration_of(
    embeddings: NDArray[np.float32],
    portrait_actor: NDArray[np.int32],
    templates: NDArray[np.float32],
    template_actor: NDArray[np.int32],
) -> Calibration | None:
    """The calibration of an index's arrays, by at most CALIBRATING of its portraits."""
    counts = np.bincount(portrait_actor)
    rows = np.arange(len(embeddings))
    if len(rows) > CALIBRATING:
        rows = np.sort(np.random.default_rng(0).choice(rows, CALIBRATING, replace=False))
    size = max(1, CELLS // len(templates))
    blocks = (
        best_per_actor(embeddings[rows[start : start + size]], templates, template_actor)
        for start in range(0, len(rows), size)
    )
    return calibrate_rows(blocks, portrait_actor[rows], counts)


def _usable_photos(cache: EmbeddingsCache, pack: PackCache) -> tuple[Labelled, dict[str, str]]:
    """Photos by actor, and those left out with the reason; a photo given twice counts once.

    Raises:
        GalleryError: not one is left.
    """
    usable: Labelled = {}
    left_out: dict[str, str] = {}
    for name, portraits in cache.actors.items():
        rows = {}
        for portrait in portraits:
            photo = pack.photos.get(portrait.sha256)
            if photo is None or photo.embedding is None:
                left_out[label_of(name, portrait)] = (photo and photo.left_out) or "not_embedded"
            elif portrait.sha256 in rows:
                left_out[label_of(name, portrait)] = "duplicate"
            else:
                seen = replace(portrait, landmarks=photo.landmarks, crop_hash=photo.crop_hash)
                rows[portrait.sha256] = (seen, photo.embedding)
        kept = list(rows.values())
        for position in likely_mislabels([vector for _, vector in kept]):
            portrait, _ = kept[position]
            left_out[label_of(name, portrait)] = "likely_mislabel"
            del rows[portrait.sha256]
        if rows:
            usable[name] = list(rows.values())
    if not usable:
        raise GalleryError(
            "no photo of the gallery can be used; put photos that show one face each into"
            " dataset/<Actor name>/"
        )
    return usable, left_out


def likely_mislabels(embeddings: list[NDArray[np.float32]]) -> list[int]:
    """Positions of one actor's portraits that are probably of someone else, worst first.

    Args:
        embeddings: (D,) unit each.
    """
    kept = list(range(len(embeddings)))
    found: list[int] = []
    while len(kept) >= MIN_PORTRAITS_TO_JUDGE:
        vectors = np.stack([embeddings[position] for position in kept])
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, 0)
        count = len(kept)
        to_others = cosines.sum(axis=1) / (count - 1)
        worst = int(to_others.argmin())
        among_others = (cosines.sum() - 2 * cosines[worst].sum()) / ((count - 1) * (count - 2))
        own = float(to_others[worst])
        if own >= MISLABEL_CEILING or among_others - own < MISLABEL_GAP:
            break
        found.append(kept.pop(worst))
    return found


def make_templates(embeddings: NDArray[np.float32], clusters: int) -> NDArray[np.float32]:
    """(n, D) unit embeddings of one actor → (k, D) unit templates, 1 ≤ k ≤ `clusters`.

    One cluster is the mean; more are k-means centres (SciPy, best of 20 starts, fixed seed).
    An actor with no more different portraits than clusters keeps each as a template.
    """
    if clusters == 1:
        centres = embeddings.mean(axis=0, keepdims=True, dtype=np.float64)
    elif len(different := np.unique(embeddings, axis=0)) <= clusters:
        centres = different
    else:
        from scipy.cluster.vq import kmeans

        centres, _ = kmeans(embeddings.astype(np.float64), clusters, rng=0)
    unit: NDArray[np.float32] = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    return unit.astype(np.float32)
