"""Pillow's modes that take care → RGB, in bands: a large picture is never copied whole.

At 50 megapixels one more copy is 200 MB, and in float64 400.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAND = 256  # rows
SIXTEEN_BITS = 65535


def on_white(image: Image.Image) -> Image.Image:
    """A picture with transparent parts → RGB, on white."""
    rgb = Image.new("RGB", image.size)
    for top, bottom in _bands(image.height):
        part = image.crop((0, top, image.width, bottom)).convert("RGBA")
        white = Image.new("RGBA", part.size, "white")
        rgb.paste(Image.alpha_composite(white, part).convert("RGB"), (0, top))
    return rgb


def deep_grey_to_rgb(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled from its own format's range (16 bits; 0-1 for floats)."""
    values = np.asarray(image)
    highest = float(np.fmax.reduce(values, axis=None, initial=0))  # heeds no NaN
    top = 1.0 if image.mode == "F" and highest <= 1 else float(SIXTEEN_BITS)
    if image.mode in ("I", "F") and top != 1.0 and highest <= 255:
        top = 255.0
    grey = np.empty(values.shape, np.uint8)
    for start, end in _bands(len(values)):
        grey[start:end] = _scaled(values[start:end], top)
    return Image.fromarray(grey).convert("RGB")


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) of an RGB picture; Pillow's own way takes twice the memory."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, bottom in _bands(image.height):
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels


def _scaled(values: NDArray[np.generic], top: float) -> NDArray[np.uint8]:
    """0…top → 0…255; what is no number is 0."""
    if values.dtype.kind == "f":
        scaled = np.nan_to_num(values.astype(np.float64)) * (255.0 / top)
        return np.clip(scaled, 0, 255).round().astype(np.uint8)
    whole = np.arange(SIXTEEN_BITS + 1) * (255.0 / top)  # looked up: five times as fast
    table = np.clip(whole, 0, 255).round().astype(np.uint8)
    return np.asarray(table[np.clip(values, 0, SIXTEEN_BITS)])


def _bands(height: int) -> Iterator[tuple[int, int]]:
    for top in range(0, height, BAND):
        yield top, min(top + BAND, height)
