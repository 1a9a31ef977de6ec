"""Text of the share card, as large as its slot allows: Pillow breaks, measures and draws it."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

from PIL import Image, ImageDraw, ImageText

from core.card.fonts import face_of, has_glyph, load_font
from core.card.shapes import WHITE, Box, Colour

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
