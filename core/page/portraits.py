"""The gallery's portraits as the page shows them: framed like the visitor's face, small, cached."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.errors import PhotoError
from core.faces.framing import FRAME, framed_face
from core.faces.photo import read_photo
from core.gallery.photos import Portrait
from core.lookalike import LookalikeFinder
from core.settings import PhotoLimits

Size = Literal["face", "small"]
SIZES: dict[Size, tuple[int, int]] = {"face": FRAME, "small": (112, 140)}  # twice the size shown
KEPT = 512  # encoded pictures, some 20 KB each
QUALITY = 82


class PortraitPictures:
    """Portraits of one finder's gallery by an address that tells nothing of this machine."""

    def __init__(self, finder: LookalikeFinder) -> None:
        """Addresses are the portraits' keys."""
        self._finder = finder

    def address(self, portrait: Portrait, size: Size) -> str | None:
        """Where the page finds the picture, relative to the page; None where there is none."""
        if self._finder.portrait_path(portrait) is None:
            return None
        return f"portraits/{portrait.key}/{size}.webp"

    def encoded(self, key: str, size: str) -> bytes | None:
        """A portrait as WebP; None for an unknown key or size, or a damaged file."""
        if size not in SIZES:
            return None
        found = self._finder.index.portraits_of([key])
        return self._encoded(found[-1][1], SIZES[size]) if found else None

    def framed(self, portrait: Portrait) -> Image.Image | None:
        """A portrait in the frame, (480, 600) RGB; None where it cannot be shown."""
        encoded = self._encoded(portrait, FRAME)
        return Image.open(io.BytesIO(encoded)).convert("RGB") if encoded else None

    def _encoded(self, portrait: Portrait, size: tuple[int, int]) -> bytes | None:
        path = self._finder.portrait_path(portrait)
        if path is None:
            return None
        try:
            changed = path.stat().st_mtime_ns
            limits = self._finder.settings.photo_limits
            return _encoded(path, changed, portrait.landmarks, size, limits)
        except (PhotoError, OSError, ValueError):  # damaged or gone since it was enrolled
            return None


@lru_cache(maxsize=KEPT)
def _encoded(
    path: Path,
    _changed: int,
    landmarks: tuple[float, ...],
    size: tuple[int, int],
    limits: PhotoLimits,
) -> bytes:
    framed = _framed(read_photo(path, limits).pixels, landmarks)
    image = Image.fromarray(framed).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=QUALITY)
    return stream.getvalue()


def _framed(pixels: NDArray[np.uint8], landmarks: tuple[float, ...]) -> NDArray[np.uint8]:
    if landmarks:
        return framed_face(pixels, landmarks)
    return np.asarray(ImageOps.fit(Image.fromarray(pixels), FRAME, centering=(0.5, 0.3)))
