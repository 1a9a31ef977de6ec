"""Fonts for drawn pictures: Noto Sans CJK, and Noto Sans for what it lacks.

Package `manimgx-fonts-cjk` carries Noto Sans CJK as one variable TTC: Hangul, Latin, Greek,
Cyrillic, Han and Kana in every weight. Package `manimgx-fonts` carries Noto Sans (ş, ł, ğ …),
Noto Sans for nineteen more scripts, and Noto Emoji without colour. Both hold font files and
their licence only: SIL Open Font License 1.1, which lets pictures drawn with them go anywhere.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from core.errors import FontError

REGULAR, BOLD, BLACK = 400, 700, 900  # weights, as OpenType's axis counts them
CJK_PACKAGE, CJK_FILE = "manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc"
KOREAN = 1  # place in the TTC: JP, KR, SC, TC, HK differ in the shapes of Han characters
OTHERS_PACKAGE, LATIN_FILE = "manimgx_fonts", "NotoSans[wght].ttf"
NO_CHARACTER = "\U0010ffff"  # Unicode keeps it unassigned: always drawn as "glyph missing"
PROBE = 16  # pixels; enough to tell a glyph from the missing one


@dataclass(frozen=True)
class Typeface:
    """One face of one font file."""

    path: Path
    number: int = 0  # within a TTC

    def covers(self, text: str) -> bool:
        """Whether it has a glyph for every character but spaces and joiners."""
        return all(_has_glyph(self, char) for char in text if not char.isspace())


@lru_cache(maxsize=1)
def typefaces() -> tuple[Typeface, ...]:
    """All of them, in the order they are to be tried.

    Raises:
        FontError: a package is not installed, or lacks the file.
    """
    korean = Typeface(_folder(CJK_PACKAGE, CJK_FILE) / CJK_FILE, KOREAN)
    folder = _folder(OTHERS_PACKAGE, LATIN_FILE)
    others = [path for path in sorted(folder.glob("Noto*.ttf")) if "Italic" not in path.name]
    others.sort(key=lambda path: (path.name != LATIN_FILE, "Emoji" in path.name))
    return (korean, *map(Typeface, others))


@lru_cache(maxsize=256)
def load_font(face: Typeface, weight: int, size: int) -> ImageFont.FreeTypeFont:
    """A face at a weight and a size in pixels; where it lacks the weight, the nearest it has.

    Raises:
        FontError: the file is damaged.
    """
    try:
        font = ImageFont.truetype(face.path, size, index=face.number)
        axis = font.get_variation_axes()[0]
        font.set_variation_by_axes([min(max(weight, axis["minimum"] or 0), axis["maximum"] or 0)])
    except OSError as error:
        raise FontError(
            f"{face.path} cannot be used ({error}); run pip install --force-reinstall"
            " -r requirements.txt"
        ) from error
    return font


@lru_cache(maxsize=8192)
def _has_glyph(face: Typeface, char: str) -> bool:
    """Pillow tells no coverage, but draws all that is missing alike."""
    if char in "\u200c\u200d":
        return True
    return _drawn(face, char) != _drawn(face, NO_CHARACTER)


@lru_cache(maxsize=1024)
def _drawn(face: Typeface, char: str) -> tuple[tuple[int, int], bytes]:
    mask = _probe(face).getmask(char, mode="L")
    return mask.size, bytes(mask)


@lru_cache(maxsize=32)
def _probe(face: Typeface) -> ImageFont.FreeTypeFont:
    basic = ImageFont.Layout.BASIC  # one character, one glyph: nothing shaped or put in its place
    return ImageFont.truetype(face.path, PROBE, index=face.number, layout_engine=basic)


def _folder(package: str, file: str) -> Path:
    """Where a package lies, without importing it."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (Path(place) / file).is_file():
            return Path(place)
    raise FontError(
        f"the font {file} of the package {package.replace('_', '-')} is missing;"
        " run pip install -r requirements.txt"
    )
