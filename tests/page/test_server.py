"""What the app serves besides the page: portraits, credits, icons, and nothing else."""

from __future__ import annotations

import io
from dataclasses import replace

import httpx
import pytest
from PIL import Image

from core.gallery.credits import Credit
from core.lookalike import LookalikeFinder
from core.page.portraits import PortraitPictures
from core.page.serving.server import credits_page
from tests.page.conftest import view_of


def portrait_address(gallery: LookalikeFinder, size: str = "small") -> str:
    pictures = PortraitPictures(gallery)
    shown = [pictures.address(portrait, "small") for portrait in gallery.index.portraits]
    address = next(address for address in shown if address)
    return "/" + address.replace("small", size)


def test_portraits_are_served_and_may_be_kept_for_ever(
    served: httpx.Client, gallery: LookalikeFinder
) -> None:
    for size, pixels in (("small", (112, 140)), ("face", (480, 600))):
        answer = served.get(portrait_address(gallery, size))
        assert answer.headers["content-type"] == "image/webp"
        assert "immutable" in answer.headers["cache-control"]
        assert Image.open(io.BytesIO(answer.content)).size == pixels


@pytest.mark.parametrize(
    "path",
    [
        "/portraits/0000000000000000/face.webp",
        "/portraits/{key}/huge.webp",
        "/portraits/{key}/face.png",
        "/portraits/{key}/..%2f..%2fcredits.webp",
        "/portraits/..%2fcredits.csv/face.webp",
        "/portraits/Ann%2f1.png/face.webp",
        "/portraits/{key}",
        "/portraits/",
        "/credits.csv",
        "/dataset/Ann/1.png",
        "/Ann/1.png",
        "/icon-193.png",
        "/..%2fapp.py",
        "/page.js",
    ],
)
def test_nothing_else_of_the_gallery_or_the_app_can_be_fetched(
    served: httpx.Client, gallery: LookalikeFinder, path: str
) -> None:
    key = portrait_address(gallery).split("/")[2]
    answer = served.get(path.format(key=key))
    assert answer.status_code == 404
    assert str(gallery.settings.dataset_dir) not in answer.text


@pytest.mark.parametrize("file", ["Ann/1.png", "credits.csv", "embeddings.json", "actor_index.npz"])
def test_the_gallerys_folder_cannot_be_read_through_gradio(
    served: httpx.Client, gallery: LookalikeFinder, file: str
) -> None:
    path = gallery.settings.dataset_dir / file
    assert path.is_file() or file == "actor_index.npz"
    for address in (f"/gradio_api/file={path}", f"/file={path}"):
        assert served.get(address).status_code in (403, 404)


def test_a_hidden_portrait_is_not_served(served: httpx.Client, gallery: LookalikeFinder) -> None:
    hidden = [portrait for portrait in gallery.index.portraits if portrait.hidden]
    assert len(hidden) == 2
    for portrait in hidden:
        assert served.get(f"/portraits/{portrait.sha256[:16]}/face.webp").status_code == 404


def test_the_credits_page_names_who_made_each_credited_portrait(
    served: httpx.Client, gallery: LookalikeFinder
) -> None:
    english = served.get("/credits").text
    assert english.count("Jane Doe") == 2
    assert "Ann Lee" in english
    assert 'href="https://example.org/by"' in english
    assert "NASA" in english
    assert "SFace" in english
    assert "SIL Open Font License" in english
    assert "Bob" not in english  # hidden, and credited to nobody
    assert "Eve" not in english  # the owner's own
    assert str(gallery.settings.dataset_dir) not in english


def test_the_credits_page_is_in_the_visitors_language(served: httpx.Client) -> None:
    korean = served.get("/credits", headers={"accept-language": "ko"}).text
    assert '<html lang="ko">' in korean
    assert "앤 리" in korean
    assert "출처와 라이선스" in korean
    assert served.get("/credits", params={"lang": "ko"}).text == korean
    assert '<html lang="en">' in served.get("/credits").text


def test_the_credits_page_says_so_where_there_is_nothing_to_credit(
    starter: LookalikeFinder,
) -> None:
    html = credits_page(view_of(starter))
    assert "This gallery has no credited portraits." in html
    assert "<b>" not in html


def test_the_credits_page_takes_no_markup_from_names_and_credits(gallery: LookalikeFinder) -> None:
    evil = "</title><script>alert(1)</script>"
    credit = Credit(evil, evil, "javascript:alert(1)", f'https://x/"{evil}')
    portraits = tuple(replace(portrait, credit=credit) for portrait in gallery.index.portraits)
    actors = tuple(f"{evil}{name}" for name in gallery.index.actors)
    index = replace(gallery.index, portraits=portraits, actors=actors)
    html = credits_page(view_of(replace(gallery, index=index)))
    assert "<script" not in html
    assert "javascript:" not in html
    assert html.count("</title>") == 1
    assert html.count("&lt;script&gt;alert(1)") >= 3 * 14


def test_the_manifest_lets_a_phone_install_the_page(served: httpx.Client) -> None:
    answer = served.get("/app.webmanifest", headers={"accept-language": "ko"})
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = answer.json()
    assert manifest["name"] == "나는 어떤 배우를 닮았을까?"
    assert manifest["display"] == "standalone"
    assert [icon["sizes"] for icon in manifest["icons"]] == ["192x192", "512x512"]
    for icon in manifest["icons"]:
        picture = Image.open(io.BytesIO(served.get(f"/{icon['src']}").content))
        assert "{}x{}".format(*picture.size) == icon["sizes"]
        assert picture.format == "PNG"
    assert served.get("/app.webmanifest").json()["name"] == "Which actor do you look like?"


def test_the_preview_picture_is_there(served: httpx.Client) -> None:
    answer = served.get("/preview.png")
    assert Image.open(io.BytesIO(answer.content)).width >= 1200 // 2
    assert "max-age" in answer.headers["cache-control"]


def test_health_is_told(served: httpx.Client) -> None:
    answer = served.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
