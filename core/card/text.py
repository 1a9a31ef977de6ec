"""Text fitted into a space: as large as it goes, in even lines, with an ellipsis at worst.

Text as letters that fonts here can draw: controls out, a font for each part of it.

Lines of text: measured to the pixel, broken to a width, drawn.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont, features

from core.card.fonts import Typeface, load_font, typefaces
from core.card.shapes import Colour

JOINERS = "\u200c\u200d"  # they bind Persian and Indic letters, and emoji of several parts
MOST_MARKS = 4  # on one letter; real scripts need no more, and a stack would leave its line
SKIN_TONES = range(0x1F3FB, 0x1F400)


def clean(text: str) -> str:
    """Text that can be drawn: NFC, one line, no controls, nothing that no font here has."""
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if char.isspace() else char for char in composed)
    return " ".join("".join(filter(_face_of, clusters(spaced))).split())


@lru_cache(maxsize=4096)
def runs(text: str) -> tuple[tuple[Typeface, str], ...]:
    """Text in pieces of one face each: a face for all of it, else for a word, else for a letter.

    A space between two faces stands alone: at the end of a piece written from right to left it
    would be drawn on the wrong side.
    """
    pieces = [text] if _face_of(text) else re.findall(r" |[^ ]+", text)
    found: list[tuple[Typeface, str]] = []
    gap = ""
    for piece in pieces:
        if piece == " ":
            gap = piece
            continue
        for part in [piece] if _face_of(piece) else clusters(piece):
            face = _face_of(part) or typefaces()[0]
            if found and found[-1][0] == face:
                found[-1] = (face, found[-1][1] + gap + part)
            else:
                found += [(typefaces()[0], gap), (face, part)] if gap else [(face, part)]
            gap = ""
    return tuple(found)


@lru_cache(maxsize=4096)
def _face_of(text: str) -> Typeface | None:
    return next((face for face in typefaces() if face.covers(text)), None)


def clusters(text: str) -> Iterator[str]:
    """Letters with their marks, and emoji of several parts; controls left out."""
    cluster, marks = "", 0
    for char in text:
        category = unicodedata.category(char)
        is_mark = category[0] == "M"
        if _is_invisible(char, category) or (is_mark and marks >= MOST_MARKS):
            continue
        if cluster and (is_mark or _binds(cluster, char)):
            cluster += char
            marks += is_mark
            continue
        if cluster:
            yield cluster
        cluster, marks = char, 0
    if cluster:
        yield cluster


def _binds(cluster: str, char: str) -> bool:
    """Whether a character that is no mark belongs to what stands before it."""
    return char in JOINERS or cluster[-1] == "\u200d" or ord(char) in SKIN_TONES


def _is_invisible(char: str, category: str) -> bool:
    """Controls, direction overrides, half pairs, private use, unassigned, variant selectors."""
    if char in JOINERS:
        return not features.check("raqm")  # without it each is drawn as a box
    return category[0] == "C" or 0xFE00 <= ord(char) <= 0xFE0F


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


GRAIN = 8  # pixels, of evening out lines
ELLIPSIS = "…"


@dataclass(frozen=True)
class Style:
    """How a text may be set."""

    weight: int
    steps: tuple[tuple[int, int], ...]  # (size in pixels, most lines), the best first
    leading: float = 0.0  # of the size: more between two lines
    keeps_end: bool = False  # if it must be cut: what follows the last comma stays


def steps(largest: int, smallest: int, lines: int) -> tuple[tuple[int, int], ...]:
    """Sizes from one to another, each about 6 % less."""
    sizes = [largest]
    while sizes[-1] > smallest:
        sizes.append(max(smallest, min(sizes[-1] - 1, round(sizes[-1] * 0.94))))
    return tuple((size, lines) for size in sizes)


def fit(text: str, style: Style, width: int, height: int = 10_000) -> TextBlock:
    """The text as large as its style and a space in pixels allow.

    Words stay whole if any step allows it; else they break between letters or syllables. Text
    that the last step cannot hold ends in an ellipsis, on fewer lines if the height asks for it.
    """
    text = clean(text)
    size, most_lines = style.steps[-1]
    if len(_set(text, style, size, width).lines) <= most_lines:
        for words_whole in (True, False):
            for _, group in groupby(style.steps, key=lambda step: step[1]):
                found = _as_large_as_can_be(text, style, tuple(group), (width, height), words_whole)
                if found:
                    return _balanced(text, style, found, width)
    for count in range(most_lines, 0, -1):
        block = _cut(text, style, width, count)
        if block.height <= height:
            break
    return block


def _as_large_as_can_be(
    text: str,
    style: Style,
    allowed: tuple[tuple[int, int], ...],
    space: tuple[int, int],
    words_whole: bool,
) -> TextBlock | None:
    """The first of some steps that fits a space, of one number of lines; None if none does."""
    width, height = space

    def is_fine(count: int) -> bool:
        size, most_lines = allowed[-count]
        block = _set(text, style, size, width)
        fits = len(block.lines) <= most_lines and block.height <= height
        return fits and (not words_whole or block.text.split() == text.split())

    count = largest_fine(0, len(allowed), is_fine)
    return _set(text, style, allowed[-count][0], width) if count else None


def _cut(text: str, style: Style, width: int, most_lines: int) -> TextBlock:
    """The longest beginning that fits with an ellipsis, and the kept end."""
    size = style.steps[-1][0]
    head, comma, tail = text.rpartition(", ") if style.keeps_end else (text, "", "")
    if not head or measure(ELLIPSIS + comma + tail, style.weight, size).width > width * 0.8:
        head, comma, tail = text, "", ""
    letters = list(clusters(head))

    def shortened(count: int) -> TextBlock:
        beginning = "".join(letters[:count]).rstrip()
        return _set(beginning + ELLIPSIS + comma + tail, style, size, width)

    def fits(count: int) -> bool:
        return len(shortened(count).lines) <= most_lines

    return shortened(largest_fine(0, len(letters), fits))


def _balanced(text: str, style: Style, block: TextBlock, width: int) -> TextBlock:
    """The same number of lines, as even as can be; no word broken that was whole."""
    words = block.text.split()

    def is_as_good(saved: int) -> bool:
        lines = break_lines(text, style.weight, block.size, width - GRAIN * saved)
        return len(lines) <= len(block.lines) and len(" ".join(lines).split()) <= len(words)

    if len(block.lines) < 2:
        return block
    saved = largest_fine(0, width // 2 // GRAIN, is_as_good)
    return _set(text, style, block.size, width - GRAIN * saved)


def _set(text: str, style: Style, size: int, width: int) -> TextBlock:
    lines = break_lines(text, style.weight, size, width)
    measured = tuple(measure(line, style.weight, size) for line in lines)
    return TextBlock("\n".join(lines), size, measured, round(style.leading * size))
