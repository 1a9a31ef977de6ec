"""Korean and English: by browser, by link, and nothing of the other language in either."""

from __future__ import annotations

import datetime
import re
import string

import pytest
from playwright.sync_api import Page, expect

from core.gallery.people import read_actors
from core.lookalike import LookalikeFinder
from core.page.words.en import WORDS as ENGLISH
from core.page.words.ko import WORDS as KOREAN
from core.settings import Settings
from tests.browser.visits import Visits, matches, upload
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.running_app import RunningApp

HANGUL = re.compile("[가-힣]")
WORD = re.compile("[A-Za-z]{2,}")
# Names, formats and commands are the same in every language; so are the links to the languages.
SAME = re.compile(
    r"Language · 언어|한국어|English|Lookalike|SFace|AuraFace|Apache|CC0|JPEG|PNG|WebP|HEIC|NASA"
    r"|python scripts/\w+\.py|dataset/<[^>]*>/|fake_device\S*"
)
# Texts and attributes that a visitor sees or hears, of what is shown.
SAID = """() => {
  const said = [];
  const seen = {opacityProperty: true, visibilityProperty: true};
  const shown = element => element.checkVisibility(seen) || element.closest('#said');
  for (const element of document.body.querySelectorAll('*')) {
    if (!shown(element) || element.closest('script, style')) continue;
    for (const node of element.childNodes)
      if (node.nodeType === Node.TEXT_NODE) said.push(node.nodeValue.trim());
    for (const name of ['aria-label', 'title', 'alt', 'placeholder', 'aria-description'])
      if (element.getAttribute(name)) said.push(element.getAttribute(name));
  }
  return [document.title, ...said].filter(Boolean);
}"""


def foreign_to(lang: str, said: list[str]) -> list[str]:
    """What is not in this language: its own words and names apart from `SAME`."""
    rest = [SAME.sub("", text) for text in said]
    if lang == "en":
        return [text for text in rest if HANGUL.search(text)]
    return [text for text in rest if WORD.search(text)]


def pieces(words: dict[str, str]) -> set[str]:
    """The fixed parts of a language's sentences, without markup."""
    parts = [re.sub("<[^>]+>", "", part) for text in words.values() for part in fixed(text)]
    return {part.strip(" .,:!%") for part in parts if len(part.strip(" .,:!%")) > 3}


def fixed(text: str) -> list[str]:
    return [literal for literal, *_ in string.Formatter().parse(text)]


def every_state(page: Page) -> list[str]:
    """What is said before and after a photo, with card and blend, on a problem, and live."""
    said: list[str] = page.evaluate(SAID)
    upload(page, SIX_PEOPLE)
    matches(page).nth(1).click()
    page.locator("#make-card").click()
    page.wait_for_selector("#card .card")
    said += page.evaluate(SAID)
    page.locator("#photo .icon-button").first.click()
    page.wait_for_selector(".result.waiting")
    page.locator("#photo .source-selection button").nth(1).click()
    page.wait_for_selector("#photo .capture-button")
    page.wait_for_timeout(300)
    said += page.evaluate(SAID)
    page.get_by_role("tab").nth(1).click()
    page.wait_for_selector("#camera .capture-button")
    page.wait_for_timeout(300)
    return said + page.evaluate(SAID)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_word_is_in_the_visitors_language(visits: Visits, app: RunningApp, lang: str) -> None:
    page = visits.open(app.url, locale={"en": "en-GB", "ko": "ko-KR"}[lang])
    said = every_state(page)
    assert foreign_to(lang, said) == []
    own, other = (ENGLISH, KOREAN) if lang == "en" else (KOREAN, ENGLISH)
    everything = SAME.sub("", "\n".join(said))
    strangers = {piece for piece in pieces(other) - pieces(own) if not SAME.fullmatch(piece)}
    assert [piece for piece in strangers if piece in everything] == []
    assert own["title"] in said


def test_the_links_switch_the_language_and_the_form_of_the_date(
    page: Page, starter: LookalikeFinder
) -> None:
    built = datetime.date.fromisoformat(starter.index.info.built[:10])
    footer = page.locator("#footer")
    expect(footer).to_contain_text(f"indexed on {built:%B} {built.day}, {built.year}")
    before = set(page.evaluate(SAID))
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("h1")).to_have_text(KOREAN["title"])
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.wait_for_selector(".result.waiting")
    expect(footer).to_contain_text(f"{built.year}년 {built.month}월 {built.day}일 색인")
    kept = {text for text in before & set(page.evaluate(SAID)) if foreign_to("ko", [text])}
    assert kept == set()
    current = page.locator("#languages a[aria-current]")
    expect(current).to_have_text("한국어")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text(ENGLISH["title"])
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_what_is_shown_is_shown_again_in_the_other_language(
    page: Page, starter: LookalikeFinder
) -> None:
    entries = read_actors(Settings().starter_people_path)
    upload(page, SIX_PEOPLE)
    matches(page).first.wait_for()
    answer = page.locator("#result [data-token]")
    of_everyone = answer.get_attribute("data-token") or ""
    page.locator("#filters").get_by_label("Women").check()
    expect(answer).not_to_have_attribute("data-token", of_everyone)
    page.locator(".scene label").nth(2).click()
    matches(page).nth(1).click()
    name = page.locator(".compare:visible h2").inner_text()
    (entry,) = [entry for entry in entries.values() if entry.name == name]

    page.get_by_role("link", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator(".compare:visible h2")).to_have_text(entry.names["ko"])
    expect(page.locator("section.one:visible")).to_have_attribute("data-face", "2")
    expect(page.locator("#filters").get_by_label("여자 배우")).to_be_checked()
    assert page.evaluate("sessionStorage.length") == 0
    assert foreign_to("ko", page.locator("#result").all_inner_texts()) == []
    page.locator("#make-card").click()
    expect(page.locator("#card img")).to_have_attribute(
        "alt", KOREAN["card_alt"].format(name=entry.names["ko"])
    )

    page.get_by_role("link", name="English").click()  # once more, with nothing sent in between
    expect(page.locator(".compare:visible h2")).to_have_text(name)
    page.reload()
    page.wait_for_selector(".result.waiting")


@pytest.mark.parametrize(
    ("locale", "query", "lang"),
    [
        ("de-DE", "", "en"),
        ("ko-KR", "?lang=en", "en"),
        ("en-US", "?lang=ko", "ko"),
        ("ko-KR", "?lang=tlh", "ko"),
    ],
)
def test_the_browser_decides_unless_the_address_does(
    visits: Visits, app: RunningApp, locale: str, query: str, lang: str
) -> None:
    page = visits.open(f"{app.url}{query}", locale=locale)
    words = {"en": ENGLISH, "ko": KOREAN}[lang]
    expect(page.locator("html")).to_have_attribute("lang", lang)
    expect(page.locator("h1")).to_have_text(words["title"])
    expect(page.locator(".result.waiting")).to_contain_text(words["waiting"])
    expect(page.locator("#example")).to_have_text(words["example"])
    expect(page.locator("#languages a[aria-current]")).to_have_attribute("lang", lang)


def test_actors_have_their_korean_names(korean_page: Page, starter: LookalikeFinder) -> None:
    entries = read_actors(Settings().starter_people_path)
    upload(korean_page, ASTRONAUT)
    expected = [
        entries[match.actor].names["ko"] for match in starter.find(ASTRONAUT).faces[0].matches
    ]
    assert all(HANGUL.search(name) for name in expected)
    expect(matches(korean_page).locator(".name")).to_have_text(expected)
    expect(korean_page.locator("#said")).to_contain_text(f"가장 닮은 배우: {expected[0]}.")
