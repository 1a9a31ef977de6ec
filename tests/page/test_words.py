"""The page's languages: each says everything, and one more is one file and its code."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from core import languages
from core.gallery.people import EVERYONE
from core.lookalike import LookalikeFinder
from core.page.browser_memory import keep
from core.page.handlers import Handlers
from core.page.language import speeches
from core.page.layout import languages_html, static_words
from core.page.result import problem_html, result_html
from core.page.serving.document import LocalDocument
from core.page.serving.server import credits_page
from core.page.words import en, page_languages, words_of
from tests.conftest import ASTRONAUT
from tests.faces.test_coaching import FAULTS
from tests.index.test_enrol import head
from tests.page.conftest import visit
from tests.page.test_document import ask, page


@pytest.mark.parametrize("lang", page_languages())
def test_every_tip_has_one_short_line(lang: str) -> None:
    words = words_of(lang)
    assert set(words.coaching) == {*FAULTS, "turned_away", "perhaps_no_face"}
    lines = [*words.coaching.values(), *words.no_face_tips]
    assert len(set(lines)) == len(lines)
    assert all(line == line.strip() and "\n" not in line for line in lines)
    assert max(map(len, lines)) < 75
    assert len(words.no_face_tips) == 3


def test_korean_tips_are_korean() -> None:
    words = words_of("ko")
    assert all("가" <= line[0] <= "힣" for line in (*words.coaching.values(), *words.no_face_tips))


@pytest.fixture
def esperanto(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third language, of English words in other quotation marks."""
    module = ModuleType("core.page.words.eo")
    module.NAME = "Esperanto"
    module.WORDS = {key: f"‹{text}›" for key, text in en.WORDS.items()}
    module.COACHING = {key: f"‹{text}›" for key, text in en.COACHING.items()}
    module.NO_FACE_TIPS = tuple(f"‹{text}›" for text in en.NO_FACE_TIPS)
    module.GRADIO = {"Upload file": "‹Upload›"}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(languages, "LANGUAGES", ("en", "ko", "eo"))


@pytest.mark.usefixtures("esperanto")
def test_a_third_language_is_one_module_and_one_code(gallery: LookalikeFinder) -> None:
    handlers = Handlers(gallery)
    view = handlers.view(visit("eo-XX,en;q=0.5"))
    html = result_html(view, keep(gallery.faces(ASTRONAUT)), EVERYONE)
    assert "<figcaption>‹You›</figcaption>" in html
    assert '<h2 class="name">Eileen Collins</h2>' in html  # nobody gave a name in it
    assert "‹Face the camera" in problem_html(view, "no_face")
    live, _ = handlers.name_live(np.asarray(head("Ann")), None, visit("eo"))
    assert "‹points›" in live
    assert "‹Photo: <a" in live
    assert '<html lang="eo">' in credits_page(view)
    assert "‹Credits and licences›" in credits_page(view)


@pytest.mark.usefixtures("esperanto")
def test_the_page_offers_a_third_language(gallery: LookalikeFinder) -> None:
    links = languages_html()
    assert '<nav aria-label="Language · 언어 · ‹Language›">' in links
    assert '<a href="?lang=eo" lang="eo" hreflang="eo">Esperanto</a>' in links
    assert [links.index(name) for name in ("English", "한국어", "Esperanto")] == sorted(
        links.index(name) for name in ("English", "한국어", "Esperanto")
    )
    headers, html = ask(LocalDocument(page, speeches(gallery)), query="lang=eo")
    assert headers["content-language"] == "eo"
    assert '"Upload file": "‹Upload›"' in html
    assert static_words(gallery).translations["eo"]["intro"] == f"‹{en.WORDS['intro']}›"
