"""The share card: a picture of a result that people can post, 4:5 as phones show it."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, replace

from PIL import Image

from core.card.shapes import (
    GOLD,
    LILAC,
    NIGHT,
    Box,
    background,
    monogram_tile,
    place_badge,
    place_picture,
    place_pill,
)
from core.card.text import BLACK, BOLD, REGULAR, PlacedText, Slot, fit

WIDTH, HEIGHT = 1080, 1350
LEFT, RIGHT = 64, WIDTH - 64  # margins
LEFT_TILE: Box = (LEFT, 160, LEFT + 468, 745)  # 4:5, two of them and a gap between the margins
RIGHT_TILE: Box = (RIGHT - 468, 160, RIGHT, 745)
CORNER = 40
BADGE_CENTRE = (WIDTH // 2, 721)
BADGE_RADIUS, BADGE_RING = 116, 12
PILL_PADDING = (26, 6)  # around the label

SLOTS = {  # by the ShareCard field that stands there
    "title": Slot((LEFT, 66, RIGHT, 140), BOLD, 56, 34, GOLD),
    "you_label": Slot((LEFT + 50, 190, LEFT + 264, 234), BOLD, 32, 22, across=0, down=0),
    "score": Slot((444, 661, 636, 781), BLACK, 92, 40, NIGHT),
    "monogram": Slot(RIGHT_TILE, BOLD, 200, 80),
    "name": Slot((LEFT, 880, RIGHT, 1042), BLACK, 126, 44),
    "sentence": Slot((128, 1052, 952, 1154), REGULAR, 38, 24, down=0, spacing=6),
    "credit": Slot(
        (LEFT, 1160, RIGHT, 1222), REGULAR, 24, 20, LILAC, down=0.7, spacing=4, keeps_end=True
    ),
    "app_name": Slot((LEFT, 1254, 326, 1300), BOLD, 34, 26, across=0, down=1),
    "link": Slot((348, 1254, RIGHT, 1300), REGULAR, 30, 22, LILAC, across=1, down=1),
}
NAME_WITHOUT_BADGE = replace(SLOTS["name"], space=(LEFT, 820, RIGHT, 1042))


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


def draw_share_card(card: ShareCard) -> Image.Image:
    """The card, 1080 × 1350 RGB.

    Raises:
        FontError: the fonts' packages are not installed.
    """
    texts = layout(card)
    image = background(WIDTH, HEIGHT).copy()
    place_picture(image, card.you, LEFT_TILE, CORNER)
    size = RIGHT_TILE[2] - RIGHT_TILE[0], RIGHT_TILE[3] - RIGHT_TILE[1]
    them = monogram_tile(*size, card.hue) if card.them is None else card.them
    place_picture(image, them, RIGHT_TILE, CORNER)
    if "you_label" in texts:
        place_pill(image, texts["you_label"].box, PILL_PADDING)
    if "score" in texts:
        place_badge(image, BADGE_CENTRE, BADGE_RADIUS, BADGE_RING)
    for text in texts.values():
        text.draw(image)
    return image


def share_card_png(card: ShareCard) -> bytes:
    """The card as a PNG file, with nothing but pixels in it.

    Run lengths only: with two photos as large as zlib's level 6 makes it (634 KiB), in a
    quarter of the time (60 ms); level 9 saves 4 % and takes 0.9 s.
    """
    stream = io.BytesIO()
    draw_share_card(card).save(stream, "PNG", compress_type=zlib.Z_RLE)
    return stream.getvalue()


def layout(card: ShareCard) -> dict[str, PlacedText]:
    """Where each text goes, by its field; those with nothing to show are left out."""
    slots = dict(SLOTS) if card.score else {**SLOTS, "name": NAME_WITHOUT_BADGE}
    if card.them:
        del slots["monogram"]
    fitted = {what: fit(getattr(card, what) or "", slot) for what, slot in slots.items()}
    return {what: text for what, text in fitted.items() if text}
