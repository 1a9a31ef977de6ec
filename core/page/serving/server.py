"""Serving the page, and beside it portraits, credits, the app's state and icons."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

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
from core.page.serving.address import trusted_proxies
from core.page.serving.document import LocalDocument
from core.page.serving.headers import AnswerHeaders
from core.page.serving.limits import Admission
from core.page.serving.password import Password
from core.page.serving.states import states
from core.page.serving.theme import THEME, THEME_COLOUR
from core.page.sessions import WatchedConnections
from core.page.templates import render

if TYPE_CHECKING:
    from core.page.serving.metrics import Metrics

ICONS = Path(__file__).parents[1] / "icons"
CSS = Path(__file__).parents[1] / "page.css"
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}  # addresses name the content
A_DAY = {"cache-control": "public, max-age=86400"}


def serve(
    demo: gr.Blocks, handlers: Handlers, metrics: Metrics | None = None, **options: Any
) -> None:
    """Launch the page of these handlers without blocking.

    Args:
        demo: the page.
        handlers: whose it is.
        metrics: counts, and is served; None: neither.
        options: of Gradio's launch, such as server_port and share.

    Raises:
        SettingsError: language models are to be served, and cannot be.
    """
    settings = handlers.finder.settings
    if settings.mcp and settings.password:
        raise SettingsError(
            "LOOKALIKE_PASSWORD is set, with which language models cannot be served;"
            " set LOOKALIKE_MCP=0"
        )
    # Read by uvicorn; this machine's own are those of the server for language models.
    os.environ.setdefault("FORWARDED_ALLOW_IPS", trusted_proxies(settings))
    demo.launch(
        **_prepared(demo, handlers, metrics, shared=bool(options.get("share"))),
        ssl_verify=False,  # it asks itself, over http; the first visitor would wait 30 ms more
        mcp_server=settings.mcp,
        quiet=True,
        prevent_thread_lock=True,
        **options,
    )
    handlers.sessions.keep_swept(demo, settings.photo_seconds)
    if settings.mcp and demo.mcp_error:
        raise SettingsError(
            f"the MCP server cannot be started: {demo.mcp_error}; set LOOKALIKE_MCP=0"
        )


def asgi_app(demo: gr.Blocks, handlers: Handlers, metrics: Metrics | None = None) -> FastAPI:
    """The same page for a server that is none of Gradio's, whose word on addresses is taken.

    Raises:
        SettingsError: language models are to be served, which takes Gradio's own.
    """
    settings = handlers.finder.settings
    if settings.mcp:
        raise SettingsError(
            "LOOKALIKE_MCP is on, with which the page can only be served by app.py;"
            " set LOOKALIKE_MCP=0"
        )

    @asynccontextmanager
    async def swept(_: FastAPI) -> AsyncIterator[None]:
        demo.is_running = True
        handlers.sessions.keep_swept(demo, settings.photo_seconds)
        yield
        demo.is_running = False

    app = FastAPI(lifespan=swept, openapi_url=None)
    options = _prepared(demo, handlers, metrics, shared=False)
    root = os.environ.get("GRADIO_ROOT_PATH")
    gr.mount_gradio_app(app, demo, "/", root_path=root, show_error=False, **options)
    return app


def _prepared(
    demo: gr.Blocks, handlers: Handlers, metrics: Metrics | None, *, shared: bool
) -> dict[str, Any]:
    """Options of a page, which is changed to fit, that both of Gradio's ways to serve it take.

    Args:
        demo: the page.
        handlers: what its events call.
        metrics: counts, and is served.
        shared: whether through Gradio's relay.
    """
    finder = handlers.finder
    settings = finder.settings
    keep_callers_out_of_the_log()
    refuse_names_that_are_none()
    admit_only(demo, Admission(settings.calls_a_minute, settings.waiting))
    if metrics:
        metrics.watch(demo)
    return {
        "i18n": static_words(finder),
        "css_paths": CSS,
        "theme": THEME,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": ["api"],
        "favicon_path": ICONS / "icon-192.png",
        "app_kwargs": {
            "routes": [*routes(handlers), *states(finder, demo, metrics)],
            "middleware": [
                Middleware(AnswerHeaders, settings.frames, shared),
                Middleware(Password, settings.password),
                Middleware(LocalDocument, speeches(finder), handlers.public_url),
                Middleware(WatchedConnections, handlers.sessions, demo),
            ],
            "exception_handlers": unanswerable(),
        },
        "max_file_size": f"{2 * settings.max_megabytes:g}mb",  # the page's words up to there
        "ssr_mode": False,
    }


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

    return [
        Route("/portraits/{key}/{size}.webp", portrait),
        Route("/credits", credits),
        Route("/app.webmanifest", manifest),
        *(Route(f"/{file.name}", _icon(file)) for file in sorted(ICONS.glob("*.png"))),
    ]


def credits_page(view: View) -> str:
    """Every credited portrait of the gallery, by actor, and what else the app shows."""
    index, lang = view.finder.index, view.speech.lang
    portraits = [
        (view.finder.people.name(actor, lang), portrait.credit)
        for actor, portrait in index.all_portraits()
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
