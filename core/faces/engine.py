"""Detect → align → embed, batched: the one door to insightface and onnxruntime."""

from __future__ import annotations

import contextlib
import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.faces.align import CROP_SIDE, aligned_crop, mirrored
from core.faces.anchors import blob_of, decoded
from core.faces.both_ways import SeenFace, find_both_ways
from core.faces.cores import Cores
from core.faces.detect import FaceDetector
from core.faces.photo import Photo
from core.languages import LANGUAGES
from core.log import log, say
from core.models.install import DETECTOR_FILE, InstalledPack
from core.models.packs import ModelPack, Network
from core.settings import DetectionOptions

# onnxruntime reads this when it is first imported; else it keeps a device id and reports usage.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

EMBEDDING_BATCH = 4  # crops a call of a network: 0.1 GB (32: 0.9 GB), and as fast
TINY = np.finfo(np.float32).tiny
DOMINANT = 2.0  # the likely subject's area must be this many times any other face's
RIVAL_SCORE = 0.7  # detection score from which another face counts: below, posters and blur
CGROUP = Path("/sys/fs/cgroup")

# A face as each network of a pack sees it, in the photo and in its mirror image: (2, side, side, 3)
# RGB of each network.
Views = tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True, eq=False)
class Detection:
    """One face found in a photo, aligned."""

    box: tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the photo
    detection_score: float  # 0-1
    landmarks: NDArray[np.float32]  # (5, 2) pixels: eyes, nose tip, mouth corners
    crop: NDArray[np.uint8]  # (112, 112, 3) RGB, warped to the standard five points
    views: Views = ()  # what is embedded

    def __post_init__(self) -> None:
        """Check shapes once."""
        if self.landmarks.shape != (5, 2) or self.crop.shape != (CROP_SIDE, CROP_SIDE, 3):
            raise ValueError(
                f"expected landmarks (5, 2) and crop (112, 112, 3),"
                f" got {self.landmarks.shape} and {self.crop.shape}"
            )

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        x1, y1, x2, y2 = self.box
        return max(0.0, x2 - x1) * max(0.0, y2 - y1)

    def in_larger(self, zoom: float) -> Detection:
        """Where it is in the photo of which this was found in a reduced copy."""
        if zoom == 1:
            return self
        x1, y1, x2, y2 = (value * zoom for value in self.box)
        return replace(self, box=(x1, y1, x2, y2), landmarks=self.landmarks * np.float32(zoom))

    def prominence(self, width: float, height: float) -> float:
        """How likely it is the subject of a photo of this size: large, near the middle, sure."""
        x1, y1, x2, y2 = self.box
        off = math.hypot(x1 + x2 - width, y1 + y2 - height) / math.hypot(width, height)
        return math.sqrt(self.area) * (1 - off) * self.detection_score


@dataclass(frozen=True, eq=False)
class Face:
    """A detection with its embedding."""

    detection: Detection
    embedding: NDArray[np.float32]  # (D,) unit length

    @property
    def crop(self) -> NDArray[np.uint8]:
        """(112, 112, 3) RGB, aligned."""
        return self.detection.crop


class Engine(Protocol):
    """What finds and embeds faces: a `FaceEngine` here, or one that asks others."""

    @property
    def pack(self) -> ModelPack:
        """Whose embeddings these are."""

    @property
    def at_once(self) -> int:
        """How many photos it is worth asking about at the same time."""

    def find_faces(self, photo: Photo, least: float = 0.0) -> tuple[Face, ...]:
        """As of `FaceEngine`, like the rest."""

    def detect(self, photo: Photo) -> tuple[Detection, ...]:
        """Faces without their embeddings."""

    def embed(self, faces: Sequence[Views]) -> NDArray[np.float32]:
        """(N, D) unit."""

    def views(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Views:
        """What is embedded of a face."""

    def warm_up(self) -> None:
        """Do once what the first visitor would otherwise wait for."""


class FaceEngine:
    """A loaded model pack. Safe to call from several threads."""

    def __init__(
        self,
        installed: InstalledPack,
        options: DetectionOptions = DetectionOptions(),
        *,
        threads: int = 0,
        lang: str = LANGUAGES[0],
    ) -> None:
        """Load the models; the log names the pack, the provider and the threads.

        Args:
            installed: which pack, where.
            options: how faces are looked for.
            threads: how many networks run at once; 0 = the CPU quota.
            lang: of the log.
        """
        self.pack = installed.pack
        say("model_loading", lang, title=self.pack.title)
        self.threads = threads or usable_cpus()
        self.at_once = usable_cpus()
        self.options = options
        self._cores = Cores(self.threads)
        self._network, self._recognisers = _load_models(installed, options)
        self._detector = FaceDetector(self._run_network, options)
        provider = self._recognisers[0].session.get_providers()[0]
        log.info("%s on %s, %d threads", self.pack.title, provider, self.threads)

    def find_faces(self, photo: Photo, least: float = 0.0) -> tuple[Face, ...]:
        """All faces of a photo, embedded in one batch, the likely subject first; () if none.

        () too where one of them is smaller than `least`, square pixels of its box.
        """
        return self.find_faces_of([(photo, least)])[0]

    def find_faces_of(self, asked: Sequence[tuple[Photo, float]]) -> list[tuple[Face, ...]]:
        """The same of several photos, all their faces embedded together."""
        found = [self.detect(photo, least) for photo, least in asked]
        rows = iter(self.embed([face.views for faces in found for face in faces]))
        return [tuple(Face(face, next(rows)) for face in faces) for faces in found]

    def detect(self, photo: Photo, least: float = 0.0) -> tuple[Detection, ...]:
        """All faces of a photo, aligned, the likely subject first; () if there is none.

        () too where one of them is smaller than `least`, square pixels of its box: known at the
        first look, most often. The likely subject is by size, nearness to the photo's centre and
        detection score together. A photo of more pixels than faces are looked for in is reduced
        first: few are worth seconds.
        """
        pixels, zoom = _reduced(photo.pixels, self.options.limit)
        mirror = _mirror_image(pixels)
        find = partial(self._detector.find, least=least / zoom**2)
        seen = find_both_ways(find, pixels, mirror, self._cores)
        cut = self._cores.all([partial(_aligned, pixels, mirror, face, self.pack) for face in seen])
        found = [face.in_larger(zoom) for face in cut]
        if any(face.area < least for face in found):
            return ()
        height, width = photo.pixels.shape[:2]
        return tuple(sorted(found, key=lambda face: -face.prominence(width, height)))

    def embed(self, faces: Sequence[Views]) -> NDArray[np.float32]:
        """Views of N faces → (N, D) unit embeddings, in batches; their number of views is free."""
        networks = list(zip(self.pack.networks, self._recognisers, strict=True))
        works = [
            _batches(network, model, [views[place] for views in faces], self.threads)
            for place, (network, model) in enumerate(networks)
        ]
        rows = iter(self._cores.all([work for batches in works for work in batches]))
        counts = [len(views[0]) for views in faces]
        parts = [
            math.sqrt(network.share) * _part(network, list(islice(rows, len(batches))), counts)
            for (network, _), batches in zip(networks, works, strict=True)
        ]
        embeddings: NDArray[np.float32] = np.concatenate(parts, axis=1).astype(np.float32)
        return embeddings

    def views(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Views:
        """Of a face whose (5, 2) landmarks in a (H, W, 3) RGB picture are known already."""
        return views_for(self.pack, pixels, landmarks)

    def warm_up(self) -> None:
        """Run all models once, so that the first visitor waits no longer than the tenth."""
        side = self.options.size
        self._detector.run(np.zeros((side, side, 3), np.uint8), side)
        sides = [network.side for network in self.pack.networks]
        self.embed([tuple(np.zeros((2, side, side, 3), np.uint8) for side in sides)])

    def _run_network(
        self, pixels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(H, W, 3) RGB → (n, 5) boxes with scores, (n, 5, 2) landmarks."""
        outputs = _run(self._network, blob_of([pixels]))
        boxes, landmarks = decoded(outputs, pixels.shape[1], self.options.threshold)
        kept = self._network.nms(boxes)
        return boxes[kept], landmarks[kept]


def views_for(pack: ModelPack, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Views:
    """A face of known landmarks as the networks of a pack see it; no network is run."""
    mirror = _mirror_image(pixels)
    return _views(pack, (pixels, landmarks), (mirror, mirrored(landmarks, pixels.shape[1])))


def _reduced(pixels: NDArray[np.uint8], limit: int) -> tuple[NDArray[np.uint8], float]:
    """A photo of no more pixels than a square of this side, and how much longer its sides were."""
    import cv2

    height, width = pixels.shape[:2]
    zoom = max(1.0, math.sqrt(height * width) / limit)
    if zoom == 1:
        return pixels, zoom
    size = (max(1, round(width / zoom)), max(1, round(height / zoom)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), zoom


def _mirror_image(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.flip(pixels, 1), np.uint8)


def _aligned(
    pixels: NDArray[np.uint8], mirror: NDArray[np.uint8], seen: SeenFace, pack: ModelPack
) -> Detection:
    height, width = pixels.shape[:2]
    face = seen.middle(width)
    corners = np.clip(face.box, 0, [width, height, width, height])
    x1, y1, x2, y2 = (float(value) for value in corners)
    return Detection(
        box=(x1, y1, x2, y2),
        detection_score=face.score,
        landmarks=np.asarray(face.landmarks, np.float32),
        crop=aligned_crop(pixels, face.landmarks),
        views=_views(pack, (pixels, seen.here.landmarks), (mirror, seen.mirrored.landmarks)),
    )


def _views(pack: ModelPack, *pictures: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> Views:
    """A face cut out of each of some pictures for each network of a pack.

    Args:
        pack: of the networks.
        pictures: (H, W, 3) RGB and the face's (5, 2) landmarks in it.
    """

    def crops(network: Network) -> NDArray[np.uint8]:
        return np.stack(
            [aligned_crop(*picture, network.side, network.points) for picture in pictures]
        )

    return tuple(crops(network) for network in pack.networks)


def _batches(
    network: Network, model: Any, faces: list[NDArray[np.uint8]], threads: int
) -> list[Callable[[], NDArray[np.float32]]]:
    """What one network has to do for views of N faces, (V, side, side, 3) RGB each, in batches.

    At least one for each thread, if there are so many views.
    """
    crops = [view for views in faces for view in views]
    takes_batches = not isinstance(model.input_shape[0], int)
    step = min(EMBEDDING_BATCH, -(-len(crops) // threads)) if takes_batches else 1

    def work(batch: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = _run(model, blob_of(batch, network.mean, network.deviation))[0]
        return rows

    starts = range(0, len(crops), max(1, step))
    return [partial(work, crops[start : start + step]) for start in starts]


def _part(
    network: Network, rows: list[NDArray[np.float32]], counts: list[int]
) -> NDArray[np.float32]:
    """Rows of N faces' views, so many each → (N, D) unit: the mean of views of unit length."""
    if not rows:
        return np.empty((0, network.dimension), np.float32)
    starts = np.cumsum([0, *counts[:-1]])
    return _unit(np.add.reduceat(_unit(np.concatenate(rows)), starts))


def _run(model: Any, blob: NDArray[np.float32]) -> Any:
    """All outputs of one of insightface's models; of any picture size, as its session takes it."""
    return model.session.run(model.output_names, {model.input_name: blob})


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY)
    return unit


def _load_models(installed: InstalledPack, options: DetectionOptions) -> tuple[Any, list[Any]]:
    """The detector and the networks of a pack as insightface runs them."""
    import onnxruntime
    from insightface.model_zoo import get_model

    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = 1  # see core/faces/cores.py
    session.inter_op_num_threads = 1
    with contextlib.redirect_stdout(io.StringIO()):  # insightface's chatter
        detector = get_model(
            str(installed.folder / DETECTOR_FILE),
            sess_options=session,
            static_shape_sessions=False,  # one session for every detection size
        )
        detector.prepare(0, det_thresh=options.threshold, input_size=(options.size, options.size))
        networks = [
            get_model(
                str(installed.folder / network.file),
                sess_options=session,
                model_task="recognition",
                model_metadata={"preprocessing": {"mean": network.mean, "std": network.deviation}},
            )
            for network in installed.pack.networks
        ]
    return detector, networks


def stands_out(faces: Sequence[Detection]) -> bool:
    """Whether the first face, the likely subject, is large enough beside the others."""
    subject, *others = faces
    rivals = [other for other in others if other.detection_score >= RIVAL_SCORE]
    return all(subject.area >= DOMINANT * rival.area for rival in rivals)


def usable_cpus(root: Path = CGROUP, own_cgroup: Path = Path("/proc/self/cgroup")) -> int:
    """Cores this process may run on, lowered to the CPU quota of its container.

    onnxruntime counts the host's cores; with a smaller quota that many threads wait for
    each other. Reads cgroup v2 (`cpu.max`: quota and period in microseconds, from the
    process's own group up to the root) and v1 (`cpu.cfs_quota_us`).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quotas = [*_quotas_v2(root, own_cgroup), *_quota_v1(root)]
    return max(1, min([cores or 1, *(math.ceil(quota) for quota in quotas)]))


def _quotas_v2(root: Path, own_cgroup: Path) -> list[float]:
    lines = _read(own_cgroup).splitlines()
    group = next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), "")
    folder = root / group
    folders = [folder, *folder.parents] if folder.is_relative_to(root) else [root]
    quotas = []
    for entry in folders:
        words = _read(entry / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":
            quotas.append(int(words[0]) / int(words[1]))
        if entry == root:
            break
    return quotas


def _quota_v1(root: Path) -> list[float]:
    quota = _read(root / "cpu" / "cpu.cfs_quota_us").strip()
    period = _read(root / "cpu" / "cpu.cfs_period_us").strip()
    return [int(quota) / int(period)] if quota and period and int(quota) > 0 else []


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
