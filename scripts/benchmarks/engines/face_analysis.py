"""insightface's own FaceAnalysis on the pack before any rewriting: one network, each face once."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from insightface.app import FaceAnalysis
from serving import serve


def main() -> None:
    """Arguments: the folder of the pack."""
    analysis = FaceAnalysis(sys.argv[1])
    analysis.prepare(0, det_size=(640, 640))

    def match(photo: str) -> int:
        data = np.frombuffer(Path(photo).read_bytes(), np.uint8)
        return len(analysis.get(cv2.imdecode(data, cv2.IMREAD_COLOR)))

    def build(photos: list[str]) -> int:
        return sum(match(photo) > 0 for photo in photos)

    serve({"match": match, "build": build})


if __name__ == "__main__":
    main()
