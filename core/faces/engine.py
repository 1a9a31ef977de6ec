"""Detect → align → embed, batched: the one door to insightface and onnxruntime.

insightface works in BGR; everything outside this file is RGB.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faces.align import CROP_SIDE, aligned_crop
from core.faces.detect import FaceDetector, FoundFace
from core.faces.photo import Photo
from core.languages import LANGUAGES
from core.log import log, say
from core.models.install import InstalledPack
from core.settings import DetectionOptions

# onnxruntime reads this when it is first imported; else it keeps a device id and reports usage.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

EMBEDDING_BATCH = 32  # crops a recogniser call in enrolment: bounds memory, loses no speed
TINY = np.finfo(np.float32).tiny
DOMINANT = 2.0  # the likely subject's area must be this many times any other face's
RIVAL_SCORE = 0.7  # detection score from which another face counts: below, posters and blur
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, eq=False)
class Detection:
    """One face found in a photo, aligned."""

    box: tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the photo
    detection_score: float  # 0-1
    landmarks: NDArray[np.float32]  # (5, 2) pixels: eyes, nose tip, mouth corners
    crop: NDArray[np.uint8]  # (112, 112, 3) RGB, warped to the standard five points

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
        """Load both models; the log names the pack, the provider and the threads.

        Args:
            installed: which pack, where.
            options: how faces are looked for.
            threads: of each model; 0 = the CPU quota.
            lang: of the log.
        """
        self.pack = installed.pack
        say("model_loading", lang, title=self.pack.title)
        threads = threads or usable_cpus()
        app = _load_face_analysis(installed, options, threads)
        self.options = options
        self._network = app.det_model
        self._detector = FaceDetector(self._run_network, options)
        self._recogniser = app.models["recognition"]
        provider = self._recogniser.session.get_providers()[0]
        log.info("%s on %s, %d threads", self.pack.title, provider, threads)

    def find_faces(self, photo: Photo) -> tuple[Face, ...]:
        """All faces of a photo, embedded in one batch, the likely subject first; () if none."""
        found = self.detect(photo)
        embeddings = self.embed([detection.crop for detection in found])
        return tuple(Face(detection, row) for detection, row in zip(found, embeddings, strict=True))

    def detect(self, photo: Photo) -> tuple[Detection, ...]:
        """All faces of a photo, aligned, the likely subject first; () if there is none.

        That is by size, nearness to the photo's centre and detection score together.
        """
        found = [_aligned(photo.pixels, face) for face in self._detector.find(photo.pixels).faces()]
        height, width = photo.pixels.shape[:2]
        return tuple(sorted(found, key=lambda face: -face.prominence(width, height)))

    def embed(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(112, 112, 3) RGB crops → (N, D) unit embeddings, in batches."""
        step = EMBEDDING_BATCH if self._takes_batches() else 1
        rows = [
            self._recogniser.get_feat([crop[:, :, ::-1] for crop in crops[start : start + step]])
            for start in range(0, len(crops), step)
        ]
        raw = np.concatenate(rows) if rows else np.empty((0, self.pack.dimension))
        norms = np.linalg.norm(raw, axis=1, keepdims=True)
        unit: NDArray[np.float32] = (raw / np.maximum(norms, TINY)).astype(np.float32)
        return unit

    def warm_up(self) -> None:
        """Run both models once, so that the first visitor waits no longer than the tenth."""
        side = self.options.size
        self._detector.run(np.zeros((side, side, 3), np.uint8), side)
        self.embed([np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8)])

    def _run_network(
        self, pixels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(H, W, 3) RGB → (n, 5) boxes with scores, (n, 5, 2) landmarks."""
        bgr = np.ascontiguousarray(pixels[:, :, ::-1])
        boxes, landmarks = self._network.detect(bgr, input_size=bgr.shape[1::-1])
        return boxes, landmarks

    def _takes_batches(self) -> bool:
        return not isinstance(self._recogniser.input_shape[0], int)


def _aligned(pixels: NDArray[np.uint8], face: FoundFace) -> Detection:
    height, width = pixels.shape[:2]
    corners = np.clip(face.box, 0, [width, height, width, height])
    x1, y1, x2, y2 = (float(value) for value in corners)
    return Detection(
        box=(x1, y1, x2, y2),
        detection_score=face.score,
        landmarks=np.asarray(face.landmarks, np.float32),
        crop=aligned_crop(pixels, face.landmarks),
    )


def _load_face_analysis(installed: InstalledPack, options: DetectionOptions, threads: int) -> Any:
    """insightface's FaceAnalysis on one pack's folder, its chatter kept off the log."""
    import onnxruntime
    from insightface.app import FaceAnalysis

    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = threads
    session.inter_op_num_threads = 1
    with contextlib.redirect_stdout(io.StringIO()):
        app = FaceAnalysis(
            name=str(installed.folder),
            allowed_modules=["detection", "recognition"],
            sess_options=session,
            static_shape_sessions=False,  # one session for every detection size
        )
        app.prepare(0, det_thresh=options.threshold, det_size=(options.size, options.size))
    return app


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
