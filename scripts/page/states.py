"""Every state the page can be in and how a visitor gets there, for screenshots and for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps
from playwright.sync_api import Page

from core.settings import ROOT

PATIENCE = 30_000  # milliseconds; a busy machine
PHOTO = ROOT / "core" / "page" / "examples" / "astronaut.jpg"  # NASA, public domain


@dataclass(frozen=True)
class Pictures:
    """Files a visitor might show, all made of one photo."""

    face: Path
    dark: Path  # too little light
    group: Path  # the same face three times
    blank: Path  # nobody
    unreadable: Path

    @staticmethod
    def made_of(photo: Path, folder: Path) -> Pictures:
        """Write them into `folder`."""
        with Image.open(photo) as opened:
            face = ImageOps.exif_transpose(opened).convert("RGB")
        face.thumbnail((512, 512))
        face.save(folder / "face.jpg", quality=95)
        ImageEnhance.Brightness(face).enhance(0.12).save(folder / "dark.jpg")
        _group(face).save(folder / "group.jpg", quality=92)
        Image.new("RGB", (480, 360), "steelblue").save(folder / "blank.png")
        (folder / "unreadable.jpg").write_text("not a picture")
        names = ("face.jpg", "dark.jpg", "group.jpg", "blank.png", "unreadable.jpg")
        return Pictures(*(folder / name for name in names))


def _group(face: Image.Image) -> Image.Image:
    """Mirrored and in three sizes, so that each is a face of its own to the page."""
    sizes = (0.8, 1.0, 0.62)
    group = Image.new("RGB", (round(sum(sizes) * face.width), face.height), "#8794a8")
    left = 0
    for place, size in enumerate(sizes):
        one = ImageOps.scale(ImageOps.mirror(face) if place % 2 else face, size)
        group.paste(one, (left, face.height - one.height))
        left += one.width
    return group


@dataclass(frozen=True)
class State:
    """A state, and the way there from the freshly opened page."""

    name: str
    reach: Callable[[Page, Pictures], None]
    path: str = ""  # relative to the app's address


class NotInThisGalleryError(Exception):
    """The gallery has no portraits, or no genders, and so the page has no such state."""


def show(page: Page, photo: Path) -> None:
    """Hand a photo in and wait for what the page says of it."""
    page.set_input_files("#photo input[type=file]", photo)
    page.wait_for_selector(".result:is(.shown, .problem)", timeout=PATIENCE)


def choose_match(page: Page, rank: int) -> None:
    """Tap one of the matches of the face on show; `rank` from 1."""
    page.locator(".matches label:visible").nth(rank - 1).click()


def _second(page: Page, pictures: Pictures) -> None:
    show(page, pictures.face)
    choose_match(page, 2)


def _blend(page: Page, pictures: Pictures) -> None:
    show(page, pictures.face)
    if not page.locator(".blend:visible").count():
        raise NotInThisGalleryError
    page.locator(".blend:visible summary").click()


def _group_second(page: Page, pictures: Pictures) -> None:
    show(page, pictures.group)
    page.locator(".scene label").nth(1).click()


def _filtered(page: Page, pictures: Pictures) -> None:
    show(page, pictures.face)
    if not page.locator("#filters input[type=radio]").count():
        raise NotInThisGalleryError
    token = page.locator(".result").get_attribute("data-token")
    page.locator("#filters input[type=radio]").nth(2).click()
    page.wait_for_selector(f".result:not([data-token='{token}'])", timeout=PATIENCE)


def _card(page: Page, pictures: Pictures) -> None:
    show(page, pictures.face)
    page.click("#make-card")
    page.wait_for_selector(".card img", timeout=PATIENCE)


def _alike(page: Page, pictures: Pictures) -> None:
    show(page, pictures.face)
    asked = page.locator(".alike button:visible")
    if not asked.count():
        raise NotInThisGalleryError
    asked.click()
    page.wait_for_selector(".alike p:not(:empty):visible", timeout=PATIENCE)


def _alike_card(page: Page, pictures: Pictures) -> None:
    _alike(page, pictures)
    page.click("#make-card")
    page.wait_for_selector(".card img", timeout=PATIENCE)


def _camera(page: Page, pictures: Pictures) -> None:
    page.locator("#photo .source-selection button").nth(1).click()
    page.wait_for_selector("#photo video", timeout=PATIENCE)


def _live(page: Page, pictures: Pictures) -> None:
    page.locator("button[role=tab]").nth(1).click()
    page.wait_for_selector("#camera video", timeout=PATIENCE)


def _live_running(page: Page, pictures: Pictures) -> None:
    _live(page, pictures)
    page.locator("#camera .capture-button").first.click()
    page.wait_for_selector(".live[data-actor]", timeout=PATIENCE)


STATES = (
    State("waiting", lambda page, pictures: None),
    State("result", lambda page, pictures: show(page, pictures.face)),
    State("second-match", _second),
    State("blend", _blend),
    State("several-faces", lambda page, pictures: show(page, pictures.group)),
    State("second-face", _group_second),
    State("filtered", _filtered),
    State("coaching", lambda page, pictures: show(page, pictures.dark)),
    State("no-face", lambda page, pictures: show(page, pictures.blank)),
    State("bad-file", lambda page, pictures: show(page, pictures.unreadable)),
    State("alike", _alike),
    State("share-card", _card),
    State("share-card-alike", _alike_card),
    State("camera", _camera),
    State("live", _live),
    State("live-running", _live_running),
    State("credits", lambda page, pictures: None, path="credits"),
)


def open_state(page: Page, url: str, state: State, pictures: Pictures) -> None:
    """Go to a state and wait until nothing on the page moves any more.

    Raises:
        NotInThisGalleryError: it has no such state.
    """
    page.goto(url + state.path)
    if not state.path:
        page.wait_for_selector(".result.waiting", timeout=PATIENCE)
    state.reach(page, pictures)
    page.evaluate(SETTLED)


# Pictures decoded and animations over, as far as they ever end.
SETTLED = """async () => {
  const seen = [...document.images].filter(image => image.getClientRects().length);
  const moving = document.getAnimations()
    .filter(one => one.effect.getTiming().iterations < Infinity);
  const all = [...seen.map(image => image.decode()), ...moving.map(one => one.finished)];
  const pause = seconds => new Promise(done => setTimeout(done, 1000 * seconds));
  await Promise.race([Promise.allSettled(all), pause(2)]);
  await pause(0.3);
}"""


def state_named(name: str) -> State:
    """One of STATES."""
    return next(state for state in STATES if state.name == name)
