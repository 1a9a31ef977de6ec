"""The share card, looked at as pixels: all there, nothing clipped, nothing over anything else."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageChops

from core.card.layout import (
    BADGE_CENTRE,
    BADGE_RADIUS,
    BADGE_RING,
    HEIGHT,
    LEFT,
    LEFT_TILE,
    NAME_WITHOUT_BADGE,
    RIGHT,
    RIGHT_TILE,
    SLOTS,
    WIDTH,
    ShareCard,
    draw_share_card,
    layout,
    share_card_png,
)
from core.card.shapes import WHITE, Box, Colour, background, monogram_tile
from tests.conftest import SIX_PEOPLE

RED, BLUE = (204, 51, 51), (51, 51, 204)  # both in the web palette
ENGLISH = ShareCard(
    you=Image.new("RGB", (480, 600), RED),
    them=Image.new("RGB", (480, 600), BLUE),
    title="My lookalike",
    you_label="You",
    name="Uma Thurman",
    score="87.3",
    sentence="A closer likeness than 87% of the lookalikes these actors find among themselves.",
    credit="Photo: Jane Doe, CC BY-SA 4.0",
    app_name="Lookalike",
    link="example.org/lookalike",
    monogram="UT",
    hue=210,
)
KOREAN = replace(
    ENGLISH,
    title="나와 닮은 배우",
    you_label="나",
    name="우마 서먼",
    sentence="이 배우들의 87%가 다른 배우와 닮은 것보다 더 닮았어요.",
    credit="사진: Jane Doe, CC BY-SA 4.0",
)
CARDS = {
    "english": ENGLISH,
    "korean": KOREAN,
    "long name": replace(ENGLISH, name="Lupita Amondi Nyong'o-Featherstonehaugh"),
    "long everything": replace(
        ENGLISH,
        title="title " * 40,
        you_label="y" * 200,
        name="가" * 300,
        score="1234567890123",
        sentence="sentence " * 60,
        credit="x" * 500,
        app_name="n" * 200,
        link="l" * 200,
    ),
    "tall letters": replace(ENGLISH, name="Z" + "\u0301\u0323" * 20 + " Ấ"),
    "overhanging letters": replace(ENGLISH, name="ĩ Olaf", link="olaf", app_name="ĩ"),
    "turkish": replace(ENGLISH, name="Kıvanç Tatlıtuğ", credit="Photo: Şener Şen, CC0"),
    "no script known": replace(ENGLISH, name="\U00013000ธนภพ", title="\ud800"),
    "no score": replace(KOREAN, score=None, sentence="유사도 0.412"),
    "no portrait": replace(KOREAN, them=None, credit="", link="", monogram="서"),
    "almost nothing": replace(
        ENGLISH, title="", you_label="", name="", score=None, sentence="", credit="", link=""
    ),
}
ON_PICTURES = {"you_label", "score", "monogram"}


def apart(first: Box, second: Box) -> bool:
    return (
        first[2] <= second[0]
        or second[2] <= first[0]
        or first[3] <= second[1]
        or second[3] <= first[1]
    )


def test_slots_lie_within_the_margins_and_over_nothing_else() -> None:
    x, y, radius = *BADGE_CENTRE, BADGE_RADIUS + BADGE_RING
    badge = (x - radius, y - radius, x + radius, y + radius)
    free = [slot.space for what, slot in SLOTS.items() if what not in ON_PICTURES]
    for first, second in combinations([*free, LEFT_TILE, badge], 2):
        assert apart(first, second) or (first, second) == (LEFT_TILE, badge)
    others = [slot.space for what, slot in SLOTS.items() if what != "name"]
    assert all(apart(NAME_WITHOUT_BADGE.space, space) for space in others)
    assert NAME_WITHOUT_BADGE.space[1] > LEFT_TILE[3]
    for left, top, right, bottom in free:
        assert left >= LEFT and right <= RIGHT and top >= 40 and bottom <= HEIGHT - 40


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_all_ink_of_a_text_is_within_its_slot(card: ShareCard) -> None:
    for what, text in layout(card).items():
        canvas = Image.new("L", (WIDTH, HEIGHT))
        replace(text, colour=255).draw(canvas)  # type: ignore[arg-type]
        ink = canvas.getbbox()
        assert ink is not None, what
        slot = NAME_WITHOUT_BADGE if what == "name" and not card.score else SLOTS[what]
        for inner, outer in ((ink, text.box), (text.box, slot.space)):
            assert outer[0] <= inner[0] and outer[1] <= inner[1], what
            assert inner[2] <= outer[2] and inner[3] <= outer[3], what


@pytest.mark.parametrize("field", ["title", "you_label", "name", "sentence", "credit", "app_name"])
@pytest.mark.parametrize("card", [ENGLISH, KOREAN], ids=["english", "korean"])
def test_each_text_is_really_drawn_where_the_layout_says(card: ShareCard, field: str) -> None:
    box = layout(card)[field].box
    without = draw_share_card(replace(card, **{field: ""})).crop(box)
    changed = ImageChops.difference(draw_share_card(card).crop(box), without).convert("L")
    share = np.count_nonzero(np.asarray(changed) > 60) / (changed.width * changed.height)
    assert share > 0.08


def test_the_score_stands_large_on_a_warm_badge_and_both_go_without_a_score() -> None:
    assert layout(ENGLISH)["score"].size >= 80
    x, y = BADGE_CENTRE
    rim = (x, y + BADGE_RADIUS - 8)
    red, _, blue = draw_share_card(ENGLISH).getpixel(rim)  # type: ignore[misc]
    assert red > 240 and blue < 120
    plain = background(WIDTH, HEIGHT)
    assert draw_share_card(CARDS["no score"]).getpixel(rim) == plain.getpixel(rim)


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        ("RGB", (480, 600)),
        ("RGBA", (300, 2000)),
        ("L", (2400, 300)),
        ("P", (1, 1)),
        ("CMYK", (9, 9)),
    ],
)
def test_a_picture_of_any_shape_and_mode_fills_its_frame(mode: str, size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, RED).convert(mode)
    image = np.asarray(draw_share_card(replace(ENGLISH, you=picture, you_label="", score=None)))
    left, top, right, bottom = LEFT_TILE
    tile = image[top:bottom, left:right].astype(int)
    expected = np.asarray(picture.convert("RGB").getpixel((0, 0)))
    assert np.abs(tile[:, 60:-60] - expected).max() <= 2
    assert np.abs(tile[60:-60] - expected).max() <= 2
    assert np.array_equal(image[top, left], np.asarray(background(WIDTH, HEIGHT))[top, left])


def test_a_tall_photo_is_cut_where_faces_rarely_are() -> None:
    tall = Image.new("RGB", (300, 2000), RED)
    tall.paste(BLUE, (0, 800, 300, 900))  # eyes, somewhat above the middle
    card = replace(ENGLISH, you=tall, you_label="", score=None)
    tile = np.asarray(draw_share_card(card).crop(LEFT_TILE))
    assert (np.abs(tile[250:350, 234].astype(int) - BLUE).max(axis=-1) < 30).mean() > 0.5


def test_a_long_name_shrinks_and_breaks_between_words() -> None:
    short, longer = layout(ENGLISH)["name"], layout(CARDS["long name"])["name"]
    assert short.shown.text == "Uma Thurman"
    assert short.size > 100
    assert longer.shown.text == "Lupita Amondi\nNyong'o-Featherstonehaugh"
    assert 50 <= longer.size < short.size
    korean = replace(KOREAN, name="마리아 데 로스 앙헬레스 페르난데스 곤살레스")
    assert layout(korean)["name"].shown.text == "마리아 데 로스 앙헬레스\n페르난데스 곤살레스"


def test_a_credit_of_140_characters_is_not_cut() -> None:
    fitting = replace(ENGLISH, credit=f"Photo: {'A Name ' * 18}, CC BY 2.0")
    assert "…" not in layout(fitting)["credit"].shown.text


def contrast(first: Colour, second: Colour) -> float:
    """WCAG's ratio, 1-21."""
    lights = []
    for colour in (first, second):
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        lights.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05)
    return max(lights) / min(lights)


def least_contrast(colour: Colour, ground: Image.Image) -> float:
    colours = ground.getcolors(ground.width * ground.height) or []
    return min(contrast(colour, tone) for _, tone in colours)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["title", "name", "sentence", "credit", "app_name", "link"])
def test_text_on_the_background_can_be_read_by_weak_eyes(what: str) -> None:
    text = layout(ENGLISH)[what]
    ground = background(WIDTH, HEIGHT).crop(text.box)
    assert least_contrast(text.colour, ground) >= 7  # WCAG AAA


def test_the_score_can_be_read_on_its_badge() -> None:
    text = layout(ENGLISH)["score"]
    blank = draw_share_card(replace(ENGLISH, score="."))
    x, y = BADGE_CENTRE
    ground = blank.crop((x - 60, text.box[1], x + 60, y - 10))
    assert least_contrast(text.colour, ground) >= 4.5


def test_the_label_can_be_read_on_a_white_photo() -> None:
    white = replace(ENGLISH, you=Image.new("RGB", (480, 600), WHITE))
    left, top, _, bottom = layout(ENGLISH)["you_label"].box
    ground = draw_share_card(white).crop((left - 10, top, left, bottom))
    assert least_contrast(WHITE, ground) >= 4.5


@pytest.mark.parametrize("hue", range(0, 360, 15))
def test_initials_can_be_read_on_every_hue(hue: int) -> None:
    tile = monogram_tile(468, 585, hue)
    assert least_contrast(WHITE, tile.crop((0, 150, 468, 585))) >= 4.5


def test_the_initials_stand_where_no_portrait_is() -> None:
    card = CARDS["no portrait"]
    text = layout(card)["monogram"]
    assert not apart(text.box, RIGHT_TILE)
    assert text.shown.text == "서"
    assert "monogram" not in layout(KOREAN)


def test_the_file_is_a_png_of_the_right_size_without_anything_of_the_photos_metadata() -> None:
    photo = Image.new("RGB", (480, 600), RED)
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    stream = io.BytesIO()
    photo.save(stream, "JPEG", exif=exif, comment=b"secret note")
    png = share_card_png(replace(ENGLISH, you=Image.open(stream)))
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.size, image.mode) == ("PNG", (1080, 1350), "RGB")
        assert image.info == {}
        assert not image.getexif()
    assert b"secret" not in png


def test_two_photos_make_a_file_that_is_light_enough_to_send() -> None:
    photo = Image.open(SIX_PEOPLE)
    left, right = ((0, 0, photo.width // 2, photo.height), (photo.width // 2, 0, *photo.size))
    card = replace(ENGLISH, you=photo.crop(left), them=photo.crop(right))
    png = share_card_png(card)
    assert len(png) < 1_000_000
    with Image.open(io.BytesIO(png)) as image:
        assert ImageChops.difference(image, draw_share_card(card)).getbbox() is None


def test_drawing_one_card_leaves_nothing_on_the_next() -> None:
    before = share_card_png(ENGLISH)
    draw_share_card(CARDS["long everything"])
    draw_share_card(CARDS["no portrait"])
    assert share_card_png(ENGLISH) == before
