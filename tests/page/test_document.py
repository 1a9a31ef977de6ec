"""The page's document: in the visitor's language, with the app's own head and no other host."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from core.lookalike import LookalikeFinder
from core.page.language import speeches
from core.page.serving.document import LocalDocument
from core.page.words import words_of

HTML = (
    '<!doctype html><html lang="en"><head><meta property="og:title" content="Gradio" />\n'
    '<meta property="og:image" content="https://elsewhere.example/a.png">'
    '<meta name="twitter:image" content="https://elsewhere.example/b.png">'
    '<meta charset="utf-8"></head><body><header>얼굴 &lt;head></header></body></html>'
)
ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)


def ask(document: LocalDocument, path: str = "/", query: str = "", lang: str = "en", **more: Any
        ) -> tuple[dict[str, str], str]:  # fmt: skip
    """Headers and body of one answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode("latin-1"),
        "headers": [(b"accept-language", lang.encode())],
        **more,
    }
    asyncio.run(document(scope, receive, send))
    assert sent[0]["type"] == "http.response.start"
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert len(headers) == len(sent[0]["headers"])  # none twice
    return headers, b"".join(message.get("body", b"") for message in sent[1:]).decode()


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers everything with the same page, in two parts, cut within a letter."""
    body = HTML.encode()
    cut = body.index("얼".encode()) + 1
    headers = [
        (b"content-type", b"text/html"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"accept-encoding"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[:cut], "more_body": True})
    await send({"type": "http.response.body", "body": body[cut:]})


@pytest.fixture
def document(starter: LookalikeFinder) -> LocalDocument:
    return LocalDocument(page, speeches(starter))


@pytest.mark.parametrize(
    ("query", "header", "lang"),
    [
        ("", "ko-KR,ko;q=0.9", "ko"),
        ("", "fr", "en"),
        ("lang=ko", "en", "ko"),
        ("lang=en&lang=ko", "ko", "en"),
        ("lang=%22%3E%3Cscript%3E", "ko", "ko"),
        ("lang=\xff%ff&;&=", "en", "en"),
    ],
)
def test_the_document_is_in_the_visitors_language(
    document: LocalDocument, query: str, header: str, lang: str
) -> None:
    headers, html = ask(document, query=query, lang=header)
    assert html.count(f'<html lang="{lang}">') == html.count("<html") == 1
    assert headers["content-language"] == lang
    title = {"en": "Which actor do you look like?", "ko": "나는 어떤 배우를 닮았을까?"}[lang]
    assert f'<meta property="og:title" content="{title}">' in html
    assert "<script>" in html
    assert "%3C" not in html


def test_content_length_is_the_documents_in_bytes(document: LocalDocument) -> None:
    for lang in ("en", "ko"):
        headers, html = ask(document, lang=lang)
        assert int(headers["content-length"]) == len(html.encode()) > len(HTML.encode())


def test_caches_are_told_that_the_language_decides(document: LocalDocument) -> None:
    headers, _ = ask(document)
    assert {part.strip().lower() for part in headers["vary"].split(",")} == {
        "accept-encoding",
        "accept-language",
    }


def test_preview_tags_of_others_are_replaced(document: LocalDocument) -> None:
    _, html = ask(document)
    assert "elsewhere" not in html
    assert '"Gradio"' not in html
    assert html.count("og:title") == html.count('name="twitter:card"') == 1
    assert '<meta charset="utf-8">' in html  # the rest stays
    assert "얼굴 &lt;head>" in html


def test_a_preview_picture_needs_an_address_that_is_known(starter: LookalikeFinder) -> None:
    _, without = ask(LocalDocument(page, speeches(starter)))
    assert "og:image" not in without
    assert "og:url" not in without
    public = LocalDocument(page, speeches(starter), 'https://example.org/a"b/')
    _, html = ask(public)
    assert 'property="og:image" content="https://example.org/a&#34;b/preview.png"' in html
    assert 'property="og:url" content="https://example.org/a&#34;b"' in html


def test_the_head_is_put_in_once(document: LocalDocument) -> None:
    _, html = ask(document)
    for tag in ("<head>", "window.lookalike=", 'rel="manifest"', 'name="description"', "og:type"):
        assert html.count(tag) == 1, tag
    assert html.index("<head>") < html.index("window.lookalike=") < html.index("</head>")


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_script_learns_the_language_and_the_controls_words(
    document: LocalDocument, lang: str
) -> None:
    _, html = ask(document, lang=lang)
    settings = html.split("window.lookalike=")[1]
    told, _ = json.JSONDecoder().raw_decode(settings)
    assert told == {"lang": lang, "words": words_of(lang).gradio}
    script = html.split("<script>")[1].split("</script>")[0]
    assert "MutationObserver" in script  # page.js, whole
    assert script.rstrip().endswith(";")


@pytest.mark.parametrize(
    "change",
    [{"path": "/gradio_api/info"}, {"path": "/config"}, {"path": "//"}, {"method": "POST"},
     {"method": "HEAD"}],
)  # fmt: skip
def test_other_addresses_and_methods_are_left_alone(
    document: LocalDocument, change: dict[str, str]
) -> None:
    headers, html = ask(document, lang="ko", **change)
    assert html == HTML
    assert headers["content-length"] == str(len(HTML.encode()))
    assert "content-language" not in headers


def test_websockets_and_the_servers_start_pass_through(starter: LookalikeFinder) -> None:
    passed = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope)

    document = LocalDocument(app, speeches(starter))
    scopes = [{"type": "lifespan"}, {"type": "websocket", "path": "/"}]
    for scope in scopes:
        asyncio.run(document(scope, None, None))  # type: ignore[arg-type]
    assert passed == scopes


@pytest.mark.parametrize("encoding", ["identity", "gzip, deflate, br"])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_served_page_names_no_other_host(
    served: httpx.Client, lang: str, encoding: str
) -> None:
    answer = served.get("/", params={"lang": lang}, headers={"accept-encoding": encoding})
    assert answer.status_code == 200
    html = answer.text
    assert f'lang="{lang}"' in html
    assert html.count("window.lookalike=") == 1
    assert '<meta property="og:image"' not in html
    # Gradio's description of its API holds examples' addresses, as data.
    shown = re.sub(r"<script>window\.gradio_\w+\s*=.*?</script>", "", html, flags=re.DOTALL)
    assert shown.count("<script") >= 2
    assert sorted(set(ADDRESS.findall(shown))) == []


def test_the_served_page_still_has_gradios_own_parts(served: httpx.Client) -> None:
    plain = served.get("/").text
    assert "gradio_config" in plain
    assert served.get("/config").json()["title"] == "Lookalike"
    assert "window.lookalike=" not in served.get("/gradio_api/info").text


def test_the_icon_is_asked_for_below_the_page_not_at_the_domains_root(
    document: LocalDocument, served: httpx.Client
) -> None:
    for html in (ask(document)[1], served.get("/credits").text):
        (icon,) = re.findall(r'<link rel="icon"[^>]* href="([^"]+)"', html)
        assert not icon.startswith(("/", "http"))
        assert served.get(f"/{icon}").headers["content-type"] == "image/png"
