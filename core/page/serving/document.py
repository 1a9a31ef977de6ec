"""The page's HTML document in the visitor's language, with its own head.

Gradio sends one document to everyone, in English, with preview tags of its own that point to
another host. This middleware answers the page's address only: it sets the language for Gradio's
labels and for screen readers, and puts the app's own tags in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.page.language import Speech, visitor_language
from core.page.serving.theme import THEME_COLOUR
from core.page.templates import render

SCRIPT = Path(__file__).parents[1] / "page.js"
PREVIEW_TAG = re.compile(r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>')


class LocalDocument:
    """ASGI middleware; everything but GET / passes through."""

    def __init__(self, app: ASGIApp, spoken: Mapping[str, Speech], public_url: str = "") -> None:
        """`public_url`: where the app is reached, for preview pictures; "" if unknown."""
        self.app = app
        self._heads = {lang: _head(speech, public_url) for lang, speech in spoken.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        wanted = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
        lang = visitor_language(wanted, Headers(scope=scope).get("accept-language"))
        await self.app(scope, receive, self._translating(lang, send))

    def _translating(self, lang: str, send: Send) -> Send:
        start: Message = {}
        parts: list[bytes] = []

        async def translated(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = self._localised(b"".join(parts).decode(), lang).encode()
            headers = MutableHeaders(raw=list(start["headers"]))
            headers["content-length"] = str(len(body))
            headers["content-language"] = lang
            headers.add_vary_header("accept-language")
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": body})

        return translated

    def _localised(self, html: str, lang: str) -> str:
        html = PREVIEW_TAG.sub("", html)
        html = html.replace('lang="en"', f'lang="{lang}"', 1)
        return html.replace("<head>", f"<head>{self._heads[lang]}", 1)


def _head(speech: Speech, public_url: str) -> str:
    """Gradio takes its labels' language from the browser: page.js tells it this one."""
    return render(
        "head",
        speech=speech,
        colour=THEME_COLOUR,
        public_url=public_url.rstrip("/"),
        settings={"lang": speech.lang, "words": speech.words.gradio},
        script=SCRIPT.read_text("utf-8"),
    )
