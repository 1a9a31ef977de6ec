"""What the machines beside the app ask for: is it up, may visitors be sent, what did it count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.answer import health_json
from core.lookalike import LookalikeFinder
from core.page.gradio_patches import waiting_events

if TYPE_CHECKING:
    from core.page.serving.metrics import Metrics


def states(finder: LookalikeFinder, demo: gr.Blocks, metrics: Metrics | None) -> list[BaseRoute]:
    """`/health`, `/ready`, and `/metrics` where there are any."""
    fresh = {"cache-control": "no-store"}

    def health(_: Request) -> Response:
        return JSONResponse(health_json(finder), headers=fresh)

    def ready(_: Request) -> Response:
        reason = why_not_ready(demo, finder.settings.waiting)
        content = {"ready": not reason, "reason": reason or None}
        return JSONResponse(content, 503 if reason else 200, fresh)

    own: list[BaseRoute] = [Route("/health", health), Route("/ready", ready)]
    return [*own, Route("/metrics", metrics.answer)] if metrics else own


def why_not_ready(demo: gr.Blocks, most: int) -> str:
    """Why no more visitors should be sent here now; "" where they may come.

    Args:
        demo: the page.
        most: events that may wait.
    """
    if not os.access(get_upload_folder(), os.W_OK):
        return "the folder of visitors' photos cannot be written"
    if waiting_events(demo) >= most:
        return "as many photos wait as may"
    return ""
