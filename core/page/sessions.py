"""Which visitors are here, and that nothing of one stays behind.

Of a visitor who is here the live mode's memory is kept, for a minute after the last frame. An
answer that nobody fetches waits as long as a photo does.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

from core.page.gradio_patches import Leftovers
from core.page.live import LiveMemory

SWEEP_SECONDS = 1.0
LIVE_FORGOTTEN = 55  # seconds after the last frame; the page says a minute
# Connections that last as long as somebody waits for something: a tab, an answer, an upload.
TAB, ANSWER, UPLOAD = "tab", "answer", "upload"
HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([^/]+)$")
FETCHED = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([^/]+)$")


class Sessions:
    """Who is connected, with the live mode's memory of each; used by several threads."""

    def __init__(self) -> None:
        """Nobody is here."""
        self._here: Counter[tuple[str, str]] = Counter()
        self._live: dict[str, tuple[LiveMemory, float]] = {}
        self._idle_since: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def visit(self, kind: str, name: str) -> Iterator[None]:
        """While the block runs, one more connection of this session or upload is open."""
        with self._lock:
            self._here[kind, name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._here[kind, name] -= 1
                if not self._here[kind, name]:
                    del self._here[kind, name]
                if not self.is_here(name):
                    self._live.pop(name, None)

    def is_here(self, name: str, *kinds: str) -> bool:
        """Whether it has an open connection, of these kinds or of any."""
        return any((kind, name) in self._here for kind in kinds or (TAB, ANSWER, UPLOAD))

    def live(self, session: str | None) -> LiveMemory | None:
        """What its live mode remembers."""
        with self._lock:
            memory, _ = self._live.get(session or "", (None, 0.0))
        return memory

    def keep_live(self, session: str | None, memory: LiveMemory) -> None:
        """Remember until the next frame; of a visitor who has gone, nothing."""
        with self._lock:
            if session and self.is_here(session):
                self._live[session] = memory, time.monotonic()

    def forget_live(self, session: str) -> None:
        """The visitor has closed the tab."""
        with self._lock:
            self._live.pop(session, None)

    def forget_old_live(self, seconds: float = LIVE_FORGOTTEN) -> None:
        """Forget those whose last frame is older."""
        limit = time.monotonic() - seconds
        with self._lock:
            for session in [name for name, (_, seen) in self._live.items() if seen <= limit]:
                del self._live[session]

    def sweep(self, leftovers: Leftovers, seconds: float) -> None:
        """Drop what waits for somebody who has not been here for `seconds`."""
        self.forget_old_live()
        now = time.monotonic()
        waiting = {(ANSWER, name) for name in leftovers.sessions()}
        waiting |= {(UPLOAD, name) for name in leftovers.uploads()}
        idle = {
            (kind, name)
            for kind, name in waiting
            if not self.is_here(name) and not (kind == ANSWER and leftovers.is_busy(name))
        }
        since = {entry: self._idle_since.get(entry, now) for entry in idle}
        self._idle_since = {entry: then for entry, then in since.items() if now - then < seconds}
        for kind, name in since.keys() - self._idle_since.keys():
            if kind == ANSWER:
                leftovers.drop(name)
            else:
                leftovers.drop_upload(name)

    def keep_swept(self, demo: gr.Blocks, seconds: float) -> None:
        """Sweep for as long as the page is served."""
        leftovers = Leftovers(demo)

        def sweep() -> None:
            while demo.is_running:
                self.sweep(leftovers, seconds)
                time.sleep(SWEEP_SECONDS)

        threading.Thread(target=sweep, daemon=True, name="session-sweeper").start()


class WatchedConnections:
    """ASGI middleware that notes who is here, and forgets a visitor with the last connection."""

    def __init__(self, app: ASGIApp, sessions: Sessions, demo: gr.Blocks) -> None:
        """`demo`: the page that is served."""
        self.app = app
        self._sessions = sessions
        self._leftovers = Leftovers(demo)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        kind, name = self._whose(scope)
        if not name:
            await self.app(scope, receive, send)
            return
        try:
            with self._sessions.visit(kind, name):
                await self.app(scope, receive, send)
        finally:
            self._after(kind, name)

    def _after(self, kind: str, name: str) -> None:
        if kind == UPLOAD:
            return
        if kind == TAB and not self._sessions.is_here(name, TAB):
            self._sessions.forget_live(name)
            self._leftovers.stop(name)
        if not self._sessions.is_here(name) and not self._leftovers.is_busy(name):
            self._leftovers.drop(name)

    def _whose(self, scope: Scope) -> tuple[str, str]:
        """The kind of connection and its session or upload; no name for all other requests."""
        if scope["type"] != "http":
            return "", ""
        path = scope["path"]
        if found := HEARTBEAT.search(path):
            return TAB, found[1]
        if path.endswith("/gradio_api/queue/data"):
            return ANSWER, _asked(scope, "session_hash")
        if scope["method"] == "GET" and (found := FETCHED.search(path)):
            return ANSWER, self._leftovers.session_of(found[1])
        if path.endswith(("/gradio_api/upload", "/gradio_api/upload_progress")):
            return UPLOAD, _asked(scope, "upload_id")
        return "", ""


def _asked(scope: Scope, name: str) -> str:
    with suppress(UnicodeDecodeError):
        asked = parse_qs(str(scope["query_string"], "ascii"))
        return asked.get(name, [""])[0]
    return ""
