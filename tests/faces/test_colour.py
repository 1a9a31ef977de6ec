"""Photos with a colour profile come out in the colours that they were meant to have."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.faces.photo import read_photo
from tests.faces.test_photo import encoded

# Red, green and blue as columns of XYZ under D50, and the tone curve's exponent.
SPACES = {
    "Adobe RGB": (
        ((0.6097, 0.2053, 0.1492), (0.3111, 0.6257, 0.0632), (0.0195, 0.0609, 0.7446)), 2.2
    ),
    "Display P3": (
        ((0.5151, 0.292, 0.1571), (0.2412, 0.6922, 0.0666), (-0.0011, 0.0419, 0.7841)), 2.2
    ),
    "ProPhoto": (((0.7977, 0.1352, 0.0313), (0.288, 0.7119, 0.0001), (0.0, 0.0, 0.8249)), 1.8),
}  # fmt: skip
SRGB = [[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]]
D50 = (0.9642, 1.0, 0.8249)


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def profile(name: str) -> bytes:
    """An ICC profile of three primaries and one tone curve (ICC.1:2001-04)."""
    columns, gamma = SPACES[name]
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    xyz = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), np.array(columns).T, strict=True))
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name.encode() + bytes(81),
        b"wtpt": b"XYZ " + bytes(4) + fixed(*D50),
        **{tag: b"XYZ " + bytes(4) + fixed(*row) for tag, row in xyz.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }  # fmt: skip
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", tag, start + len(body), len(data))
        body += padded
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + fixed(*D50) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


def in_space(srgb: np.ndarray, name: str) -> np.ndarray:
    """The values that mean the same colours in another space."""
    columns, gamma = SPACES[name]
    values = srgb / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    there = linear @ np.array(SRGB).T @ np.linalg.inv(np.array(columns)).T
    return (there.clip(0, 1) ** (1 / gamma) * 255).round().astype(np.uint8)


@pytest.fixture(scope="module")
def patches() -> np.ndarray:
    """Skin, lips, hair, sky, leaves, greys: 8 pixels each way."""
    colours = [(224, 172, 105), (141, 85, 36), (190, 90, 95), (90, 60, 40), (110, 150, 200),
               (90, 130, 70), (128, 128, 128), (230, 230, 230)]  # fmt: skip
    return np.repeat(np.repeat(np.array([colours], np.uint8), 8, axis=0), 8, axis=1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("name", SPACES)
def test_a_profile_is_applied(name: str, kind: str, patches: np.ndarray) -> None:
    stored = in_space(patches, name)
    assert np.abs(stored.astype(int) - patches).max() > 10  # unread, the colours would be others
    data = encoded(Image.fromarray(stored), kind, icc_profile=profile(name))
    assert np.abs(read_photo(data).pixels.astype(int) - patches).max() <= 4


def test_a_transparent_picture_keeps_its_white_and_its_profile(patches: np.ndarray) -> None:
    stored = Image.fromarray(in_space(patches, "Display P3")).convert("RGBA")
    stored.putalpha(
        Image.fromarray(np.where(np.indices(patches.shape[:2])[1] < 8, 0, 255).astype(np.uint8))
    )
    pixels = read_photo(encoded(stored, "PNG", icc_profile=profile("Display P3"))).pixels
    assert (pixels[:, :8] >= 254).all()
    assert np.abs(pixels[:, 8:].astype(int) - patches[:, 8:]).max() <= 4


@pytest.mark.parametrize("broken", [b"no profile at all", b"cut", b"of cmyk"])
def test_a_broken_profile_is_passed_over(broken: bytes, patches: np.ndarray) -> None:
    whole = profile("ProPhoto")
    data = {b"cut": whole[:200], b"of cmyk": whole[:16] + b"CMYK" + whole[20:]}.get(broken, broken)
    photo = read_photo(encoded(Image.fromarray(patches), "PNG", icc_profile=data))
    assert np.array_equal(photo.pixels, patches)


def test_srgb_stays_as_it_is(patches: np.ndarray) -> None:
    srgb = io.BytesIO(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()).getvalue()
    photo = read_photo(encoded(Image.fromarray(patches), "PNG", icc_profile=srgb))
    assert np.array_equal(photo.pixels, patches)
