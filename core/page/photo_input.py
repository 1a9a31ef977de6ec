"""An image input that leaves reading the photo to core/faces/photo.py."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData


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
