"""Text fitted into a space: as large as it goes, in even lines, with an ellipsis at worst."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from core.letters import clean, clusters
from core.text_lines import TextBlock, break_lines, largest_fine, measure

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
