"""What the app serves besides Gradio's page: portraits, credits, its state, icons."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.answer_json import health_json
from core.page.document import THEME_COLOUR
from core.page.handlers import Handlers
from core.page.html import credit_line
from core.page.view import View

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
