"""The app in a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess  # of this project's own program # nosec B404
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import SettingsError
from core.settings import ROOT, load_settings

RUNNING = re.compile(r"running: (http://\S+)")


@contextmanager
def started_app(gallery: Path | None, scratch: Path) -> Iterator[str]:
    """`python app.py` on a free port; its address. Without a gallery it has the starter's.

    What the start makes of the gallery stays in `scratch`.

    Raises:
        SettingsError: it did not start; with its last words.
    """
    dataset = gallery or scratch / "no-photos"
    if gallery is None:
        dataset.mkdir()
    environment = os.environ | {
        "LOOKALIKE_MODELS_DIR": str(load_settings().models_dir),
        "LOOKALIKE_DATASET_DIR": str(dataset),
        "LOOKALIKE_INDEX_FILE": str(scratch / "index.npz"),
        "LOOKALIKE_CACHE_FILE": str(scratch / "embeddings.json"),
        "LOOKALIKE_TEMP_DIR": str(scratch / "photos"),
        "LOOKALIKE_LANG": "en",
    }
    log = scratch / "app.log"
    command = [sys.executable, "app.py", "--port", str(free_port()), "--host", "127.0.0.1"]
    with log.open("w") as stream:
        app = subprocess.Popen(  # noqa: S603 - this project's own program # nosec B603
            command, cwd=ROOT, env=environment, stdout=stream, stderr=stream
        )
    try:
        yield _address(app, log)
    finally:
        app.terminate()
        app.wait()


def free_port() -> int:
    """Free a moment ago, which is as much as can be known."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _address(app: subprocess.Popen[bytes], log: Path) -> str:
    while app.poll() is None:
        if found := RUNNING.search(log.read_text("utf-8")):
            return found[1]
        time.sleep(0.1)
    raise SettingsError(f"the app did not start: {log.read_text('utf-8').strip()[-300:]}")
