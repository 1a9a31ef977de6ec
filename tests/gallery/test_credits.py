"""A downloaded photo carries its credit, and is never shown without one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from core.gallery.credits import (
    ASCII_COMMENT,
    MARK,
    Credit,
    credit_of,
    read_stamp,
    stamped,
    write_credits,
)
from core.gallery.photos import GalleryPhoto, scan_gallery
from core.lookalike import LookalikeFinder
from core.settings import Settings
from tests.conftest import ASTRONAUT

CREDIT = Credit(
    '김민수 "M." ☺',
    "CC BY-SA 4.0",
    "https://creativecommons.org/licenses/by-sa/4.0",
    "https://commons.wikimedia.org/wiki/File:송강호.jpg",
    "ab" * 20,
)
NOBODY = Credit("", "")


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    with Image.open(ASTRONAUT) as image:
        image.convert("RGB").save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1.jpg"


def retagged(data: bytes, change: Callable[[Image.Exif], None]) -> bytes:
    """The same photo, its tags changed by another program, which encodes it again."""
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        exif.get_ifd(ExifTags.IFD.Exif)
        change(exif)
        stream = io.BytesIO()
        image.save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def test_credit_is_read_back_as_it_was_written(path: Path) -> None:
    path.write_bytes(stamped(jpeg(), CREDIT))
    assert read_stamp(path) == CREDIT
    assert credit_of(path, None) == CREDIT


def test_a_credit_written_with_its_files_hash_is_still_read(path: Path) -> None:
    """Photos of a Hub's gallery had one."""
    data = stamped(jpeg(), CREDIT)
    entry = json.dumps(asdict(CREDIT))
    longer = json.dumps({**asdict(CREDIT), "origin": "f" * 64})

    def change(exif: Image.Exif) -> None:
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        assert bytes(inner[ExifTags.Base.UserComment]) == ASCII_COMMENT + entry.encode()
        inner[ExifTags.Base.UserComment] = ASCII_COMMENT + longer.encode()

    path.write_bytes(retagged(data, change))
    assert read_stamp(path) == CREDIT


def test_pixels_are_not_encoded_again(path: Path) -> None:
    before, after = jpeg(), stamped(jpeg(), CREDIT)
    first, second = (np.asarray(Image.open(io.BytesIO(data))) for data in (before, after))
    assert np.array_equal(first, second)
    assert after.endswith(before[20:])  # all that follows JFIF's 20 bytes


def test_other_programs_find_author_licence_and_page(path: Path) -> None:
    path.write_bytes(stamped(jpeg(), CREDIT))
    with Image.open(path) as image:
        exif = image.getexif()
    said = {
        name: exif[ExifTags.Base[name]].encode("latin-1").decode()
        for name in ("Software", "Artist", "Copyright", "ImageDescription")
    }
    assert said == {
        "Software": MARK,
        "Artist": CREDIT.author,
        "Copyright": f"{CREDIT.licence} {CREDIT.licence_url}",
        "ImageDescription": CREDIT.source,
    }


def test_writing_it_twice_or_anew_leaves_one_credit(path: Path) -> None:
    once = stamped(jpeg(), CREDIT)
    assert stamped(once, CREDIT) == once
    path.write_bytes(stamped(once, Credit("Eve", "CC0")))
    assert credit_of(path, None) == Credit("Eve", "CC0")
    assert path.read_bytes().count(b"Exif\0\0") == 1


def test_tags_that_were_there_stay_and_the_photo_stays_upright(path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Canon"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.MakerNote: b"x" * 30_000}
    path.write_bytes(stamped(jpeg(exif=exif), CREDIT))
    with Image.open(path) as image:
        kept = image.getexif()
    assert (kept[ExifTags.Base.Orientation], kept[ExifTags.Base.Make]) == (6, "Canon")
    assert len(kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote]) == 30_000
    assert credit_of(path, None) == CREDIT


def test_tags_too_long_for_the_credit_give_way_to_it(path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.MakerNote: b"x" * 65_000}
    path.write_bytes(stamped(jpeg(exif=exif), CREDIT))
    with Image.open(path) as image:
        image.load()
        assert image.getexif()[ExifTags.Base.Orientation] == 6
    assert credit_of(path, None) == CREDIT


@pytest.mark.parametrize("field", ["author", "source"])
def test_a_text_of_any_length_is_cut_to_fit(field: str, path: Path) -> None:
    path.write_bytes(stamped(jpeg(), Credit(**{**asdict(CREDIT), field: "가" * 100_000})))
    credit = credit_of(path, None)
    assert credit is not None
    assert getattr(credit, field) == "가" * 1000
    assert credit.licence == CREDIT.licence


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # as core/faces/photo.py has it in the app
def test_damaged_tags_are_replaced(path: Path) -> None:
    whole = jpeg()
    for junk in (b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 40, bytes(200)):
        data = b"Exif\0\0" + junk
        segment = b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data
        path.write_bytes(stamped(whole[:2] + segment + whole[2:], CREDIT))
        assert credit_of(path, None) == CREDIT
        with Image.open(path) as image:
            image.load()


def test_what_is_no_jpeg_stays_as_it_is(path: Path) -> None:
    photo = ASTRONAUT.read_bytes()
    assert stamped(photo, CREDIT) == photo
    assert read_stamp(ASTRONAUT) is None


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff\xffExif", b"\xff" * 99])
def test_a_file_cut_short_has_no_credit(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    assert read_stamp(path) is None
    assert read_stamp(path.with_name("nowhere.jpg")) is None
    assert stamped(data, CREDIT)[:2] == data[:2]


def test_a_photo_of_the_owners_has_no_credit(path: Path) -> None:
    path.write_bytes(jpeg())
    assert credit_of(path, None) is None
    path.write_bytes(retagged(jpeg(), lambda exif: exif.update({ExifTags.Base.Artist: "Me"})))
    assert credit_of(path, None) is None
    assert credit_of(path, NOBODY) is None  # a row with nothing in it says nothing
    assert credit_of(path, Credit("Me", "")) == Credit("Me", "")


def test_the_row_in_credits_csv_wins_unless_it_is_empty(path: Path) -> None:
    path.write_bytes(stamped(jpeg(), CREDIT))
    assert credit_of(path, Credit("Corrected", "CC0")) == Credit("Corrected", "CC0")
    assert credit_of(path, NOBODY) == CREDIT


def test_credit_survives_a_program_that_encodes_the_photo_again(path: Path) -> None:
    path.write_bytes(retagged(stamped(jpeg(), CREDIT), lambda exif: None))
    assert credit_of(path, None) == CREDIT


def test_author_and_licence_are_found_where_the_comment_was_lost(path: Path) -> None:
    path.write_bytes(stamped(jpeg(), CREDIT).replace(ASCII_COMMENT + b"{", ASCII_COMMENT + b"?"))
    rights = f"{CREDIT.licence} {CREDIT.licence_url}"
    assert credit_of(path, None) == Credit(CREDIT.author, rights)


def test_a_downloaded_photo_whose_credit_was_taken_out_says_so(path: Path) -> None:
    path.write_bytes(stamped(jpeg(), NOBODY))
    credit = credit_of(path, None)
    assert credit is not None
    assert not credit.is_given


@pytest.fixture
def gallery(settings: Settings) -> Settings:
    """One actor with a downloaded photo, one without its credit, and one of the owner's."""
    folder = settings.dataset_dir / "Ann"
    folder.mkdir()
    for name, data in (("1", stamped(jpeg(), CREDIT)), ("2", stamped(jpeg(), NOBODY))):
        (folder / f"{name}.jpg").write_bytes(data)
    (folder / "3.jpg").write_bytes(jpeg())
    return settings


def credits_of(photos: list[GalleryPhoto]) -> list[Credit | None]:
    return [photo.credit for photo in photos]


def test_a_photo_whose_row_was_deleted_keeps_its_credit(gallery: Settings) -> None:
    rows = {f"Ann/{n}.jpg": Credit("Row", "CC0") for n in (1, 2, 3)}
    write_credits(gallery.dataset_dir / "credits.csv", rows)
    assert credits_of(scan_gallery(gallery.dataset_dir)) == list(rows.values())
    write_credits(gallery.dataset_dir / "credits.csv", {})
    assert credits_of(scan_gallery(gallery.dataset_dir)) == [CREDIT, NOBODY, None]


def test_a_downloaded_photo_without_a_credit_is_not_shown(gallery: Settings) -> None:
    photos = scan_gallery(gallery.dataset_dir)
    finder = LookalikeFinder(None, None, gallery)  # type: ignore[arg-type]
    shown = [finder.portrait_path(photo.portrait()) for photo in photos]
    assert shown == [photos[0].path, None, photos[2].path]
    assert [photo.portrait().hidden for photo in photos] == [False, True, False]
    assert photos[1].portrait().file == "Ann/2.jpg"


def test_a_row_that_names_a_page_and_nobody_hides_the_photo(gallery: Settings) -> None:
    row = Credit("", "", source="https://example.org/1")
    assert credit_of(gallery.dataset_dir / "Ann" / "3.jpg", row) == row
