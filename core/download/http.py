"""A polite HTTP client: says who it is, asks one thing at a time, waits when told to.

Wikimedia asks for a User-Agent with a contact and for requests one after the other
(meta.wikimedia.org/wiki/User-Agent_policy, mediawiki.org/wiki/API:Etiquette).
"""

from __future__ import annotations

import email.utils
import json
import math
import time
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from core.errors import BusyError, GoneError, SettingsError, SourceError
from core.faces.photo import PHOTO_TYPES
from core.settings import ROOT

ATTEMPTS = 5  # at one address, the first included
FIRST_WAIT = 1.0  # seconds before the second attempt; doubled each time
JITTER = 0.5  # seconds added at most
LONGEST_WAIT = 120.0  # seconds, whatever Retry-After says
TIMEOUT = httpx.Timeout(20.0, read=70.0)  # seconds; Wikidata gives up on a query after 60
BUSY = frozenset([408, 425, 429, 500, 502, 503, 504])  # worth another attempt
GONE = frozenset([404, 410])
BUSY_CODES = frozenset(["ratelimited", "maxlag", "readonly"])  # MediaWiki's, in a 200 answer

Answer = TypeVar("Answer")


class AgainError(Exception):
    """Worth another attempt, after `wait` seconds if the server named a time."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class WebClient:
    """Asks one thing at a time, and again where the server was busy."""

    def __init__(self, contact: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Make a client.

        Args:
            contact: e-mail address or page of whoever runs it, sent with each request.
            sleep: waits that many seconds.

        Raises:
            SettingsError: there is no contact, or none that a header can carry.
        """
        self._http = httpx.Client(
            headers={"User-Agent": user_agent(contact)}, timeout=TIMEOUT, follow_redirects=True
        )
        self._retrying = Retrying(
            retry=retry_if_exception_type(AgainError),
            wait=_seconds_to_wait,
            sleep=sleep,
            reraise=True,
        )

    def __enter__(self) -> WebClient:
        """Its connections are closed when the block ends."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close all connections."""
        self._http.close()

    def get_json(
        self,
        url: str,
        params: Mapping[str, str],
        accept: str = "application/json",
        attempts: int | None = None,
    ) -> dict[str, Any]:
        """The JSON object at an address.

        Args:
            url: the address.
            params: of its query.
            accept: the kind of JSON.
            attempts: default: `ATTEMPTS`.

        Raises:
            BusyError: no answer, or no JSON object, after all attempts.
            SourceError: a refusal.
        """
        headers = {"Accept": accept}
        return self._ask(
            url, _object_of, attempts=attempts or ATTEMPTS, params=dict(params), headers=headers
        )

    def picture(self, url: str, max_bytes: int) -> bytes:
        """The picture at an address, whole.

        A thumbnail's hash cannot be checked: sources publish that of the original only.

        Raises:
            GoneError: not there, or more than `max_bytes`.
            BusyError: no answer, no picture, or cut short, after `ATTEMPTS`.
            SourceError: a refusal.
        """
        return self._ask(url, _picture_of, max_bytes, headers={"Accept": "image/*"})

    def _ask(
        self,
        url: str,
        read: Callable[[httpx.Headers, bytes], Answer],
        max_bytes: float = math.inf,
        attempts: int = ATTEMPTS,
        **options: Any,
    ) -> Answer:
        retrying = self._retrying.copy(stop=stop_after_attempt(attempts))
        try:
            return retrying(lambda: read(*self._get(url, max_bytes, **options)))
        except AgainError as error:
            raise BusyError(
                f"{_short(url)} gave nothing usable ({error}); run it again later"
            ) from error

    def _get(self, url: str, max_bytes: float, **options: Any) -> tuple[httpx.Headers, bytes]:
        """One request's good answer; httpx sees to it that no body is cut short."""
        body = bytearray()
        try:
            with self._http.stream("GET", url, **options) as response:
                _require_good(response)
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > max_bytes:
                        raise GoneError(
                            f"{_short(url)} has more than {max_bytes / 1e6:g} MB;"
                            " raise LOOKALIKE_MAX_MEGABYTES to take it"
                        )
        except httpx.TransportError as error:
            raise AgainError(str(error) or type(error).__name__) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"{url} cannot be fetched ({error}); report it") from error
        return response.headers, bytes(body)


def _seconds_to_wait(state: RetryCallState) -> float:
    """As long as the server asks for, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, AgainError) and error.wait is not None:
        return error.wait
    return (wait_exponential(multiplier=FIRST_WAIT) + wait_random(0, JITTER))(state)


def _require_good(response: httpx.Response) -> None:
    status = response.status_code
    if status in BUSY:
        raise AgainError(f"status {status}", retry_after(response.headers.get("Retry-After")))
    if status in GONE:
        raise GoneError(f"{_short(response.url)} is not there (status {status}); skip it")
    if status != httpx.codes.OK:
        raise SourceError(f"{_short(response.url)} answered {status}; check the address")


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


def _object_of(headers: httpx.Headers, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError as error:  # Wikidata breaks off in the middle when a query takes too long
        raise AgainError("no JSON") from error
    if not isinstance(answer, dict):
        raise AgainError("no JSON object")
    fault = answer.get("error")
    if isinstance(fault, dict) and fault.get("code") in BUSY_CODES:
        raise AgainError(str(fault["code"]), retry_after(headers.get("Retry-After")))
    return answer


def _picture_of(headers: httpx.Headers, body: bytes) -> bytes:
    """A page in the place of a picture says that the server is busy."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in PHOTO_TYPES:
        raise AgainError(f"not a picture: {kind or 'no content type'}")
    return body


def _short(url: httpx.URL | str) -> str:
    """An address without its query, for messages."""
    return str(url).partition("?")[0]


def user_agent(contact: str) -> str:
    """Who asks: program, version, and whom to write to.

    Raises:
        SettingsError: there is no contact, or none that a header can carry.
    """
    text = contact.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise SettingsError(
            f"LOOKALIKE_CONTACT is {contact!r}; Wikimedia asks for a contact: set it to"
            " your e-mail address or web page, in plain ASCII"
        )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return f"Lookalike/{project['version']} ({text})"
