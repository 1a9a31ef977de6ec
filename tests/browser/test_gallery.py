"""The page with a gallery of one's own: portraits, credits, and what may be said of a match."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from core.gallery.people import Filter
from core.index.verdict import CLOSE_RACE
from core.lookalike import LookalikeFinder
from tests.browser.galleries import COLLINS, CREDITED, DAMAGED, OwnGallery
from tests.browser.visits import DESK, Visits, matches, shown, upload
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.running_app import RunningApp

SAME_PHOTO = "This is the very photo in the gallery."
SAME_PERSON = "This may well be the same person."


def test_credits_stand_beside_the_portrait_and_a_tap_anywhere_on_the_row_chooses_it(
    own_page: Page, own_gallery: OwnGallery
) -> None:
    upload(own_page, own_gallery.portrait(CREDITED))
    expect(shown(own_page).locator("h2")).to_have_text(CREDITED)
    source = shown(own_page).locator("figcaption").nth(1)
    expect(source).to_have_text("Photo: Jane <b>Doe</b>, CC BY-SA 4.0")
    author = source.get_by_role("link", name="Jane <b>Doe</b>")
    expect(author).to_have_attribute("href", "https://example.org/3")
    licence = source.get_by_role("link", name="CC BY-SA 4.0")
    expect(licence).to_have_attribute("href", "https://example.org/by-sa")
    row = matches(own_page).filter(has_text=CREDITED)
    expect(row).to_contain_text("Photo: Jane <b>Doe</b>, CC BY-SA 4.0")
    before = len(own_page.context.pages)
    matches(own_page).nth(1).locator(".rank").click()
    matches(own_page).nth(0).locator("small").click()
    expect(shown(own_page).locator("h2")).to_have_text(CREDITED)
    assert len(own_page.context.pages) == before


def test_every_credit_is_on_the_credits_page(own_page: Page) -> None:
    with own_page.expect_popup() as opened:
        own_page.get_by_role("link", name="Credits and licences").click()
    popup = opened.value
    expect(popup.locator("h1")).to_have_text("Credits and licences")
    rows = popup.locator("main > ul").first.locator("li")
    expect(rows).to_have_text(
        [
            f"{COLLINS} — Photo: NASA, Public domain",
            f"{CREDITED} — Photo: Jane <b>Doe</b>, CC BY-SA 4.0",
        ]
    )
    expect(popup.get_by_role("link", name="NASA")).to_have_attribute(
        "href", "https://example.org/nasa"
    )
    popup.close()


def test_portraits_are_small_pictures_of_twice_the_size_they_are_shown_at(
    visits: Visits, own_app: RunningApp
) -> None:
    page = visits.open(own_app.url, size=DESK)
    upload(page, ASTRONAUT)
    large = shown(page).locator(".pair img").nth(1)
    small = matches(page).locator(".face img").first
    for picture, bytes_at_most in ((large, 60_000), (small, 9_000)):
        page.wait_for_function("image => image.complete", arg=picture.element_handle())
        natural, width = picture.evaluate(
            "image => [image.naturalWidth, image.getBoundingClientRect().width]"
        )
        assert 2 * width <= natural <= 3 * width
        answer = page.request.get(picture.evaluate("image => image.src"))
        assert answer.headers["content-type"] == "image/webp"
        assert len(answer.body()) < bytes_at_most
        assert Image.open(io.BytesIO(answer.body())).format == "WEBP"


def test_a_portrait_damaged_since_its_enrolment_gives_way_to_the_monogram(
    own_page: Page, own_gallery: OwnGallery
) -> None:
    upload(own_page, SIX_PEOPLE)
    shown(own_page)
    own_page.locator(".group li", has_text=DAMAGED).first.locator("button").click()
    expect(shown(own_page).locator("h2")).to_have_text(DAMAGED)
    frame = shown(own_page).locator(".pair .face").nth(1)
    expect(frame.locator("img")).to_be_hidden()
    expect(frame.locator(".monogram")).to_have_text("배5")
    expect(frame.locator(".monogram")).to_be_visible()
    intact = own_page.locator(".one:visible .matches .face").filter(
        has=own_page.locator("img:visible")
    )
    expect(intact).to_have_count(4)


def test_without_portraits_there_are_monograms_and_a_way_to_look_up(page: Page) -> None:
    upload(page, ASTRONAUT)
    name = shown(page).locator("h2").inner_text()
    frame = shown(page).locator(".pair .face").nth(1)
    initials = "".join(part[0] for part in (name.split()[0], name.split()[-1])).upper()
    expect(frame).to_have_text(initials)
    expect(frame).to_have_attribute("aria-label", f"No portrait of {name} in this gallery")
    link = shown(page).get_by_role("link", name=f"Look up {name}")
    expect(link).to_have_attribute("href", re.compile(r"^https://en\.wikipedia\.org/"))
    expect(page.locator(".result .pair img")).to_have_count(5)  # the visitor's own, five times


def test_the_very_photo_and_another_of_the_same_person_are_told_and_the_score_is_rough(
    own_page: Page, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.jpg"
    Image.open(ASTRONAUT).convert("RGB").resize((400, 400)).save(copy, quality=80)
    upload(own_page, copy)
    expect(shown(own_page).locator("h2")).to_have_text(COLLINS)
    expect(shown(own_page).locator(".meaning")).to_have_text(SAME_PHOTO)
    expect(shown(own_page)).to_contain_text("A small gallery: take the score as rough.")
    own_page.get_by_label("Remove photo").click()
    own_page.wait_for_selector(".result.waiting")
    hidden = tmp_path / "hidden.png"
    image = Image.open(ASTRONAUT).convert("RGB")
    ImageDraw.Draw(image).rectangle((180, 130, 270, 190), fill="black")  # a scarf over the mouth
    image.save(hidden)
    upload(own_page, hidden)
    expect(shown(own_page).locator("h2")).to_have_text(COLLINS)
    expect(shown(own_page).locator(".meaning")).to_have_text(SAME_PERSON)


def test_a_close_race_is_told_and_only_that(page: Page, starter: LookalikeFinder) -> None:
    upload(page, SIX_PEOPLE)  # two of them have two women nearly as close
    shown(page)
    page.locator("#filters").get_by_label("Women").check()
    told = []
    for number, face in enumerate(starter.find(SIX_PEOPLE, None, Filter("women")).faces):
        page.locator(".scene label").nth(number).click()
        first, second = face.matches[:2]
        close = first.similarity - second.similarity < CLOSE_RACE
        line = f"A close race: {second.actor} is nearly as close."
        expect(shown(page).locator("h2")).to_have_text(first.actor)
        expect(shown(page).get_by_text("A close race")).to_have_count(int(close))
        expect(shown(page).get_by_text(line)).to_have_count(int(close))
        told.append(close)
    assert True in told
    assert False in told


def test_the_footer_tells_gallery_and_model_and_without_data_there_are_no_filters(
    own_page: Page,
) -> None:
    expect(own_page.locator("#filters")).to_be_hidden()
    footer = own_page.locator("#footer")
    expect(footer).to_contain_text("7 actors")
    expect(footer).to_contain_text("model SFace (Apache-2.0, CC0-1.0)")
    expect(footer).to_contain_text(re.compile(r"indexed on [A-Z][a-z]+ \d{1,2}, 20\d\d"))
    expect(footer).to_contain_text("For fun only")
