"""Serving the page, and beside it portraits, credits, the app's state and icons."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.answer import health_json
from core.errors import SettingsError
from core.page.gradio_patches import (
    admit_only,
    close_at_once,
    keep_callers_out_of_the_log,
    refuse_names_that_are_none,
    unanswerable,
)
from core.page.handlers import Handlers
from core.page.language import View, speeches
from core.page.layout import static_words
from core.page.serving.document import LocalDocument
from core.page.serving.headers import AnswerHeaders
from core.page.serving.limits import Admission
from core.page.serving.password import Password
from core.page.serving.theme import THEME, THEME_COLOUR
from core.page.sessions import WatchedConnections
from core.page.templates import render

ICONS = Path(__file__).parents[1] / "icons"
CSS = Path(__file__).parents[1] / "page.css"
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}  # addresses name the content
OWN_ADDRESSES = "127.0.0.1,::1"
A_DAY = {"cache-control": "public, max-age=86400"}


def serve(demo: gr.Blocks, handlers: Handlers, **options: Any) -> None:
    """Launch the page of these handlers without blocking.

    Raises:
        SettingsError: language models are to be served, and cannot be.
    """
    if handlers.finder.settings.mcp and handlers.finder.settings.password:
        raise SettingsError(
            "LOOKALIKE_PASSWORD is set, with which language models cannot be served;"
            " set LOOKALIKE_MCP=0"
        )
    finder = handlers.finder
    document = Middleware(LocalDocument, speeches(finder), handlers.public_url)
    password = Middleware(Password, finder.settings.password)
    headers = Middleware(AnswerHeaders, finder.settings.frames, bool(options.get("share")))
    keep_callers_out_of_the_log()
    refuse_names_that_are_none()
    admit_only(demo, Admission(finder.settings.calls_a_minute, finder.settings.waiting))
    # Read by uvicorn; this machine's own are those of the server for language models.
    os.environ.setdefault(
        "FORWARDED_ALLOW_IPS", f"{OWN_ADDRESSES},{finder.settings.trusted_proxies}"
    )
    watched = Middleware(WatchedConnections, handlers.sessions, demo)
    demo.launch(
        i18n=static_words(finder),
        css_paths=CSS,
        theme=THEME,
        run_history=False,
        enable_monitoring=False,
        footer_links=["api"],
        favicon_path=ICONS / "icon-192.png",
        app_kwargs={
            "routes": routes(handlers),
            "middleware": [headers, password, document, watched],
            "exception_handlers": unanswerable(),
        },
        mcp_server=finder.settings.mcp,
        max_file_size=f"{2 * finder.settings.max_megabytes:g}mb",  # the page's words up to there
        ssr_mode=False,
        quiet=True,
        prevent_thread_lock=True,
        **options,
    )
    handlers.sessions.keep_swept(demo, finder.settings.photo_seconds)
    if finder.settings.mcp and demo.mcp_error:
        raise SettingsError(
            f"the MCP server cannot be started: {demo.mcp_error}; set LOOKALIKE_MCP=0"
        )


def serve_until_interrupted(demo: gr.Blocks, first: Callable[[], None]) -> None:
    """Wait, and close the server at Ctrl-C; Gradio's own wait would print a line about it.

    Args:
        demo: what is served.
        first: to be done before all else once it is to end.
    """
    try:
        while demo.is_running:
            time.sleep(0.1)
    finally:
        first()
        close_at_once(demo)


def routes(handlers: Handlers) -> list[BaseRoute]:
    """What is served beside Gradio's own."""

    def portrait(request: Request) -> Response:
        key, size = request.path_params["key"], request.path_params["size"]
        picture = handlers.pictures.encoded(key, size)
        if picture is None:
            return Response("no such portrait", 404)
        return Response(picture, media_type="image/webp", headers=FOREVER)

    def credits(request: Request) -> Response:
        return HTMLResponse(credits_page(handlers.view(request)))

    def manifest(request: Request) -> Response:
        answer = _manifest(handlers.view(request).speech("title"))
        return JSONResponse(answer, media_type="application/manifest+json")

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
    index, lang = view.finder.index, view.speech.lang
    portraits = [
        (view.finder.people.name(index.actors[row], lang), portrait.credit)
        for portrait, row in zip(index.portraits, index.portrait_actor, strict=True)
        if portrait.credit and not portrait.hidden
    ]
    return render("credits", speech=view.speech, portraits=portraits)


def _manifest(title: str) -> dict[str, Any]:
    icons = [
        {"src": f"icon-{side}.png", "sizes": f"{side}x{side}", "type": "image/png"}
        for side in (192, 512)
    ]
    return {
        "name": title,
        "short_name": "Lookalike",
        "start_url": "./",
        "display": "standalone",
        "background_color": THEME_COLOUR,
        "theme_color": THEME_COLOUR,
        "icons": icons,
    }


def _icon(file: Path) -> Callable[[Request], Response]:
    def icon(_: Request) -> Response:
        return Response(file.read_bytes(), media_type="image/png", headers=A_DAY)

    return icon
