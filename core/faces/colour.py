"""A picture's colours → sRGB: what screens show, and what the networks learned from."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

from core.faces.modes import deep_grey_to_rgb, on_white

# Of profiles: the colour space of the values, and Pillow's modes that hold such.
MODES = {"RGB ": ("RGB",), "GRAY": ("L",), "CMYK": ("CMYK",)}
TRANSFORMS = 8  # kept, since a visitor's or a gallery's photos share a few profiles
# A profile that is damaged, or made for other values than these.
PROFILE_FAULTS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError)


def to_srgb(image: Image.Image) -> Image.Image:
    """Any loaded picture → mode RGB: on white where it is transparent, its profile applied.

    A profile that is broken, or that does not fit the picture, is passed over.
    """
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        return deep_grey_to_rgb(image)
    if image.has_transparency_data:
        image = on_white(image)
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    if profile:
        image = _by_profile(image, profile)
    return image if image.mode == "RGB" else image.convert("RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        transform = _transform(profile, image.mode)
        converted = ImageCms.applyTransform(image, transform) if transform else None
    except PROFILE_FAULTS:
        return image
    return converted or image


@lru_cache(TRANSFORMS)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a profile's colours, in this mode of Pillow's, to sRGB; None: nothing to do."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode not in MODES.get(source.profile.xcolor_space, ()):
        return None
    if (source.profile.profile_description or "").startswith("sRGB"):
        return None
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
