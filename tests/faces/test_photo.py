"""Photos of every kind people send come out as upright RGB, or are refused in one sentence."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.errors import PhotoTooLargeError, UnreadablePhotoError
from core.faces.photo import KINDS, UPRIGHT, Photo, PictureKind, read_photo
from core.settings import PhotoLimits
from tests.conftest import ASTRONAUT, ROOT, SHARED, needs_shared

# In the app core/faces/photo.py silences these; pytest makes errors of them again.
pillow_warns = pytest.mark.filterwarnings(
    "ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning"
)

SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "AVIF": ".avif",
    "HEIF": ".heic",
}
# Mean difference from the source, of 255, that a format's own loss explains.
LOSS = {"GIF": 6.0, "JPEG": 3.0, "WEBP": 3.0, "AVIF": 3.0, "HEIF": 4.0}


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """A real picture with no symmetry: 200 wide, 150 high."""
    return Image.open(ASTRONAUT).convert("RGB").crop((130, 20, 430, 245)).resize((200, 150))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def difference(pixels: np.ndarray, expected: Image.Image | np.ndarray) -> float:
    """Mean difference, of 255; shapes must be equal."""
    wanted = np.asarray(expected, dtype=float)
    assert pixels.shape == wanted.shape
    return float(np.abs(pixels - wanted).mean())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kinds_suffixes_and_types_are_those_pillow_knows(kind: PictureKind) -> None:
    Image.init()
    assert {Image.registered_extensions()[suffix] for suffix in kind.suffixes} <= set(kind.formats)
    assert {Image.MIME[name] for name in kind.formats} <= set(kind.types)


@pytest.mark.parametrize("kind", SUFFIXES)
def test_every_format_reads_from_path_bytes_and_pillow_alike(
    kind: str, picture: Image.Image, tmp_path: Path
) -> None:
    data = encoded(picture, kind)
    path = tmp_path / f"face{SUFFIXES[kind]}"
    path.write_bytes(data)
    with Image.open(path) as opened:
        photos = [read_photo(source) for source in (path, str(path), data, opened)]
    assert [photo.source for photo in photos] == [path.name, path.name, "photo", "photo"]
    for photo in photos:
        assert photo.pixels.dtype == np.uint8
        assert difference(photo.pixels, picture) <= LOSS.get(kind, 0)
        assert np.array_equal(photo.pixels, photos[0].pixels)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(kind: str, picture: Image.Image) -> None:
    later = [Image.new("RGB", picture.size, colour) for colour in ("red", "blue")]
    data = encoded(picture, kind, save_all=True, append_images=later)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert difference(read_photo(data).pixels, picture) <= LOSS.get(kind, 0)


def test_two_pictures_in_one_jpeg_of_a_phone_read_as_the_first(picture: Image.Image) -> None:
    second = Image.new("RGB", picture.size, "red")
    data = encoded(picture, "MPO", save_all=True, append_images=[second])
    assert difference(read_photo(data).pixels, picture) <= LOSS["JPEG"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photo_turned_by_exif_is_upright(orientation: int, picture: Image.Image) -> None:
    data = encoded(stored_as(picture, orientation), "JPEG", exif=exif_of(orientation), quality=95)
    assert difference(read_photo(data).pixels, picture) <= LOSS["JPEG"]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", [5, 6, 8])
def test_other_formats_turned_by_exif_are_upright(
    kind: str, orientation: int, picture: Image.Image
) -> None:
    data = encoded(stored_as(picture, orientation), kind, exif=exif_of(orientation))
    assert difference(read_photo(data).pixels, picture) <= LOSS.get(kind, 0)


def test_pillow_image_turned_by_exif_is_upright(picture: Image.Image) -> None:
    data = encoded(stored_as(picture, 6), "JPEG", exif=exif_of(6))
    assert difference(read_photo(Image.open(io.BytesIO(data))).pixels, picture) <= LOSS["JPEG"]


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def stored_as(upright: Image.Image, orientation: int) -> Image.Image:
    """How a camera stores a picture that EXIF `orientation` turns upright."""
    if orientation == 1:
        return upright
    turn = UPRIGHT[orientation]
    back = {
        Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
        Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
    }.get(turn, turn)
    stored = upright.transpose(back)
    stored.getexif()[0x0112] = orientation
    assert np.array_equal(ImageOps.exif_transpose(stored), upright)  # the table agrees with Pillow
    stored.getexif().clear()
    return stored


@pillow_warns
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(range(60)),  # more tags than bytes
        b"Exif\0\0II*\0\xff\xff\xff\x7f",  # a directory outside the data
        b"Exif\0\0nonsense",
        b"Exif\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04huh!\0\0\0\0",  # a turn in letters
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0",  # a turn of 99
    ],
)
def test_broken_exif_does_not_keep_a_photo_from_being_read(
    exif: bytes, picture: Image.Image
) -> None:
    assert difference(read_photo(encoded(picture, "JPEG", exif=exif)).pixels, picture) <= 3


GREY_16 = np.linspace(0, 65535, 150 * 200).reshape(150, 200)


@pytest.mark.parametrize(
    ("mode", "kind", "tolerance"),
    [
        ("CMYK", "JPEG", 4),
        ("CMYK", "TIFF", 1),
        ("P", "PNG", 6),
        ("YCbCr", "JPEG", 4),
    ],
)
def test_other_colour_modes_become_the_same_colours(
    mode: str, kind: str, tolerance: float, picture: Image.Image
) -> None:
    changed = picture.quantize(256) if mode == "P" else picture.convert(mode)
    for source in (encoded(changed, kind), changed):
        assert difference(read_photo(source).pixels, picture) <= tolerance


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white_become_grey(mode: str, picture: Image.Image) -> None:
    grey = picture.convert(mode)
    assert difference(read_photo(encoded(grey, "PNG")).pixels, grey.convert("RGB")) == 0


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_what_is_transparent_becomes_white(mode: str, picture: Image.Image) -> None:
    """Left half opaque, right half see-through; the colour hidden there must not show."""
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (100, 0, 200, 150))
    image = {"L": picture.convert("L"), "P": picture.quantize(250)}.get(mode[0], picture.copy())
    opaque = np.asarray(image.convert("RGB"))
    if mode == "P":
        image.putpalette([*image.getpalette()[:750], 255, 0, 0])
        image.paste(250, (100, 0, 200, 150))
        image = Image.open(io.BytesIO(encoded(image, "PNG", transparency=250)))
    else:
        image.putalpha(alpha)
    assert image.mode == mode
    pixels = read_photo(image).pixels
    assert np.array_equal(pixels[:, :100], opaque[:, :100])
    assert (pixels[:, 100:] == 255).all()


def test_half_transparent_is_half_white(picture: Image.Image) -> None:
    faint = picture.copy()
    faint.putalpha(128)
    expected = np.asarray(picture) * (128 / 255) + 127
    assert difference(read_photo(encoded(faint, "PNG")).pixels, expected) < 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_cut_off(kind: str) -> None:
    data = encoded(Image.fromarray(GREY_16.astype(np.uint16)), kind)
    assert Image.open(io.BytesIO(data)).mode == "I;16"
    assert difference(read_photo(data).pixels, grey_rgb(GREY_16 / 257)) < 1


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_floating_point_tiff_is_scaled_from_its_own_range(top: float) -> None:
    values = (GREY_16 / 65535 * top).astype(np.float32)
    photo = read_photo(encoded(Image.fromarray(values), "TIFF"))
    assert difference(photo.pixels, grey_rgb(GREY_16 / 257)) < 1


def test_a_floating_point_tiff_that_was_resized_overshoots_a_little() -> None:
    values = (GREY_16 / 65535).astype(np.float32)
    values[70:74, 70:74] = 3.5
    photo = read_photo(encoded(Image.fromarray(values), "TIFF"))
    assert difference(photo.pixels[:70], grey_rgb(GREY_16 / 257)[:70]) < 1


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_fewer_bits_in_a_container_of_16_are_scaled_from_their_own_range(bits: int) -> None:
    values = (GREY_16 / 65535 * (2**bits - 1)).round().astype(np.uint16)
    photo = read_photo(encoded(Image.fromarray(values), "PNG"))
    assert difference(photo.pixels, grey_rgb(GREY_16 / 257)) < 1


def test_grey_of_32_bits_and_grey_in_which_white_is_zero_are_read() -> None:
    deep = Image.fromarray((GREY_16 * 65537).astype(np.uint32).view(np.int32))
    photo = read_photo(encoded(deep, "TIFF"))
    assert difference(photo.pixels, grey_rgb(GREY_16 / 257)) < 1
    negative = Image.fromarray((65535 - GREY_16).astype(np.uint16))
    photo = read_photo(encoded(negative, "TIFF", tiffinfo={262: 0}))
    assert difference(photo.pixels, grey_rgb(GREY_16 / 257)) < 1


def test_floating_point_tiff_with_gaps_is_read() -> None:
    values = (GREY_16 / 65535).astype(np.float32)
    values[:10] = np.nan
    photo = read_photo(encoded(Image.fromarray(values), "TIFF"))
    assert (photo.pixels[:10] == 0).all()
    assert difference(photo.pixels[10:], grey_rgb(GREY_16 / 257)[10:]) < 1


def grey_rgb(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[:, :, None], 3, axis=2)


def test_the_bytes_decide_not_the_file_name(picture: Image.Image, tmp_path: Path) -> None:
    for kind, name in [("PNG", "a.jpg"), ("AVIF", "b.jpg"), ("JPEG", "c.png"), ("WEBP", "d")]:
        (tmp_path / name).write_bytes(encoded(picture, kind))
        assert difference(read_photo(tmp_path / name).pixels, picture) <= LOSS.get(kind, 0)


@pillow_warns
@pytest.mark.parametrize("side", [8_000, 10_000, 30_000])  # 64 MP; Pillow warns; Pillow refuses
def test_decompression_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    data = bomb(side)
    assert len(data) < 200_000
    started = time.perf_counter()
    with pytest.raises(PhotoTooLargeError, match="50 megapixels") as refused:
        read_photo(data)
    assert time.perf_counter() - started < 0.5
    assert refused.value.code == "too_large"


def bomb(side: int) -> bytes:
    """A PNG of side × side pixels, the first rows only: small, and huge once decoded."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes((side * 3 + 1) * 100))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def test_pillow_image_of_too_many_pixels_is_refused() -> None:
    with pytest.raises(PhotoTooLargeError):
        read_photo(Image.new("1", (8000, 8000)))


def test_too_many_bytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as stream:
        stream.truncate(40_000_000_000)  # a hole: would not fit into memory if it were read
    with pytest.raises(PhotoTooLargeError, match="more than 20 MB"):
        read_photo(path)
    with pytest.raises(PhotoTooLargeError, match="more than 20 MB"):
        read_photo(bytes(20_000_001))


@pytest.mark.parametrize(("enough", "zoom"), [(0, 1), (1000, 4), (1001, 2), (2500, 1), (200, 8)])
def test_a_jpeg_is_read_no_larger_than_it_need_be(enough: int, zoom: int) -> None:
    whole = Image.linear_gradient("L").resize((4000, 3000)).convert("RGB")
    stream = io.BytesIO()
    whole.save(stream, "JPEG", quality=95)
    photo = read_photo(stream.getvalue(), enough=enough)
    assert photo.zoom == zoom
    assert photo.pixels.shape == (3000 // zoom, 4000 // zoom, 3)
    reduced = np.asarray(whole.reduce(zoom)).astype(int)
    assert np.abs(photo.pixels.astype(int) - reduced).max() <= 4


def test_of_other_pictures_all_is_read_and_a_callers_own_is_left_as_it_is(tmp_path: Path) -> None:
    whole = Image.new("RGB", (4000, 3000))
    whole.save(tmp_path / "photo.png")
    whole.save(tmp_path / "photo.jpg")
    assert read_photo(tmp_path / "photo.png", enough=1000).zoom == 1
    with Image.open(tmp_path / "photo.jpg") as own:
        assert read_photo(own, enough=1000).zoom == 1
        assert own.size == (4000, 3000)


def test_limits_are_kept(picture: Image.Image) -> None:
    data = encoded(picture, "PNG")
    assert read_photo(data, PhotoLimits(megapixels=0.03)).pixels.shape == (150, 200, 3)
    with pytest.raises(PhotoTooLargeError):
        read_photo(data, PhotoLimits(megapixels=0.0299))
    with pytest.raises(PhotoTooLargeError):
        read_photo(data, PhotoLimits(megabytes=0.01))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30}])
@pytest.mark.parametrize("cut", [1, 2])
def test_jpeg_without_its_end_mark_is_whole(
    cut: int, options: dict[str, object], picture: Image.Image
) -> None:
    data = encoded(picture, "JPEG", **options)
    assert np.array_equal(read_photo(data[:-cut]).pixels, read_photo(data).pixels)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("cut", [8, 40, 400])
def test_jpeg_with_a_pixel_missing_is_unreadable(
    cut: int, progressive: bool, picture: Image.Image
) -> None:
    assert_unreadable(encoded(picture, "JPEG", progressive=progressive)[:-cut])


@pillow_warns
@pytest.mark.parametrize("kind", [kind for kind in SUFFIXES if kind != "BMP"])
def test_truncated_picture_is_unreadable_in_one_sentence(kind: str, picture: Image.Image) -> None:
    data = encoded(picture, kind)
    for share in (0.02, 0.5, 0.9):
        assert_unreadable(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "data", [b"", b"hello, I am a text file\n" * 50, b"\xff\xd8\xff", bytes(99)]
)
def test_what_is_no_picture_is_unreadable_in_one_sentence(data: bytes, tmp_path: Path) -> None:
    assert_unreadable(data)
    path = tmp_path / "face.jpg"
    path.write_bytes(data)
    assert_unreadable(path)


def test_picture_of_a_kind_not_listed_is_unreadable(picture: Image.Image) -> None:
    for kind in ("PPM", "ICNS", "PDF", "EPS"):
        assert_unreadable(encoded(picture, kind))


def test_missing_file_and_folder_are_unreadable(tmp_path: Path) -> None:
    assert_unreadable(tmp_path / "missing.jpg")
    assert_unreadable(tmp_path)
    assert_unreadable("a\0b.jpg")


def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert_unreadable(tmp_path / "pipe.jpg")


def assert_unreadable(source: str | Path | bytes) -> None:
    with pytest.raises(UnreadablePhotoError) as refused:
        read_photo(source)
    message = str(refused.value)
    assert refused.value.code == "unreadable"
    assert "\n" not in message
    assert message.startswith("photo" if isinstance(source, bytes) else Path(source).name)


@pillow_warns
def test_no_flipped_byte_gets_past_as_another_error(picture: Image.Image) -> None:
    """Damage ends in a photo or in one of the photo errors, never in a traceback."""
    random = np.random.default_rng(7)
    for kind in SUFFIXES:
        whole = encoded(picture.resize((60, 45)), kind)
        for _ in range(60):
            data = bytearray(whole)
            for position in random.integers(0, min(len(data), 400), 3):
                data[position] = random.integers(256)
            with contextlib.suppress(UnreadablePhotoError, PhotoTooLargeError):
                assert read_photo(bytes(data)).pixels.ndim == 3


def test_pixels_of_another_shape_are_refused() -> None:
    for pixels in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))):
        with pytest.raises(ValueError, match="expected uint8"):
            Photo(pixels, "photo")


def test_photo_is_read_without_a_word_on_the_console(picture: Image.Image, tmp_path: Path) -> None:
    """What Pillow warns of, broken EXIF or many pixels, is no news to the owner of the app."""
    path = tmp_path / "broken.jpg"
    path.write_bytes(encoded(picture, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(60)))
    bomb_path = tmp_path / "bomb.png"
    bomb_path.write_bytes(bomb(10_000))
    code = (
        "import sys; from core.faces.photo import read_photo\n"
        "from core.errors import PhotoError\n"
        "for path in sys.argv[1:]:\n"
        "    try: read_photo(path)\n"
        "    except PhotoError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, bomb_path], cwd=ROOT, capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")


@needs_shared
def test_every_odd_file_people_sent_is_read() -> None:
    files = sorted((SHARED / "odd").iterdir())
    assert len(files) == 20
    for path in files:
        height, width, _ = read_photo(path).pixels.shape
        assert min(height, width) >= 50, path.name
