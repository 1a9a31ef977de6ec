"""Gradio's MCP server for language models, with what this app needs of it.

An image input that leaves reading the photo to core/faces/photo.py.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

import gradio as gr
import gradio.mcp
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from core.errors import SettingsError


class JsonAnswers(gradio.mcp.GradioMCPServer):
    """Answers with JSON; Gradio would write a dictionary as Python does."""

    def postprocess_output_data(self, data: Any, root_url: str) -> list[Any]:
        """One text a value; no endpoint of this app answers with files."""
        texts = (json.dumps(value, ensure_ascii=False) for value in data)
        return [self.types.TextContent(type="text", text=text) for text in texts]


def prepare_mcp() -> None:
    """Make the server ready to be launched with the page.

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


def photo_input(**options: Any) -> gr.Image:
    """gr.Image that hands the uploaded file on as it is.

    Gradio would decode it first, and answer a bad file in its own words. The instance is changed,
    not subclassed: for a subclass Gradio writes a .pyi file beside the source.
    """
    image = gr.Image(type="filepath", **options)
    decode = image.preprocess

    def preprocess(payload: ImageData | None) -> Any:
        return payload.path if payload is not None and payload.path else decode(payload)

    image.preprocess = preprocess  # type: ignore[method-assign]
    return image
