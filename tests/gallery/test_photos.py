"""The dataset folder: actors and photos found, credits read, changes noticed."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from pathlib import Path

import pytest

from core.errors import GalleryError
from core.gallery.photos import Credit, Portrait, read_gallery, scan_gallery

HEADER = "file,source,author,licence,licence_url\n"


def add(dataset: Path, file: str, data: bytes = b"pixels") -> Path:
    path = dataset / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def listing(dataset: Path) -> str:
    return read_gallery(dataset, dataset / "removals.json").listing


def test_folders_are_actors_and_pictures_in_them_photos(tmp_path: Path) -> None:
    for file in ("Zoe/2.jpg", "Zoe/1.JPEG", "Ann Bee/a.png", "Ann Bee/b.webp", "Ann Bee/c.heic"):
        add(tmp_path, file)
    photos = scan_gallery(tmp_path)
    assert [(photo.actor, photo.file) for photo in photos] == [
        ("Ann Bee", "Ann Bee/a.png"),
        ("Ann Bee", "Ann Bee/b.webp"),
        ("Ann Bee", "Ann Bee/c.heic"),
        ("Zoe", "Zoe/1.JPEG"),
        ("Zoe", "Zoe/2.jpg"),
    ]
    assert all(photo.path == tmp_path / photo.file for photo in photos)


def test_hangul_taken_apart_by_macos_is_put_together(tmp_path: Path) -> None:
    apart, together = unicodedata.normalize("NFD", "송강호"), "송강호"
    assert apart != together
    add(tmp_path, f"{apart}/1.jpg")
    add(tmp_path, f"{together}/2.jpg")
    (tmp_path / "credits.csv").write_text(f"{HEADER}{together}/1.jpg,s,Kim,CC0,u\n", "utf-8")
    photos = scan_gallery(tmp_path)
    assert [photo.actor for photo in photos] == [together, together]
    assert {photo.path.is_file() for photo in photos} == {True}  # the path stays as it is on disk
    assert {photo.credit.author for photo in photos if photo.credit} == {"Kim"}


def test_file_names_that_are_no_utf_8_are_found_under_a_readable_name(tmp_path: Path) -> None:
    add(tmp_path, os.fsdecode(b"Zo\xeb/\xff.jpg"))
    (photo,) = scan_gallery(tmp_path)
    assert photo.actor == "Zo�"
    assert photo.path.read_bytes() == b"pixels"
    assert len(listing(tmp_path)) == 16


def test_portrait_carries_hash_file_and_credit(tmp_path: Path) -> None:
    add(tmp_path, "Zoe/1.jpg", b"some bytes")
    row = 'Zoe/1.jpg,https://example.org/1,"Kim, M.",CC BY 4.0,https://example.org/by\n'
    (tmp_path / "credits.csv").write_text("\ufeff" + HEADER + row, "utf-8")  # as Excel saves it
    (photo,) = scan_gallery(tmp_path)
    credit = Credit("Kim, M.", "CC BY 4.0", "https://example.org/by", "https://example.org/1")
    sha256 = hashlib.sha256(b"some bytes").hexdigest()
    assert photo.portrait() == Portrait(sha256, "Zoe/1.jpg", credit)
    assert Portrait.from_json(photo.portrait().to_json()) == photo.portrait()


def test_credits_may_have_more_columns_in_any_order_and_lack_photos(tmp_path: Path) -> None:
    add(tmp_path, "Zoe/1.jpg")
    add(tmp_path, "Zoe/2.jpg")
    text = "sha1,licence_url,licence,author,source,file\nabc,,CC0,Kim,,Zoe/1.jpg\n"
    (tmp_path / "credits.csv").write_text(text, "utf-8")
    first, second = scan_gallery(tmp_path)
    assert first.credit == Credit("Kim", "CC0", "", "", "abc")
    assert second.credit is None


@pytest.mark.parametrize(
    "text",
    [
        b"photo;author\nZoe/1.jpg;Kim\n",
        b"file,author,licence,source\nZoe/1.jpg,Kim,CC0,s\n",  # no licence_url
        HEADER.encode() + b"Zoe/1.jpg,source\n",  # cut short
        b"source,author,licence,licence_url,file\ns,Kim,CC0\n",  # cut short before the file
        HEADER.encode() + "Zoe/1.jpg,s,김,CC0,u\n".encode("cp949"),
    ],
)
def test_credits_that_cannot_be_read_are_refused_with_the_columns(
    text: bytes, tmp_path: Path
) -> None:
    add(tmp_path, "Zoe/1.jpg")
    (tmp_path / "credits.csv").write_bytes(text)
    with pytest.raises(GalleryError, match=r"credits\.csv cannot be read.*file, source, author"):
        scan_gallery(tmp_path)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", add(tmp_path, "a/file.jpg")):
        with pytest.raises(GalleryError, match="is not a folder"):
            scan_gallery(path)


def test_listing_stays_while_nothing_changes(tmp_path: Path) -> None:
    path = add(tmp_path, "Zoe/1.jpg")
    before = listing(tmp_path)
    os.utime(path, (1, 1))  # a new clone has new times
    add(tmp_path, "Zoe/notes.txt")
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda dataset: add(dataset, "Zoe/2.jpg"),
        lambda dataset: add(dataset, "Ann/1.jpg"),
        lambda dataset: add(dataset, "Zoe/1.jpg", b"more pixels"),
        lambda dataset: (dataset / "Zoe/1.jpg").unlink(),
        lambda dataset: (dataset / "Zoe").rename(dataset / "Zoey"),
        lambda dataset: (dataset / "credits.csv").write_text(f"{HEADER}Zoe/1.jpg,s,Kim,CC0,u\n"),
    ],
    ids=["new photo", "new actor", "other size", "removed", "renamed", "credited"],
)
def test_listing_changes_with_the_gallery(change: object, tmp_path: Path) -> None:
    add(tmp_path, "Zoe/1.jpg")
    before = listing(tmp_path)
    change(tmp_path)  # type: ignore[operator]
    assert listing(tmp_path) != before


def test_link_to_nowhere_does_not_stop_the_listing(tmp_path: Path) -> None:
    add(tmp_path, "Zoe/1.jpg")
    (tmp_path / "Zoe" / "2.jpg").symlink_to(tmp_path / "gone.jpg")
    assert len(scan_gallery(tmp_path)) == 2
    assert len(listing(tmp_path)) == 16
