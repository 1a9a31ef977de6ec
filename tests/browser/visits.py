"""Visits to the page: browser contexts that are watched, and what tests do on every page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Locator,
    Page,
    Request,
    WebSocket,
)

from tests.running_app import LOOPBACK

PATIENCE = 30_000  # milliseconds; a busy machine
PHONE = (390, 844)
DESK = (1280, 800)
OWN_SCHEMES = ("data", "blob", "about")


class Contexts:
    """Browser contexts, and a page of each, kept: a new page compiles Gradio's scripts again."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: dict[tuple[str, tuple[int, int]], BrowserContext] = {}
        self._idle: dict[BrowserContext, Page] = {}

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

    def page(self, context: BrowserContext) -> Page:
        """A page that shows nothing."""
        return self._idle.pop(context, None) or context.new_page()

    def give_back(self, page: Page) -> None:
        """Clear a page of what a test did to it, for another test."""
        context = page.context
        sizes = {kept: size for (_, size), kept in self._kept.items()}
        if page.is_closed() or context in self._idle or context not in sizes:
            page.close()
            return
        page.evaluate("sessionStorage.clear()")
        page.goto("about:blank")
        page.unroute_all()
        page.mouse.move(0, 0)
        page.emulate_media(color_scheme="null", reduced_motion="null")
        page.set_viewport_size({"width": sizes[context][0], "height": sizes[context][1]})
        self._idle[context] = page


class Visits:
    """Pages of one test. Closing them fails on what left the machine or broke a script."""

    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts
        self._pages: list[Page] = []
        self._spoilt: list[Page] = []  # by a script of the test's own
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
        page = self.blank(locale=locale, size=size, script=script, alone=alone)
        page.goto(url)
        page.bring_to_front()  # another that was being closed may have been put there since
        page.wait_for_selector(".result.waiting")
        return page

    def blank(
        self,
        *,
        locale: str = "en-US",
        size: tuple[int, int] = PHONE,
        script: str = "",
        alone: bool = False,
    ) -> Page:
        """A page that has gone nowhere yet; see `open`."""
        get = self._contexts.new if alone else self._contexts.get
        context = get(locale, size)
        if context not in self._watched:
            context.on("request", self._note)
            self._watched.append(context)
        page = context.new_page() if script else self._contexts.page(context)
        page.bring_to_front()  # behind another it draws once a second, and all wait for that
        self._pages.append(page)
        if script:
            page.add_init_script(script)
            self._spoilt.append(page)
        page.on("websocket", self._note_socket)
        page.on("pageerror", self._note_error)
        return page

    def _note(self, request: Request) -> None:
        self.addresses.append(request.url)

    def _note_socket(self, socket: WebSocket) -> None:
        self.addresses.append(socket.url)

    def _note_error(self, error: Error) -> None:
        self.errors.append(str(error))

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
            context.set_offline(False)
        for page in self._pages:
            if page in self._spoilt:
                page.close()
                continue
            self._contexts.give_back(page)
            page.remove_listener("websocket", self._note_socket)
            page.remove_listener("pageerror", self._note_error)
        for context in self._watched:
            context.remove_listener("request", self._note)
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
