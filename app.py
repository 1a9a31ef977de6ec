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
from core.page.serving.address import EVERY_INTERFACE, chosen_host, chosen_port, drop_empty
from core.page.serving.memory import keep_few_arenas
from core.page.serving.uploads import VisitorFolder, own_folder
from core.settings import load_settings
from core.startup import start


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Which actor do you look like?")
    parser.add_argument("--host", help="default: 127.0.0.1; 0.0.0.0 where a platform sets $PORT")
    parser.add_argument("--port", help="default: $PORT, $GRADIO_SERVER_PORT, 7860")
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's relay")
    return parser.parse_args()


def main() -> int:
    """Models, then index, then the page."""
    args = parse_args()
    configure_logging()
    drop_empty(os.environ)
    keep_few_arenas()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a container's stop, like Ctrl-C
    folder = None
    try:
        port = chosen_port(args.port, os.environ)
        settings = load_settings()
        configure_logging(form=settings.log)
        folder = VisitorFolder(own_folder(settings.temp_dir))
        folder.keep_swept(settings.photo_seconds)
        folder.take_all_temporary_files()
        finder = start(settings)  # ensure_models(), then load or build the index
        finder.warm_up()
        run_page(finder, folder, chosen_host(args.host, os.environ), port, share=args.share)
    except LookalikeError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        log.info("stopped")
    finally:
        if folder:
            folder.close()
    return 0


def run_page(
    finder: LookalikeFinder, folder: VisitorFolder, host: str | None, port: int | None, share: bool
) -> None:
    """Serve until interrupted; visitors' photos go first."""
    from core.page.gradio_import import import_gradio  # noqa: PLC0415

    # Gradio reads where temporary files go when it is imported, and makes a folder there.
    import_gradio(mcp=finder.settings.mcp)
    from core.page.browser_memory import keep  # noqa: PLC0415
    from core.page.handlers import Handlers  # noqa: PLC0415
    from core.page.layout import EXAMPLE, build_demo  # noqa: PLC0415
    from core.page.serving.metrics import counted  # noqa: PLC0415
    from core.page.serving.server import serve, serve_until_interrupted  # noqa: PLC0415

    finder.judge(keep(finder.faces(EXAMPLE)).faces[0])  # no visitor waits for a first time
    finder, metrics = counted(finder)
    handlers = Handlers(finder, finder.settings.public_url)
    demo = build_demo(handlers)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Gradio's own account of a failed share
            serve(demo, handlers, metrics, server_name=host, server_port=port, share=share)
    except OSError as error:
        raise SettingsError(
            f"the page cannot be served ({error}); use another --port (or PORT), or another --host"
        ) from error
    reach = " (on every network interface)" if host == EVERY_INTERFACE else ""
    log.info("Lookalike is running: %s%s", demo.local_url, reach)
    if share:
        log.info(
            (demo.share_url and f"public link: {demo.share_url}")
            or "there is no public link: Gradio's relay is out of reach; the local page works"
        )
    serve_until_interrupted(demo, first=folder.empty)


if __name__ == "__main__":
    status = main()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)  # a match that still runs in a thread is not waited for
