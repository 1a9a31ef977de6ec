"""A polite HTTP client: says who it is, asks little at once, waits when told to.

Wikimedia asks for a User-Agent with a contact and for few parallel requests
(meta.wikimedia.org/wiki/User-Agent_policy, mediawiki.org/wiki/API:Etiquette).

What a server's answer means: good, gone, or worth another attempt, and when.
"""

from __future__ import annotations

import contextlib
import email.utils
import random
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx

from core.errors import GoneError, SettingsError, SourceError
from core.faces.photo import PHOTO_TYPES
from core.files import new_file
from core.settings import ROOT, Settings

LONGEST_WAIT = 120.0  # seconds, whatever Retry-After says
BUSY = frozenset([408, 425, 429, 500, 502, 503, 504])  # worth another attempt
GONE = frozenset([404, 410])
BUSY_CODES = frozenset(["ratelimited", "maxlag", "readonly"])  # MediaWiki's, in a 200 answer


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
    if kind not in PHOTO_TYPES:
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


AT_ONCE = 2  # requests under way at any moment
ATTEMPTS = 5  # at one address, the first included
FIRST_WAIT = 1.0  # seconds before the second attempt; doubled each time, with jitter
TIMEOUT = httpx.Timeout(20.0, read=70.0)  # seconds; Wikidata gives up on a query after 60

Answer = TypeVar("Answer")


class WebClient:
    """At most `AT_ONCE` requests at a time, from any number of threads."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], object] | None = None):
        """Make a client.

        Args:
            settings: `contact` is sent with each request.
            sleep: waits that many seconds; default: wakes early when `stop` is called.

        Raises:
            SettingsError: there is no contact, or none that a header can carry.
        """
        self.stopping = threading.Event()
        self._sleep = self.stopping.wait if sleep is None else sleep
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._gate = threading.Lock()  # held while a server wants nobody to ask
        self._http = httpx.Client(
            headers={"User-Agent": user_agent(settings)}, timeout=TIMEOUT, follow_redirects=True
        )

    def stop(self) -> None:
        """Start nothing new; what is under way ends at its next piece or attempt."""
        self.stopping.set()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get_json(
        self, url: str, params: Mapping[str, str], accept: str = "application/json"
    ) -> dict[str, Any]:
        """The JSON object at an address.

        Raises:
            SourceError: no answer, a refusal, or no JSON object, after `ATTEMPTS`.
        """

        def attempt() -> dict[str, Any]:
            headers = {"Accept": accept}
            with self._answer("GET", url, params=dict(params), headers=headers) as response:
                response.read()
                return json_of(response)

        return self._persist(url, attempt)

    def download(self, url: str, path: Path, max_bytes: int) -> None:
        """Put the picture at an address into `path`: whole, or not at all.

        Its length is checked where the server states it. A thumbnail's hash cannot be: the
        source publishes the SHA-1 of the original only.

        Raises:
            GoneError: not there, or more than `max_bytes`.
            SourceError: no answer, a refusal, no picture, or cut short, after `ATTEMPTS`.
            StorageError: `path` cannot be written.
        """

        def attempt() -> None:
            headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
            with self._answer("GET", url, headers=headers) as response:
                require_picture(response, max_bytes)
                with new_file(path) as temporary:
                    self._save(response, temporary, max_bytes)

        self._persist(url, attempt)

    def _save(self, response: httpx.Response, path: Path, max_bytes: int) -> None:
        size = 0
        with path.open("wb") as stream:
            for piece in response.iter_raw():
                size += len(piece)
                if size > max_bytes:
                    raise too_large(response, max_bytes)
                if self.stopping.is_set():
                    raise SourceError("stopped; run it again to go on")
                stream.write(piece)
        stated = response.headers.get("Content-Length")
        if stated is not None and size != int(stated):
            raise AgainError(f"cut short: {size} of {stated} bytes")

    @contextlib.contextmanager
    def _answer(self, method: str, url: str, **options: Any) -> Iterator[httpx.Response]:
        """One good answer to one request, its body yet to be read."""
        with self._gate:  # nobody asks while a server's Retry-After lasts
            pass
        with self._slots:
            try:
                with self._http.stream(method, url, **options) as response:
                    require_good(response)
                    yield response
            except httpx.TransportError as error:
                raise AgainError(str(error) or type(error).__name__) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SourceError(f"{url} cannot be fetched ({error}); report it") from error

    def _persist(self, url: str, attempt: Callable[[], Answer]) -> Answer:
        reason = "stopped"
        for number in range(ATTEMPTS):
            if self.stopping.is_set():
                break
            try:
                return attempt()
            except AgainError as error:
                reason = str(error)
                if number + 1 < ATTEMPTS:
                    self._wait(number, error.wait)
        raise SourceError(
            f"{short_address(url)} gave nothing usable ({reason}); run it again later"
        )

    def _wait(self, number: int, told: float | None) -> None:
        if told is None:
            self._sleep(FIRST_WAIT * 2**number * random.uniform(0.75, 1.25))  # noqa: S311
            return
        with self._gate:
            self._sleep(told)


def user_agent(settings: Settings) -> str:
    """Who asks: program, version, and whom to write to.

    Raises:
        SettingsError: there is no contact, or none that a header can carry.
    """
    contact = settings.contact.strip()
    if not contact or not contact.isascii() or not contact.isprintable():
        raise SettingsError(
            f"LOOKALIKE_CONTACT is {settings.contact!r}; Wikimedia asks for a contact: set it to"
            " your e-mail address or web page, in plain ASCII"
        )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return f"Lookalike/{project['version']} ({contact})"
