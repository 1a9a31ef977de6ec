"""What callers of the API may send: as Gradio reads it, or one sentence."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from core.errors import PhotoError, SettingsError
from core.page.arguments import ENDPOINTS, check_names, checked, is_upload, picture_of

MARK = {"meta": {"_type": "gradio.FileData"}}


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """Where uploads lie, with one in it, beside another file of the machine."""
    folder = tmp_path / "uploads"
    (folder / "hash").mkdir(parents=True)
    (folder / "hash" / "me.jpg").write_bytes(b"a face")
    (tmp_path / "secret.jpg").write_bytes(b"another face")
    (folder / "hash" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    return folder


def match(uploads: Path, photo: Any, *more: Any) -> list[Any]:
    rest = [5, "", "", False]
    return checked("match", [photo, *more, *rest[len(more) :]], uploads)


def test_an_uploaded_file_an_address_and_base64_are_given_to_gradio_as_files(uploads: Path) -> None:
    me = str(uploads / "hash" / "me.jpg")
    for value in ({"path": me}, {"path": me, "url": "http://x/", "size": "big", **MARK}):
        assert match(uploads, value)[0] == {"path": me, "orig_name": None, **MARK}
    address = "https://example.org/me.jpg"
    for value in (address, {"url": address}, {"path": address, "url": address, **MARK}):
        assert match(uploads, value)[0] == {"path": address, **MARK}
    uri = "data:image/png;base64,AAAA"
    assert match(uploads, uri)[0] == match(uploads, {"url": uri})[0] == {"url": uri, **MARK}
    assert match(uploads, None)[0] is None


@pytest.mark.parametrize(
    "path", ["{}/../secret.jpg", "{}/hash/link.jpg", "{}/hash/gone.jpg", "{}", "/etc/passwd",
             "me.jpg", "a\0b", "x" * 5000],
)  # fmt: skip
def test_no_other_file_of_the_machine_is_read(path: str, uploads: Path) -> None:
    path = path.format(uploads)
    for value in ({"path": path}, {"path": path, **MARK}, {"path": path, "url": "data:,", **MARK}):
        with pytest.raises(SettingsError, match="photo is no file that was uploaded here"):
            match(uploads, value)
    if "gone" not in path and path != str(uploads):
        assert not is_upload(path, uploads)


@pytest.mark.parametrize(
    "value", ["some/path.jpg", "ftp://a/b", 5, True, [], {}, {"path": None}, {"path": 5},
              {"url": 5}, {"url": "nonsense", **MARK}, "x" * 5000,
              "https://example.org/" + "a" * 70_000],
)  # fmt: skip
def test_what_is_no_photo_is_told_how_to_send_one(value: Any, uploads: Path) -> None:
    with pytest.raises(SettingsError) as told:
        match(uploads, value)
    assert str(told.value).startswith("photo is ")
    assert "send an uploaded file as" in str(told.value)
    assert len(str(told.value)) < 250


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (0, "three", "top_k is 'three'; set it to a whole number, 1 or more"),
        (0, 2.5, "top_k is 2.5; set it to a whole number, 1 or more"),
        (0, float("nan"), "top_k is nan; set it to a whole number, 1 or more"),
        (0, True, "top_k is True; set it to a whole number, 1 or more"),
        (0, 0, "top_k is 0; set it to 1 or more"),
        (0, -(10**400), f"top_k is -1{'0' * 58}...; set it to 1 or more"),
        (1, ["women"], "gender is ['women']; set it to women or men, or leave it empty"),
        (2, 5, "country is 5; set it to an ISO 3166 code, such as KR, or leave it empty"),
        (3, "maybe", "parts is 'maybe'; set it to true or false"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_its_name(
    place: int, value: Any, sentence: str, uploads: Path
) -> None:
    more = [5, "", "", False]
    more[place] = value
    with pytest.raises(SettingsError) as told:
        match(uploads, None, *more)
    assert str(told.value) == sentence


def test_values_that_can_be_used_stay_as_they_are(uploads: Path) -> None:
    for more in ([3.0, "women", "kr", True], [None] * 4, [10**30, "", "", False]):
        assert match(uploads, None, *more)[1:] == more
    assert float(match(uploads, None, 10**400)[1]) > 1e200  # more than a float holds


def test_another_number_of_values_is_refused(uploads: Path) -> None:
    for endpoint, names in ENDPOINTS.items():
        with pytest.raises(SettingsError, match=f"/{endpoint} takes .* were sent"):
            checked(endpoint, [None] * (len(names) + 1), uploads)


def test_names_are_refused_that_are_none_or_lacking() -> None:
    check_names({"photo": 1, "top_k": 2}, ENDPOINTS["match"], ["photo"])
    with pytest.raises(SettingsError, match="'bogus' is no argument; this endpoint takes photo,"):
        check_names({"photo": 1, "bogus": 2}, ENDPOINTS["match"], ["photo"])
    with pytest.raises(SettingsError, match="photo is missing; this endpoint takes photo,"):
        check_names({}, ENDPOINTS["match"], ["photo"])


def test_base64_becomes_a_file_byte_for_byte(tmp_path: Path) -> None:
    lines = base64.encodebytes(b"a face" * 30).decode()
    path = picture_of(f"data:image/JPEG;charset=x;base64,{lines}", tmp_path)
    assert path.read_bytes() == b"a face" * 30
    assert path.name == "photo.jpeg"


@pytest.mark.parametrize(
    "uri", ["data:image/png;base64,@@@@", "data:image/png;base64,AAA", "data:nonsense", "",
            "data:text/html;base64,AAAA", "data:image/../x;base64,AAAA", "data:image/png,AAAA"],
)  # fmt: skip
def test_what_is_no_base64_of_a_picture_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no base64 of a picture"):
        picture_of(uri, tmp_path)
    assert list(tmp_path.iterdir()) == []
