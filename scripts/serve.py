"""Serve the page by Ray Serve: engines on all machines of a cluster, pages on this one.

In: a start as app.py's, and a Ray cluster: this machine alone, or one that it is part of.
Out: the page on one address, with as many engines as its visitors need.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

# Read by Gradio and the Hub's client when they are imported: nothing is reported to anyone.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")

from core.cluster.connect import LOCAL, cluster
from core.errors import SettingsError
from core.log import log
from core.page.serving.address import (
    chosen_host,
    chosen_port,
    drop_empty,
    refuse_taken,
    trusted_proxies,
)
from core.settings import Settings, load_settings
from core.startup import start
from scripts.cli import Parser, positive, run

LOOPBACK, PORT = "127.0.0.1", 7860


def main() -> int:
    """Serve until interrupted."""
    parser = Parser(description="Which actor do you look like? Served by Ray Serve.")
    parser.add_argument("--ray", default=LOCAL, help="auto, host:port; default: this machine alone")
    parser.add_argument("--host", help="default: 127.0.0.1; 0.0.0.0 where a platform sets $PORT")
    parser.add_argument("--port", help="default: $PORT, $GRADIO_SERVER_PORT, 7860")
    parser.add_argument("--pages", type=positive, default=1, help="default: 1")
    parser.add_argument("--engines", type=positive, default=1, help="at least; default: 1")
    parser.add_argument("--most-engines", type=positive, help="default: the cluster's cores")
    args = parser.parse_args()
    drop_empty(os.environ)
    port = chosen_port(args.port, os.environ) or PORT
    host = chosen_host(args.host, os.environ) or LOOPBACK
    settings = load_settings()
    if settings.mcp:
        raise SettingsError(
            "LOOKALIKE_MCP is on, with which only app.py can serve the page; set LOOKALIKE_MCP=0"
        )
    if args.most_engines and args.most_engines < args.engines:
        raise SettingsError("--most-engines is less than --engines; ask for as many, or more")
    if args.ray == LOCAL:  # Ray Serve may be at a known cluster's port already
        refuse_taken(host, port)
    with cluster(args.ray, environment(settings)):
        # A container's stop, like Ctrl-C; Ray has set its own by now.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        from core.cluster import page  # noqa: PLC0415 - without Ray it cannot be imported
        from core.cluster.enrol import engines_of_cluster  # noqa: PLC0415

        finder = start(settings)  # the models' and the index's fallbacks are app.py's
        room = engines_of_cluster()
        if args.ray == LOCAL and args.engines > room:
            raise SettingsError(f"there are cores for {room} engines; ask for fewer --engines")
        most = args.most_engines or room
        replicas = page.Replicas(args.pages, args.engines, most)
        with suppress(KeyboardInterrupt), page.served(finder, replicas, host, port):
            log.info("Lookalike is running: http://%s:%d", host, port)
            while True:
                time.sleep(1)
    log.info("stopped")
    return 0


def environment(settings: Settings) -> dict[str, str]:
    """What the cluster's processes are to have of this one's environment."""
    own = {name: text for name, text in os.environ.items() if name.startswith("GRADIO_")}
    return own | {"FORWARDED_ALLOW_IPS": trusted_proxies(settings)}


if __name__ == "__main__":
    run(main)
