"""The fonts of the share card: there, free, complete enough."""

from __future__ import annotations

from importlib.metadata import distribution

import pytest

from core.card.text import BLACK, BOLD, CJK, LATIN, REGULAR, Face, face_of, has_glyph, load_font
from core.errors import FontError


def test_hangul_syllables_have_glyphs() -> None:
    assert all(has_glyph(CJK, chr(code)) for code in range(0xAC00, 0xD7A4, 7))


def test_each_font_has_what_the_other_lacks() -> None:
    assert not any(has_glyph(CJK, char) for char in "čğıłşάіў")
    assert all(has_glyph(LATIN, char) for char in "čğıłşάіў")
    assert not any(has_glyph(LATIN, char) for char in "송木の")


def test_a_text_is_set_in_the_font_that_has_most_of_it() -> None:
    texts = ("Uma Thurman", "송강호", "Kıvanç Tatlıtuğ", "송강호 ğ", "Иван", "Іван")
    assert [face_of(text) for text in texts] == [CJK, CJK, LATIN, CJK, CJK, LATIN]


def test_weights_differ_in_ink() -> None:
    def ink(weight: int) -> int:
        return sum(load_font(CJK, weight, 60).getmask("송강호 Ab"))

    assert ink(REGULAR) < ink(BOLD) < ink(BLACK)


def test_a_weight_that_a_font_lacks_is_the_nearest_it_has() -> None:
    black, bold = (load_font(LATIN, weight, 40) for weight in (BLACK, BOLD))
    assert black.getlength("name") == bold.getlength("name")


@pytest.mark.parametrize("face", [CJK, LATIN])
def test_the_fonts_may_be_used_freely(face: Face) -> None:
    files = distribution(face.package.replace("_", "-")).files or []
    licence = next(file for file in files if file.name == "LICENSE").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


@pytest.mark.parametrize(
    "face",
    [
        Face("no_such_package", CJK.file),
        Face(CJK.package, "no_such_file.ttf"),
        Face(CJK.package, "__init__.py"),
    ],
    ids=["no package", "no file", "no font"],
)
def test_a_font_that_cannot_be_had_is_one_sentence_with_the_remedy(face: Face) -> None:
    with pytest.raises(FontError, match=rf"the font {face.file} .* cannot be .*; run pip install"):
        load_font(face, BOLD, 40)
