"""Small pieces of HTML: nothing that comes in can become markup."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from core.gallery.credits import Credit
from core.page.language import Speech
from core.page.templates import ENVIRONMENT, hue, initials
from core.page.words import words_of

PARTS: Any = ENVIRONMENT.get_template("parts.html").module
credit_line, framed, link = PARTS.credit_line, PARTS.framed, PARTS.link
look_up, picture, points = PARTS.look_up, PARTS.picture, PARTS.points

EVIL = "\"><script>alert('1')</script>&amp;"
SPEECHES = [Speech(lang, words_of(lang), {}) for lang in ("en", "ko")]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Uma Thurman", "UT"),
        ("Robert Downey Jr.", "RJ"),
        ("송강호", "송"),
        ("Zendaya", "Z"),
        ("zoe saldaña", "ZS"),
        ("", "?"),
        ("   ", "?"),
    ],
)
def test_a_monogram_is_the_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_each_name_has_a_colour_of_its_own_that_stays() -> None:
    names = ["Uma Thurman", "Brad Pitt", "송강호", "Zendaya", ""]
    hues = [hue(name) for name in names]
    assert hues == [hue(name) for name in names]
    assert all(0 <= hue < 360 for hue in hues)
    assert len(set(hues)) == 5


def test_nothing_that_comes_in_becomes_markup() -> None:
    evil = Credit(EVIL, EVIL, "javascript:alert(1)", f"https://x/{EVIL}")
    pieces = [
        picture(EVIL, EVIL),
        framed(EVIL, EVIL, EVIL, EVIL, lazy=True),
        framed(EVIL, None, EVIL, EVIL, lazy=False),
        link(EVIL, f"https://x/{EVIL}"),
        link(EVIL, "nonsense"),
        points(EVIL, SPEECHES[0]),
        *(credit_line(evil, speech) for speech in SPEECHES),
        *(look_up(EVIL, speech) for speech in SPEECHES),
    ]
    for piece in pieces:
        assert "<script" not in piece
        assert '""' not in piece.replace('alt=""', "")
        assert "javascript:" not in piece
        assert "alert" in piece  # it is shown, as text


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", " https://x", "ftp://x", ""],
)
def test_text_is_linked_to_web_pages_only(url: str) -> None:
    assert link("Kim", url) == "Kim"


def test_a_link_opens_a_page_of_its_own_that_learns_nothing_of_this_one() -> None:
    html = link("Kim & Co", "https://example.org/?a=1&b=2")
    assert 'href="https://example.org/?a=1&amp;b=2"' in html
    assert 'target="_blank"' in html
    assert "noopener noreferrer" in html
    assert ">Kim &amp; Co</a>" in html


def test_a_credit_names_author_and_licence_with_their_pages() -> None:
    credit = Credit("Jane", "CC BY 4.0", "https://example.org/by", "https://example.org/photo")
    english, korean = (credit_line(credit, speech) for speech in SPEECHES)
    assert english.startswith("Photo: <a")
    assert korean.startswith("사진: <a")
    for line in (english, korean):
        assert line.index("https://example.org/photo") < line.index(">Jane</a>")
        assert line.index("https://example.org/by") < line.index(">CC BY 4.0</a>")
    assert credit_line(Credit("Jane", "CC0"), SPEECHES[0]) == "Photo: Jane, CC0"


def test_an_actor_is_looked_up_in_the_visitors_language() -> None:
    english, korean = (look_up("Song Kang-ho & 송강호", speech) for speech in SPEECHES)
    assert 'href="https://en.wikipedia.org/' in english
    assert 'href="https://ko.wikipedia.org/' in korean
    for html in (english, korean):
        (address,) = [part for part in html.split('"') if part.startswith("https://")]
        assert unquote(address).endswith("search=Song Kang-ho & 송강호")


def test_without_a_picture_there_is_a_monogram_that_says_so() -> None:
    html = framed("Uma Thurman", None, "her portrait", "no portrait", lazy=False)
    assert "<img" not in html
    assert ">UT</span>" in html
    assert 'role="img" aria-label="no portrait"' in html
    assert f"--hue:{hue('Uma Thurman')}" in html
    assert "role" not in framed("Uma Thurman", None, "", "", lazy=False)  # named beside it


def test_a_picture_has_its_monogram_behind_it_and_waits_if_it_may() -> None:
    html = framed("Uma Thurman", "a.webp", "her portrait", "", lazy=True)
    assert 'src="a.webp"' in html
    assert 'alt="her portrait"' in html
    assert 'loading="lazy"' in html
    assert html.index(">UT</span>") < html.index("<img")
    assert "lazy" not in framed("Uma Thurman", "a.webp", "", "")
