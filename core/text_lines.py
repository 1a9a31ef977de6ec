"""Lines of text: measured to the pixel, broken to a width, drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from core.card_art import Colour
from core.fonts import load_font
from core.letters import clusters, runs

ASCENT, DESCENT = 0.88, 0.22  # of the size: a line's least height over and under its baseline


@dataclass(frozen=True, eq=False)
class Line:
    """One line, measured in pixels."""

    pieces: tuple[tuple[str, ImageFont.FreeTypeFont, float], ...]  # text, font, left
    width: int
    ascent: int  # of the ink or of the style, whichever is more
    descent: int


@dataclass(frozen=True, eq=False)
class TextBlock:
    """Lines set at one size. Its box holds all the ink."""

    text: str  # as it is shown, lines joined by "\n"
    size: int
    lines: tuple[Line, ...]
    leading: int  # pixels between lines

    @property
    def width(self) -> int:
        """Of the widest line."""
        return max((line.width for line in self.lines), default=0)

    @property
    def height(self) -> int:
        """Of all lines."""
        ink = sum(line.ascent + line.descent for line in self.lines)
        return ink + self.leading * max(0, len(self.lines) - 1)

    def draw(self, image: Image.Image, left: int, top: int, colour: Colour) -> None:
        """Draw with the box's corner at a place; lines centred to each other."""
        pen = ImageDraw.Draw(image)
        for line in self.lines:
            start = left + (self.width - line.width) // 2
            for text, font, offset in line.pieces:
                pen.text((start + offset, top + line.ascent), text, colour, font, anchor="ls")
            top += line.ascent + line.descent + self.leading


def break_lines(text: str, weight: int, size: int, width: int) -> list[str]:
    """Lines no wider than a width, each as full as it can be."""

    def fits(line: str) -> bool:
        return measure(line, weight, size).width <= width

    lines = []
    words = text.split()
    while words:
        count = _most(words, " ", fits)
        if count:
            lines.append(" ".join(words[:count]))
            words = words[count:]
        else:
            letters = list(clusters(words[0]))
            count = _most(letters, "", fits) or 1
            lines.append("".join(letters[:count]))
            words[:1] = ["".join(letters[count:])] if letters[count:] else []
    return lines


def _most(parts: list[str], glue: str, fits: Callable[[str], bool]) -> int:
    """How many of the first parts fit together."""
    return largest_fine(0, len(parts), lambda count: fits(glue.join(parts[:count])))


def largest_fine(least: int, most: int, is_fine: Callable[[int], bool]) -> int:
    """The largest number that is fine, if all up to some number are; else the least."""
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if is_fine(middle) else (least, middle - 1)
    return least


@lru_cache(maxsize=4096)
def measure(text: str, weight: int, size: int) -> Line:
    """A line of a weight and a size in pixels, each part of it in a font that has it."""
    pieces = []
    left = end = right = 0.0
    ascent, descent = ASCENT * size, DESCENT * size
    for face, piece in runs(text):
        font = load_font(face, weight, size)
        box = font.getbbox(piece, anchor="ls")
        pieces.append((piece, font, end))
        left, right = min(left, end + box[0]), max(right, end + box[2])
        ascent, descent = max(ascent, -box[1]), max(descent, box[3])
        end += font.getlength(piece)
    width = max(right, end) - left
    shifted = tuple((piece, font, start - left) for piece, font, start in pieces)
    return Line(shifted, -int(-width // 1), -int(-ascent // 1), -int(-descent // 1))
