"""Chromium without a window, whose camera sees a photo."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from core.errors import SettingsError

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
FILM_FRAMES = 30


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
