"""The share card: a picture of a result that people can post, 4:5 as phones show it."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass

from PIL import Image

from core.card.fonts import BLACK, BOLD, REGULAR
from core.card.shapes import (
    GOLD,
    LILAC,
    NIGHT,
    WHITE,
    Box,
    Colour,
    background,
    monogram_tile,
    place_badge,
    place_picture,
    place_pill,
)
from core.card.text import Style, TextBlock, fit, steps

WIDTH, HEIGHT = 1080, 1350
MARGIN = 64
TOP = 60
TILE = (468, 585)  # 4:5, two of them and a gap between the margins
TILES_TOP = 160
LEFT_TILE: Box = (MARGIN, TILES_TOP, MARGIN + TILE[0], TILES_TOP + TILE[1])
RIGHT_TILE: Box = (WIDTH - MARGIN - TILE[0], TILES_TOP, WIDTH - MARGIN, TILES_TOP + TILE[1])
CORNER = 40
BADGE_CENTRE = (WIDTH // 2, LEFT_TILE[3] - 24)
BADGE_RADIUS, BADGE_RING = 116, 12
PILL_INSET, PILL_PADDING = 24, (26, 10)
FOOTER_BASE = HEIGHT - 52  # lowest row of the footer's texts
GAP = 22  # least, between texts

TITLE = Style(BOLD, steps(56, 34, 1))
LABEL = Style(BOLD, steps(32, 22, 1))
SCORE = Style(BLACK, steps(92, 40, 1))
NAME = Style(BLACK, steps(132, 70, 1) + steps(84, 50, 2))
SENTENCE = Style(REGULAR, steps(38, 34, 2) + steps(34, 28, 3), leading=0.22)
CREDIT = Style(REGULAR, steps(24, 22, 1) + steps(22, 20, 2), leading=0.2, keeps_end=True)
APP_NAME = Style(BOLD, steps(34, 26, 1))
LINK = Style(REGULAR, steps(30, 22, 1))
INITIALS = Style(BOLD, steps(200, 80, 1))


@dataclass(frozen=True, eq=False)
class ShareCard:
    """What a card shows. Texts may hold any characters; those no font has are left out."""

    you: Image.Image  # the visitor's aligned face, 4:5, eyes at a fixed place
    them: Image.Image | None  # the actor's portrait in the same frame; None: a monogram
    title: str
    you_label: str
    name: str  # the actor's, in the visitor's language
    score: str | None  # None where the gallery is too small for one
    sentence: str  # what the score means
    credit: str  # of the portrait; "" if it needs none
    app_name: str
    link: str  # "" if there is none
    monogram: str  # the actor's initials
    hue: int  # degrees, of the monogram's ground


@dataclass(frozen=True, eq=False)
class Placed:
    """A text at its place."""

    what: str  # the ShareCard field it shows
    block: TextBlock
    left: int
    top: int
    colour: Colour

    @property
    def box(self) -> Box:
        """All of its ink lies within."""
        return self.left, self.top, self.left + self.block.width, self.top + self.block.height


def draw_share_card(card: ShareCard) -> Image.Image:
    """The card, 1080 × 1350 RGB.

    Raises:
        FontError: the fonts' packages are not installed.
    """
    texts = layout(card)
    image = background(WIDTH, HEIGHT).copy()
    place_picture(image, card.you, LEFT_TILE, CORNER)
    them = monogram_tile(*TILE, card.hue) if card.them is None else card.them
    place_picture(image, them, RIGHT_TILE, CORNER)
    for text in texts:
        if text.what == "you_label":
            place_pill(image, _pill(text.box))
        if text.what == "score":
            place_badge(image, BADGE_CENTRE, BADGE_RADIUS, BADGE_RING)
        text.block.draw(image, text.left, text.top, text.colour)
    return image


def share_card_png(card: ShareCard) -> bytes:
    """The card as a PNG file, with nothing but pixels in it.

    Run lengths only: with two photos as large as zlib's level 6 makes it (634 KiB), in a
    quarter of the time (60 ms); level 9 saves 4 % and takes 0.9 s.
    """
    stream = io.BytesIO()
    draw_share_card(card).save(stream, "PNG", compress_type=zlib.Z_RLE)
    return stream.getvalue()


def layout(card: ShareCard) -> list[Placed]:
    """Where each text goes; those with nothing to show are left out."""
    footer = _footer(card)
    floor = min((text.top for text in footer), default=FOOTER_BASE) - 2 * GAP
    placed = [_title(card), *_on_pictures(card), *_between(card, floor), *footer]
    return [text for text in placed if text.block.lines]


def _title(card: ShareCard) -> Placed:
    block = fit(card.title, TITLE, WIDTH - 2 * MARGIN, TILES_TOP - TOP - GAP)
    return _centred("title", block, (TOP, TILES_TOP - GAP // 2), GOLD)


def _on_pictures(card: ShareCard) -> list[Placed]:
    """Label and score, and initials where there is no portrait."""
    across, down = PILL_PADDING
    room = TILE[0] - BADGE_RADIUS - BADGE_RING - PILL_INSET - 2 * across
    label = fit(card.you_label, LABEL, room)
    left = LEFT_TILE[0] + PILL_INSET + across
    placed = [Placed("you_label", label, left, LEFT_TILE[1] + PILL_INSET + down, WHITE)]
    if card.them is None:
        initials = fit(card.monogram, INITIALS, TILE[0] - 2 * MARGIN)
        placed.append(_centred("monogram", initials, RIGHT_TILE[1::2], WHITE, RIGHT_TILE))
    if card.score:
        score = fit(card.score, SCORE, round(1.65 * BADGE_RADIUS))
        middle = BADGE_CENTRE[1]
        placed.append(_centred("score", score, (middle - 90, middle + 90), NIGHT))
    return placed


def _between(card: ShareCard, floor: int) -> list[Placed]:
    """Name and sentence amid what is left under the faces, the credit at its end."""
    top = BADGE_CENTRE[1] + BADGE_RADIUS + BADGE_RING if card.score else LEFT_TILE[3]
    width = WIDTH - 2 * MARGIN
    credit = fit(card.credit, CREDIT, width)
    sentence = fit(card.sentence, SENTENCE, width - 2 * MARGIN)
    end = floor - credit.height
    name = fit(card.name, NAME, width, end - top - sentence.height - 3 * GAP)
    spare = max(0, end - top - name.height - sentence.height - 3 * GAP)
    name_top = top + GAP + spare // 2
    sentence_top = name_top + name.height + GAP
    return [
        _centred("name", name, (name_top, name_top + name.height), WHITE),
        _centred("sentence", sentence, (sentence_top, sentence_top + sentence.height), WHITE),
        _centred("credit", credit, (end, floor), LILAC),
    ]


def _footer(card: ShareCard) -> list[Placed]:
    """App name left, link right, on one baseline."""
    app_name = fit(card.app_name, APP_NAME, (WIDTH - 2 * MARGIN) // 2 - GAP)
    link = fit(card.link, LINK, WIDTH - 2 * MARGIN - app_name.width - 2 * GAP)
    return [
        Placed("app_name", app_name, MARGIN, FOOTER_BASE - app_name.height, WHITE),
        Placed("link", link, WIDTH - MARGIN - link.width, FOOTER_BASE - link.height, LILAC),
    ]


def _centred(
    what: str,
    block: TextBlock,
    rows: tuple[int, ...],
    colour: Colour,
    within: Box = (0, 0, WIDTH, HEIGHT),
) -> Placed:
    left = (within[0] + within[2] - block.width) // 2
    return Placed(what, block, left, (rows[0] + rows[1] - block.height) // 2, colour)


def _pill(box: Box) -> Box:
    across, down = PILL_PADDING
    return box[0] - across, box[1] - down, box[2] + across, box[3] + down
