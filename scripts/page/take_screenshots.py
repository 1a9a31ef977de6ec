"""Write a screenshot of every state of the page, for a person to look through.

In: a photo, by default the page's own example, and a gallery, by default the starter gallery:
nothing that could not be shown in public.
Out: `<state>-<width>-<light|dark>-<language>.png`, as long as the page is; cover.png, the README's
picture; index.html with all of them. A state that the gallery cannot show is left out: blending
asks for portraits. Needs Playwright and Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run by path, from any folder

import io
import tempfile
from dataclasses import dataclass
from html import escape
from typing import Any

from PIL import Image, ImageDraw, ImageFilter
from tqdm import tqdm

from core.errors import SettingsError
from scripts.cli import Parser, complain, path, run, tell

try:
    from playwright.sync_api import Browser

    from scripts.page.app import started_app
    from scripts.page.chromium import chromium
    from scripts.page.states import (
        PHOTO,
        SETTLED,
        STATES,
        NotInThisGalleryError,
        Pictures,
        State,
        open_state,
        state_named,
    )
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    complain(f"error: {missing} is missing; pip install -r requirements-dev.txt")
    sys.exit(2)

SIZES: dict[str, Any] = {  # CSS pixels
    "phone": {"width": 390, "height": 844},
    "desktop": {"width": 1280, "height": 800},
}
SCHEMES = ("light", "dark")
LOCALES = ("ko-KR", "en-US")
COVERED = state_named("result")
# The README's picture: a result on a desk and on a phone, side by side.
DESKTOP: dict[str, Any] = {"width": 1280, "height": 1100}  # as far down as the fifth match
PHONE: dict[str, Any] = {"width": 390, "height": 804}
CANVAS, GROUND = (1640, 1150), "#c9b8dd"
CORNER, SHADOW = 28, 24  # pixels
COLOURS = 256  # of a PNG small enough for a README


def main() -> int:
    """Exit status 0 if every picture was taken, 2 if none can be."""
    parser = Parser(description="Write a screenshot of every state of the page.")
    parser.add_argument("--out", type=path, default=path("screenshots"), help="default: here")
    parser.add_argument("--photo", type=path, default=PHOTO, help="default: the astronaut")
    parser.add_argument("--gallery", type=path, help="a dataset folder; default: the starter's")
    parser.add_argument("--only", action="append", metavar="STATE", help="may be repeated")
    args = parser.parse_args()
    states = chosen_states(args.only)
    if not args.photo.is_file():
        raise SettingsError(f"there is no photo {args.photo}")
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        taken = take_all(states, args.photo, args.gallery, args.out, Path(scratch))
    (args.out / "index.html").write_text(contact_sheet(taken), "utf-8")
    tell(f"{len(taken)} screenshots: {args.out / 'index.html'}")
    return 0


def chosen_states(names: list[str] | None) -> list[State]:
    """All, or those of the names.

    Raises:
        SettingsError: there is no such state.
    """
    known = {state.name: state for state in STATES}
    if unknown := [name for name in names or () if name not in known]:
        raise SettingsError(f"no state is called {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(STATES)


def take_all(
    states: list[State], photo: Path, gallery: Path | None, out: Path, scratch: Path
) -> list[Path]:
    """Every state in both sizes and schemes, the languages in turn; the files written."""
    pictures = Pictures.made_of(photo, scratch)
    taken: list[Path] = []
    with chromium(pictures.face, scratch) as browser, started_app(gallery, scratch) as url:
        studio = Studio(browser, url, pictures, out)
        for number, state in enumerate(tqdm(states, unit="state")):
            locales = LOCALES if number % 2 == 0 else LOCALES[::-1]
            for locale, scheme in zip(locales, SCHEMES, strict=True):
                taken += studio.take(state, locale, scheme)
        if COVERED in states:
            taken.append(out / "cover.png")
            cover(browser, url, pictures).save(taken[-1], optimize=True)
    return taken


@dataclass(frozen=True, eq=False)
class Studio:
    """Where the pictures are taken."""

    browser: Browser
    url: str
    pictures: Pictures
    out: Path

    def take(self, state: State, locale: str, scheme: str) -> list[Path]:
        """One state in both sizes; nothing where this gallery has no such state."""
        options: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce"}
        context = self.browser.new_context(locale=locale, permissions=["camera"], **options)
        files = []
        try:
            page = context.new_page()
            page.set_viewport_size(SIZES["phone"])
            open_state(page, self.url, state, self.pictures)
            for size in SIZES.values():
                page.set_viewport_size(size)
                page.evaluate(SETTLED)
                name = f"{state.name}-{size['width']}-{scheme}-{locale[:2]}.png"
                page.screenshot(path=self.out / name, full_page=True)
                files.append(self.out / name)
        except NotInThisGalleryError:
            tqdm.write(f"this gallery has no state {state.name}")
        finally:
            context.close()
        return files


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


def contact_sheet(files: list[Path]) -> str:
    """A page with every picture and its name."""
    figures = "".join(
        f'<figure><a href="{escape(file.name)}"><img src="{escape(file.name)}" alt=""></a>'
        f"<figcaption>{escape(file.stem)}</figcaption></figure>"
        for file in files
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lookalike</title>'
        "<style>body{font:14px system-ui;background:#888;display:flex;flex-wrap:wrap;gap:1rem;"
        "align-items:start}figure{margin:0}img{width:390px;display:block}</style></head>"
        f"<body>{figures}</body></html>"
    )


if __name__ == "__main__":
    run(main)
