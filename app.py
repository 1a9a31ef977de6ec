"""The page: webcam, upload or paste round the one match function of core/lookalike.py."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys

# Read by Gradio and the Hub's client when they are imported: nothing is reported to anyone.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")

from core.errors import LookalikeError, SettingsError
from core.log import configure_logging, log, printable
from core.lookalike import LookalikeFinder
from core.page.browser_memory import keep
from core.page.gradio_patches import without_matplotlib
from core.page.handlers import Handlers
from core.page.layout import EXAMPLE, build_demo
from core.page.serving.server import serve, serve_until_interrupted
from core.page.serving.uploads import VisitorFolder, own_folder
from core.settings import load_settings
from core.startup import start

EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - inside a container, behind its platform's proxy # nosec B104
HOSTED = ("PORT", "SPACE_ID")  # set where a platform's proxy must reach the server


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
    without_matplotlib()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a container's stop, like Ctrl-C
    folder = None
    try:
        settings = load_settings()
        folder = VisitorFolder(own_folder(settings.temp_dir))
        folder.keep_swept(settings.photo_seconds)
        os.environ["GRADIO_TEMP_DIR"] = str(folder.path)
        finder = start(settings)  # ensure_models(), then load or build the index
        finder.warm_up()
        finder.judge(keep(finder.faces(EXAMPLE)).faces[0])  # no visitor waits for a first time
        run_page(finder, args)
    except LookalikeError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        log.info("stopped")
    finally:
        if folder:
            folder.close()
    return 0


def run_page(finder: LookalikeFinder, args: argparse.Namespace) -> None:
    """Serve until interrupted."""
    handlers = Handlers(finder, finder.settings.public_url)
    demo = build_demo(handlers)
    host = args.host or os.environ.get("GRADIO_SERVER_NAME")
    if host is None and any(os.environ.get(name) for name in HOSTED):
        host = EVERY_INTERFACE
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Gradio's own account of a failed share
            serve(demo, handlers, server_name=host, server_port=args.port, share=args.share)
    except OSError as error:
        raise SettingsError(f"the page cannot be served ({error}); use another --port") from error
    reach = " (on every network interface)" if host == EVERY_INTERFACE else ""
    log.info("Lookalike is running: %s%s", demo.local_url, reach)
    if args.share:
        log.info(
            (demo.share_url and f"public link: {demo.share_url}")
            or "there is no public link: Gradio's relay is out of reach; the local page works"
        )
    serve_until_interrupted(demo)


if __name__ == "__main__":
    sys.exit(main())
