"""What a server's answer means: good, gone, or worth another attempt, and when."""

from __future__ import annotations

import email.utils
import time
from typing import Any

import httpx

from core.errors import GoneError, SourceError

LONGEST_WAIT = 120.0  # seconds, whatever Retry-After says
BUSY = frozenset([408, 425, 429, 500, 502, 503, 504])  # worth another attempt
GONE = frozenset([404, 410])
BUSY_CODES = frozenset(["ratelimited", "maxlag", "readonly"])  # MediaWiki's, in a 200 answer
PICTURES = frozenset(["image/jpeg", "image/png", "image/webp", "image/tiff", "image/gif"])


class AgainError(Exception):
    """Worth another attempt, after `wait` seconds if the server named a time."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def require_good(response: httpx.Response) -> None:
    """Raise unless the status is 200: AgainError, GoneError or SourceError."""
    status = response.status_code
    if status in BUSY:
        raise AgainError(f"status {status}", retry_after(response.headers.get("Retry-After")))
    if status in GONE:
        raise GoneError(f"{short_address(response.url)} is not there (status {status}); skip it")
    if status != httpx.codes.OK:
        raise SourceError(f"{short_address(response.url)} answered {status}; check the address")


def retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a header in seconds or as an HTTP date; None if it says nothing."""
    if not value:
        return None
    try:
        seconds = float(value) if value.strip().isdigit() else _seconds_until(value)
    except ValueError:
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _seconds_until(date: str) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp() - time.time()


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The object in an answer; AgainError for none, or for MediaWiki's word that it is busy."""
    try:
        answer = response.json()
    except ValueError as error:  # Wikidata breaks off in the middle when a query takes too long
        raise AgainError("no JSON") from error
    if not isinstance(answer, dict):
        raise AgainError("no JSON object")
    fault = answer.get("error")
    if isinstance(fault, dict) and fault.get("code") in BUSY_CODES:
        raise AgainError(str(fault["code"]), retry_after(response.headers.get("Retry-After")))
    return answer


def require_picture(response: httpx.Response, max_bytes: int) -> None:
    """Raise AgainError for something else (a page says "busy"), GoneError for too many bytes."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in PICTURES:
        raise AgainError(f"not a picture: {kind or 'no content type'}")
    if int(response.headers.get("Content-Length") or 0) > max_bytes:
        raise too_large(response, max_bytes)


def too_large(response: httpx.Response, max_bytes: int) -> GoneError:
    """What to raise for a picture over the limit."""
    return GoneError(
        f"{short_address(response.url)} has more than {max_bytes / 1e6:g} MB;"
        " raise LOOKALIKE_MAX_MEGABYTES to take it"
    )


def short_address(url: httpx.URL | str) -> str:
    """An address without its query, for messages."""
    return str(url).partition("?")[0]
