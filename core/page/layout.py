"""The page itself: which controls there are, and what each of them calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from core.lookalike import LookalikeFinder
from core.page.api import add_api, check_call, matching_queue
from core.page.gradio_patches import answer_in_words, photo_input, remember_nothing
from core.page.handlers import Handlers
from core.page.language import ANYONE, banners, country_choices, gender_choices, speeches
from core.page.result import empty_html
from core.page.templates import render
from core.page.words import page_languages, words_of

EXAMPLE = Path(__file__).parent / "examples" / "astronaut.jpg"
LIVE_EVERY = 0.12  # seconds; a frame that was not answered yet is replaced by the next, not queued
LIVE_SECONDS = 300  # of matching, after which a camera left running gives its place back
# The browser's own note of what is shown, which it carries over when the language is switched.
REMEMBER = "(...shown) => { window.lookalike.remember(shown); return []; }"
# What core/page/page.js does with the page's own HTML once it is there and when it changes.
MARK_LANGUAGE = "window.lookalike.markLanguage(element);"
SHOW_RESULT = (
    "window.lookalike.askAlike = () => trigger('apply'); window.lookalike.showResult();"
    " watch('value', window.lookalike.showResult);"
)
SHOW_CARD = "watch('value', window.lookalike.showCard);"
FACE_ON_SHOW = "window.lookalike.faceOnShow"  # what is sent of all that the browser keeps
OWN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # no API
# Words of the controls, which stand in the page before any event.
STATIC = ("intro", "tab_photo", "tab_live", "photo", "live", "privacy", "example", "who", "country",
          "make_card", "footer", "fun")  # fmt: skip


@dataclass(frozen=True)
class Controls:
    """What events read and write."""

    photo: gr.Image
    example: gr.Button
    camera: gr.Image
    live: gr.HTML
    tabs: tuple[gr.Tab, gr.Tab]
    gender: gr.Radio
    country: gr.Dropdown
    result: gr.HTML
    kept: gr.JSON  # core/page/browser_memory.py: what the browser keeps
    chosen: gr.JSON  # [face, match, parts told of them] on show, filled in by the browser
    told: gr.JSON  # what is alike in them, once it was asked for
    make_card: gr.Button
    card: gr.HTML

    @property
    def filters(self) -> list[gr.Component]:
        """Among whom is searched."""
        return [self.gender, self.country]

    @property
    def on_show(self) -> list[gr.Component]:
        """What makes the answer that is shown."""
        return [self.kept, *self.filters]


def build_demo(handlers: Handlers) -> gr.Blocks:
    """The page of a finder's handlers. Launch it with core/page/serving/server.py."""
    finder = handlers.finder
    i18n = static_words(finder)
    with gr.Blocks(title="Lookalike", analytics_enabled=False) as demo:
        gr.HTML(languages_html(), elem_id="languages", js_on_load=MARK_LANGUAGE)
        gr.Markdown(i18n("heading"), elem_id="title")
        gr.Markdown(i18n("intro"), elem_id="intro")
        controls = _controls(i18n, finder)
        for key in banners(finder):
            gr.Markdown(i18n(key), elem_classes="banner")
        gr.Markdown(i18n("footer_links"), elem_id="footer")
        connect(demo, handlers, controls)
        add_api(finder)
    answer_in_words(demo, check_call, handlers.failure)
    remember_nothing(demo)
    blocks: gr.Blocks = demo
    return blocks


def languages_html() -> str:
    """Links to the page in each of its languages."""
    return render("languages", languages={lang: words_of(lang) for lang in page_languages()})


def static_words(finder: LookalikeFinder) -> gr.I18n:
    """The controls' words, of which Gradio takes the language that serving/server.py set."""
    words = {
        lang: {
            **{key: speech(key) for key in (*STATIC, *banners(finder))},
            "heading": f"# {speech('title')}",
            "footer_links": f"{speech('fun')} {speech('footer')} ·"
            f" [{speech('credits')}](credits?lang={lang})",
        }
        for lang, speech in speeches(finder).items()
    }
    return gr.I18n(**words)


def _controls(i18n: gr.I18n, finder: LookalikeFinder) -> Controls:
    speech = speeches(finder)[page_languages()[0]]  # until the visitor's language is known
    genders = gender_choices(finder, speech)
    countries = country_choices(finder, speech)
    with gr.Row(elem_id="main"):
        with gr.Column(elem_id="input", min_width=300):
            with gr.Tab(i18n("tab_photo"), elem_id="photo-tab") as photo_tab:
                sources = ["upload", "webcam", "clipboard"]
                photo = photo_input(
                    label=i18n("photo"), sources=sources, buttons=[], height=340, elem_id="photo"
                )
                example = gr.Button(i18n("example"), elem_id="example", size="sm")
                gr.Markdown(i18n("privacy"), elem_id="privacy")
            with gr.Tab(i18n("tab_live"), elem_id="live-tab") as live_tab:
                camera = gr.Image(
                    label=i18n("live"), sources=["webcam"], streaming=True, type="numpy",
                    buttons=[], height=340, elem_id="camera", visible=False,
                )  # fmt: skip
                live = gr.HTML(elem_id="live")
        with gr.Column(elem_id="output", min_width=300):
            result = gr.HTML(empty_html(finder), elem_id="result", js_on_load=SHOW_RESULT)
            make_card = gr.Button(
                i18n("make_card"), elem_id="make-card", variant="primary", interactive=False
            )
            card = gr.HTML(elem_id="card", js_on_load=SHOW_CARD)
            with gr.Row(elem_id="filters"):
                gender = gr.Radio(
                    genders, value=ANYONE, label=i18n("who"), visible=len(genders) > 1
                )
                country = gr.Dropdown(
                    countries, value=ANYONE, label=i18n("country"), visible=len(countries) > 1
                )
    kept, chosen, told = (gr.JSON(visible=False) for _ in range(3))
    return Controls(
        photo, example, camera, live, (photo_tab, live_tab), gender, country, result, kept, chosen,
        told, make_card, card,
    )  # fmt: skip


def connect(demo: gr.Blocks, handlers: Handlers, page: Controls) -> None:
    """What each control calls, along a visit: an answer, what is asked of it, the camera."""
    connect_answers(demo, handlers, page)
    connect_questions(handlers, page)
    connect_live(handlers, page)


def connect_answers(demo: gr.Blocks, handlers: Handlers, page: Controls) -> None:
    """A match starts on its own when a photo arrives, and the newest photo wins."""
    remember: dict[str, Any] = {"fn": None, "inputs": page.on_show, "js": REMEMBER, **OWN}
    demo.load(
        handlers.greet,
        page.on_show,
        [page.result, page.kept, page.make_card, page.live, *page.filters],
        js="() => window.lookalike.carried()",
        **OWN,
    ).then(**remember)
    page.photo.change(
        handlers.show,
        [page.photo, *page.filters],
        [page.result, page.kept, page.card, page.make_card],
        trigger_mode="always_last",
        **OWN,
        **matching_queue(handlers.finder),
    ).then(**remember)
    page.example.click(lambda: str(EXAMPLE), None, page.photo, **OWN)
    gr.on(
        [page.gender.input, page.country.input],
        handlers.show_again,
        page.on_show,
        [page.result, page.card],
        trigger_mode="always_last",
        **OWN,
    ).then(**remember)


def connect_questions(handlers: Handlers, page: Controls) -> None:
    """The card of the face and match on show, and what is alike in them."""
    matching = matching_queue(handlers.finder)
    inputs = [*page.on_show, page.chosen]
    page.make_card.click(
        handlers.draw_card,
        inputs,
        page.card,
        js=FACE_ON_SHOW,
        api_visibility="private",
        **matching,
    )
    asked = page.result.apply(
        handlers.tell_alike, inputs, page.told, js=FACE_ON_SHOW, **OWN, **matching
    )
    asked.success(None, page.told, None, js="window.lookalike.showAlike", **OWN)
    asked.failure(None, None, None, js="window.lookalike.alikeFailed", **OWN)


def connect_live(handlers: Handlers, page: Controls) -> None:
    """The camera runs only while its tab is open."""
    photo_tab, live_tab = page.tabs
    live_tab.select(lambda: gr.update(visible=True), None, page.camera, **OWN)
    photo_tab.select(lambda: gr.update(visible=False), None, page.camera, **OWN)
    page.camera.stream(
        handlers.live,
        page.camera,
        page.live,
        stream_every=LIVE_EVERY,
        time_limit=LIVE_SECONDS,
        concurrency_limit=None,
        **OWN,
    )
