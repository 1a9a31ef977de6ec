"""Bytes, path or Pillow image → upright RGB pixels, within limits of size."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pillow_heif import register_heif_opener

from core.errors import PhotoTooLargeError, UnreadablePhotoError
from core.faces.colour import to_srgb
from core.faces.jpeg import check_scans, completed
from core.faces.modes import pixels_of
from core.settings import PhotoLimits

PhotoSource = str | Path | bytes | Image.Image


@dataclass(frozen=True)
class PictureKind:
    """A kind of picture that is read."""

    name: str  # for people
    formats: tuple[str, ...]  # Pillow's
    suffixes: tuple[str, ...]  # of files
    types: tuple[str, ...]  # MIME


KINDS = (
    PictureKind("JPEG", ("JPEG",), (".jpg", ".jpeg", ".jfif", ".jpe"), ("image/jpeg",)),
    PictureKind("PNG", ("PNG",), (".png",), ("image/png",)),
    PictureKind("WebP", ("WEBP",), (".webp",), ("image/webp",)),
    PictureKind("GIF", ("GIF",), (".gif",), ("image/gif",)),
    PictureKind("BMP", ("BMP", "DIB"), (".bmp",), ("image/bmp",)),
    PictureKind("TIFF", ("TIFF",), (".tif", ".tiff"), ("image/tiff",)),
    PictureKind("AVIF", ("AVIF",), (".avif",), ("image/avif",)),
    PictureKind("HEIC", ("HEIF",), (".heic", ".heif"), ("image/heic", "image/heif")),
)
FORMATS = tuple(name for kind in KINDS for name in kind.formats)
PHOTO_SUFFIXES = frozenset(suffix for kind in KINDS for suffix in kind.suffixes)
PHOTO_TYPES = frozenset(name for kind in KINDS for name in kind.types)

# EXIF 2.3, tag 0x0112: how a stored picture must be turned to stand upright.
ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FURTHER = (1, 3, 7, 15, 31)  # which pictures of an animation are looked at after the first
# What Pillow and its decoders raise on damaged files; every kind was met by flipping bytes.
DECODER_FAULTS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
)

register_heif_opener()
# Pillow warns of damage beside the pixels, and of many pixels: the limit below answers those.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as the face engine takes it."""

    pixels: NDArray[np.uint8]  # (H, W, 3) RGB, upright
    source: str  # for messages: a file name, or "photo"
    zoom: float = 1.0  # pixels of the file along one of these

    def __post_init__(self) -> None:
        """Check the shape once, so that no later stage has to."""
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 (H, W, 3), got {self.pixels.dtype} {self.pixels.shape}"
            )


def read_photo(
    source: PhotoSource, limits: PhotoLimits = PhotoLimits(), *, enough: int = 0
) -> Photo:
    """Read one photo; of an animation the first picture (`further_pictures` gives others).

    Args:
        source: path, encoded bytes, or an open Pillow image.
        limits: on megapixels and megabytes.
        enough: pixels of the longer side that will do: a JPEG may be decoded at a half, a quarter
            or an eighth, which takes less time; 0: all there are.

    Raises:
        PhotoTooLargeError: more bytes or pixels than allowed; pixels are counted from the
            header, before anything is decoded.
        UnreadablePhotoError: no such file, not a known kind of picture, or a damaged one.
    """
    name, image = _opened(source, limits)
    longer = max(image.size)
    if enough and image is not source:  # a caller's own picture is left as it is
        width, height = (max(1, enough * side // longer) for side in image.size)
        image.draft(None, (width, height))
    zoom = longer / max(image.size)
    try:
        pixels = _upright_rgb(image)
    except DECODER_FAULTS as error:
        whole = _without_a_pixel_lost(image)
        if whole is None:
            raise _unreadable(name) from error
        pixels, zoom = whole, 1.0
    return Photo(pixels, name, zoom)


def further_pictures(source: PhotoSource, limits: PhotoLimits = PhotoLimits()) -> Iterator[Photo]:
    """Some later pictures of an animation, for when the first shows no face; none of a photo.

    As many as `limits` allows pixels for all that must be decoded on the way. Arguments and
    errors as of `read_photo`; a damaged picture ends them.
    """
    name, image = _opened(source, limits)
    if not getattr(image, "is_animated", False):
        return
    for number in FURTHER:
        if (number + 1) * image.width * image.height > limits.megapixels * 1e6:
            return
        try:
            image.seek(number)
            pixels = _upright_rgb(image)
        except DECODER_FAULTS:
            return
        yield Photo(pixels, name)


def _opened(source: PhotoSource, limits: PhotoLimits) -> tuple[str, Image.Image]:
    """Name and header of a picture; nothing is decoded yet."""
    name = Path(source).name if isinstance(source, str | Path) else "photo"
    image = source if isinstance(source, Image.Image) else _open(source, name, limits)
    _check_pixels(image, name, limits)
    return name, image


def _open(source: str | Path | bytes, name: str, limits: PhotoLimits) -> Image.Image:
    try:
        data = source if isinstance(source, bytes) else _read_file(Path(source), name, limits)
        _check_bytes(len(data), name, limits)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.format in ("JPEG", "MPO"):
            check_scans(data, image.width * image.height)
        return image
    except Image.DecompressionBombError:
        raise _too_many_pixels(name, limits) from None
    except PermissionError as error:
        raise UnreadablePhotoError(
            f"{name} may not be opened; let the user who runs this read it"
        ) from error
    except DECODER_FAULTS as error:
        raise _unreadable(name) from error


def _read_file(path: Path, name: str, limits: PhotoLimits) -> bytes:
    if path.is_dir():
        raise UnreadablePhotoError(f"{name or path} is a folder, no photo; name the photos in it")
    if not path.is_file():
        raise UnreadablePhotoError(f"{name}: no such file; check the path")
    _check_bytes(path.stat().st_size, name, limits)
    return path.read_bytes()


def _check_bytes(size: int, name: str, limits: PhotoLimits) -> None:
    if size > limits.megabytes * 1e6:
        raise PhotoTooLargeError(
            f"{name} has {size / 1e6:.1f} MB, more than {limits.megabytes:g} MB;"
            " send a smaller copy"
        )


def _check_pixels(image: Image.Image, name: str, limits: PhotoLimits) -> None:
    if image.width * image.height > limits.megapixels * 1e6:
        raise _too_many_pixels(name, limits)


def _too_many_pixels(name: str, limits: PhotoLimits) -> PhotoTooLargeError:
    return PhotoTooLargeError(
        f"{name} has more than {limits.megapixels:g} megapixels; send a smaller copy"
    )


def _unreadable(name: str) -> UnreadablePhotoError:
    *others, last = (kind.name for kind in KINDS)
    return UnreadablePhotoError(
        f"{name} cannot be read as a picture; send {', '.join(others)} or {last}, complete and"
        " undamaged"
    )


def _upright_rgb(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    turn = UPRIGHT.get(_orientation(image))
    image = to_srgb(image)
    if turn is not None:
        image = image.transpose(turn)
    return pixels_of(image)


def _without_a_pixel_lost(image: Image.Image) -> NDArray[np.uint8] | None:
    try:
        whole = completed(image)
        return None if whole is None else _upright_rgb(whole)
    except DECODER_FAULTS:
        return None


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1-8; 1 where the EXIF data are missing or broken."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except DECODER_FAULTS:  # the pixels beside broken EXIF data are fine
        return 1
