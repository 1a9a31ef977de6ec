"""One password for the whole page, where the owner sets one: HTTP Basic, any user name."""

from __future__ import annotations

import base64
import binascii
import secrets

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# For load balancers, and for Gradio's own start, which asks for it without a password.
OPEN = ("/health", "/ready", "/gradio_api/startup-events")
REFUSED = "This page needs a password: its owner has it."


class Password:
    """ASGI middleware that lets nobody in without the password; outermost but for headers."""

    def __init__(self, app: ASGIApp, password: str) -> None:
        """`password`: "" lets everybody in."""
        self.app = app
        self._password = password.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asks = scope["type"] in ("http", "websocket") and scope["path"] not in OPEN
        if not (self._password and asks) or self._is_known(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        ask = {"www-authenticate": 'Basic realm="Lookalike", charset="UTF-8"'}
        await PlainTextResponse(REFUSED, 401, ask)(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        kind, _, told = headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return False
        try:
            _, _, password = base64.b64decode(told, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
        return secrets.compare_digest(password, self._password)
