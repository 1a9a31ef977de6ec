"""Headers of every answer, for proxies and browsers."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from core.page.serving.headers import AnswerHeaders


def answered(app: AnswerHeaders) -> httpx.Headers:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http"}, None, send))  # type: ignore[arg-type]
    return httpx.Headers(sent[0]["headers"])


def app_of(kind: str, **more: str) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", kind.encode())]
        headers += [(name.replace("_", "-").encode(), text.encode()) for name, text in more.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    return app


def test_every_event_stream_is_passed_on_at_once_and_nothing_else() -> None:
    for kind in ("text/event-stream", "text/event-stream; charset=utf-8"):
        assert answered(AnswerHeaders(app_of(kind)))["x-accel-buffering"] == "no"
    assert "x-accel-buffering" not in answered(AnswerHeaders(app_of("application/json")))


@pytest.mark.parametrize("path", ["/", "/health", "/credits", "/config", "/nothing"])
def test_browsers_are_told_to_be_careful(served: httpx.Client, path: str) -> None:
    headers = served.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=(self)" in headers["permissions-policy"]
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors" not in headers["content-security-policy"]  # Spaces have it in a frame
    assert "x-frame-options" not in headers


def test_frames_are_for_the_sites_of_the_setting() -> None:
    policy = answered(AnswerHeaders(app_of("text/html"), "'self' https://example.org"))
    assert policy["content-security-policy"].endswith(
        "; frame-ancestors 'self' https://example.org"
    )


def test_the_relays_page_may_ask_other_hosts_for_its_parts() -> None:
    assert "content-security-policy" not in answered(
        AnswerHeaders(app_of("text/html"), shared=True)
    )


def test_a_header_that_the_app_has_set_stays() -> None:
    headers = answered(AnswerHeaders(app_of("text/html", referrer_policy="no-referrer")))
    assert headers["referrer-policy"] == "no-referrer"
