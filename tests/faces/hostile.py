"""Makes files as nobody should send them: cut, flipped, swollen, disguised; the same every time.

    python -m tests.faces.hostile FOLDER        writes them all

Most have a face in them somewhere, so that what is read although it is odd can be told.
"""

from __future__ import annotations

import io
import random
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pillow_heif  # noqa: F401 - its encoder is registered by core.faces.photo
from PIL import Image, ImageCms
from skimage import data

import core.faces.photo  # noqa: F401 - registers HEIF

File = tuple[str, bytes]
SUFFIXES = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
    "HEIF": "heic",
}
ORIENTATION = 0x0112
FLIPS, CUTS = 8, 6  # a kind of picture


@cache
def face() -> Image.Image:
    """A face that is found, small enough to be tried hundreds of times."""
    path = Path(data.__file__).parent / "astronaut.png"
    with Image.open(path) as image:
        return image.convert("RGB").crop((100, 0, 350, 250))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def hostile_files() -> Iterator[File]:
    """All of them: a name, unlike any other's, and the bytes."""
    for make in (cut, flipped, swollen, shaped, moving, modes, exif, profiles, disguised, others):
        yield from make()


def cut() -> Iterator[File]:
    """At every kind of boundary, one byte before and after it, and somewhere between."""
    for kind, suffix in SUFFIXES.items():
        whole = encoded(face(), kind)
        ends = boundaries(whole, kind)
        places = {0, 1, 2, 11, 12, 13, len(whole) - 2, len(whole) - 1}
        for end in ends[:3] + ends[-2:]:
            places |= {end - 1, end, end + 1}
        places |= {len(whole) * part // CUTS for part in range(1, CUTS)}
        for place in sorted(place for place in places if 0 <= place < len(whole)):
            yield f"cut-{suffix}-{place}.{suffix}", whole[:place]
        yield f"longer-{suffix}.{suffix}", whole + b"\0" * 1000
        yield f"twice-{suffix}.{suffix}", whole + whole
        middle = len(whole) // 2
        yield f"hole-{suffix}.{suffix}", whole[:middle] + whole[middle + 100 :]


def boundaries(whole: bytes, kind: str) -> list[int]:
    """Where a picture's parts end: segments, chunks, boxes."""
    ends, place = [], {"JPEG": 2, "PNG": 8, "WEBP": 12}.get(kind, 0)
    while place + 8 <= len(whole):
        if kind == "JPEG":
            length = 2 + int.from_bytes(whole[place + 2 : place + 4], "big")
        elif kind == "PNG":
            length = 12 + int.from_bytes(whole[place : place + 4], "big")
        elif kind == "WEBP":
            length = 8 + int.from_bytes(whole[place + 4 : place + 8], "little")
        elif kind in ("AVIF", "HEIF"):
            length = int.from_bytes(whole[place : place + 4], "big")
        else:
            return [6, 10, 13, 14, 54, 8]  # heads of GIF, BMP and TIFF
        place += max(length, 4)
        ends.append(place)
        if kind == "JPEG" and whole[place - length + 1 : place - length + 2] == b"\xda":
            break  # the picture itself comes
    return ends


def flipped() -> Iterator[File]:
    """Single bits, bytes of the head, and stretches of noise."""
    choice = random.Random(7)
    for kind, suffix in SUFFIXES.items():
        whole = encoded(face(), kind)
        for number in range(FLIPS):
            damaged = bytearray(whole)
            reach = 64 if number % 2 else len(whole)
            for _ in range(1 + number):
                damaged[choice.randrange(reach)] ^= 1 << choice.randrange(8)
            yield f"flipped-{suffix}-{number}.{suffix}", bytes(damaged)
        for start in (16, len(whole) // 3, len(whole) * 2 // 3):
            noise = choice.randbytes(40)
            yield f"noise-{suffix}-{start}.{suffix}", whole[:start] + noise + whole[start + 40 :]
        yield f"filled-{suffix}.{suffix}", whole[:40] + b"\xff" * (len(whole) - 40)


def swollen() -> Iterator[File]:
    """Few bytes that would become many."""
    for side in (7000, 7071, 7072, 13000, 65500):
        yield f"bomb-{side}.png", png_of(side, side, rows=10_000)
    yield "bomb-claimed.png", png_of(2**31 - 1, 2**31 - 1, rows=1)
    yield "bomb-wide.png", png_of(2**31 - 1, 1, rows=1)
    for colour, name in ((0, "grey"), (2, "colours"), (6, "seen-through")):
        yield f"bomb-16-{name}.png", png_of(7000, 7000, depth=16, colour=colour)
    flat = Image.new("F", (7000, 7000), 0.5)
    yield "bomb-floats.tif", encoded(flat, "TIFF", compression="tiff_deflate")
    yield "bomb-text.png", with_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 10**8, 9))
    itxt = b"a\0\1\0\0\0" + zlib.compress(b"x" * 10**8, 9)
    yield "bomb-itext.png", with_chunk(b"iTXt", itxt)
    yield "bomb-profile.png", with_chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x" * 10**8, 9))
    many = b"".join(chunk(b"tEXt", b"k%d\0v" % number) for number in range(50_000))
    yield "many-texts.png", with_raw(many)
    for kind, side in (("WEBP", 16000), ("GIF", 20000), ("JPEG", 20000), ("TIFF", 9000)):
        options = {"TIFF": {"compression": "tiff_deflate"}, "WEBP": {"method": 0}}.get(kind, {})
        plain = Image.new("L", (side, side // 4))
        yield f"bomb-{kind.lower()}.{SUFFIXES[kind]}", encoded(plain, kind, **options)
        fits = Image.new("L", (7000, 7000))
        yield f"just-{kind.lower()}.{SUFFIXES[kind]}", encoded(fits, kind, **options)
    gif = bytearray(encoded(face(), "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    yield "bomb-screen.gif", bytes(gif)
    jpeg = bytearray(encoded(face(), "JPEG"))
    size = jpeg.find(b"\xff\xc0") + 5
    jpeg[size : size + 4] = struct.pack(">HH", 7000, 7000)
    yield "claimed-size.jpg", bytes(jpeg)
    jpeg[size : size + 4] = struct.pack(">HH", 65535, 65535)
    yield "bomb-claimed.jpg", bytes(jpeg)
    for scans in (40, 400, 20_000):
        yield f"scans-{scans}.jpg", many_scans(7000, 7000, scans)
    bmp = bytearray(encoded(face(), "BMP"))
    for name, sides in (
        ("claimed", (7000, 7000)),
        ("bomb", (30000, 30000)),
        ("minus", (250, -250)),
    ):
        bmp[18:26] = struct.pack("<ii", *sides)
        yield f"{name}.bmp", bytes(bmp)
    for tag in (256, 257, 258, 277, 278, 279, 322, 323):
        yield f"tiff-{tag}.tif", tiff_with(tag, 2**31 - 1)
        yield f"tiff-{tag}-0.tif", tiff_with(tag, 0)
    yield "tiff-loop.tif", tiff_in_a_circle()


def chunk(name: bytes, content: bytes) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png_of(wide: int, high: int, depth: int = 8, colour: int = 0, rows: int = 10**5) -> bytes:
    """One colour, and no more rows than these, whatever size is claimed."""
    line = 1 + max(1, min(wide, 10**6)) * depth // 8 * {0: 1, 2: 3, 6: 4}[colour]
    packer = zlib.compressobj(9)
    packed = [packer.compress(bytes(line)) for _ in range(min(high, rows))]
    content = b"".join(packed) + packer.flush()
    head = struct.pack(">IIBBBBB", wide, high, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", content) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def with_raw(parts: bytes) -> bytes:
    """A good PNG with more between its head and its picture."""
    whole = encoded(face(), "PNG")
    return whole[:33] + parts + whole[33:]


def with_chunk(name: bytes, content: bytes) -> bytes:
    return with_raw(chunk(name, content))


def many_scans(wide: int, high: int, scans: int) -> bytes:
    """A progressive JPEG whose every scan goes over all of a large picture again."""
    whole = encoded(Image.new("L", (wide, high)), "JPEG", progressive=True)
    first = whole.find(b"\xff\xda")
    last = whole.rfind(b"\xff\xda")
    return whole[:first] + whole[first:last] + whole[last:-2] * scans + whole[-2:]


def tiff_with(tag: int, value: int) -> bytes:
    """A TIFF one of whose numbers is not true."""
    whole = bytearray(encoded(face(), "TIFF"))
    entries = struct.unpack_from("<I", whole, 4)[0]
    for place in range(
        entries + 2, entries + 2 + 12 * struct.unpack_from("<H", whole, entries)[0], 12
    ):
        if struct.unpack_from("<H", whole, place)[0] == tag:
            whole[place + 2 : place + 12] = struct.pack("<HII", 4, 1, value)
    return bytes(whole)


def tiff_in_a_circle() -> bytes:
    """The next picture's place is this one's own."""
    whole = bytearray(encoded(face(), "TIFF"))
    start = struct.unpack_from("<I", whole, 4)[0]
    after = start + 2 + 12 * struct.unpack_from("<H", whole, start)[0]
    whole[after : after + 4] = struct.pack("<I", start)
    return bytes(whole)


def shaped() -> Iterator[File]:
    """Sizes and shapes that nobody photographs."""
    sizes = [(1, 1), (2, 2), (1, 500), (500, 1), (30000, 2), (2, 30000), (16383, 3), (3, 3000)]
    for kind in ("PNG", "JPEG", "WEBP"):
        for wide, high in sizes:
            if kind != "WEBP" or max(wide, high) < 16384:
                name = f"shape-{wide}x{high}.{SUFFIXES[kind]}"
                yield name, encoded(face().resize((wide, high)), kind)
    for kind in ("GIF", "BMP", "TIFF", "AVIF", "HEIF"):
        yield f"tiny.{SUFFIXES[kind]}", encoded(face().resize((1, 1)), kind)
    large = face().resize((8000, 6000), Image.Resampling.BILINEAR)
    yield "48-megapixels.jpg", encoded(large, "JPEG", quality=60)
    yield "48-megapixels-progressive.jpg", encoded(large, "JPEG", quality=60, progressive=True)
    yield "60-megapixels.jpg", encoded(Image.new("RGB", (10000, 6000)), "JPEG", quality=10)
    yield "60-megapixels.png", png_of(10000, 6000)
    for colour in ("black", "white", "red"):
        yield f"plain-{colour}.png", encoded(Image.new("RGB", (640, 480), colour), "PNG")
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    yield "noise.png", encoded(Image.fromarray(noise), "PNG")
    tiles = Image.new("RGB", (2500, 2500))
    for place in range(100):
        tiles.paste(face(), (place % 10 * 250, place // 10 * 250))
    yield "hundred-faces.jpg", encoded(tiles, "JPEG")


def moving() -> Iterator[File]:
    """Many frames, or frames of different kinds."""
    empty = Image.new("RGB", face().size, "white")
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        suffix = SUFFIXES[kind]
        rows = {"face-first": [face(), empty], "face-last": [empty, face()]}
        for name, (first, *later) in rows.items():
            whole = encoded(first, kind, save_all=True, append_images=later)
            yield f"{name}.{suffix}", whole
            yield f"{name}-cut.{suffix}", whole[: len(whole) * 3 // 4]
        small = [Image.new("RGB", (9, 9), (number, 0, 0)) for number in range(200)]
        yield (
            f"200-frames.{suffix}",
            encoded(small[0], kind, save_all=True, append_images=small[1:]),
        )
    one = encoded(Image.new("P", (4000, 4000)), "GIF")
    frame = one[one.index(b"\x2c") : -1]  # from the mark of a frame to the end mark
    yield "960-megapixels.gif", one[:-1] + frame * 59 + one[-1:]
    yield "two-pictures.jpg", encoded(face(), "MPO", save_all=True, append_images=[empty])


def modes() -> Iterator[File]:
    """Every way of writing colours that a format has."""
    kinds = {
        "1": ("PNG", "TIFF", "BMP"),
        "L": ("PNG", "JPEG", "TIFF"),
        "LA": ("PNG", "TIFF"),
        "P": ("PNG", "GIF", "BMP"),
        "RGBA": ("PNG", "WEBP", "TIFF", "AVIF"),
        "CMYK": ("JPEG", "TIFF"),
        "YCbCr": ("JPEG", "TIFF"),
        "LAB": ("TIFF",),
        "I;16": ("PNG", "TIFF"),
        "I": ("TIFF",),
        "F": ("TIFF",),
    }
    for mode, formats in kinds.items():
        for kind in formats:
            name = f"mode-{mode.replace(';', '-')}.{SUFFIXES[kind]}"
            yield name, encoded(in_mode(mode), kind)
    inverted = face().convert("CMYK").point(lambda value: 255 - value)
    yield "cmyk-inverted.jpg", encoded(inverted, "JPEG")
    deep = np.asarray(face().convert("L")).astype(np.float32)
    deep[::7] = np.nan
    deep[::5] = np.inf
    yield "not-numbers.tif", encoded(Image.fromarray(deep), "TIFF")
    for name in ("tiff_lzw", "packbits", "tiff_deflate", "jpeg"):
        whole = encoded(face(), "TIFF", compression=name)
        yield f"{name}.tif", whole
        yield f"{name}-cut.tif", whole[: len(whole) // 2]


def in_mode(mode: str) -> Image.Image:
    if mode == "LAB":
        spaces = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        converted = ImageCms.profileToProfile(face(), *spaces, outputMode="LAB")
        assert converted is not None
        return converted
    if mode == "I;16":
        return Image.fromarray(np.asarray(face().convert("L")).astype(np.uint16) * 257)
    return face().convert(mode)


def exif() -> Iterator[File]:
    """Every orientation in every format that has EXIF data, and data that are broken."""
    for orientation in range(10):
        for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
            tags = Image.Exif()
            tags[ORIENTATION] = orientation
            name = f"orientation-{orientation}.{SUFFIXES[kind]}"
            yield name, encoded(face(), kind, exif=tags.tobytes())
    for number, broken in enumerate(broken_exif()):
        yield f"exif-{number}.jpg", encoded(face(), "JPEG", exif=b"Exif\0\0" + broken)
        yield f"exif-{number}.png", with_chunk(b"eXIf", broken)
        yield f"exif-{number}.webp", encoded(face(), "WEBP", exif=b"Exif\0\0" + broken)


def broken_exif() -> list[bytes]:
    tags = Image.Exif()
    tags[ORIENTATION] = 6
    good = tags.tobytes().removeprefix(b"Exif\0\0")
    head = b"II*\0" + struct.pack("<I", 8)
    return [
        b"",
        b"II*\0",
        good[:-3],
        good.replace(b"\x12\x01", b"\x12\xff"),
        random.Random(3).randbytes(2000),
        head + struct.pack("<H", 65535) + b"\x12\x01" * 500,  # so many entries there are not
        head + struct.pack("<HHHII", 1, ORIENTATION, 3, 2**31, 2**31),  # values outside
        head + struct.pack("<HHHII", 1, ORIENTATION, 2, 4, 0x41414141),  # a text
        head + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8),  # in a circle
        head + struct.pack("<HHHIII", 1, ORIENTATION, 5, 1, 26, 0) + bytes(8),  # 0 divided by 0
    ]


def profiles() -> Iterator[File]:
    """Colour profiles: a good one, of another number of colours, and broken ones."""
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    kinds = {
        "good": good,
        "lab": lab,
        "cut": good[: len(good) // 2],
        "empty": b"\0" * 200,
        "noise": random.Random(4).randbytes(3000),
        "large": good + bytes(2_000_000),
        "size": b"\xff\xff\xff\xff" + good[4:],
    }
    for name, profile in kinds.items():
        for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
            file = f"profile-{name}.{SUFFIXES[kind]}"
            yield file, encoded(face(), kind, icc_profile=profile)


def disguised() -> Iterator[File]:
    """Two kinds of file in one, and files called like another kind."""
    jpeg, png, gif = (encoded(face(), kind) for kind in ("JPEG", "PNG", "GIF"))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("evil.py", "print('evil')")
    zipped = stream.getvalue()
    script = b"<script>alert(1)</script>"
    yield "jpeg-and-zip.jpg", jpeg + zipped
    yield "zip-and-jpeg.jpg", zipped + jpeg
    yield "png-and-html.png", with_chunk(b"tEXt", b"Comment\0" + script)
    yield "gif-and-script.gif", b"GIF89a/*" + gif[8:] + b"*/=1;" + script
    yield "pdf-and-jpeg.jpg", b"%PDF-1.4\n" + jpeg
    yield "jpeg-and-pdf.pdf", jpeg + b"\n%PDF-1.4\n%%EOF"
    yield "jpeg-in-png.png", png[:-12] + jpeg + png[-12:]
    yield "html-and-jpeg.html", b"<html>" + script + jpeg
    yield "jpeg-called.png", jpeg
    yield "png-called.jpg", png
    yield "gif-called.heic", gif
    yield "elf-and-jpeg.jpg", b"\x7fELF" + jpeg
    yield "jpeg-in-jpeg.jpg", jpeg[:-2] + jpeg + jpeg[-2:]


def others() -> Iterator[File]:
    """What is no picture of a kind that is read."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>'
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><svg>&b;</svg>'
    yield "drawing.svg", svg
    yield "drawing.jpg", svg
    yield "entities.svg", entity
    yield "reference.svg", b'<svg><image href="file:///etc/passwd"/></svg>'
    yield "document.pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF"
    yield "empty.jpg", b""
    yield "zeros.jpg", bytes(100_000)
    yield "noise.jpg", random.Random(5).randbytes(100_000)
    yield "text.jpg", "사진이 아닙니다".encode()
    yield "page.jpg", b"<!doctype html><title>404</title>"
    yield "film.mp4", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(5000)
    yield "brand.heic", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(5000)
    yield "brand.avif", b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + bytes(5000)
    yield "script.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{} loop"
    yield "loader.xpm", b'/* XPM */ static char *a[] = {"1 1 1 1"};'
    for kind, suffix in (("PPM", "ppm"), ("TGA", "tga"), ("ICO", "ico"), ("JPEG2000", "jp2")):
        yield f"other.{suffix}", encoded(face(), kind)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in hostile_files():
        (folder / name).write_bytes(content)
