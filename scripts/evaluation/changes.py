"""The same photo in another shape: compressed, smaller, turned, mirrored, lighter, cut."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scripts.evaluation.datasets import LabelledPhoto

Pixels = NDArray[np.uint8]  # (H, W, 3) RGB
Change = Callable[[LabelledPhoto, Pixels], Pixels]


def _jpeg(pixels: Pixels) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=40)
    return np.asarray(Image.open(stream).convert("RGB"))


def _half(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((max(1, image.width // 2), max(1, image.height // 2))))


def turned(degrees: int) -> Callable[[Pixels], Pixels]:
    """A photo turned so far, black where it ends."""

    def turn(pixels: Pixels) -> Pixels:
        image = Image.fromarray(pixels)
        return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True))

    return turn


def changed_by(change: Callable[[Pixels], Pixels]) -> Change:
    """A change that is the same for every photo."""
    return lambda _, pixels: change(pixels)


def _brighter(factor: float) -> Callable[[Pixels], Pixels]:
    def brighten(pixels: Pixels) -> Pixels:
        return (pixels * factor).clip(0, 255).astype(np.uint8)

    return brighten


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG quality 40": _jpeg,
    "half size": _half,
    "mirrored": lambda pixels: pixels[:, ::-1],
    "30 % brighter": _brighter(1.3),
    "30 % darker": _brighter(0.7),
}
TURNS = {f"turned by {degrees}°": turned(degrees) for degrees in range(15, 360, 15)}
MARGIN = 0.1  # of the face's longer side, left around it by the close crop


def close_crop(pixels: Pixels, box: NDArray[np.float32]) -> Pixels:
    """(H, W, 3) cut to a face, x1, y1, x2, y2, and its margin."""
    margin = MARGIN * float(np.max(box[2:] - box[:2]))
    left, top = (max(0, round(float(edge) - margin)) for edge in box[:2])
    right, bottom = (round(float(edge) + margin) for edge in box[2:])
    return pixels[top:bottom, left:right]
