"""Pillow's modes that take care → RGB, in bands: a large picture is never copied whole.

At 50 megapixels one more copy is 200 MB, and in float64 400.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

BAND = 256  # rows
SIXTEEN_BITS = 65535
TOPS = (255, 1023, 4095, SIXTEEN_BITS)
FLOAT_TOPS = (1.0, 255.0, float(SIXTEEN_BITS))
MOST_OF, OVERSHOT = 0.99, 1.5  # quantile of a float picture's values; times the top it may be


def on_white(image: Image.Image) -> Image.Image:
    """A picture with transparent parts → RGB, on white."""
    rgb = Image.new("RGB", image.size)
    for top, bottom in _bands(image.height):
        part = image.crop((0, top, image.width, bottom)).convert("RGBA")
        white = Image.new("RGBA", part.size, "white")
        rgb.paste(Image.alpha_composite(white, part).convert("RGB"), (0, top))
    return rgb


def deep_grey_to_rgb(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled from the range that its values are in.

    Integers of 8, 10 or 12 bits often stand in 16, and floats are of 0-1 or of integers' ranges;
    what was resized overshoots a little.
    """
    values = np.asarray(image)
    if values.dtype == np.int32 and values.max(initial=0) > SIXTEEN_BITS:
        values = (values.view(np.uint32) >> 16).astype(np.uint16)
    if values.dtype.kind == "f":
        some = values[:: 1 + values.shape[0] // 1000, :: 1 + values.shape[1] // 1000]
        known = some[np.isfinite(some)]
        most = float(np.quantile(known, MOST_OF)) if known.size else 0.0
        top = next((top for top in FLOAT_TOPS if most <= OVERSHOT * top), FLOAT_TOPS[-1])
    else:
        top = next(top for top in TOPS if values.max(initial=0) <= top)
    grey = np.empty(values.shape, np.uint8)
    for start, end in _bands(len(values)):
        grey[start:end] = _scaled(values[start:end], top)
    if _white_is_zero(image):
        np.subtract(255, grey, out=grey)
    return Image.fromarray(grey).convert("RGB")


def _white_is_zero(image: Image.Image) -> bool:
    """Of a TIFF, which Pillow heeds for 8 bits alone."""
    tags = getattr(image, "tag_v2", {})
    return bool(tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0)


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
