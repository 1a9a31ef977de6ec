"""Fonts of the share card: Noto Sans CJK, and Noto Sans for the letters it lacks (č, ł, ş, і …).

Package `manimgx-fonts-cjk` carries Noto Sans CJK as one variable TTC: Hangul, Han, Kana, plain
Latin, Greek and Cyrillic. Package `manimgx-fonts` carries Noto Sans. Both hold font files and
their licence only: SIL Open Font License 1.1, which lets pictures drawn with them go anywhere.
"""

from __future__ import annotations

import importlib.resources
from functools import lru_cache
from typing import NamedTuple

from PIL import ImageFont

from core.errors import FontError

REGULAR, BOLD, BLACK = 400, 700, 900  # weights on OpenType's axis; this Noto Sans ends at 700
NO_CHARACTER = "\U0010ffff"  # Unicode keeps it unassigned: always drawn as "glyph missing"
PROBE_SIZE = 16  # pixels; enough to tell a glyph from the missing one


class Face(NamedTuple):
    """One face of a font file in a package."""

    package: str
    file: str
    number: int = 0  # within a TTC


# Its faces JP, KR, SC, TC, HK differ in the shapes of Han characters.
CJK = Face("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc", 1)
LATIN = Face("manimgx_fonts", "NotoSans[wght].ttf")


@lru_cache(maxsize=512)
def load_font(
    face: Face, weight: int, size: int, engine: ImageFont.Layout | None = None
) -> ImageFont.FreeTypeFont:
    """One face of a size in pixels, at the weight nearest to the one asked for that it has.

    Raises:
        FontError: the package is not installed, lacks the file, or the file is damaged.
    """
    try:
        path = str(importlib.resources.files(face.package) / face.file)
        font = ImageFont.truetype(path, size, face.number, layout_engine=engine)
        font.set_variation_by_axes([weight])
    except (ImportError, OSError) as error:
        raise FontError(
            f"the font {face.file} of the package {face.package.replace('_', '-')} cannot be used"
            f" ({error}); run pip install --force-reinstall -r requirements.txt"
        ) from error
    return font


def face_of(text: str) -> Face:
    """The one that lacks the fewest of a text's characters: its letters are to look alike."""
    return min(CJK, LATIN, key=lambda face: sum(not has_glyph(face, char) for char in text))


def has_glyph(face: Face, char: str) -> bool:
    """Pillow tells no coverage, but draws all that is missing alike."""
    return _drawn(face, char) != _drawn(face, NO_CHARACTER)


@lru_cache(maxsize=8192)
def _drawn(face: Face, char: str) -> bytes:
    one_to_one = ImageFont.Layout.BASIC  # no glyph composed of others in its place
    return bytes(load_font(face, REGULAR, PROBE_SIZE, one_to_one).getmask(char, mode="L"))
