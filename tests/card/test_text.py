"""Texts of the share card: what is left out, how large they are set, where they break."""

from __future__ import annotations

import unicodedata

import pytest
from PIL import Image

from core.card.text import BOLD, REGULAR, PlacedText, Slot, clean, fit

NUMBERS = "one two three four five six seven"


def fitted(text: str, slot: Slot) -> PlacedText:
    placed = fit(text, slot)
    assert placed
    return placed


def slot(width: int, height: int, largest: int = 40, smallest: int = 40) -> Slot:
    return Slot((100, 50, 100 + width, 50 + height), BOLD, largest, smallest)


@pytest.mark.parametrize(
    "name",
    [
        "Kıvanç Tatlıtuğ",
        "Małgorzata Foremniak",
        "Nguyễn Thị Đặng",
        "Ọmọ́túndé",
        "Зеленський",
        "Έλλη Λαμπέτη",
        "木村 拓哉",
        "のん",
        "송강호",
    ],
)
def test_names_in_latin_greek_cyrillic_and_east_asian_scripts_stay_whole(name: str) -> None:
    assert clean(name) == name
    assert fitted(name, slot(900, 80)).shown.text == name


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("Kim \U00013000 Min", "Kim Min"),  # a hieroglyph
        ("محمد رمضان (Ramadan)", "(Ramadan)"),
        ("ธนภพ", ""),
        ("Star 😀👨\u200d👩\u200d👧", "Star"),
        ("송강호 Tatlıtuğ", "송강호 Tatltu"),  # one font for one text
        ("a\x00b\tc\r\nd\x1b", "ab c d"),
        ("\u202eevil\u202c\u2066name\u2069", "evilname"),
        (unicodedata.normalize("NFD", "송강호"), "송강호"),  # as macOS writes file names
        ("soft\u00adhyphen \ud800 \ue000 \ufeff", "softhyphen"),
        ("  a \u00a0\u2003 b ", "a b"),
    ],
)
def test_what_cannot_be_drawn_never_reaches_the_picture(given: str, cleaned: str) -> None:
    assert clean(given) == cleaned


def test_a_text_is_as_large_as_its_space_allows() -> None:
    assert fitted("short", slot(300, 90, 60, 20)).size == 60
    narrow = fitted("a rather long text", slot(300, 50, 60, 20))
    assert 20 < narrow.size < fitted("a rather long text", slot(300, 90, 60, 20)).size < 60
    assert 280 < narrow.box[2] - narrow.box[0] <= 300


def test_words_stay_whole_and_lines_are_evened_out() -> None:
    lines = fitted(NUMBERS, Slot((0, 0, 440, 75), REGULAR, 30, 30)).shown.text.split("\n")
    assert lines == ["one two three", "four five six seven"]
    placed = fitted("aa Featherstonehaughing bb", slot(470, 150))
    assert placed.shown.text == "aa\nFeatherstonehaughing\nbb"


def test_lines_are_centred_to_each_other() -> None:
    placed = fitted("wide line of words i", slot(350, 110))
    canvas = Image.new("RGB", (600, 300))
    placed.draw(canvas)
    left, top, right, bottom = placed.box
    middle = (top + bottom) // 2
    for rows in ((top, middle), (middle, bottom)):
        ink = canvas.crop((left, rows[0], right, rows[1])).getbbox()
        assert ink is not None
        assert abs(ink[0] + ink[2] - (right - left)) <= 6


@pytest.mark.parametrize("across", [0, 0.5, 1])
@pytest.mark.parametrize("down", [0, 0.5, 1])
def test_a_text_stands_at_its_side_of_the_slot(across: float, down: float) -> None:
    left, top, right, bottom = fitted(
        "Hg", Slot((10, 20, 210, 120), BOLD, 40, 40, across=across, down=down)
    ).box
    assert left - 10 == pytest.approx(across * (200 - right + left), abs=1)
    assert top - 20 == pytest.approx(down * (100 - bottom + top), abs=1)


@pytest.mark.parametrize("text", ["가" * 90, "word " * 60, "Ş" * 90])
def test_what_does_not_fit_at_the_smallest_size_ends_in_an_ellipsis(text: str) -> None:
    placed = fitted(text, slot(300, 110, 60, 40))
    assert placed.shown.text.endswith("…")
    assert placed.size == 40
    assert 200 < placed.box[2] - placed.box[0] <= 300


def test_a_text_that_is_cut_can_keep_its_end() -> None:
    place = Slot((0, 0, 950, 54), REGULAR, 24, 20, keeps_end=True)
    credit = f"Photo: {'Somebody of the Film Festival and Others, ' * 6}CC BY-SA 4.0"
    text = fitted(credit, place).shown.text
    assert text.startswith("Photo: Somebody")
    assert text.endswith("…, CC BY-SA 4.0")
    assert fitted("Photo, " + "x" * 500, place).shown.text.endswith("x…")


def test_a_stack_of_marks_stays_within_the_slot() -> None:
    placed = fitted("x" + "\u0301" * 60, slot(300, 80))
    assert placed.box[3] - placed.box[1] <= 80


def test_nothing_is_placed_where_nothing_can_be_drawn() -> None:
    assert fit("ธนภพ", slot(300, 70)) is None
    assert fit("word", slot(10, 70)) is None  # not even an ellipsis fits
