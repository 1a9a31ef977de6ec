"""The page as a whole: what it tells of itself, whom it asks, and many visitors at once."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from core.lookalike import LookalikeFinder
from tests.browser.visits import DESK, PHONE, Visits, matches, shown, upload
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.running_app import RunningApp


def test_a_visitor_is_told_of_the_gallery_and_of_the_photos_fate(page: Page) -> None:
    expect(page.locator("h1")).to_have_text("Which actor do you look like?")
    banner = page.locator(".block.banner")
    expect(banner).to_have_count(1)
    expect(banner).to_contain_text("starter gallery: 712 actors, without portraits")
    expect(banner).to_contain_text("python scripts/download_dataset.py")
    for words in ("712 actors", "model SFace (Apache-2.0, CC0-1.0)", "For fun only"):
        expect(page.locator("#footer")).to_contain_text(words)
    expect(page.locator("#privacy")).to_contain_text("deleted about 60 seconds later")
    for part in ("#make-card", "#filters"):  # of use later, and nothing moves when they are
        expect(page.locator(part)).to_be_visible()


def test_a_gallery_with_the_embedded_model_tells_how_to_get_the_other(own_page: Page) -> None:
    banner = own_page.locator(".block.banner")
    expect(banner).to_have_count(1)
    expect(banner).to_contain_text("python scripts/download_models.py gets AuraFace")


def test_the_page_has_its_own_icon_manifest_and_preview(page: Page) -> None:
    def attribute(selector: str, name: str) -> str:
        return page.locator(selector).first.get_attribute(name) or ""

    assert page.title() == "Lookalike"
    assert attribute("meta[property='og:title']", "content") == "Which actor do you look like?"
    assert page.locator("meta[property^='og:'], meta[name^='twitter:']").count() >= 3
    for selector in ("link[rel=manifest]", "link[rel=apple-touch-icon]", "link[rel*=icon]"):
        address = page.locator(selector).first.evaluate("link => link.href")
        assert page.request.get(address).ok, address
    manifest = page.request.get(page.url.rstrip("/") + "/app.webmanifest").json()
    assert manifest["display"] == "standalone"


def test_several_visitors_at_once_get_their_own_answers(
    visits: Visits, app: RunningApp, starter: LookalikeFinder, tmp_path: Path
) -> None:
    photos = {"astronaut": Image.open(ASTRONAUT)}
    for number, entry in enumerate(starter.find(SIX_PEOPLE).faces[:2]):
        x1, y1, x2, y2 = entry.face.detection.box
        photos[str(number)] = Image.open(SIX_PEOPLE).crop(
            (round(x1) - 30, round(y1) - 40, round(x2) + 30, round(y2) + 40)
        )
    browsers = [("en-US", PHONE), ("en-US", DESK), ("en-GB", PHONE)]  # each with its own cookies
    expected, pages = [], []
    for (name, picture), (locale, size) in zip(photos.items(), browsers, strict=True):
        file = tmp_path / f"{name}.png"
        picture.save(file)
        found = starter.find(file).faces[0].matches
        expected.append([starter.people.name(match.actor, "en") for match in found])
        pages.append((visits.open(app.url, locale=locale, size=size), file))
    assert len({names[0] for names in expected}) >= 2, "choose faces that differ"
    for page, file in pages:
        upload(page, file)  # none waits for another's answer
    for (page, _), names in zip(pages, expected, strict=True):
        expect(matches(page).locator(".name")).to_have_text(names)


def test_neither_browser_nor_server_asks_another_machine(
    visits: Visits, app: RunningApp, page: Page
) -> None:
    """Every other test's pages are watched in the same way; see the fixture `visits`."""
    app.outside_connections()
    page.locator("#example").click()
    shown(page)
    page.locator("#make-card").click()
    page.wait_for_selector("#card .card")
    assert len(visits.addresses) > 10
    assert visits.foreign() == []
    assert app.outside_connections() == []


def test_the_watch_over_requests_would_notice_one_and_the_page_may_make_none(
    visits: Visits, page: Page
) -> None:
    elsewhere = "fetch('https://example.org/font.woff2').catch(error => error.name)"
    assert page.evaluate(elsewhere) == "TypeError"
    assert visits.foreign() == []
    other = page.context.new_page()
    other.evaluate(elsewhere)
    other.close()
    assert visits.foreign() == ["https://example.org/font.woff2"]
    visits.addresses.clear()
