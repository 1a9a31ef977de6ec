"""The share card's shapes: background, framed pictures, monogram, badge and pill."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageOps

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels

NIGHT: Colour = (0x1B, 0x10, 0x33)
PLUM: Colour = (0x3B, 0x1D, 0x5E)
ROSE: Colour = (0xC2, 0x3B, 0x86)
CORAL: Colour = (0xFF, 0x7A, 0x59)
GOLD: Colour = (0xFF, 0xD1, 0x66)
WHITE: Colour = (255, 255, 255)
LILAC: Colour = (0xCF, 0xC3, 0xE6)  # quiet text: 7:1 or more on PLUM

SMOOTH = 4  # masks are drawn this many times larger, then reduced: Pillow's edges are jagged
FACE_HEIGHT = 0.43  # of a picture's height: kept in the middle where a picture must be cut


@lru_cache(maxsize=1)
def background(width: int, height: int) -> Image.Image:
    """Night to plum from top to bottom, with a rosy glow behind the faces. Not to be drawn on."""
    image = gradient(width, height, NIGHT, PLUM)
    side = round(width * 1.5)
    glow = ImageChops.invert(Image.radial_gradient("L")).resize((side, side))
    faint = glow.point(lambda value: max(0, value - 60) // 4)
    image.paste(ROSE, ((width - side) // 2, round(height * 0.33) - side // 2), faint)
    return image


def gradient(width: int, height: int, first: Colour | str, last: Colour) -> Image.Image:
    """One colour on top that becomes another at the bottom."""
    ramp = Image.linear_gradient("L").resize((1, height)).resize((width, height))
    return Image.composite(
        Image.new("RGB", (width, height), last), Image.new("RGB", (width, height), first), ramp
    )


def place_picture(image: Image.Image, picture: Image.Image, box: Box, radius: int) -> None:
    """A picture that fills a box with round corners; what stands over is cut off."""
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    filling = ImageOps.fit(picture.convert("RGB"), size, centering=(0.5, FACE_HEIGHT))
    image.paste(filling, (left, top), rounded_mask(size, radius))


def monogram_tile(width: int, height: int, hue: int) -> Image.Image:
    """A ground for initials: the hue that the page gives the actor, darkening to plum."""
    own = f"hsl({hue},55%,32%)"
    ground = Image.new("RGB", (width, height), own)
    return Image.blend(ground, gradient(width, height, own, PLUM), 2 / 3)


def place_badge(image: Image.Image, centre: tuple[int, int], radius: int, ring: int) -> None:
    """A gold-to-coral disc, with a dark ring that parts it from the pictures under it."""
    x, y = centre
    disc = gradient(2 * radius, 2 * radius, GOLD, CORAL)
    for picture, reach in ((Image.new("RGB", (1, 1), NIGHT), radius + ring), (disc, radius)):
        place_picture(image, picture, (x - reach, y - reach, x + reach, y + reach), reach)


def place_pill(image: Image.Image, box: Box, padding: tuple[int, int]) -> None:
    """A dark, slightly transparent ground for a label on a picture, some pixels larger."""
    across, down = padding
    left, top = box[0] - across, box[1] - down
    size = (box[2] + across - left, box[3] + down - top)
    mask = rounded_mask(size, size[1] // 2).point(lambda value: value * 4 // 5)
    image.paste(NIGHT, (left, top), mask)


@lru_cache(maxsize=16)
def rounded_mask(size: tuple[int, int], radius: int) -> Image.Image:
    """A mask of a box with round corners. Not to be drawn on."""
    large = Image.new("L", (size[0] * SMOOTH, size[1] * SMOOTH))
    corner = (size[0] * SMOOTH - 1, size[1] * SMOOTH - 1)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, *corner), radius * SMOOTH, 255)
    return large.reduce(SMOOTH)
