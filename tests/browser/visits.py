"""Visits to the page: browser contexts that are watched, and what tests do on every page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request

from tests.running_app import LOOPBACK

PATIENCE = 30_000  # milliseconds; a busy machine
PHONE = (390, 844)
DESK = (1280, 800)
OWN_SCHEMES = ("data", "blob", "about")


class Contexts:
    """Browser contexts, kept for the session: a new one would fetch Gradio's scripts again."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: dict[tuple[str, tuple[int, int]], BrowserContext] = {}

    def get(self, locale: str, size: tuple[int, int]) -> BrowserContext:
        if (locale, size) not in self._kept:
            self._kept[locale, size] = self.new(locale, size)
        return self._kept[locale, size]

    def new(self, locale: str, size: tuple[int, int]) -> BrowserContext:
        context = self._browser.new_context(
            locale=locale,
            viewport={"width": size[0], "height": size[1]},
            permissions=["camera", "clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE)
        return context


class Visits:
    """Pages of one test. Closing them fails on what left the machine or broke a script."""

    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts
        self._pages: list[Page] = []
        self._watched: list[BrowserContext] = []
        self.addresses: list[str] = []  # of every request
        self.errors: list[str] = []  # uncaught, of the pages' scripts

    def open(
        self,
        url: str,
        *,
        locale: str = "en-US",
        size: tuple[int, int] = PHONE,
        script: str = "",
        alone: bool = False,
    ) -> Page:
        """The page once it has said what it waits for.

        Args:
            script: runs before the page's own.
            alone: in a context that no other page is in.
        """
        get = self._contexts.new if alone else self._contexts.get
        context = get(locale, size)
        if context not in self._watched:
            context.on("request", self._note)
            self._watched.append(context)
        page = context.new_page()
        self._pages.append(page)
        if script:
            page.add_init_script(script)
        page.on("websocket", lambda socket: self.addresses.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        page.wait_for_selector(".result.waiting")
        return page

    def _note(self, request: Request) -> None:
        self.addresses.append(request.url)

    def foreign(self) -> list[str]:
        """Requests to other machines."""
        parts = [(address, urlsplit(address)) for address in self.addresses]
        return [
            address
            for address, part in parts
            if part.scheme not in OWN_SCHEMES and part.hostname not in LOOPBACK
        ]

    def close(self) -> None:
        for context in self._watched:
            context.remove_listener("request", self._note)
            context.set_offline(False)
        for page in self._pages:
            page.close()
        foreign = self.foreign()
        assert not foreign, f"asked of other machines: {foreign}"
        assert not self.errors, f"errors in the page: {self.errors}"


def upload(page: Page, photo: Path) -> None:
    """Choose a file."""
    page.set_input_files("#photo input[type=file]", photo)


def shown(page: Page) -> Locator:
    """The comparison on show, once there is a result."""
    page.wait_for_selector(".result.shown")
    return page.locator(".result .compare:visible")


def matches(page: Page) -> Locator:
    """The rows to choose an actor from, of the face on show."""
    page.wait_for_selector(".result.shown")
    return page.locator(".result .one:visible .matches label")


def shown_names(page: Page) -> list[str]:
    """The matches' names, best first."""
    return matches(page).locator(".name").all_inner_texts()
