"""Results as HTML, without a browser: escaping, credits, monograms, the score's sentence."""

from __future__ import annotations

import pytest

from core.cards import monogram, result_html
from core.enrol import index_from_cache
from core.faces import FaceEngine
from core.lookalike import LookalikeFinder
from core.page_text import page_text
from core.settings import Settings
from tests.conftest import ASTRONAUT, six_actors


@pytest.fixture
def starter(engine: FaceEngine, settings: Settings) -> LookalikeFinder:
    index = index_from_cache(settings.starter_path, settings).index
    return LookalikeFinder(engine, index, settings)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Uma Thurman", "UT"),
        ("Robert Downey Jr.", "RJ"),
        ("송강호", "송"),
        ("Zendaya", "Z"),
        ("", "?"),
    ],
)
def test_a_monogram_is_the_initials(name: str, letters: str) -> None:
    assert monogram(name) == letters


def test_the_starter_gallery_shows_monograms_and_a_link_to_look_up(
    starter: LookalikeFinder,
) -> None:
    html = result_html(starter, starter.find(ASTRONAUT), page_text(starter)["ko"], "ko")
    assert html.count('class="face monogram"') == 5
    assert html.count("https://ko.wikipedia.org/") == 5
    assert html.count("<img") == 1  # the visitor


def test_the_sentence_tells_the_score_rounded_down(starter: LookalikeFinder) -> None:
    answer = starter.find(ASTRONAUT)
    score = answer.faces[0].matches[0].score
    assert score is not None
    html = result_html(starter, answer, page_text(starter)["en"], "en")
    assert f"Closer to you than {int(score)} % of these actors" in html


def test_names_and_credits_cannot_bring_markup_or_scripts(
    engine: FaceEngine, settings: Settings
) -> None:
    from core.enrol import enrol_gallery

    portrait = six_actors(settings.dataset_dir, engine)
    folder = portrait.parent.rename(portrait.parent.with_name("<img src=x onerror=alert(1)>"))
    credit = (
        f'{folder.name}/1.png,javascript:alert(1),<script>me</script>,"CC ""0""",https://x/"y\n'
    )
    header = "file,source,author,licence,licence_url\n"
    (settings.dataset_dir / "credits.csv").write_text(header + credit, "utf-8")
    finder = LookalikeFinder(engine, enrol_gallery(engine, settings).index, settings)
    answer = finder.find(folder / "1.png")
    assert answer.faces[0].matches[0].actor == folder.name
    html = result_html(finder, answer, page_text(finder)["en"], "en")
    assert "<script" not in html
    assert "javascript:" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;me" in html
    assert 'href="https://x/&quot;y"' in html
