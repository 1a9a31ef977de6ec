"""Commons files: described in batches, credited in plain text, refused unless free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from core.download.commons import (
    SERVED_WIDTHS,
    category_files,
    describe_files,
    file_of,
    licence_refusal,
    plain_text,
)
from core.download.http import WebClient
from core.errors import SourceError
from tests.conftest import ASTRONAUT
from tests.wikimedia_standin import CC_BY_SA, CONTACT, Fault, File, WikimediaStandin

NAME = "Photo 1-1.jpg"


@pytest.fixture
def wikimedia(monkeypatch: pytest.MonkeyPatch) -> Iterator[WikimediaStandin]:
    monkeypatch.setenv("NO_PROXY", "*")
    with WikimediaStandin() as standin:
        standin.add("Ann", File(ASTRONAUT))
        yield standin


@pytest.fixture
def url(wikimedia: WikimediaStandin) -> str:
    return f"{wikimedia.url}/w/api.php"


@pytest.fixture
def client() -> Iterator[WebClient]:
    with WebClient(CONTACT, sleep=lambda _: None) as client:
        yield client


def test_a_free_file_has_its_credit(client: WebClient, url: str) -> None:
    file = describe_files(client, url, [NAME])[NAME]
    assert file.refusal == ""
    assert file.credit.author == "Ann & Bob"
    assert file.credit.licence == "CC BY-SA 4.0"
    assert file.credit.licence_url == CC_BY_SA
    assert (
        file.page == file.credit.source == "https://commons.wikimedia.org/wiki/File:Photo_1-1.jpg"
    )
    assert len(file.credit.sha1) == 40


def test_names_are_asked_for_fifty_at_a_time(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    names = [f"File {number}.jpg" for number in range(120)]
    for name in names:
        wikimedia.files[name] = File(ASTRONAUT)
    assert list(describe_files(client, url, names)) == names
    assert [len(seen.what.split("|")) for seen in wikimedia.requests] == [50, 50, 20]


def test_long_names_make_smaller_batches(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    names = [f"{'배우' * 30} {number}.jpg" for number in range(20)]
    for name in names:
        wikimedia.files[name] = File(ASTRONAUT)
    assert set(describe_files(client, url, names)) == set(names)
    assert len(wikimedia.requests) > 1


def test_an_answer_in_pieces_is_put_together(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.info_page = 3
    names = [f"File {number}.jpg" for number in range(8)]
    for name in names:
        wikimedia.files[name] = File(ASTRONAUT)
    assert set(describe_files(client, url, names)) == set(names)
    assert len(wikimedia.requests) == 3


def test_redirected_and_normalised_names_are_found_by_the_name_asked_for(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.redirects["File:Old name.jpg"] = f"File:{NAME}"
    files = describe_files(client, url, ["old_name.jpg"])
    assert files["old_name.jpg"].page.endswith("/File:Photo_1-1.jpg")


def test_files_that_commons_does_not_have_are_missing(client: WebClient, url: str) -> None:
    assert list(describe_files(client, url, ["Gone.jpg", NAME, "a|b.jpg"])) == [NAME]


def test_a_wide_picture_is_asked_for_at_a_width_that_is_served(
    client: WebClient, wikimedia: WikimediaStandin, url: str, tmp_path: Path
) -> None:
    Image.new("RGB", (2000, 1000)).save(tmp_path / "wide.jpg")
    wikimedia.files["Wide.jpg"] = File(tmp_path / "wide.jpg")
    file = describe_files(client, url, ["Wide.jpg"])["Wide.jpg"]
    assert "/960px-" in file.url
    assert int(wikimedia.requests[0].parameters["iiurlwidth"]) in SERVED_WIDTHS


def test_a_narrow_picture_is_taken_as_it_is(client: WebClient, url: str) -> None:
    assert "/original/" in describe_files(client, url, [NAME])[NAME].url


def test_a_thumbnail_of_a_width_that_is_not_served_gives_way_to_the_original() -> None:
    info = {"url": "https://u/o.jpg", "thumburl": "https://u/700px-o.jpg", "thumbwidth": 700}
    assert file_of("File:O.jpg", info).url == "https://u/o.jpg"


def test_a_category_is_listed_to_its_end(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.category_page = 3
    wikimedia.categories["Ann"] = [f"{number}.jpg" for number in range(8)]
    titles = category_files(client, url, "Ann", 200)
    assert titles == tuple(f"File:{number}.jpg" for number in range(8))
    assert len(wikimedia.requests) == 3


def test_a_huge_category_is_listed_as_far_as_wanted(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.category_page = 3
    wikimedia.categories["Ann"] = [f"{number}.jpg" for number in range(99)]
    assert len(category_files(client, url, "Ann", 5)) == 5
    assert len(wikimedia.requests) == 2


def test_a_category_that_is_not_there_has_no_files(client: WebClient, url: str) -> None:
    assert category_files(client, url, "Nobody", 5) == ()


def test_an_error_of_mediawiki_is_passed_on(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    error = b'{"error": {"code": "badvalue", "info": "Unrecognized value."}}'
    wikimedia.faults["api"] = [Fault(body=error, headers={"Content-Length": str(len(error))})]
    with pytest.raises(SourceError, match="Unrecognized value"):
        describe_files(client, url, [NAME])


@pytest.mark.parametrize(
    "licence",
    [
        "Public domain",
        "CC0",
        "CC0 1.0",
        "PD-USGov",
        "CC BY 2.0",
        "CC BY-SA 4.0",
        "CC BY-SA 3.0 de",
        "CC BY 3.0 igo",
        "CC BY-SA 2.5,2.0,1.0",
        "CC-BY-SA-3.0",
        "cc by-sa 2.0",
    ],
)
def test_a_free_licence_is_accepted(licence: str) -> None:
    assert licence_refusal(licence) == ""


@pytest.mark.parametrize(
    "licence",
    [
        "CC BY-NC 2.0",
        "CC BY-NC-SA 4.0",
        "CC BY-ND 4.0",
        "CC BY-NC-ND 3.0 us",
        "Fair use",
        "GFDL",
        "GFDL 1.2",
        "FAL",
        "No restrictions",
        "Attribution",
        "KOGL Type 1",
        "All rights reserved",
        "CC BY-SA 4.0 or else",
        "not public domain",
    ],
)
def test_any_other_licence_is_refused_by_its_name(licence: str) -> None:
    assert licence in licence_refusal(licence)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"licence": None}, "no licence is stated"),
        ({"licence": "GFDL"}, "not free: GFDL"),
        ({"non_free": True}, "not free"),
        ({"artist": None}, "no author is named"),
        ({"artist": "<span></span>"}, "no author is named"),
        ({"mime": "image/svg+xml"}, "no photo: image/svg"),
        ({"mime": "video/webm"}, "no photo: video/webm"),
    ],
)
def test_a_file_that_must_not_be_used_says_why(
    client: WebClient,
    wikimedia: WikimediaStandin,
    url: str,
    change: dict[str, object],
    reason: str,
) -> None:
    wikimedia.files[NAME] = replace(wikimedia.files[NAME], **change)  # type: ignore[arg-type]
    file = describe_files(client, url, [NAME])[NAME]
    assert reason in file.refusal


def test_public_domain_needs_no_author(
    client: WebClient, wikimedia: WikimediaStandin, url: str
) -> None:
    wikimedia.files[NAME] = File(ASTRONAUT, "Public domain", None, None)
    file = describe_files(client, url, [NAME])[NAME]
    assert file.refusal == ""
    assert (file.credit.author, file.credit.licence_url) == ("unknown author", "")


def test_a_file_about_which_nothing_is_known_is_refused() -> None:
    assert file_of("File:X.jpg", {}).refusal == "no licence is stated"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<a href="//x/User:A" title="User:A">A. Photographer</a>', "A. Photographer"),
        ("Ann &amp; Bob &lt;ann@x&gt;", "Ann & Bob <ann@x>"),
        ("Ann<br>Bob", "Ann Bob"),
        ("<p>Ann</p>\n<p>Bob</p>", "Ann Bob"),
        ('Unknown<span style="display: none;">Unknown</span>', "Unknown"),
        ('<div style="display:none"><div>a</div><br>b</div>Ann', "Ann"),
        ("<script>alert(1)</script>Ann", "Ann"),
        ("<b>송강호</b> · مصور", "송강호 · مصور"),
        ("</span>Ann", "Ann"),
        ("", ""),
    ],
)
def test_html_of_an_author_becomes_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", 'https://x/"><b>'])
def test_only_web_addresses_become_links(address: str) -> None:
    info = {"extmetadata": {"LicenseUrl": {"value": address}}, "descriptionurl": address}
    credit = file_of("File:X.jpg", info).credit
    assert credit.licence_url == ""
    assert credit.source == "https://commons.wikimedia.org/wiki/File:X.jpg"
