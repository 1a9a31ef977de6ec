"""Pages to compare with: `empty`, Gradio and nothing else; `answering`, which only answers."""

from __future__ import annotations

import os
import sys
from typing import Any

import gradio as gr

ANSWER = {"photo": "one.jpg", "pack": "sface", "faces": [{"box": [0.0] * 4, "matches": []}]}


def empty() -> gr.Blocks:
    """No component but one line."""
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("empty")
    return page


def answering() -> gr.Blocks:
    """`/match` with the app's arguments; the photo is taken, and not looked at."""

    def match(photo: str, *asked: Any) -> dict[str, Any]:
        return ANSWER

    with gr.Blocks(analytics_enabled=False) as page:
        photo = gr.Image(type="filepath")
        numbers = [gr.Number(5), gr.Textbox(), gr.Textbox(), gr.Checkbox()]
        cores = len(os.sched_getaffinity(0))
        gr.Button().click(
            match, [photo, *numbers], gr.JSON(), api_name="match", concurrency_limit=cores
        )
    return page


if __name__ == "__main__":
    {"empty": empty, "answering": answering}[sys.argv[1]]().launch(
        server_port=int(sys.argv[2]), quiet=True
    )
