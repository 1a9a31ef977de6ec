"""Chromium with a camera that sees a photo, and the app in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from core.errors import SettingsError
from core.settings import ROOT, load_settings

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
FILM_FRAMES = 30
RUNNING = re.compile(r"running: (http://\S+)")


def chromium_program() -> str | None:
    """Where Chromium is; None if it is missing."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@contextmanager
def chromium(seen: Path, scratch: Path) -> Iterator[Browser]:
    """Headless; its camera sees the JPEG `seen`.

    Raises:
        SettingsError: Chromium is missing.
    """
    program = chromium_program()
    if program is None:
        raise SettingsError("Chromium is missing (Debian: apt-get install chromium)")
    film = scratch / "camera.mjpeg"
    film.write_bytes(seen.read_bytes() * FILM_FRAMES)
    arguments = [*QUIET, *CAMERA, f"--use-file-for-fake-video-capture={film}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


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
        app = subprocess.Popen(  # noqa: S603 - this project's own program
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
