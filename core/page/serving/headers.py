"""Headers of every answer: what a proxy and a browser are to do with it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAM = "text/event-stream"
SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
}
# Gradio's page has scripts and styles in its document and makes functions of texts; photos, cards
# and frames of the camera are data: and blob: addresses. No other host is asked for anything.
CONTENT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:;"
    " connect-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:;"
    " object-src 'none'; base-uri 'self'; form-action 'self'"
)


class AnswerHeaders:
    """ASGI middleware: no proxy holds an event stream back, and a browser is told to be careful."""

    def __init__(self, app: ASGIApp, frames: str = "", shared: bool = False) -> None:
        """See to the answers of `app`.

        Args:
            app: what is served.
            frames: the sites that may show the page in a frame, as CSP's frame-ancestors names
                them; "": every site.
            shared: through Gradio's relay, whose page asks other hosts for its parts.
        """
        self.app = app
        self._always = dict(SECURITY)
        policy = ([] if shared else [CONTENT]) + ([f"frame-ancestors {frames}"] if frames else [])
        if policy:
            self._always["content-security-policy"] = "; ".join(policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._always.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith(STREAM):
                    headers["x-accel-buffering"] = "no"
                    headers["cache-control"] = "no-store, no-transform"
            await send(message)

        await self.app(scope, receive, with_headers)
