"""What lies in a dataset folder: photos by content, and everything else named with its reason."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

import core.gallery.folders
from core.errors import GalleryError
from core.gallery.folders import PassedOver, is_system, look_through, told
from core.gallery.people import safe_folder
from core.gallery.photos import Gallery, read_gallery
from tests.gallery.test_photos import add, listing


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind)
    return stream.getvalue()


def gallery_of(dataset: Path) -> Gallery:
    return read_gallery(dataset, dataset / "removals.json")


def passed_over(dataset: Path) -> list[tuple[str, str]]:
    return [(entry.file, entry.reason) for entry in look_through(dataset).passed_over]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("name", ["1", "1.jfif", "1.JPG_large", "Zoe.1999", "photo.txt", "1.jpg~"])
def test_a_photo_is_told_by_its_content_whatever_it_is_called(
    kind: str, name: str, tmp_path: Path
) -> None:
    path = add(tmp_path, f"Zoe/{name}", encoded(kind))
    assert look_through(tmp_path).photos == (path,)
    assert look_through(tmp_path).passed_over == ()


def test_what_is_called_like_a_photo_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unchanged gallery is looked through quickly: damage is found when it is enrolled."""
    for number in range(1500):
        add(tmp_path, f"Actor {number % 300}/{number}.jpg")
    add(tmp_path, "Actor 1/odd", encoded("JPEG"))
    opened = []

    def noted(path: Path, formats: object) -> Image.Image:
        opened.append(path.name)
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr(core.gallery.folders.Image, "open", noted)
    assert len(look_through(tmp_path).photos) == 1501
    assert opened == ["odd"]


def test_everything_that_is_passed_over_is_named_with_its_reason(tmp_path: Path) -> None:
    for file in (
        "Zoe/1.jpg",
        "Zoe/notes.txt",
        "Zoe/BMW",
        "Zoe/deeper/2.jpg",
        "Zoe/Thumbs.db",
        "Zoe/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
        "loose.JPG",
        "more.zip",
        "train/Ann/1.jpg",
        "train/labels.csv",
        "#recycle/Bob/1.jpg",
        "lost+found/1.jpg",
        ".DS_Store",
        ".hidden/1.jpg",
        "Zoe/.1.jpg",
        "README.md",
        "credits.txt",
    ):
        add(tmp_path, file)
    add(tmp_path, "nameless", encoded("PNG"))
    (tmp_path / "Empty").mkdir()
    os.mkfifo(tmp_path / "Zoe" / "pipe")
    assert passed_over(tmp_path) == [
        ("loose.JPG", "loose"),
        ("nameless", "loose"),
        ("train", "too_deep"),
        ("Zoe/deeper", "subfolder"),
        ("more.zip", "archive"),
        ("Zoe/BMW", "no_picture"),
        ("Zoe/notes.txt", "no_picture"),
        ("Zoe/pipe", "no_picture"),
        ("train/labels.csv", "no_picture"),
        ("Empty", "empty"),
        ("#recycle", "system"),
        (".DS_Store", "system"),
        ("Zoe/@eaDir", "system"),
        ("Zoe/Thumbs.db", "system"),
        ("lost+found", "system"),
    ]
    assert [photo.file for photo in gallery_of(tmp_path).photos] == ["Zoe/1.jpg"]


def test_a_systems_own_are_told_by_name_and_number() -> None:
    files = ["Ann/.DS_Store", "Bob/.DS_Store", "#recycle"]
    (entry,) = told(PassedOver(file, "system") for file in files)
    assert entry == ("a system's own", [".DS_Store (2)", "#recycle"])


SYSTEMS = [
    "#recycle", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information", "__MACOSX",
    ".DS_Store", "Thumbs.db", "desktop.ini", ".Trash-1000", ".Trashes", "@Recycle", "RECYCLER",
    "#snapshot", ".Spotlight-V100", "Icon\r", "FOUND.000", "thumbs.db", "@EADIR",
]  # fmt: skip


@pytest.mark.parametrize("name", SYSTEMS)
def test_system_folders_are_no_actors_and_no_actor_gets_such_a_name(
    name: str, tmp_path: Path
) -> None:
    add(tmp_path, f"{name}/1.jpg")
    add(tmp_path, f"Zoe/{name}/1.jpg")
    add(tmp_path, "Zoe/1.jpg")
    assert {photo.actor for photo in gallery_of(tmp_path).photos} == {"Zoe"}
    assert set(passed_over(tmp_path)) == {(name, "system"), (f"Zoe/{name}", "system")}
    try:
        assert not is_system(safe_folder(name))  # as ".Trashes" without its point
    except GalleryError as error:
        assert "is no name for an actor" in str(error)


@pytest.mark.parametrize("name", ["Found", "Trash Talk", "@home", "Recy Cle", "Iconic", "#1"])
def test_honest_names_are_no_systems(name: str) -> None:
    assert not is_system(name)
    assert safe_folder(name) == name


@pytest.mark.parametrize(
    "file",
    [
        "1.jpg",
        "train/Zoe/1.jpg",
        "a/b/c/Zoe/1.jpg",
        "Zoe/photos/1.jpg",
        "Zoe/1.txt",
        "photos.zip",
        "#recycle/Zoe/1.jpg",
    ],
)
def test_a_folder_in_which_something_lies_and_no_photo_is_found_is_refused(
    file: str, tmp_path: Path
) -> None:
    add(tmp_path, file)
    with pytest.raises(GalleryError, match="has no photo of any actor") as caught:
        gallery_of(tmp_path).refuse_unseen()
    assert file.partition("/")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_not_refused_until_something_lies_in_it(tmp_path: Path) -> None:
    """Nor one with what the app, the repository, a file system or a broken-off run puts there."""
    for file in (
        "README.md",
        "credits.csv",
        "starter_embeddings.json",
        "lost+found/x",
        ".gitkeep",
        "Zoe/.1.jpg.0123abcd.tmp",
        "contact_sheet.html",
        "Thumbs.db",
    ):
        add(tmp_path, file)
    (tmp_path / "Ann").mkdir()
    gallery = gallery_of(tmp_path)
    assert gallery.unseen == ""
    gallery.refuse_unseen()
    add(tmp_path, "Ann/1.txt")
    with pytest.raises(GalleryError, match=r"is passed over: Ann/1\.txt "):
        gallery_of(tmp_path).refuse_unseen()


def test_listing_heeds_photos_only(tmp_path: Path) -> None:
    add(tmp_path, "Zoe/1.jpg")
    before = listing(tmp_path)
    add(tmp_path, "Zoe/notes.txt")
    add(tmp_path, "#recycle/1.jpg")
    assert listing(tmp_path) == before
    add(tmp_path, "Zoe/2", encoded("JPEG"))
    assert listing(tmp_path) != before


def test_what_is_no_file_is_no_photo_whatever_it_is_called(tmp_path: Path) -> None:
    """A pipe would be waited for, and zeros never end."""
    add(tmp_path, "Zoe/1.jpg")
    add(tmp_path, "Zoe/2.jpg/3.jpg")
    os.mkfifo(tmp_path / "Zoe" / "pipe.jpg")
    os.mkfifo(tmp_path / "loose.jpg")
    (tmp_path / "Zoe" / "zeros.jpg").symlink_to("/dev/zero")
    (tmp_path / "Zoe" / "gone").symlink_to(tmp_path / "unmounted" / "1.jpg")
    (tmp_path / "Bob").symlink_to(tmp_path / "unmounted")
    assert [path.name for path in look_through(tmp_path).photos] == ["1.jpg"]
    assert sorted(passed_over(tmp_path)) == [
        ("Bob", "dangling"),
        ("Zoe/2.jpg", "subfolder"),
        ("Zoe/gone", "dangling"),
        ("Zoe/pipe.jpg", "no_picture"),
        ("Zoe/zeros.jpg", "no_picture"),
    ]
