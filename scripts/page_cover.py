"""The README's picture: a result on a desk and on a phone, side by side."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser

from scripts.page_states import Pictures, open_state, state_named

DESKTOP: dict[str, Any] = {"width": 1280, "height": 1100}  # as far down as the fifth match
PHONE: dict[str, Any] = {"width": 390, "height": 804}
CANVAS, GROUND = (1640, 1150), "#c9b8dd"
CORNER, SHADOW = 28, 24  # pixels
COLOURS = 256  # of a PNG small enough for a README


def cover(browser: Browser, url: str, pictures: Pictures) -> Image.Image:
    """A desktop in English and a phone in Korean, both with the same photo's answer."""
    desktop = _shot(browser, url, pictures, locale="en-US", viewport=DESKTOP, color_scheme="light")
    phone = _shot(browser, url, pictures, locale="ko-KR", viewport=PHONE, color_scheme="dark")
    canvas = Image.new("RGB", CANVAS, GROUND)
    _lay(canvas, desktop, (30, 30))
    _lay(canvas, phone, (CANVAS[0] - phone.width - 30, CANVAS[1] - phone.height - 30))
    palette = canvas.quantize(COLOURS)
    return canvas.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _shot(browser: Browser, url: str, pictures: Pictures, **visitor: Any) -> Image.Image:
    context = browser.new_context(reduced_motion="reduce", **visitor)
    page = context.new_page()
    open_state(page, url, state_named("result"), pictures)
    png = page.screenshot()
    context.close()
    return Image.open(io.BytesIO(png)).convert("RGB")


def _lay(canvas: Image.Image, shot: Image.Image, place: tuple[int, int]) -> None:
    """With rounded corners and a soft shadow."""
    mask = Image.new("L", shot.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, shot.width - 1, shot.height - 1), CORNER, 255)
    shade = Image.new("L", canvas.size, 0)
    shade.paste(mask.point(lambda value: value // 3), (place[0], place[1] + 8))
    canvas.paste("#2b1654", (0, 0), shade.filter(ImageFilter.GaussianBlur(SHADOW)))
    canvas.paste(shot, place, mask)
