"""The fonts that pictures are drawn with: there, free, complete enough, and boxes for nothing."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from importlib.metadata import distribution

import pytest
from PIL import features

from core.card import fonts
from core.card.fonts import BLACK, BOLD, REGULAR, load_font, typefaces
from core.card.text import clean, clusters, runs
from core.errors import FontError
from tests.conftest import ROOT

HANGUL = "".join(map(chr, range(0xAC00, 0xD7A4)))  # all 11,172 syllables
HIEROGLYPH = "\U00013000"  # in none of the fonts


@pytest.fixture
def fresh_search() -> Iterator[None]:
    typefaces.cache_clear()
    yield
    typefaces.cache_clear()


def test_every_hangul_syllable_has_a_glyph() -> None:
    assert typefaces()[0].covers(HANGUL)


@pytest.mark.parametrize(
    "name",
    [
        "Kıvanç Tatlıtuğ",
        "Małgorzata Foremniak",
        "Nguyễn Thị Đặng",
        "Иван Янковский",
        "Έλλη Λαμπέτη",
        "木村 拓哉",
        "梁朝偉",
        "عادل إمام",
        "שירה האס",
        "शाहरुख़ ख़ान",
        "ธนภพ",
        "Song Kang-ho 😀",
    ],
)
def test_names_in_many_scripts_are_drawn_whole_and_without_boxes(name: str) -> None:
    assert clean(name) == name
    assert "".join(text for _, text in runs(name)) == name
    assert all(face.covers(text) for face, text in runs(name))


def test_a_word_stays_in_one_font_where_one_has_all_its_letters() -> None:
    assert len(runs("Kıvanç Tatlıtuğ")) == 1  # not K and van in one, ı in another
    words = [text for _, text in runs("송강호 Tatlıtuğ")]
    assert words == ["송강호", " ", "Tatlıtuğ"]


def test_what_no_font_has_is_left_out_not_drawn_as_a_box() -> None:
    assert not any(face.covers(HIEROGLYPH) for face in typefaces())
    assert clean(f"Kim {HIEROGLYPH} Min") == "Kim Min"
    assert clean(HIEROGLYPH) == ""


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("a\x00b\tc\r\nd\x1b", "ab c d"),
        ("\u202eevil\u202c\u2066name\u2069", "evilname"),
        (unicodedata.normalize("NFD", "송강호"), "송강호"),  # as macOS writes file names
        ("soft\u00adhyphen \ud800 \ue000 \ufeff", "softhyphen"),
        ("  a \u00a0\u2003 b ", "a b"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_controls_and_overrides_never_reach_the_picture(given: str, cleaned: str) -> None:
    assert clean(given) == cleaned


def test_a_stack_of_marks_is_cut() -> None:
    assert len(clean("a" + "\u0323" * 50)) <= 5


def test_marks_and_emoji_of_several_parts_stay_with_their_letter() -> None:
    letters = ["e\u0323", "x", "👍🏽"]
    if features.check("raqm"):  # Pillow needs the system's FriBiDi for it
        letters.append("👨\u200d👩\u200d👧")
    assert list(clusters("".join(letters))) == letters


def test_weights_differ_in_ink() -> None:
    def ink(weight: int) -> int:
        return sum(load_font(typefaces()[0], weight, 60).getmask("송강호 Ab"))

    assert ink(REGULAR) < ink(BOLD) < ink(BLACK)


def test_a_weight_that_a_font_lacks_is_the_nearest_it_has() -> None:
    latin = typefaces()[1]
    assert load_font(latin, 900, 40).getlength("name") == load_font(latin, 700, 40).getlength(
        "name"
    )


@pytest.mark.parametrize("package", [fonts.CJK_PACKAGE, fonts.OTHERS_PACKAGE])
def test_the_fonts_may_be_used_freely(package: str) -> None:
    files = distribution(package.replace("_", "-")).files or []
    licence = next(file for file in files if file.name == "LICENSE").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


@pytest.mark.parametrize("missing", ["CJK_PACKAGE", "OTHERS_PACKAGE", "CJK_FILE", "LATIN_FILE"])
@pytest.mark.usefixtures("fresh_search")
def test_a_missing_font_is_one_sentence_with_the_remedy(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, missing, "no_such_thing")
    with pytest.raises(FontError, match=r"no.such.thing.* is missing; run pip install"):
        typefaces()


def test_finding_the_fonts_imports_neither_their_packages_nor_a_plotting_library() -> None:
    code = (
        "import sys; from core.card.fonts import typefaces; typefaces();"
        "print([name for name in sys.modules if name.startswith(('manimgx', 'matplotlib'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
