"""The share card: its picture, saved or handed to the system's share sheet."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from core.card.layout import HEIGHT, LEFT_TILE, RIGHT_TILE, WIDTH
from tests.browser.galleries import DAMAGED
from tests.browser.visits import Visits, matches, shown, upload
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.running_app import RunningApp

INNER = np.s_[90:440, 80:340]  # of a tile: neither corners nor label nor badge
BETWEEN = (LEFT_TILE[3] + 120, HEIGHT - 150)  # rows of name and sentence
SHARE_SHEET = """
    navigator.canShare = data => Boolean(data.files?.length);
    navigator.share = async data => {
        const file = data.files[0];
        const bytes = [...new Uint8Array(await file.arrayBuffer())].slice(0, 8);
        window.shared = {name: file.name, type: file.type, size: file.size, text: data.text, bytes};
    };
"""
PNG = [137, 80, 78, 71, 13, 10, 26, 10]


def make_card(page: Page) -> Locator:
    page.get_by_role("button", name="Make a picture to share").click()
    card = page.locator("#card .card")
    card.wait_for()
    return card


def save(page: Page, folder: Path) -> NDArray[np.float64]:
    """The card as a visitor saves it, (1350, 1080, 3) 0-255."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Save picture").click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    with Image.open(file) as image:
        assert image.format == "PNG"
        assert image.size == (WIDTH, HEIGHT) == (1080, 1350)
        return np.asarray(image.convert("RGB"), np.float64)


def on_show(page: Page, number: int) -> NDArray[np.float64]:
    """A picture of the comparison on show, as large as a tile of the card."""
    address = shown(page).locator(".pair img").nth(number).evaluate("image => image.src")
    if address.startswith("data:"):
        encoded = base64.b64decode(address.split(",")[1])
    else:
        encoded = page.request.get(address).body()
    size = LEFT_TILE[2] - LEFT_TILE[0], LEFT_TILE[3] - LEFT_TILE[1]
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS), np.float64)


def tile(card: NDArray[np.float64], box: tuple[int, int, int, int]) -> NDArray[np.float64]:
    return card[box[1] : box[3], box[0] : box[2]]


def apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(one[INNER] - other[INNER]).mean())


def test_the_card_shows_the_faces_that_are_compared(own_page: Page, tmp_path: Path) -> None:
    upload(own_page, ASTRONAUT)
    row = matches(own_page).filter(has_not_text=DAMAGED).nth(1)
    rank = row.locator(".rank").inner_text()
    row.locator(".rank").click()
    expect(shown(own_page).locator(".place")).to_have_text(f"No. {rank}")
    name = shown(own_page).locator("h2").inner_text()
    card = make_card(own_page)
    expect(card.locator("img")).to_have_attribute("alt", f"A picture to share: you beside {name}")
    saved = save(own_page, tmp_path)
    assert apart(tile(saved, LEFT_TILE), on_show(own_page, 0)) < 4
    assert apart(tile(saved, RIGHT_TILE), on_show(own_page, 1)) < 4
    assert apart(tile(saved, LEFT_TILE), on_show(own_page, 1)) > 20  # this tells faces apart


def test_the_card_is_of_the_chosen_face(page: Page, tmp_path: Path) -> None:
    upload(page, SIX_PEOPLE)
    shown(page)
    page.get_by_role("button", name="Face 3").click()
    matches(page).nth(1).click()
    name = shown(page).locator("h2").inner_text()
    expect(make_card(page).locator("img")).to_have_attribute("alt", re.compile(f"{name}$"))
    assert apart(tile(save(page, tmp_path), LEFT_TILE), on_show(page, 0)) < 4


def test_name_and_sentence_are_written_on_the_card_and_the_file_is_named_after_the_actor(
    page: Page, tmp_path: Path
) -> None:
    upload(page, ASTRONAUT)
    texts = []
    for number in (0, 1):
        matches(page).nth(number).click()
        name = shown(page).locator("h2").inner_text()
        make_card(page)
        folder = tmp_path / str(number)
        folder.mkdir()
        text = save(page, folder)[slice(*BETWEEN)].min(axis=2) > 200
        file = f"lookalike-{name.replace(' ', '-')}.png"
        assert [path.name for path in folder.iterdir()] == [file]
        rows = np.flatnonzero(text.any(axis=1))
        assert text.mean() > 0.01
        assert rows.max() - rows.min() > 100  # more than a line
        assert not text[:, :40].any()
        assert not text[:, -40:].any()
        texts.append(text)
    assert (texts[0] != texts[1]).mean() > 0.01


def test_where_the_browser_has_a_share_sheet_it_gets_the_picture(
    visits: Visits, app: RunningApp
) -> None:
    page = visits.open(app.url, script=SHARE_SHEET)
    upload(page, ASTRONAUT)
    name = shown(page).locator("h2").inner_text()
    card = make_card(page)
    card.get_by_role("button", name="Share").click()
    page.wait_for_function("window.shared")
    shared = page.evaluate("window.shared")
    assert shared["type"] == "image/png"
    assert shared["bytes"] == PNG
    assert shared["size"] > 50_000
    assert shared["name"].endswith(".png")
    assert shared["text"] == f"I look like {name}, says Lookalike."


def test_without_a_share_sheet_there_is_no_share_button(visits: Visits, app: RunningApp) -> None:
    page = visits.open(app.url, script="delete Navigator.prototype.canShare;")
    upload(page, ASTRONAUT)
    shown(page)
    card = make_card(page)
    expect(card.get_by_role("link", name="Save picture")).to_be_visible()
    expect(card.locator(".share")).to_be_hidden()


def test_there_is_no_card_without_a_result_and_one_of_something_else_does_not_stay(
    page: Page,
) -> None:
    button = page.get_by_role("button", name="Make a picture to share")
    expect(button).to_be_disabled()
    upload(page, ASTRONAUT)
    shown(page)
    card = make_card(page)
    matches(page).nth(3).click()
    expect(card).to_be_hidden()
    make_card(page)
    page.get_by_label("Remove photo").click()
    expect(card).to_be_hidden()
    expect(button).to_be_disabled()
