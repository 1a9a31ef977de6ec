"""Serving the page with the settings that its promises rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from core.errors import SettingsError
from core.page.document import LocalDocument
from core.page.handlers import Handlers
from core.page.layout import static_words
from core.page.routes import ICONS, routes
from core.page.speech import speeches
from core.page.theme import THEME

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
