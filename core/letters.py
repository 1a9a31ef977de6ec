"""Text as letters that fonts here can draw: controls out, a font for each part of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from PIL import features

from core.fonts import Typeface, typefaces

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
