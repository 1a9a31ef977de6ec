"""actors.csv and credits.csv as spreadsheets of all countries and systems write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from core.errors import GalleryError
from core.gallery.people import read_actors

ROWS = "folder,name,gender,country\n송강호,Song Kang-ho,male,KR\nAnn,Ann Lee,female,US\n"


def read(folder: Path, content: bytes) -> dict[str, tuple[str, str, str]]:
    path = folder / "actors.csv"
    path.write_bytes(content)
    return {
        key: (entry.name, entry.gender, entry.country) for key, entry in read_actors(path).items()
    }


@pytest.mark.parametrize(
    "written",
    [
        ROWS.replace("\n", "\r\n"),
        "\ufeff" + ROWS,
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS + ",,,\n\n",
        ROWS.replace("folder,name,gender", " Folder,NAME ,Gender"),
        ROWS.replace("Ann,", "Ann ,").replace("female,US", "Female ,us"),
        unicodedata.normalize("NFD", ROWS),
    ],
    ids=["crlf", "bom", "semicolons", "tabs", "empty rows", "head", "blanks and capitals", "nfd"],
)
def test_it_says_the_same_however_it_was_saved(written: str, tmp_path: Path) -> None:
    assert read(tmp_path, written.encode()) == {
        "송강호": ("Song Kang-ho", "male", "KR"),
        "Ann": ("Ann Lee", "female", "US"),
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ROWS.encode("utf-16"), "not in UTF-8: save it as CSV in UTF-8"),
        (ROWS.encode("euc-kr"), "not in UTF-8: save it as CSV in UTF-8"),
        (ROWS.encode().replace(b"Ann", b"A\0n"), "zero bytes"),
        (ROWS.replace("Ann Lee", '"Ann Lee').encode(), "unexpected end of data"),
        (ROWS.replace("name", "called").encode(), "no column name"),
        (ROWS.replace("Ann,Ann Lee", ",Ann Lee").encode(), "the row of Ann Lee, female, US has no"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(GalleryError, match=reason) as refused:
        read(tmp_path, content)
    assert "actors.csv cannot be read" in str(refused.value)
    assert "\n" not in str(refused.value)
