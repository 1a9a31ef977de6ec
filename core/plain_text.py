"""HTML as a reader sees it: Wikimedia writes authors' names with markup."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset(["br", "hr", "img", "input", "link", "meta", "wbr"])  # HTML: never closed


def plain_text(markup: str) -> str:
    """The text a reader of HTML sees, in one line."""
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
