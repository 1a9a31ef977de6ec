"""Results as HTML, without a browser: what is said of whom, and nothing that was smuggled in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest
from PIL import Image

from core.faces.engine import FaceEngine
from core.gallery.people import Filter
from core.index.verdict import CLOSE_RACE
from core.lookalike import LookalikeFinder
from core.page.browser_memory import KeptPhoto, keep
from core.page.language import View
from core.page.result import faces_html, problem_html, result_html, waiting_html
from core.page.words import words_of
from core.settings import Settings
from tests.conftest import ASTRONAUT, SIX_PEOPLE, enrolled, six_actors
from tests.index.test_enrol import fill_gallery, head
from tests.page.conftest import view_of

EVERYONE = Filter()
VOID = {"img", "input", "br", "hr", "meta", "link"}


class Reader(HTMLParser):
    """Tags with their attributes, and whether each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str, word: str = "") -> list[dict[str, str | None]]:
        """Attributes of the tags of this name and class."""
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and (not word or word in (attributes.get("class") or "").split())
        ]


def read(html: str) -> Reader:
    reader = Reader(html)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def one(gallery: LookalikeFinder) -> KeptPhoto:
    return keep(gallery.faces(ASTRONAUT))


@pytest.fixture(scope="module")
def six(gallery: LookalikeFinder) -> KeptPhoto:
    return keep(gallery.faces(SIX_PEOPLE))


@pytest.fixture(scope="module")
def english(gallery: LookalikeFinder) -> View:
    return view_of(gallery)


@pytest.fixture(scope="module")
def korean(gallery: LookalikeFinder) -> View:
    return view_of(gallery, "ko")


def named(html: str) -> list[str]:
    """Names in the headlines, best match first."""
    return [part.split("<")[0] for part in html.split('<h2 class="name">')[1:]]


def test_five_actors_are_compared_with_and_the_closest_is_shown(
    english: View, one: KeptPhoto
) -> None:
    html = result_html(english, one, EVERYONE)
    names = [english.name(match) for match in english.finder.judge(one.faces[0], EVERYONE).matches]
    assert named(html) == names
    assert (len(names), names[0]) == (5, "Eileen Collins")
    panels = read(html).all("article", "compare")
    assert ["hidden" in panel for panel in panels] == [False, True, True, True, True]
    choices = [tag for tag in read(html).all("input") if tag.get("name") == "match-0"]
    assert [tag["value"] for tag in choices] == ["0", "1", "2", "3", "4"]
    assert ["checked" in tag for tag in choices] == [True, False, False, False, False]


def test_the_starter_gallery_shows_monograms_and_a_link_to_look_up(
    starter: LookalikeFinder,
) -> None:
    view, seen = view_of(starter, "ko"), keep(starter.faces(ASTRONAUT))
    html = result_html(view, seen, EVERYONE)
    links = [tag["href"] or "" for tag in read(html).all("a")]
    assert len(links) == 5
    assert all(link.startswith("https://ko.wikipedia.org/") for link in links)
    pictures = read(html).all("img")
    assert len(pictures) == 5  # the visitor, beside each
    assert (pictures[0]["src"] or "").startswith("data:image/jpeg")
    assert [tag.get("data-mine") for tag in pictures[1:]] == ["0"] * 4  # page.js copies it there
    assert len(read(html).all("span", "monogram")) == 10
    for match in view.finder.judge(seen.faces[0], EVERYONE).matches:
        assert escape(view.speech("no_portrait_of", name=view.name(match))) in html


def test_a_portrait_stands_beside_the_face_with_its_credit(
    english: View, gallery: LookalikeFinder
) -> None:
    html = result_html(english, keep(gallery.faces(head("Ann"))), EVERYONE)
    first = html.split("</article>")[0]
    tags = Reader(first + "</article></section></div>").all("img")
    pictures = [tag.get("src") or "" for tag in tags]
    assert pictures[0].startswith("data:image/jpeg")
    assert pictures[1].startswith("portraits/")
    assert pictures[1].endswith("/face.webp")
    assert ">Jane Doe</a>" in first
    assert ">CC BY 4.0</a>" in first
    assert "Portrait of Ann Lee" in first


def test_a_hidden_portrait_is_a_monogram_without_a_credit(
    english: View, gallery: LookalikeFinder
) -> None:
    html = result_html(english, keep(gallery.faces(head("Bob"))), EVERYONE)
    assert named(html)[0] == "Bob"
    first = html.split("</article>")[0]
    assert "portraits/" not in first
    assert "Photo:" not in first
    assert "wikipedia.org" in first


def test_the_owners_own_portrait_needs_no_credit(english: View, one: KeptPhoto) -> None:
    first = result_html(english, one, EVERYONE).split("</article>")[0]
    assert "portraits/" in first
    assert "Photo:" not in first
    assert "<figcaption>Eileen Collins</figcaption>" in first


def test_names_are_in_the_visitors_language(english: View, korean: View, one: KeptPhoto) -> None:
    assert named(result_html(korean, one, EVERYONE))[0] == "아일린 콜린스"
    names = {row.name: row.name_in("ko") for row in english.finder.people.entries.values()}
    for ours, theirs in zip(
        named(result_html(english, one, EVERYONE)),
        named(result_html(korean, one, EVERYONE)),
        strict=True,
    ):
        assert theirs == (names.get(ours) or ours)


def test_the_sentence_tells_the_score_rounded_down(starter: LookalikeFinder) -> None:
    view, seen = view_of(starter), keep(starter.faces(ASTRONAUT))
    html = result_html(view, seen, EVERYONE)
    matches = view.finder.judge(seen.faces[0], EVERYONE).matches
    for match in matches:
        assert match.score is not None
        assert f"<b>{match.score}</b> points" in html
        if match.score >= 1:
            assert (
                f"{int(match.score)}% of the lookalikes these actors find among themselves" in html
            )
    assert matches[0].score >= 1
    assert html.count('class="meaning"') == 5
    assert f"similarity {matches[0].similarity:.3f}" in html


def test_the_very_photo_is_said_of_the_first_match_only(english: View, one: KeptPhoto) -> None:
    meanings = result_html(english, one, EVERYONE).split('class="meaning">')[1:]
    assert meanings[0].startswith("This is the very photo in the gallery.")
    assert not any(text.startswith("This") for text in meanings[1:])


def test_a_close_race_names_the_second_and_only_where_there_is_one(
    english: View, one: KeptPhoto
) -> None:
    judged = english.finder.judge(one.faces[0], EVERYONE)
    assert "close race" not in result_html(english, one, EVERYONE)
    second = replace(judged.matches[1], similarity=judged.matches[0].similarity - CLOSE_RACE / 2)
    verdict = replace(judged.verdict, close_race=True)
    close = replace(judged, matches=(judged.matches[0], second), verdict=verdict)
    html = faces_html(english, one, [close])
    assert html.count("A close race: ") == 1
    assert f"A close race: {english.name(second)} is nearly as close." in html


def test_a_small_gallery_calls_its_score_rough_and_a_tiny_one_has_none(
    english: View, starter: LookalikeFinder, one: KeptPhoto, engine: FaceEngine, settings: Settings
) -> None:
    rough = escape(english.speech("rough"))
    assert rough in result_html(english, one, EVERYONE)
    assert rough not in result_html(view_of(starter), one, EVERYONE)
    fill_gallery(settings.dataset_dir, ["Bob", "Cid"], photos=1)
    tiny = view_of(LookalikeFinder(engine, enrolled(engine, settings).index, settings))
    html = result_html(tiny, one, EVERYONE)
    assert html.count("The gallery is too small for a score.") == 3  # announced, too
    assert rough not in html
    assert "points" not in html
    assert "similarity" in html


def test_the_result_is_announced_in_words(korean: View, one: KeptPhoto) -> None:
    (result,) = read(result_html(korean, one, EVERYONE)).all("div", "result")
    assert result["data-announce"] == (
        "가장 닮은 배우: 아일린 콜린스. 갤러리에 있는 바로 그 사진이에요."
    )


def test_one_face_is_no_group(english: View, one: KeptPhoto) -> None:
    html = result_html(english, one, EVERYONE)
    assert len(read(html).all("section", "one")) == 1
    assert not read(html).all("section", "group")
    assert "face_number" not in html
    assert 'name="face"' not in html


def test_several_faces_are_numbered_and_ranked_and_one_is_shown(
    english: View, six: KeptPhoto
) -> None:
    html = result_html(english, six, EVERYONE)
    reader = read(html)
    assert ["hidden" in tag for tag in reader.all("section", "one")] == [False] + [True] * 5
    spots = [tag for tag in reader.all("input") if tag.get("name") == "face"]
    assert [tag["value"] for tag in spots] == list("012345")
    assert ["checked" in tag for tag in spots] == [True] + [False] * 5
    assert [tag["aria-label"] for tag in spots] == [f"Face {n}" for n in range(1, 7)]
    assert "6 faces found" in html
    first = [english.finder.judge(face, EVERYONE).matches[0].similarity for face in six.faces]
    buttons = [int(tag["data-face"] or -1) for tag in reader.all("button")]
    assert sorted(buttons) == list(range(6))
    assert [first[n] for n in buttons] == sorted(first, reverse=True)
    groups = {tag.get("name") for tag in reader.all("input") if "name" in tag}
    assert groups == {"face", *(f"match-{n}" for n in range(6))}


def test_faces_that_do_not_fit_are_counted(english: View, six: KeptPhoto) -> None:
    html = result_html(english, replace(six, found=30), EVERYONE)
    assert "30 faces found; these are the first 6" in html


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_each_tip_stands_above_its_own_face(
    gallery: LookalikeFinder, six: KeptPhoto, lang: str
) -> None:
    codes = tuple(words_of("en").coaching)
    faces = (replace(six.faces[0], tips=()), replace(six.faces[1], tips=codes[:2]))
    html = result_html(view_of(gallery, lang), replace(six, faces=faces), EVERYONE)
    shown = html.split('<section class="one"')[1:]
    assert 'class="tip"' not in shown[0]
    for code in codes[:2]:
        assert escape(words_of(lang).coaching[code]) in shown[1]
    assert shown[1].count('class="tip"') == 2


def test_a_filter_leaves_those_who_pass(english: View, one: KeptPhoto) -> None:
    assert set(named(result_html(english, one, Filter("women")))) == {"Eileen Collins", "Ann Lee"}
    assert set(named(result_html(english, one, Filter(country="KR")))) == {
        "Cid",
        "Dan",
        "Song Kang-ho",
    }
    html = result_html(english, one, Filter("women", "KR"))
    assert "The gallery has no such actor." in html
    assert named(html) == []


def test_before_the_first_photo_there_is_an_empty_place(korean: View) -> None:
    html = waiting_html(korean)
    assert korean.speech("waiting") in html
    assert read(html).all("div", "waiting")
    assert "data-announce" not in html


@pytest.mark.parametrize("code", ["no_face", "unreadable", "too_large", "nobody_left"])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_problem_is_said_and_announced(gallery: LookalikeFinder, code: str, lang: str) -> None:
    view = view_of(gallery, lang)
    html = problem_html(view, code)
    (result,) = read(html).all("div", "problem")
    assert result["data-announce"] == view.speech(code)
    assert escape(view.speech(code)) in html
    tips = [tip for tip in words_of(lang).no_face_tips if escape(tip) in html]
    assert len(tips) == (3 if code == "no_face" else 0)
    assert (escape(view.speech("no_face_example")) in html) is (code == "no_face")


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_html_is_whole_and_every_picture_has_its_text(
    gallery: LookalikeFinder, six: KeptPhoto, lang: str
) -> None:
    reader = read(result_html(view_of(gallery, lang), six, EVERYONE))
    assert all("alt" in tag for tag in reader.all("img"))
    described = Counter(bool(tag["alt"]) for tag in reader.all("img"))
    assert described[True] > 20
    for tag in reader.all("input"):
        assert tag["type"] in ("radio", "range")


def test_names_and_credits_cannot_bring_markup_or_scripts(
    engine: FaceEngine, settings: Settings
) -> None:
    portrait = six_actors(settings.dataset_dir, engine)
    folder = portrait.parent.rename(portrait.parent.with_name("<img src=x onerror=alert(1)>"))
    credit = (
        f'{folder.name}/1.png,javascript:alert(1),<script>me</script>,"CC ""0""",https://x/"y\n'
    )
    header = "file,source,author,licence,licence_url\n"
    (settings.dataset_dir / "credits.csv").write_text(header + credit, "utf-8")
    finder = LookalikeFinder(engine, enrolled(engine, settings).index, settings)
    answer = finder.find(folder / "1.png")
    assert answer.faces[0].matches[0].actor == folder.name
    html = result_html(view_of(finder), keep(finder.faces(folder / "1.png")), EVERYONE)
    assert "<script" not in html
    assert "javascript:" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;me" in html
    assert 'href="https://x/&#34;y"' in html
    assert {tag for tag, _ in read(html).tags} <= {
        "div", "section", "article", "figure", "figcaption", "span", "img", "p", "h2", "b", "a",
        "fieldset", "legend", "label", "input", "small", "details", "summary", "ol", "li", "button",
    }  # fmt: skip
    assert not any(name.startswith("on") for _, tag in read(html).tags for name in tag)


def test_a_visitors_picture_is_in_the_page_itself(english: View, gallery: LookalikeFinder) -> None:
    blank_name = Image.open(ASTRONAUT)
    html = result_html(english, keep(gallery.faces(blank_name)), EVERYONE)
    shown = [tag for tag in read(html).all("img") if "data-mine" not in tag]
    sources = {(tag["src"] or "").split(",")[0].split("/")[0] for tag in shown}
    assert sources == {"data:image", "portraits"}
