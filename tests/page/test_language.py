"""The page's words: the same in both languages, with numbers, dates and names in local form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from string import Formatter

import pytest

from core.faces.engine import FaceEngine
from core.index.verdict import Verdict
from core.lookalike import LookalikeFinder
from core.models.install import WITHOUT_SECOND
from core.page.handlers import Handlers
from core.page.language import Speech, banners, speeches, visitor_language
from core.page.layout import STATIC, build_demo, static_words
from core.page.words import words_of
from tests.conftest import ROOT

WORDS = {lang: words_of(lang).words for lang in ("en", "ko")}
GRADIO_WORDS = {lang: words_of(lang).gradio for lang in WORDS}
USED_KEY = re.compile(r"""(?:speech|view\.speech|i18n|speech\.html)\(\s*["'](\w+)["']""")
VALUES = {"score": 87.3, "share": 87, "name": "송강호", "value": "0.412", "number": 2, "rank": 3}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_everything() -> None:
    assert WORDS["en"].keys() == WORDS["ko"].keys()
    assert len(WORDS["en"]) > 60


@pytest.mark.parametrize("key", sorted(WORDS["en"]))
def test_both_languages_name_the_same_things_and_neither_says_nothing(key: str) -> None:
    assert placeholders(WORDS["en"][key]) == placeholders(WORDS["ko"][key])
    assert WORDS["en"][key].strip()
    assert WORDS["ko"][key].strip()


def test_korean_words_are_korean() -> None:
    foreign = {key for key, text in WORDS["ko"].items() if not re.search("[가-힣]", text)}
    assert foreign <= {"other_language"}
    assert all(re.search("[가-힣]", text) for text in GRADIO_WORDS["ko"].values())
    assert not any(re.search("[가-힣]", text) for text in GRADIO_WORDS["en"].values())


def test_every_key_that_the_page_asks_for_has_words() -> None:
    files = [*(ROOT / "core" / "page").glob("*.py"), *(ROOT / "core" / "page").rglob("*.html")]
    sources = [path.read_text("utf-8") for path in files]
    used = {key for source in sources for key in USED_KEY.findall(source)}
    assert len(used) > 40
    assert (used | set(STATIC)) - {"heading", "footer_links"} <= WORDS["en"].keys()


def test_every_verdict_has_its_sentence() -> None:
    plain = Verdict(50, False, False, False, rough=False)
    verdicts = [
        plain,
        replace(plain, share=0),
        replace(plain, share=None),
        replace(plain, same_photo=True),
        replace(plain, same_person=True),
    ]
    sentences = {WORDS["en"][verdict.key] for verdict in verdicts}
    assert len(sentences) == 5


def test_words_name_the_gallery_and_the_model(starter: LookalikeFinder) -> None:
    words = speeches(starter)
    info = starter.index.info
    year, month, day = map(int, info.built[:10].split("-"))
    for lang, speech in words.items():
        assert speech.lang == lang
        footer = speech("footer")
        assert f"{len(starter.index.actors)}" in footer
        assert "1,514" in footer or f"{len(starter.index.portraits):,}" in footer
        assert "SFace" in footer
        assert "Apache" in footer
    assert f"{year}년 {month}월 {day}일" in words["ko"]("footer")
    assert re.search(rf"[A-Z][a-z]+ {day}, {year}", words["en"]("footer"))


def test_limits_in_the_words_are_the_settings(starter: LookalikeFinder) -> None:
    settings = starter.settings.replaced(
        photo_seconds=77, max_megabytes=1234.5, max_megapixels=12.5
    )
    speech = speeches(replace(starter, settings=settings))["en"]
    assert "77" in speech("privacy")
    assert "1,234.5 MB" in speech("too_large")
    assert "12.5" in speech("too_large")


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_no_words_are_left_with_a_gap(starter: LookalikeFinder, lang: str) -> None:
    speech = speeches(starter)[lang]
    for key, text in WORDS[lang].items():
        values = {name: f"<{name}>" for name in placeholders(text)}
        said = speech(key, **values)
        assert "{" not in said
        for name in placeholders(text):
            assert f"<{name}>" in said  # what is said wins over what is known


def test_braces_in_a_name_stay_braces(starter: LookalikeFinder) -> None:
    assert "{actors}" in speeches(starter)["en"]("look_up", name="{actors}")


def test_numbers_are_in_local_form() -> None:
    english, korean = Speech("en", words_of("en"), {}), Speech("ko", words_of("ko"), {})
    assert (english.score(87.3), korean.score(99.9), english.score(7)) == ("87.3", "99.9", "7.0")
    assert english.similarity(0.41234) == "0.412"
    assert korean.similarity(-0.05) == "-0.050"


def test_countries_have_their_local_names() -> None:
    english, korean = Speech("en", words_of("en"), {}), Speech("ko", words_of("ko"), {})
    assert (english.country("KR"), korean.country("KR")) == ("South Korea", "대한민국")
    assert (english.country("US"), korean.country("US")) == ("United States", "미국")
    assert english.country("XX1") == "XX1"


@pytest.mark.parametrize(
    ("wanted", "header", "language"),
    [
        (None, "ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        (None, "en-US,en;q=0.9,ko;q=0.8", "en"),
        (None, "fr-FR,fr;q=0.9,ko;q=0.5", "ko"),
        (None, "KO", "ko"),
        (None, "fr-FR", "en"),
        (None, "kok-IN", "en"),  # Konkani
        (None, ";;,,=", "en"),
        (None, None, "en"),
        ("ko", "en-US", "ko"),
        ("en", "ko-KR", "en"),
        ("fr", "ko-KR", "ko"),
        ("", "ko", "ko"),
        ("../../etc", None, "en"),
    ],
)
def test_the_page_speaks_the_language_asked_for_else_the_browsers(
    wanted: str | None, header: str | None, language: str
) -> None:
    assert visitor_language(wanted, header) == language


def test_a_banner_tells_of_the_gallery_and_the_model(
    starter: LookalikeFinder, gallery: LookalikeFinder
) -> None:
    assert banners(starter) == ["starter"]
    assert banners(gallery) == ["embedded"]
    assert banners(replace(gallery, notice="no Hub")) == ["fallback"]
    assert banners(replace(starter, notice="no Hub")) == ["fallback"]


def test_a_banner_tells_that_the_second_network_is_missing(
    starter: LookalikeFinder, gallery: LookalikeFinder, alone: FaceEngine
) -> None:
    starter, gallery = (
        replace(finder, engine=alone, notice=WITHOUT_SECOND) for finder in (starter, gallery)
    )
    assert banners(starter) == ["alone", "starter"]
    assert banners(gallery) == ["alone", "embedded"]
    both = f"no Hub; {WITHOUT_SECOND}"
    assert banners(replace(gallery, notice=both)) == ["fallback", "alone"]
    for speech in speeches(starter).values():
        assert "SFace" in speech("alone")


@pytest.mark.parametrize("notice", [None, WITHOUT_SECOND, "no Hub", f"no Hub; {WITHOUT_SECOND}"])
def test_all_that_stands_in_the_page_before_any_event_has_words_in_every_language(
    starter: LookalikeFinder,
    gallery: LookalikeFinder,
    alone: FaceEngine,
    engine: FaceEngine,
    notice: str | None,
) -> None:
    used = alone if notice and WITHOUT_SECOND in notice else engine
    for whole in (starter, gallery):
        finder = replace(whole, engine=used, notice=notice)
        page = json.dumps(build_demo(Handlers(finder)).config, default=str).replace("\\", "")
        keys = set(re.findall(r'"translation_metadata", "key": "(\w+)"', page))
        assert keys > {"heading", "footer_links", *banners(finder)}
        for words in static_words(finder).translations.values():
            assert keys <= words.keys()
