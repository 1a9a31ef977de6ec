"""Text of the share card, as large as its slot allows: Pillow breaks, measures and draws it.

Two fonts: Noto Sans CJK of the package `manimgx-fonts-cjk`, one variable TTC with Hangul, Han,
Kana, plain Latin, Greek and Cyrillic; and Noto Sans of `manimgx-fonts`, for the letters it lacks
(č, ł, ş, і …). Both packages hold font files and their licence only: SIL Open Font License 1.1,
which lets pictures drawn with them go anywhere.
"""

from __future__ import annotations

import importlib.resources
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageText

from core.card.shapes import WHITE, Box, Colour
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


HIGH_AND_DEEP = "Åg"  # a line's least height: capitals and digits in its middle
NARROWER = 16  # pixels, a step of evening out lines
ELLIPSIS = "…"
LONGEST_END = 40  # characters, of what is kept when the rest is cut


@dataclass(frozen=True)
class Slot:
    """Where a text stands, and how it may be set: on as many lines as there is room for."""

    space: Box
    weight: int
    largest: int  # size in pixels
    smallest: int
    colour: Colour = WHITE
    across: float = 0.5  # 0: at the left of the space, 1: at its right
    down: float = 0.5
    spacing: int = 0  # pixels, more between two lines
    keeps_end: bool = False  # if it must be cut: what follows the last comma stays


@dataclass(frozen=True, eq=False)
class PlacedText:
    """A text at one size and at its place, its lines centred to each other."""

    shown: ImageText.Text[str]  # lines joined by a line feed
    size: int
    start: tuple[int, int]  # where Pillow is to draw it
    box: Box  # holds all ink
    colour: Colour

    def draw(self, image: Image.Image) -> None:
        """Draw it at its place."""
        ImageDraw.Draw(image).text(self.start, self.shown, self.colour, align="center")


def clean(text: str) -> str:
    """What can be drawn of a text: NFC, one line, no controls, in the font that has most of it."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    text = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    face = face_of(text)
    return " ".join("".join(char for char in text if has_glyph(face, char)).split())


def fit(text: str, slot: Slot) -> PlacedText | None:
    """The text as large as its slot allows, its lines evened out; None if nothing can be drawn.

    Words stay whole. What does not fit at the smallest size ends in an ellipsis.
    """
    text = clean(text)
    if not text:
        return None
    width = slot.space[2] - slot.space[0]
    whole = _set(text, slot, slot.largest, width) or _last(
        range(slot.smallest, slot.largest), lambda size: _set(text, slot, size, width)
    )
    if whole is None:
        return _cut(text, slot, width)
    size, breaks = whole.size, whole.shown.text.count("\n")

    def evened(narrower: int) -> PlacedText | None:
        placed = _set(text, slot, size, width - narrower)
        return placed if placed and placed.shown.text.count("\n") == breaks else None

    return (_last(range(0, width // 2, NARROWER), evened) if breaks else None) or whole


def _cut(text: str, slot: Slot, width: int) -> PlacedText | None:
    """The longest beginning that fits with an ellipsis and the kept end."""
    comma = text.rfind(", ")
    end = text[comma:] if slot.keeps_end and len(text) - comma <= LONGEST_END else ""

    def shortened(count: int) -> PlacedText | None:
        return _set(text[:count].rstrip() + ELLIPSIS + end, slot, slot.smallest, width)

    return _last(range(1, len(text) - len(end)), shortened)


def _last(choices: Sequence[int], attempt: Callable[[int], PlacedText | None]) -> PlacedText | None:
    """What the last choice that fits makes, if all up to it do."""
    count = bisect_left(choices, True, key=lambda choice: attempt(choice) is None)
    return attempt(choices[count - 1]) if count else None


@lru_cache(maxsize=1024)
def _set(text: str, slot: Slot, size: int, width: int) -> PlacedText | None:
    """The text broken between words to a width; None if it does not fit."""
    font = load_font(face_of(text), slot.weight, size)
    shown = ImageText.Text(text, font, spacing=slot.spacing)
    try:
        shown.wrap(width)
    except ValueError:  # a word is wider
        return None
    left, top, right, bottom = _extent(shown, slot.spacing)
    spare_width = slot.space[2] - slot.space[0] - (right - left)
    spare_height = slot.space[3] - slot.space[1] - (bottom - top)
    if right - left > width or spare_height < 0:
        return None
    x = slot.space[0] + round(spare_width * slot.across)
    y = slot.space[1] + round(spare_height * slot.down)
    box = (x, y, x + right - left, y + bottom - top)
    return PlacedText(shown, size, (x - left, y - top), box, slot.colour)


def _extent(shown: ImageText.Text[str], spacing: int) -> Box:
    """All ink of a text drawn at (0, 0), and the height that its lines have with any letters."""
    lines = "\n".join(HIGH_AND_DEEP for _ in shown.text.split("\n"))
    _, high, _, deep = ImageText.Text(lines, shown.font, spacing=spacing).get_bbox()
    left, top, right, bottom = shown.get_bbox(align="center")
    return floor(left), floor(min(top, high)), ceil(right), ceil(max(bottom, deep))
