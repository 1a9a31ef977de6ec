"""The share card of a chosen match: what stands on it, and how the page offers it."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.answer import answer_json
from core.gallery.people import ActorEntry, Filter, People
from core.index.verdict import Verdict
from core.lookalike import Judged, LookalikeFinder
from core.page.browser_memory import KeptFace, keep
from core.page.card_preview import card_html, share_card
from core.page.language import View
from core.page.result import result_html
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.index.test_enrol import head
from tests.page.conftest import JANE, view_of

EVERYONE = Filter()


@pytest.fixture(scope="module")
def english(gallery: LookalikeFinder) -> View:
    return view_of(gallery)


def judged_as(view: View, name: str) -> Judged[KeptFace]:
    return view.finder.judge(keep(view.finder.faces(head(name))).faces[0], EVERYONE)


@pytest.fixture(scope="module")
def ann(english: View) -> Judged[KeptFace]:
    return judged_as(english, "Ann")


def test_a_card_has_both_faces_the_name_the_score_and_the_portraits_credit(
    english: View, ann: Judged
) -> None:
    card = share_card(english, ann, 0, "example.org")
    assert (card.name, card.score, card.monogram) == ("Ann Lee", "99.9", "AL")
    assert card.credit == "Photo: Jane Doe, CC BY 4.0"
    assert (card.title, card.you_label, card.app_name) == ("My lookalike", "You", "Lookalike")
    assert card.link == "example.org"
    assert card.them is not None
    assert card.you.size == card.them.size == (480, 600)
    difference = np.abs(np.asarray(card.you, int) - np.asarray(card.them, int)).mean()
    assert difference < 12  # the very photo, once as JPEG and once as WebP


def test_a_card_is_in_the_visitors_language(gallery: LookalikeFinder) -> None:
    view = view_of(gallery, "ko")
    card = share_card(view, judged_as(view, "Ann"), 0, "")
    assert (card.name, card.title, card.you_label) == ("앤 리", "나와 닮은 배우", "나")
    assert card.sentence == "갤러리에 있는 바로 그 사진이에요."
    assert card.credit == "사진: Jane Doe, CC BY 4.0"
    assert card.monogram == "앤리"


def test_without_a_portrait_to_show_there_are_initials_and_no_credit(
    english: View, starter: LookalikeFinder
) -> None:
    hidden = share_card(english, judged_as(english, "Bob"), 0, "")
    assert (hidden.name, hidden.them, hidden.credit, hidden.monogram) == ("Bob", None, "", "B")
    card = share_card(view_of(starter), judged_as(view_of(starter), "Ann"), 0, "")
    assert (card.them, card.credit) == (None, "")
    assert 0 <= card.hue < 360


def test_the_owners_own_portrait_is_shown_without_a_credit(english: View) -> None:
    card = share_card(english, judged_as(english, "Cid"), 0, "")
    assert card.them is not None
    assert card.credit == ""


def test_another_match_has_its_own_name_score_and_sentence(english: View, ann: Judged) -> None:
    card = share_card(english, ann, 2, "")
    match = ann.matches[2]
    assert card.name == english.name(match)
    assert card.score == str(match.score)
    assert card.sentence == english.sentence(ann.verdict, match, 3)
    assert "photo" not in card.sentence  # of the first match only


@pytest.mark.parametrize("foreign", ["محمد-رمضان", "ธนภพ", "😀"])
def test_in_place_of_what_no_font_can_write_stand_the_folders_name_and_the_photos_address(
    gallery: LookalikeFinder, ann: Judged[KeptFace], foreign: str
) -> None:
    people = People({"Ann": ActorEntry("Ann", foreign)})
    view = view_of(replace(gallery, people=people))
    match = ann.matches[0]
    credit = replace(JANE, author=foreign)
    match = replace(match, portrait=replace(match.portrait, credit=credit))
    card = share_card(view, replace(ann, matches=(match,)), 0, "")
    assert (card.name, card.monogram) == ("Ann", "A")
    assert card.credit == "Photo: https://example.org/photo, CC BY 4.0"


def test_a_korean_credit_is_in_english_where_the_author_needs_the_other_font(
    gallery: LookalikeFinder, ann: Judged[KeptFace]
) -> None:
    portrait = replace(ann.matches[0].portrait, credit=replace(JANE, author="Józef Małek"))
    match = replace(ann.matches[0], portrait=portrait)
    card = share_card(view_of(gallery, "ko"), replace(ann, matches=(match,)), 0, "")
    assert card.credit == "Photo: Józef Małek, CC BY 4.0"
    assert card.title == "나와 닮은 배우"


def test_no_score_is_no_score_on_the_card(english: View, ann: Judged) -> None:
    match = replace(ann.matches[0], score=None)
    verdict = Verdict(None, False, False, False, rough=False)
    card = share_card(english, replace(ann, matches=(match,), verdict=verdict), 0, "")
    assert card.score is None
    assert card.sentence == "The gallery is too small for a score."


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_page_card_and_api_say_the_same(
    gallery: LookalikeFinder, starter: LookalikeFinder, lang: str
) -> None:
    for finder in (gallery, starter):
        view = view_of(finder, lang)
        for photo in (ASTRONAUT, SIX_PEOPLE):
            seen, told = keep(finder.faces(photo)), answer_json(finder, photo)
            html = result_html(view, seen, EVERYONE)
            for face, entry in zip(seen.faces, told["faces"], strict=True):
                judged = view.finder.judge(face, EVERYONE)
                verdict = Verdict(**entry["verdict"])
                assert verdict == judged.verdict
                sentence = view.speech(verdict.key, share=verdict.share)
                assert share_card(view, judged, 0, "").sentence == sentence
                assert f'<p class="meaning">{sentence}</p>' in html
                scores = [match["score"] for match in entry["matches"]]
                assert scores == [match.score for match in judged.matches]
                cards = [share_card(view, judged, n, "").score for n in range(5)]
                assert cards == [str(score) for score in scores]


def pictured(html: str) -> Image.Image:
    """The card in the page."""
    found = re.search('<img src="data:image/png;base64,([^"]+)"', html)
    assert found
    return Image.open(io.BytesIO(base64.b64decode(found[1])))


def test_the_page_shows_the_card_and_offers_to_save_the_same(english: View, ann: Judged) -> None:
    html = card_html(english, ann, 0, "example.org")
    image = pictured(html)
    assert (image.size, image.format) == ((1080, 1350), "PNG")
    address = html.split('href="')[1].split('"')[0]
    assert address == html.split('src="')[1].split('"')[0]
    assert 'download="lookalike-Ann.png"' in html
    assert 'alt="A picture to share: you beside Ann Lee"' in html
    assert 'data-text="I look like Ann Lee, says Lookalike."' in html
    assert "hidden" in html.split("<button")[1].split(">")[0]  # until the browser can


@pytest.mark.parametrize(("chosen", "shown"), [(-5, 0), (99, 4), (10**30, 4), (3, 3)])
def test_a_match_that_is_not_there_is_the_nearest_that_is(
    english: View, ann: Judged, chosen: int, shown: int
) -> None:
    html = card_html(english, ann, chosen, "")
    assert f"beside {english.name(ann.matches[shown])}" in html


@pytest.mark.parametrize(
    ("actor", "file"),
    [
        ("../../etc/passwd", "lookalike-etc-passwd.png"),
        ('a" onload="x', "lookalike-a--onload--x.png"),
        ("송강호", "lookalike-송강호.png"),
        ("///", "lookalike-actor.png"),
        ("O'Neil\r\nX: y", "lookalike-O-Neil--X--y.png"),
    ],
)
def test_a_name_becomes_a_file_name_that_every_system_takes(
    english: View, ann: Judged, actor: str, file: str
) -> None:
    judged = replace(ann, matches=(replace(ann.matches[0], actor=actor),))
    html = card_html(english, judged, 0, "")
    assert f'download="{file}"' in html
    assert 'onload="' not in html
