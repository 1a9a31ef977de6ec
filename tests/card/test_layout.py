"""The share card, looked at as pixels: all there, nothing clipped, nothing over anything else."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageChops

from core.card.fonts import BOLD, REGULAR
from core.card.layout import (
    BADGE_CENTRE,
    BADGE_RADIUS,
    BADGE_RING,
    HEIGHT,
    LEFT_TILE,
    MARGIN,
    RIGHT_TILE,
    WIDTH,
    Placed,
    ShareCard,
    draw_share_card,
    layout,
    share_card_png,
)
from core.card.shapes import WHITE, Box, Colour, background, monogram_tile
from core.card.text import Style, fit, steps
from core.faces.engine import FaceEngine
from core.faces.photo import read_photo
from tests.conftest import SIX_PEOPLE

RED, BLUE = (204, 51, 51), (51, 51, 204)  # both in the web palette
ENGLISH = ShareCard(
    you=Image.new("RGB", (480, 600), RED),
    them=Image.new("RGB", (480, 600), BLUE),
    title="My lookalike",
    you_label="You",
    name="Uma Thurman",
    score="87.3",
    sentence="Closer to me than 87% of these actors come to any other actor.",
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
LONG_CREDIT = f"Photo: {'Somebody of the Film Festival and Others, ' * 6}CC BY-SA 4.0"
CARDS = {
    "english": ENGLISH,
    "korean": KOREAN,
    "long name": replace(ENGLISH, name="Lupita Amondi Nyong'o-Featherstonehaugh"),
    "twenty syllables": replace(KOREAN, name="가나다라마바사아자차카타파하거너더러머버"),
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
    "long credit": replace(ENGLISH, credit=LONG_CREDIT),
    "tall letters": replace(ENGLISH, name="Z" + "\u0301\u0323" * 20 + "ا" + "\u0651\u064e" * 9),
    "overhanging letters": replace(ENGLISH, name="ĩ Olaf", link="olaf", app_name="ĩ"),
    "thai": replace(ENGLISH, name="ธนวัฒน์ วัฒนกิจพงศ์ที่รัก"),
    "arabic": replace(ENGLISH, name="محمد رمضان (Ramadan)"),
    "emoji": replace(ENGLISH, name="Star 😀👨‍👩‍👧 ❤️"),
    "no script known": replace(ENGLISH, name="\U00013000\ue000", title="\ud800"),
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


def placed(card: ShareCard, what: str) -> Placed:
    return next(text for text in layout(card) if text.what == what)


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_every_text_lies_within_the_margins_and_over_no_other(card: ShareCard) -> None:
    texts = layout(card)
    radius = BADGE_RADIUS + BADGE_RING
    badge = (
        BADGE_CENTRE[0] - radius, BADGE_CENTRE[1] - radius,
        BADGE_CENTRE[0] + radius, BADGE_CENTRE[1] + radius,
    )  # fmt: skip
    shapes = [LEFT_TILE, RIGHT_TILE, *([badge] if card.score else [])]
    for text in texts:
        left, top, right, bottom = text.box
        assert left >= MARGIN and right <= WIDTH - MARGIN, text.what
        assert top >= MARGIN // 2 and bottom <= HEIGHT - MARGIN // 2, text.what
        if text.what not in ON_PICTURES:
            assert all(apart(text.box, shape) for shape in shapes), text.what
    for first, second in combinations(texts, 2):
        assert apart(first.box, second.box), (first.what, second.what)


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_all_ink_of_a_text_is_within_its_box(card: ShareCard) -> None:
    for text in layout(card):
        canvas = Image.new("L", (WIDTH + 400, HEIGHT + 400))
        text.block.draw(canvas, text.left + 200, text.top + 200, 255)  # type: ignore[arg-type]
        ink = canvas.getbbox()
        assert ink is not None, text.what
        left, top, right, bottom = (edge + 200 for edge in text.box)
        assert left <= ink[0] and top <= ink[1] and ink[2] <= right and ink[3] <= bottom, text.what


@pytest.mark.parametrize("field", ["title", "you_label", "name", "sentence", "credit", "app_name"])
@pytest.mark.parametrize("card", [ENGLISH, KOREAN], ids=["english", "korean"])
def test_each_text_is_really_drawn_where_the_layout_says(card: ShareCard, field: str) -> None:
    box = placed(card, field).box
    without = draw_share_card(replace(card, **{field: ""})).crop(box)
    changed = ImageChops.difference(draw_share_card(card).crop(box), without).convert("L")
    share = np.count_nonzero(np.asarray(changed) > 60) / (changed.width * changed.height)
    assert share > 0.08


def test_the_score_stands_large_on_a_warm_badge_and_both_go_without_a_score() -> None:
    assert placed(ENGLISH, "score").block.size >= 80
    x, y = BADGE_CENTRE
    rim = (x, y + BADGE_RADIUS - 8)
    red, _, blue = draw_share_card(ENGLISH).getpixel(rim)  # type: ignore[misc]
    assert red > 240 and blue < 120
    plain = background(WIDTH, HEIGHT)
    assert draw_share_card(CARDS["no score"]).getpixel(rim) == plain.getpixel(rim)


@pytest.mark.parametrize("size", [(480, 600), (300, 2000), (2400, 300), (1, 1)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK"])
def test_a_picture_of_any_shape_and_mode_fills_its_frame(size: tuple[int, int], mode: str) -> None:
    picture = Image.new("RGB", size, RED).convert(mode)
    image = np.asarray(draw_share_card(replace(ENGLISH, you=picture, you_label="", score=None)))
    left, top, right, bottom = LEFT_TILE
    tile = image[top:bottom, left:right].astype(int)
    expected = np.asarray(picture.convert("RGB").getpixel((0, 0)))
    assert np.abs(tile[:, 60:-60] - expected).max() <= 2
    assert np.abs(tile[60:-60] - expected).max() <= 2
    assert np.array_equal(image[top, left], np.asarray(background(WIDTH, HEIGHT))[top, left])


def test_eyes_at_one_height_stay_at_one_height() -> None:
    face = Image.new("RGB", (480, 600), WHITE)
    face.paste((0, 0, 0), (120, 250, 360, 262))  # an eye line
    card = replace(ENGLISH, you=face, them=face.resize((960, 1200)), you_label="", score=None)
    grey = np.asarray(draw_share_card(card).convert("L"))
    rows = [
        np.flatnonzero(grey[tile[1] : tile[3], (tile[0] + tile[2]) // 2] < 128)
        for tile in (LEFT_TILE, RIGHT_TILE)
    ]
    assert rows[0].size > 5
    assert abs(rows[0].mean() - rows[1].mean()) <= 1


def test_a_tall_photo_is_cut_where_faces_rarely_are() -> None:
    tall = Image.new("RGB", (300, 2000), RED)
    tall.paste(BLUE, (0, 800, 300, 900))  # eyes, somewhat above the middle
    card = replace(ENGLISH, you=tall, you_label="", score=None)
    tile = np.asarray(draw_share_card(card).crop(LEFT_TILE))
    assert (np.abs(tile[250:350, 234].astype(int) - BLUE).max(axis=-1) < 30).mean() > 0.5


def test_a_long_name_first_shrinks_then_breaks_between_words() -> None:
    short, longer = placed(ENGLISH, "name").block, placed(CARDS["long name"], "name").block
    assert short.text == "Uma Thurman"
    assert short.size > 100
    assert longer.text == "Lupita Amondi\nNyong'o-Featherstonehaugh"
    assert 50 <= longer.size < short.size
    korean = replace(KOREAN, name="마리아 데 로스 앙헬레스 페르난데스 곤살레스")
    assert placed(korean, "name").block.text == "마리아 데 로스 앙헬레스\n페르난데스 곤살레스"


def test_a_word_too_long_for_a_line_breaks_between_syllables_and_ends_in_an_ellipsis() -> None:
    style = Style(BOLD, steps(60, 40, 2))
    whole, cut = fit("가나다라마바사아자차카타", style, 300), fit("가" * 90, style, 300)
    assert whole.text.replace("\n", "") == "가나다라마바사아자차카타"
    assert len(whole.lines) == len(cut.lines) == 2
    assert cut.text.endswith("…")
    assert max(whole.width, cut.width) <= 300


def test_lines_are_evened_out() -> None:
    style = Style(REGULAR, ((30, 2),))
    first, second = fit("one two three four five six seven", style, 380).lines
    assert abs(first.width - second.width) < 120


def test_evening_out_breaks_no_word() -> None:
    block = fit("aa Featherstonehaughing bb", Style(BOLD, ((40, 3),)), 470)
    assert block.text == "aa\nFeatherstonehaughing\nbb"


def test_lines_are_centred_to_each_other() -> None:
    block = fit("wide line of words i", Style(BOLD, ((40, 2),)), 350)
    canvas = Image.new("L", (block.width, block.height))
    block.draw(canvas, 0, 0, 255)  # type: ignore[arg-type]
    halves = [(0, 0, block.width, block.height // 2), (0, block.height // 2, *canvas.size)]
    for left, _, right, _ in (canvas.crop(half).getbbox() or (0, 0, 0, 0) for half in halves):
        assert abs((left + right) - block.width) <= 6


def test_a_credit_that_is_cut_keeps_the_licence() -> None:
    block = placed(CARDS["long credit"], "credit").block
    assert block.text.startswith("Photo: Somebody")
    assert block.text.endswith("…, CC BY-SA 4.0")
    assert len(block.lines) == 2
    fitting = replace(ENGLISH, credit=f"Photo: {'A Name ' * 18}, CC BY 2.0")  # 140 characters
    assert "…" not in placed(fitting, "credit").block.text


def test_a_text_too_high_for_its_space_is_set_on_fewer_lines() -> None:
    style = Style(BOLD, ((50, 3),))
    assert len(fit("word " * 60, style, 400).lines) == 3
    assert len(fit("word " * 60, style, 400, 70).lines) == 1


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
    text = placed(ENGLISH, what)
    ground = background(WIDTH, HEIGHT).crop(text.box)
    assert least_contrast(text.colour, ground) >= 7  # WCAG AAA


def test_the_score_can_be_read_on_its_badge() -> None:
    text = placed(ENGLISH, "score")
    blank = draw_share_card(replace(ENGLISH, score="."))
    x, y = BADGE_CENTRE
    ground = blank.crop((x - 60, text.box[1], x + 60, y - 10))
    assert least_contrast(text.colour, ground) >= 4.5


def test_the_label_can_be_read_on_a_white_photo() -> None:
    white = replace(ENGLISH, you=Image.new("RGB", (480, 600), WHITE))
    left, top, _, bottom = placed(ENGLISH, "you_label").box
    ground = draw_share_card(white).crop((left - 10, top, left, bottom))
    assert least_contrast(WHITE, ground) >= 4.5


@pytest.mark.parametrize("hue", range(0, 360, 15))
def test_initials_can_be_read_on_every_hue(hue: int) -> None:
    tile = monogram_tile(468, 585, hue)
    assert least_contrast(WHITE, tile.crop((0, 150, 468, 585))) >= 4.5


def test_the_initials_stand_where_no_portrait_is() -> None:
    card = CARDS["no portrait"]
    text = placed(card, "monogram")
    assert not apart(text.box, RIGHT_TILE)
    assert text.block.text == "서"
    assert "monogram" not in {text.what for text in layout(KOREAN)}


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


def test_two_real_faces_make_a_file_that_is_light_enough_to_send(engine: FaceEngine) -> None:
    photo = read_photo(SIX_PEOPLE)
    boxes = [face.box for face in engine.detect(photo)[:2]]
    faces = [Image.fromarray(photo.pixels).crop(tuple(map(round, box))) for box in boxes]
    card = replace(ENGLISH, you=faces[0], them=faces[1])
    png = share_card_png(card)
    assert len(png) < 1_000_000
    with Image.open(io.BytesIO(png)) as image:
        assert ImageChops.difference(image, draw_share_card(card)).getbbox() is None


def test_drawing_one_card_leaves_nothing_on_the_next() -> None:
    before = share_card_png(ENGLISH)
    draw_share_card(CARDS["long everything"])
    draw_share_card(CARDS["no portrait"])
    assert share_card_png(ENGLISH) == before
