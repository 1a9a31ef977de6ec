"""A loopback stand-in of Wikidata's query service and of Wikimedia Commons.

It evaluates SPARQL over triples shaped like Wikidata's (tests/wikidata_triples.py), answers
MediaWiki's API (formatversion 2) in its documented shape, and serves the photos:
`with WikimediaStandin() as wikimedia: …`.
"""

from __future__ import annotations

import email.utils
import hashlib
import io
import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from PIL import Image

from core.settings import Settings
from tests.loopback import LoopbackHandler, LoopbackStandin
from tests.wikidata_triples import Person, evaluate

SERVED_WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
CONTACT = "tests@example.org"
PAGES = "https://commons.wikimedia.org/wiki/File:"
CC_BY_SA = "https://creativecommons.org/licenses/by-sa/4.0"


@dataclass(frozen=True)
class File:
    """A file on Commons; None leaves a field out."""

    path: Path
    licence: str | None = "CC BY-SA 4.0"
    licence_url: str | None = CC_BY_SA
    artist: str | None = '<a href="//commons.wikimedia.org/wiki/User:Ann">Ann &amp; Bob</a>'
    mime: str = "image/jpeg"
    non_free: bool = False


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    kind: str  # sparql | api | file
    what: str  # the query, the titles or category, or the file's title
    parameters: dict[str, str] = field(compare=False, default_factory=dict)
    user_agent: str = ""


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of a kind, or for one file."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    cut: bool = False  # the connection closes in the middle of the body
    html: bool = False  # a page in the place of a picture
    body: bytes | None = None


class WikimediaStandin(LoopbackStandin):
    """Actors, files and categories to fill, and what was asked."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.files: dict[str, File] = {}
        self.categories: dict[str, list[str]] = {}
        self.redirects: dict[str, str] = {}
        self.faults: dict[str, list[Fault]] = {}  # by kind, or by a file's name
        self.requests: list[Seen] = []
        self.delay = 0.0  # seconds that each answer takes
        self.category_page = 500  # titles an answer
        self.info_page = 50  # files an answer that have their imageinfo
        self.most_at_once = 0
        self.lock = threading.Lock()
        self._now = 0
        super().__init__(_Handler)

    def settings(self, settings: Settings) -> Settings:
        """The same settings, asking here."""
        return settings.replaced(**{key.lower(): value for key, value in self._addresses().items()})

    def environment(self) -> dict[str, str]:
        """For a script."""
        pairs = {f"LOOKALIKE_{key}": value for key, value in self._addresses().items()}
        return pairs | {"NO_PROXY": "*"}

    def _addresses(self) -> dict[str, str]:
        return {
            "WIKIDATA_URL": f"{self.url}/sparql",
            "COMMONS_URL": f"{self.url}/w/api.php",
            "CONTACT": CONTACT,
        }

    def add(self, name: str, *photos: Path | File, **known: Any) -> Person:
        """An actor whose main portrait is the first photo; the others are in the category."""
        number = len(self.people) + 1
        titles = []
        for count, photo in enumerate(photos, start=1):
            titles.append(f"Photo {number}-{count}.jpg")
            self.files[titles[-1]] = photo if isinstance(photo, File) else File(photo)
        category = f"Category of Q{number}" if len(photos) > 1 else ""
        self.categories[category] = titles
        person = Person(f"Q{number}", name, titles[:1], category=category)
        self.people.append(replace(person, **known))
        return self.people[-1]

    def fetched(self) -> Counter[str]:
        """How often each file's bytes were asked for."""
        with self.lock:
            return Counter(seen.what for seen in self.requests if seen.kind == "file")

    def asked(self, kind: str) -> list[Seen]:
        with self.lock:
            return [seen for seen in self.requests if seen.kind == kind]

    def arrive(self, seen: Seen) -> None:
        with self.lock:
            self.requests.append(seen)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)

    def leave(self) -> None:
        with self.lock:
            self._now -= 1

    def fault(self, *keys: str) -> Fault | None:
        """The next fault for any of these keys, used up."""
        with self.lock:
            for key in keys:
                for fault in self.faults.get(key, ()):
                    if fault.times > 0:
                        fault.times -= 1
                        return fault
        return None


class _Handler(LoopbackHandler):
    def answer(self) -> None:
        standin = self.standin
        address = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(address.query).items()}
        kind, what = _kind_of(address.path, asked)
        standin.arrive(Seen(kind, what, asked, self.headers.get("User-Agent", "")))
        left = False
        try:
            time.sleep(standin.delay)
            body, mime = self._content(kind, what, address.path, asked)
            fault = standin.fault(kind, what) or Fault()
            standin.leave()  # before the answer: the client may ask on as soon as it has it
            left = True
            self._send(fault, body, mime)
        finally:
            if not left:
                standin.leave()

    def _content(self, kind: str, what: str, path: str, asked: dict[str, str]) -> tuple[bytes, str]:
        standin = self.standin
        if kind == "sparql":
            return evaluate(asked["query"], standin.people), "application/sparql-results+json"
        if kind == "api":
            return json.dumps(api_answer(standin, asked)).encode(), "application/json"
        file = standin.files[what]
        wanted = re.search(r"/(\d+)px-", path)
        return (
            (_thumbnail(file.path, int(wanted[1])), "image/jpeg")
            if wanted
            else (
                file.path.read_bytes(),
                file.mime,
            )
        )

    def _send(self, fault: Fault, body: bytes, mime: str) -> None:
        if fault.html:
            body, mime = b"<!DOCTYPE html><title>Sorry</title>", "text/html; charset=utf-8"
        body = body if fault.body is None else fault.body
        self.send_response(fault.status)
        headers = {"Content-Type": mime, "Content-Length": str(len(body))} | fault.headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault.cut else body)
        if fault.cut:
            self.close_connection = True


def _kind_of(path: str, asked: dict[str, str]) -> tuple[str, str]:
    if path == "/sparql":
        return "sparql", asked["query"]
    if path == "/w/api.php":
        return "api", asked.get("titles") or asked.get("cmtitle", "")
    return "file", unquote(path.split("/")[2])


def _thumbnail(path: Path, width: int) -> bytes:
    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((width, 10 * width))
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=90)
        return stream.getvalue()


def in_seconds(seconds: float) -> str:
    """A moment as an HTTP date."""
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


def api_answer(standin: WikimediaStandin, asked: dict[str, str]) -> dict[str, Any]:
    """MediaWiki's answer to list=categorymembers or prop=imageinfo."""
    if asked.get("list") == "categorymembers":
        return _category_answer(standin, asked)
    titles = asked["titles"].split("|")
    if len(titles) > 50:
        return {"error": {"code": "toomanyvalues", "info": 'Too many values for "titles".'}}
    query: dict[str, Any] = {"pages": []}
    start = int(asked.get("iicontinue", 0))
    for number, title in enumerate(titles):
        normal = "File:" + title[5:6].upper() + title[6:].replace("_", " ")
        if normal != title:
            query.setdefault("normalized", []).append(
                {"fromencoded": False, "from": title, "to": normal}
            )
        end = standin.redirects.get(normal, normal)
        if end != normal:
            query.setdefault("redirects", []).append({"from": normal, "to": end})
        page = _page_of(standin, end, int(asked["iiurlwidth"]))
        if not start <= number < start + standin.info_page:
            page.pop("imageinfo", None)
        query["pages"].append(page)
    answer: dict[str, Any] = {"batchcomplete": True, "query": query}
    if start + standin.info_page < len(titles):
        answer["continue"] = {"iicontinue": str(start + standin.info_page), "continue": "||"}
    return answer


def _category_answer(standin: WikimediaStandin, asked: dict[str, str]) -> dict[str, Any]:
    names = standin.categories.get(asked["cmtitle"].removeprefix("Category:"), [])
    start = int(asked.get("cmcontinue", 0))
    end = start + min(int(asked["cmlimit"]), standin.category_page)
    members = [{"pageid": 7, "ns": 6, "title": f"File:{name}"} for name in names[start:end]]
    answer: dict[str, Any] = {"batchcomplete": True, "query": {"categorymembers": members}}
    if end < len(names):
        answer["continue"] = {"cmcontinue": str(end), "continue": "-||"}
    return answer


def _page_of(standin: WikimediaStandin, title: str, width: int) -> dict[str, Any]:
    name = title.removeprefix("File:")
    file = standin.files.get(name)
    if file is None:
        return {"ns": 6, "title": title, "missing": True}
    with Image.open(file.path) as image:
        size = image.size
    encoded = quote(name, safe="")
    url = f"{standin.url}/original/{encoded}"
    info: dict[str, Any] = {
        "size": file.path.stat().st_size,
        "width": size[0],
        "height": size[1],
        "url": url,
        "descriptionurl": f"{PAGES}{quote(name.replace(' ', '_'))}",
        "sha1": hashlib.sha1(file.path.read_bytes()).hexdigest(),
        "mime": file.mime,
        "extmetadata": _extmetadata(file),
        "thumburl": url,
        "thumbwidth": size[0],
        "thumbheight": size[1],
    }
    if size[0] > width:
        info["thumburl"] = f"{standin.url}/thumb/{encoded}/{width}px-{encoded}"
        info["thumbwidth"] = width
    return {"pageid": 7, "ns": 6, "title": title, "imagerepository": "local", "imageinfo": [info]}


def _extmetadata(file: File) -> dict[str, Any]:
    values = {
        "LicenseShortName": file.licence,
        "LicenseUrl": file.licence_url,
        "Artist": file.artist,
        "NonFree": "true" if file.non_free else None,
    }
    return {
        key: {"value": value, "source": "commons-desc-page"}
        for key, value in values.items()
        if value is not None
    }
