"""Serving the page with the settings that its promises rest on.

The page's HTML document in the visitor's language, with its own head.

Gradio sends one document to everyone, in English, with preview tags of its own that point to
another host. This middleware answers the page's address only: it sets the language for Gradio's
labels and for screen readers, and puts the app's own tags in.

What the app serves besides Gradio's page: portraits, credits, its state, icons.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.answer import health_json
from core.errors import SettingsError
from core.page.handlers import Handlers
from core.page.language import GRADIO_WORDS, Speech, View, speeches, visitor_language
from core.page.layout import static_words
from core.page.result import credit_line
from core.page.theme import THEME

HERE = Path(__file__).parent
PREVIEW_TAG = re.compile(r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')
THEME_COLOUR = "#2b1654"
# What the page's place depends on: page.css comes after the first picture of it.
EARLY_STYLE = (
    "<style>@media (min-width: 720px) { :root { scrollbar-gutter: stable; } }"
    " .gradio-container { width: 100% !important; max-width: 1080px !important;"
    " margin: 0 auto !important; }</style>"
)


class LocalDocument:
    """ASGI middleware; everything but GET / passes through."""

    def __init__(self, app: ASGIApp, spoken: Mapping[str, Speech], public_url: str = "") -> None:
        """`public_url`: where the app is reached, for preview pictures; "" if unknown."""
        self.app = app
        self._public_url = public_url.rstrip("/")
        self._heads = {lang: self._head(speech) for lang, speech in spoken.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        wanted = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
        lang = visitor_language(wanted, Headers(scope=scope).get("accept-language"))
        await self.app(scope, receive, self._translating(lang, send))

    def _translating(self, lang: str, send: Send) -> Send:
        start: Message = {}
        parts: list[bytes] = []

        async def translated(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = self._localised(b"".join(parts).decode(), lang).encode()
            headers = MutableHeaders(raw=list(start["headers"]))
            headers["content-length"] = str(len(body))
            headers["content-language"] = lang
            headers.add_vary_header("accept-language")
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": body})

        return translated

    def _localised(self, html: str, lang: str) -> str:
        html = PREVIEW_TAG.sub("", html)
        html = html.replace('lang="en"', f'lang="{lang}"', 1)
        return html.replace("<head>", f"<head>{self._heads[lang]}", 1)

    def _head(self, speech: Speech) -> str:
        title, description = escape(speech("title")), escape(speech("description"))
        tags = [
            f'<meta name="description" content="{description}">',
            f'<meta name="theme-color" content="{THEME_COLOUR}">',
            '<meta property="og:type" content="website">',
            f'<meta property="og:title" content="{title}">',
            f'<meta property="og:description" content="{description}">',
            '<meta name="twitter:card" content="summary_large_image">',
            '<link rel="manifest" href="app.webmanifest">',
            '<link rel="apple-touch-icon" href="icon-192.png">',
        ]
        if self._public_url:
            address = escape(self._public_url)
            tags += [
                f'<meta property="og:url" content="{address}">',
                f'<meta property="og:image" content="{address}/preview.png">',
            ]
        tags.append(EARLY_STYLE)
        return "".join(tags) + f"<script>{self._script(speech)}</script>"

    @staticmethod
    def _script(speech: Speech) -> str:
        """Gradio takes its labels' language from the browser: this page has decided already."""
        words = GRADIO_WORDS[speech.lang]
        settings = json.dumps({"lang": speech.lang, "words": words}, ensure_ascii=False)
        return f"window.lookalike={settings};{(HERE / 'page.js').read_text('utf-8')}"


ICONS = Path(__file__).parent / "icons"
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}  # addresses name the content
A_DAY = {"cache-control": "public, max-age=86400"}


def routes(handlers: Handlers) -> list[BaseRoute]:
    """To be handed to the server beside Gradio's own."""

    def portrait(request: Request) -> Response:
        key, size = request.path_params["key"], request.path_params["size"]
        picture = handlers.shelf.encoded(key, size)
        if picture is None:
            return Response("no such portrait", 404)
        return Response(picture, media_type="image/webp", headers=FOREVER)

    def credits(request: Request) -> Response:
        return HTMLResponse(credits_page(handlers.view(request)))

    def manifest(request: Request) -> Response:
        speech = handlers.view(request).speech
        return Response(_manifest(speech("title")), media_type="application/manifest+json")

    def health(_: Request) -> Response:
        return JSONResponse(health_json(handlers.finder), headers={"cache-control": "no-store"})

    return [
        Route("/portraits/{key}/{size}.webp", portrait),
        Route("/credits", credits),
        Route("/health", health),
        Route("/app.webmanifest", manifest),
        *(Route(f"/{file.name}", _icon(file)) for file in sorted(ICONS.glob("*.png"))),
    ]


def credits_page(view: View) -> str:
    """Every credited portrait of the gallery, by actor, and what else the app shows."""
    speech, finder = view.speech, view.finder
    rows = [
        f"<li><b>{escape(finder.people.name(actor, speech.lang))}</b>"
        f" — {credit_line(portrait.credit, speech)}</li>"
        for portrait, row in zip(finder.index.portraits, finder.index.portrait_actor, strict=True)
        if portrait.credit and not portrait.hidden and (actor := finder.index.actors[row])
    ]
    portraits = f"<ul>{''.join(rows)}</ul>" if rows else f"<p>{escape(speech('credits_none'))}</p>"
    besides = "".join(
        f"<li>{escape(speech(key))}</li>"
        for key in ("credits_model", "credits_example", "credits_font")
    )
    title = escape(speech("credits"))
    return (
        f'<!doctype html><html lang="{speech.lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · Lookalike</title><style>{STYLE}</style></head><body><main>"
        f'<p><a href="./?lang={speech.lang}">{escape(speech("back"))}</a></p><h1>{title}</h1>'
        f"<p>{escape(speech('credits_intro'))}</p>{portraits}"
        f"<h2>{escape(speech('credits_besides'))}</h2><ul>{besides}</ul></main></body></html>"
    )


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;word-break:keep-all;background:#fbf8f6;"
    "color:#21132f}"
    "main{max-width:44rem;margin:0 auto;padding:1.5rem}a{color:#5b21b6}li{margin:.25rem 0;"
    "overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{background:#150d20;"
    "color:#f3edf8}a{color:#d6b8ff}}"
)


def _manifest(title: str) -> str:
    icons = [
        {"src": f"icon-{side}.png", "sizes": f"{side}x{side}", "type": "image/png"}
        for side in (192, 512)
    ]
    return json.dumps(
        {"name": title, "short_name": "Lookalike", "start_url": "./", "display": "standalone",
         "background_color": THEME_COLOUR, "theme_color": THEME_COLOUR, "icons": icons},
        ensure_ascii=False,
    )  # fmt: skip


def _icon(file: Path) -> Callable[[Request], Response]:
    def icon(_: Request) -> Response:
        return Response(file.read_bytes(), media_type="image/png", headers=A_DAY)

    return icon


CSS = Path(__file__).parent / "page.css"


def serve(demo: gr.Blocks, handlers: Handlers, **options: Any) -> None:
    """Launch the page of these handlers without blocking."""
    finder = handlers.finder
    document = Middleware(LocalDocument, speeches(finder), finder.settings.public_url)
    demo.launch(
        i18n=static_words(finder),
        css_paths=CSS,
        theme=THEME,
        run_history=False,
        footer_links=["api"],
        favicon_path=ICONS / "icon-192.png",
        app_kwargs={"routes": routes(handlers), "middleware": [document]},
        mcp_server=finder.settings.mcp,
        max_file_size=f"{2 * finder.settings.max_megabytes:g}mb",  # the page's words up to there
        ssr_mode=False,
        quiet=True,
        prevent_thread_lock=True,
        **options,
    )
    if finder.settings.mcp and demo.mcp_error:
        raise SettingsError(
            f"the MCP server cannot be started: {demo.mcp_error}; set LOOKALIKE_MCP=0"
        )
