"""JPEG files that are not as they should be: without an end, or with too many scans."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image

# A marker; what stands for a byte of the picture, or for a restart, is none.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
START, SCAN, END = b"\xff\xd8", 0xDA, b"\xff\xd9"
FILLING = b"\x5a" * 256  # in the place of what is missing
# Megapixels times scans: a progressive JPEG has some ten, and each of 50 megapixels takes 0.02 s.
MOST_SCANNED = 1500


def check_scans(data: bytes, pixels: int) -> None:
    """Refuse a file that goes over its picture again and again: few bytes, and minutes of work.

    Raises:
        ValueError: too many scans for so many pixels.
    """
    place, scans = len(START), 0
    while found := MARKER.search(data, place):
        marker, place = found[0][1], found.end()
        if marker == END[1]:
            return
        scans += marker == SCAN
        if scans * pixels > MOST_SCANNED * 1e6:
            raise ValueError(f"{scans} scans of {pixels} pixels")
        place += int.from_bytes(data[place : place + 2], "big")


def completed(image: Image.Image) -> Image.Image | None:
    """A file that ends early, if it is its end mark that is missing and no pixel; else None.

    Two fillings in the place of what is missing give two pictures if a pixel depends on it. What
    Pillow and its decoders raise on damaged files is passed on.
    """
    stream = getattr(image, "fp", None)
    if image.format != "JPEG" or not isinstance(stream, io.BytesIO):
        return None
    data = stream.getvalue().removesuffix(END[:1])  # half of the mark may be there
    one, other = (
        Image.open(io.BytesIO(data + filling + END), formats=("JPEG",))
        for filling in (b"", FILLING)
    )
    return one if np.array_equal(np.asarray(one), np.asarray(other)) else None
