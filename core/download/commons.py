"""Wikimedia Commons: what is known of a file, who made it, and whether it may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

from core.download.http import WebClient
from core.download.source import Candidate
from core.errors import SourceError
from core.faces.photo import PHOTO_TYPES
from core.gallery.credits import Credit

TITLES = 50  # a request, for clients that are not bots (mediawiki.org/wiki/API:Query)
ADDRESS = 6000  # characters of titles a request, as sent: servers refuse addresses past 8,000
WIDTH = 960  # pixels asked for
# Wikimedia serves thumbnails of these widths only (mediawiki.org/wiki/Common_thumbnail_sizes).
SERVED_WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
PHOTOS = PHOTO_TYPES - {"image/gif"}  # a GIF is drawn or moves, an SVG is drawn
AUTHOR = 200  # characters kept of an author's name
PAGES = "https://commons.wikimedia.org/wiki/"
# Commons' short names: "Public domain", "CC0", "CC BY 2.0", "CC BY-SA 3.0 de", "CC BY-SA 2.5,2.0".
FREE = re.compile(
    r"public domain|pdm?|pd[- ].+|cc0( 1\.0)?|cc[ -]by([ -]sa)?([ -][\d.,-]+)?([ -][a-z]{2,3})?",
    re.IGNORECASE,
)
NO_AUTHOR_NEEDED = re.compile(r"public domain|pd.*|cc0.*", re.IGNORECASE)
VOID = frozenset(["br", "hr", "img", "input", "link", "meta", "wbr"])  # HTML: never closed


def describe_files(client: WebClient, url: str, names: Iterable[str]) -> dict[str, Candidate]:
    """What Commons knows of files, by the name asked for; those it does not have are missing.

    Args:
        client: asks.
        url: of the API.
        names: of files, with or without "File:".

    Raises:
        SourceError: Commons does not answer, or refuses the question.
    """
    found: dict[str, Candidate] = {}
    for batch in _batches(names):
        found |= _described(client, url, batch)
    return found


def category_files(client: WebClient, url: str, category: str, most: int) -> tuple[str, ...]:
    """Titles ("File:…") of up to `most` files of a category, subcategories left aside.

    Raises:
        SourceError: Commons does not answer, or refuses the question.
    """
    parameters = {
        "list": "categorymembers",
        "cmtitle": f"Category:{category}",
        "cmtype": "file",
        "cmlimit": str(min(most, 500)),  # 500: the most MediaWiki gives
    }
    titles: list[str] = []
    for answer in _answers(client, url, parameters):
        titles += [str(member["title"]) for member in answer.get("categorymembers", ())]
        if len(titles) >= most:
            break
    return tuple(titles[:most])


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    """Titles, at most `TITLES` and at most `ADDRESS` characters a request."""
    titles = dict.fromkeys("File:" + name.removeprefix("File:") for name in names)
    batch: list[str] = []
    for title in titles:
        if "|" in title:  # it parts titles, so no file's name has one
            continue
        if len(batch) == TITLES or len(quote("|".join([*batch, title]))) > ADDRESS:
            yield batch
            batch = []
        batch.append(title)
    if batch:
        yield batch


def _described(client: WebClient, url: str, titles: list[str]) -> dict[str, Candidate]:
    parameters = {
        "prop": "imageinfo",
        "iiprop": "url|size|mime|sha1|extmetadata",
        "iiurlwidth": str(WIDTH),
        "iiextmetadatalanguage": "en",
        "redirects": "1",
        "titles": "|".join(titles),
    }
    moved: dict[str, str] = {}
    files: dict[str, Candidate] = {}
    for answer in _answers(client, url, parameters):
        for entry in (*answer.get("normalized", ()), *answer.get("redirects", ())):
            moved[entry["from"]] = entry["to"]
        for page in answer.get("pages", ()):
            if page.get("imageinfo"):  # else missing, invalid, or on a later answer
                files[page["title"]] = file_of(page["title"], page["imageinfo"][0])
    ends = {title: _end(title, moved) for title in titles}
    return {title.removeprefix("File:"): files[end] for title, end in ends.items() if end in files}


def _end(title: str, moved: dict[str, str]) -> str:
    """Where a title leads: normalised first, then redirected; a circle ends somewhere."""
    for _ in range(5):
        title = moved.get(title, title)
    return title


def _answers(client: WebClient, url: str, parameters: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The "query" part of each answer, with continuation."""
    more: dict[str, str] = {}
    while True:
        asked = {"action": "query", "format": "json", "formatversion": "2", **parameters, **more}
        answer = client.get_json(url, asked)
        if "error" in answer:
            reason = (answer["error"] or {}).get("info", "no reason")
            raise SourceError(f"Commons refused the question ({reason}); report it")
        yield answer.get("query") or {}
        if "continue" not in answer:
            return
        more = {key: str(value) for key, value in answer["continue"].items()}


def file_of(title: str, info: dict[str, Any]) -> Candidate:
    """One file from its "imageinfo"; fields that are missing make it unusable, not an error."""
    known = {
        key: str(entry.get("value", "")) for key, entry in (info.get("extmetadata") or {}).items()
    }
    licence = plain_text(known.get("LicenseShortName", ""))
    author = plain_text(known.get("Artist", "") or known.get("Attribution", ""))[:AUTHOR]
    page = _web_address(str(info.get("descriptionurl", ""))) or page_of(title)
    credit = Credit(
        author=author or "unknown author",
        licence=licence,
        licence_url=_web_address(known.get("LicenseUrl", "")),
        source=page,
        sha1=str(info.get("sha1", "")),
    )
    refusal = licence_refusal(licence, author, known.get("NonFree", "")) or _no_photo(info)
    return Candidate(page, _address_of(info), credit, refusal)


def missing_file(name: str) -> Candidate:
    """What stands for a file that Commons does not have."""
    page = page_of(f"File:{name}")
    return Candidate(page, "", Credit("", "", source=page), "it is not on Commons")


def page_of(title: str) -> str:
    """Where a title ("File:…") is shown."""
    return PAGES + quote(title.replace(" ", "_"), safe=":")


def _no_photo(info: dict[str, Any]) -> str:
    kind = str(info.get("mime", ""))
    if kind not in PHOTOS:
        return f"it is no photo: {kind or 'unknown kind'}"
    return "" if _address_of(info) else "it has no address"


def _address_of(info: dict[str, Any]) -> str:
    """The thumbnail's address, if it is of a width that is served; else the original's."""
    original = _web_address(str(info.get("url", "")))
    if int(info.get("thumbwidth") or 0) in SERVED_WIDTHS:
        return _web_address(str(info.get("thumburl", ""))) or original
    return original


def _web_address(text: str) -> str:
    """An http(s) address; "" for anything else, since it becomes a link on the page."""
    text = "https:" + text if text.startswith("//") else text
    return text if re.match(r"https?://[^\s\"'<>]+$", text) else ""


def licence_refusal(licence: str, author: str = "someone", non_free: str = "") -> str:
    """Why a photo under this licence must not be used; "" if it may be.

    Free are public domain, CC0, CC BY and CC BY-SA of any version; nothing else, and nothing
    that asks for a credit without naming an author.
    """
    if not licence:
        return "no licence is stated"
    if not FREE.fullmatch(licence) or non_free.lower() in ("1", "true", "yes"):
        return f"its licence is not free: {licence}"
    if not author and not NO_AUTHOR_NEEDED.fullmatch(licence):
        return f"no author is named, whom {licence} asks to credit"
    return ""


def plain_text(markup: str) -> str:
    """The text that a reader of HTML sees, in one line: Commons writes authors with markup."""
    reader = _TextReader()
    reader.feed(markup)
    reader.close()
    return " ".join("".join(reader.pieces).split())


class _TextReader(HTMLParser):
    """Collects text outside of hidden elements: Commons repeats "Unknown author" in one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden: list[str] = []  # open elements from the outermost hidden one on

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Breaks and blocks part words."""
        if tag in ("br", "p", "div", "li", "td", "tr"):
            self.pieces.append(" ")
        style = (dict(attrs).get("style") or "").replace(" ", "").lower()
        hides = tag in ("script", "style") or "display:none" in style
        if tag not in VOID and (self._hidden or hides):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost hidden element of that name, and what is open in it."""
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self._hidden:
            self.pieces.append(data)
