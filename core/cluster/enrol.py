"""Enrolment on a cluster: photos in, embeddings out, one engine of one thread for each core.

The files are read on the machine where the build runs, and their bytes are sent: the other
machines need no folder of the gallery's.
"""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data
from ray.data import ActorPoolStrategy, TaskPoolStrategy
from ray.exceptions import RayError

from core.errors import ClusterError
from core.faces.engine import FaceEngine
from core.gallery.photos import GalleryPhoto
from core.index.embeddings_cache import EnrolledPhoto
from core.index.enrol import Embedder, Progress, embed_photos
from core.models.install import InstalledPack, ensure_models
from core.models.packs import ModelPack
from core.settings import PhotoLimits, Settings

READERS = 2  # processes that read files, on the machine that has them
SENT = 16  # photos sent to an engine together: some 3 MB, a second's work
NODE = "ray.io/node-id"  # a label that every machine of a cluster has

Rows = dict[str, Any]  # a column each, one entry a photo


def embedder_on_cluster(
    installed: InstalledPack, settings: Settings, progress: Progress = lambda items: items
) -> Embedder:
    """As many engines as the cluster that this process has joined has cores.

    A killed engine is started anew and gets its photos again.

    Args:
        installed: the pack, as it is here; each machine makes its own copy if it has none.
        settings: of photos and detection, and where packs lie.
        progress: wraps the photos as they come back.
    """
    pack, options = installed.pack, settings.detection

    def embed(photos: dict[str, GalleryPhoto]) -> Iterator[dict[str, EnrolledPhoto]]:
        bar = iter(progress(range(len(photos))))
        for rows in _stream(photos, pack, settings):
            yield {
                str(key): EnrolledPhoto.from_json(json.loads(found), pack.dimension)
                for key, found in zip(rows["key"], rows["found"], strict=True)
            }
            for _ in rows["key"]:
                next(bar, None)
        next(bar, None)

    return Embedder(pack, options, embed)


def engines_of_cluster() -> int:
    """How many engines it has cores for."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _stream(photos: dict[str, GalleryPhoto], pack: ModelPack, settings: Settings) -> Iterator[Rows]:
    """Keys and findings as they come, a batch at a time.

    Killed tasks and actors are begun again, as is Ray Data's custom.

    Raises:
        ClusterError: an engine cannot be loaded, or fails.
    """
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    batches = -(-len(photos) // SENT)
    items = [{"key": key, "path": os.fsencode(photo.path)} for key, photo in photos.items()]
    sent = ray.data.from_items(items, override_num_blocks=batches).map_batches(
        _read,
        fn_kwargs={"limits": settings.photo_limits},
        batch_size=None,
        compute=TaskPoolStrategy(size=min(READERS, batches)),
        num_cpus=0,  # the cores are the engines'
        label_selector={NODE: ray.get_runtime_context().get_node_id()},
    )
    found = sent.map_batches(
        EngineWorker,
        fn_constructor_args=(pack.name, settings),
        batch_size=None,
        compute=ActorPoolStrategy(size=min(engines_of_cluster(), batches)),
        num_cpus=1,
    )
    try:
        yield from found.iter_batches(batch_size=None, prefetch_batches=0)
    except RayError as error:
        raise ClusterError(
            f"an engine cannot do its work ({str(error).strip().splitlines()[-1]}); see to it that"
            " every machine of the cluster has requirements-ray.txt and can write its models folder"
        ) from error


def _read(rows: Rows, limits: PhotoLimits) -> Rows:
    """Each file's bytes: none of one that cannot be read, one too many of one that is too large."""
    most = int(limits.megabytes * 1e6) + 1
    return {"key": rows["key"], "bytes": np.array([_bytes(p, most) for p in rows["path"]], object)}


def _bytes(path: bytes, most: int) -> bytes:
    file = Path(os.fsdecode(path))
    try:
        with file.open("rb") if file.is_file() else io.BytesIO() as opened:
            return opened.read(most)
    except OSError:
        return b""


class EngineWorker:
    """One engine in a process of its own."""

    def __init__(self, pack: str, settings: Settings) -> None:
        """Load a pack; it is made where this machine has none."""
        self._engine = FaceEngine(ensure_models(settings, pack), settings.detection, threads=1)
        self._limits = settings.photo_limits

    def __call__(self, rows: Rows) -> Rows:
        """Photos' keys and bytes → their keys and findings, as JSON of the embeddings cache."""
        sources = dict(zip(rows["key"], rows["bytes"], strict=True))
        found: dict[str, EnrolledPhoto] = {}
        for batch in embed_photos(self._engine, sources, self._limits):
            found.update(batch)
        return {
            "key": np.array(list(found), object),
            "found": np.array([json.dumps(photo.to_json()) for photo in found.values()], object),
        }
