"""The page's colours and type, as a Gradio theme; core/page/page.css does the rest."""

from __future__ import annotations

import gradio as gr

THEME_COLOUR = "#2b1654"  # of the browser's own parts; plum 900

PLUM = gr.themes.Color(
    c50="#f8f5fc", c100="#efe8f8", c200="#ddcdf0", c300="#c3a6e3", c400="#a377d1", c500="#7f49bb",
    c600="#65329f", c700="#4f2680", c800="#3b1d5e", c900="#2b1654", c950="#1b0e36",
    name="plum",
)  # fmt: skip
STONE = gr.themes.Color(
    c50="#fbf8f6", c100="#f3eeea", c200="#e6ddd7", c300="#cfc3bd", c400="#a0939c", c500="#756878",
    c600="#584c5e", c700="#3d3346", c800="#291f33", c900="#1d1427", c950="#150d20",
    name="stone",
)  # fmt: skip

THEME = gr.themes.Base(
    primary_hue=PLUM,
    secondary_hue=PLUM,
    neutral_hue=STONE,
    radius_size=gr.themes.sizes.radius_lg,
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    body_text_color="*neutral_900",
    body_text_color_dark="*neutral_100",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    block_background_fill="white",
    block_background_fill_dark="*neutral_900",
    block_label_text_color="*neutral_600",
    block_label_text_color_dark="*neutral_200",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_500",
    button_primary_background_fill_hover_dark="*primary_600",
    button_primary_text_color="white",
    link_text_color="*primary_600",
    link_text_color_dark="*primary_300",
)
