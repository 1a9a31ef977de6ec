"""Every change to Gradio's own objects, each needed with Gradio 6.31.

tests/page/test_gradio_patches.py fails for the first Gradio that does without one.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.mcp
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from core.errors import SettingsError


def without_matplotlib() -> None:
    """Gradio readies matplotlib for each event where it is installed: a second at the first."""
    sys.modules.setdefault("matplotlib", None)  # type: ignore[arg-type]


def photo_input(**options: Any) -> gr.Image:
    """gr.Image that leaves reading the photo to core/faces/photo.py.

    Gradio would decode it first, and answer a bad file in its own words. The instance is changed,
    not subclassed: for a subclass Gradio writes a .pyi file beside the source.
    """
    image = gr.Image(type="filepath", **options)
    decode = image.preprocess

    def preprocess(payload: ImageData | None) -> Any:
        return payload.path if payload is not None and payload.path else decode(payload)

    image.preprocess = preprocess  # type: ignore[method-assign]
    return image


def explain_fetching(photo: gr.Image, sentence: str) -> None:
    """Refuse an address that gives no photo in one sentence, without the address in the log.

    Gradio writes the traceback of a failed download to the log, with the address in it.
    """
    fetch = photo.async_move_resource_to_block_cache

    async def fetch_or_refuse(source: str | Path | None) -> str | None:
        try:
            return await fetch(source)
        except Exception as error:
            raise gr.Error(sentence, print_exception=False) from error

    photo.async_move_resource_to_block_cache = fetch_or_refuse  # type: ignore[assignment,method-assign]


def describe(component: gr.components.Component, schema: dict[str, Any], example: Any) -> None:
    """What the API says of a component; Gradio knows its kind only, not its fields or limits."""
    component.api_info = lambda: schema  # type: ignore[method-assign]
    component.example_inputs = lambda: example  # type: ignore[method-assign]


class JsonAnswers(gradio.mcp.GradioMCPServer):
    """Answers language models with JSON; Gradio would write a dictionary as Python does."""

    def postprocess_output_data(self, data: Any, root_url: str) -> list[Any]:
        """One text a value; no endpoint of this app answers with files."""
        texts = (json.dumps(value, ensure_ascii=False) for value in data)
        return [self.types.TextContent(type="text", text=text) for text in texts]


def prepare_mcp() -> None:
    """Make the server for language models ready to be launched with the page.

    Photos sent as base64 go where the page's go and are deleted with them. Gradio reads that
    folder when it is imported, before the app has made one.

    Raises:
        SettingsError: the package mcp is not installed. It is no requirement of the app: Gradio
            would import it at every start, whether it serves language models or not.
    """
    try:
        importlib.import_module("mcp")
    except ImportError as error:
        raise SettingsError(
            "LOOKALIKE_MCP is on, but the package for it is missing;"
            ' run python -m pip install "gradio[mcp]", or set LOOKALIKE_MCP=0'
        ) from error
    gradio.mcp.DEFAULT_TEMP_DIR = get_upload_folder()
    gradio.mcp.GradioMCPServer = JsonAnswers  # type: ignore[misc]
