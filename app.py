"""The page: webcam, upload or paste round the one match function of core/lookalike.py."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

# Read by Gradio and the Hub's client when they are imported: nothing is reported to anyone.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")

import gradio as gr
from gradio.data_classes import ImageData

from core.cards import problem_html, result_html, waiting_html
from core.cpu import usable_cpus
from core.errors import LookalikeError, PhotoError, SettingsError
from core.lookalike import LookalikeFinder, answer_json
from core.page_text import banners, page_text, visitor_language
from core.phrases import configure_logging, log
from core.settings import load_settings
from core.startup import start
from core.visitors import VisitorFolder, own_folder

CSS = Path(__file__).parent / "core" / "page.css"
EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - inside a container, behind its platform's proxy
HOSTED = ("PORT", "SPACE_ID")  # set where a platform's proxy must reach the server


def photo_input(**options: Any) -> gr.Image:
    """gr.Image that hands the uploaded file on as it is, so that core/photo.py reads it.

    Gradio would decode it first, and answer a bad file in its own words. The instance is changed,
    not subclassed: for a subclass Gradio writes a .pyi file beside the source.
    """
    image = gr.Image(type="filepath", **options)
    decode = image.preprocess

    def preprocess(payload: ImageData | None) -> Any:
        return payload.path if payload is not None and payload.path else decode(payload)

    image.preprocess = preprocess
    return image


class Handlers:
    """What the page's events and its API call: plain functions round the finder."""

    def __init__(self, finder: LookalikeFinder, texts: dict[str, dict[str, str]]) -> None:
        """`texts` by language, as `page_text` gives them."""
        self.finder = finder
        self.texts = texts

    def show_waiting(self, request: gr.Request) -> str:
        """What stands in the result's place before the first photo."""
        return self.show_matches(None, request)

    def show_matches(self, photo: str | None, request: gr.Request) -> str:
        """HTML for a photo that arrived, in its visitor's language."""
        lang = visitor_language(request.headers.get("accept-language"))
        texts = self.texts[lang]
        if photo is None:
            return waiting_html(texts["waiting"])
        try:
            return result_html(self.finder, self.finder.find(photo), texts, lang)
        except PhotoError as error:
            return problem_html(texts[error.code])
        except LookalikeError as error:
            log.error("a match failed: %s", error)
            raise gr.Error(texts["failed"]) from error

    def match(self, photo: str, top_k: float | None) -> dict[str, Any]:
        """The closest actors for each face of a photo, as JSON; see the README for its form."""
        if photo is None:
            raise gr.Error("no photo was sent; pass handle_file(path)")
        answer = answer_json(self.finder, photo, max(1, int(top_k)) if top_k else None)
        return {**answer, "photo": Path(photo).name}


def build_demo(finder: LookalikeFinder) -> gr.Blocks:
    """The page for a finder. Launch it with `serve`."""
    texts = page_text(finder)
    i18n = gr.I18n(**texts)
    handlers = Handlers(finder, texts)
    seconds = finder.settings.photo_seconds
    with gr.Blocks(
        title="Lookalike", analytics_enabled=False, delete_cache=(min(10, seconds), seconds)
    ) as demo:
        gr.Markdown(i18n("title"), elem_id="title")
        gr.Markdown(i18n("intro"))
        for key in banners(finder):
            gr.Markdown(i18n(key), elem_classes="banner")
        with gr.Row():
            with gr.Column():
                sources = ["upload", "webcam", "clipboard"]
                photo = photo_input(label=i18n("photo"), sources=sources, buttons=[], height=380)
                gr.Markdown(i18n("privacy"), elem_id="privacy")
            with gr.Column():
                result = gr.HTML(elem_id="result")
        gr.Markdown(i18n("footer"), elem_id="footer")
        connect_page(demo, handlers, photo, result)
        add_api(handlers)
    demo.i18n = i18n
    return demo


def connect_page(demo: gr.Blocks, handlers: Handlers, photo: gr.Image, result: gr.HTML) -> None:
    """A match starts on its own when a photo arrives, and the newest photo wins."""
    shown: dict[str, Any] = {"outputs": result, "api_visibility": "private"}
    demo.load(handlers.show_waiting, None, **shown)
    photo.change(
        handlers.show_matches,
        photo,
        trigger_mode="always_last",
        concurrency_limit=usable_cpus(),
        **shown,
    )


def add_api(handlers: Handlers) -> None:
    """The endpoint `/match`: real components, hidden, so that Gradio checks what it is sent."""
    with gr.Row(visible=False):
        inputs = [photo_input(label="photo"), gr.Number(5, precision=0, label="top_k")]
        gr.Button().click(
            handlers.match,
            inputs,
            gr.JSON(label="answer"),
            api_name="match",
            concurrency_limit=usable_cpus(),
        )


def serve(demo: gr.Blocks, finder: LookalikeFinder, **options: Any) -> None:
    """Launch without blocking, with the settings that the page's promises rest on."""
    demo.launch(
        i18n=demo.i18n,
        css_paths=CSS,
        theme=gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        run_history=False,
        footer_links=["api", "settings"],
        max_file_size=f"{2 * finder.settings.max_megabytes:g}mb",  # the page's words up to there
        ssr_mode=False,
        quiet=True,
        prevent_thread_lock=True,
        **options,
    )


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Which actor do you look like?")
    parser.add_argument("--host", help="default: 127.0.0.1; 0.0.0.0 where a platform sets $PORT")
    port = os.environ.get("PORT") or None
    parser.add_argument(
        "--port", type=int, default=port, help="default: $PORT, $GRADIO_SERVER_PORT, 7860"
    )
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's relay")
    return parser.parse_args()


def main() -> int:
    """Models, then index, then the page."""
    args = parse_args()
    configure_logging()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a container's stop, like Ctrl-C
    folder = None
    try:
        settings = load_settings()
        folder = VisitorFolder(own_folder(settings.temp_dir))
        folder.keep_swept(settings.photo_seconds)
        os.environ["GRADIO_TEMP_DIR"] = str(folder.path)
        finder = start(settings)  # ensure_models(), then load or build the index
        finder.warm_up()
        run_page(finder, args)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        log.info("stopped")
    finally:
        if folder:
            folder.close()
    return 0


def run_page(finder: LookalikeFinder, args: argparse.Namespace) -> None:
    """Serve until interrupted."""
    demo = build_demo(finder)
    host = args.host or os.environ.get("GRADIO_SERVER_NAME")
    if host is None and any(os.environ.get(name) for name in HOSTED):
        host = EVERY_INTERFACE
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Gradio's own account of a failed share
            serve(demo, finder, server_name=host, server_port=args.port, share=args.share)
    except OSError as error:
        raise SettingsError(f"the page cannot be served ({error}); use another --port") from error
    reach = " (on every network interface)" if host == EVERY_INTERFACE else ""
    log.info("Lookalike is running: %s%s", demo.local_url, reach)
    if args.share:
        log.info(
            (demo.share_url and f"public link: {demo.share_url}")
            or "there is no public link: Gradio's relay is out of reach; the local page works"
        )
    demo.block_thread()


if __name__ == "__main__":
    sys.exit(main())
