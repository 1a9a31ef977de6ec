"""Small pieces of HTML that the page's parts share; whatever comes in is escaped."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from core.gallery.credits import Credit
from core.page.speech import Speech

LOOK_UP = "https://{lang}.wikipedia.org/w/index.php?search={name}"


def picture(address: str, alt: str, *, lazy: bool = False) -> str:
    """An <img> that fills its frame."""
    loading = ' loading="lazy"' if lazy else ""
    return f'<img src="{escape(address)}" alt="{escape(alt)}"{loading}>'


def monogram(name: str) -> str:
    """Initials: first and last word's, or one syllable of a name in a script without cases."""
    words = name.split() or ["?"]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [words[0][0]]
    return "".join(letters).upper()


def monogram_hue(name: str) -> int:
    """A colour of the name's own, 0-359 degrees."""
    return sum(map(ord, name)) * 47 % 360


def framed(name: str, address: str | None, alt: str, alt_without: str, *, lazy: bool) -> str:
    """A face in its frame: the picture, with the monogram behind it should it not load."""
    initials = f'<span class="monogram" aria-hidden="true">{escape(monogram(name))}</span>'
    hue = f'style="--hue:{monogram_hue(name)}"'
    if address is None:
        label = f'role="img" aria-label="{escape(alt_without)}"' if alt_without else ""
        return f'<span class="face" {hue} {label}>{initials}</span>'
    return f'<span class="face" {hue}>{initials}{picture(address, alt, lazy=lazy)}</span>'


def link(text: str, url: str) -> str:
    """Text linked to a web page; to nothing else, whatever the credits file says."""
    if not url.startswith(("https://", "http://")):
        return escape(text)
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(text)}</a>'


def credit_line(credit: Credit, speech: Speech) -> str:
    """Author and licence, each linked to its page where that is known."""
    author = link(credit.author, credit.source)
    licence = link(credit.licence, credit.licence_url)
    return speech("photo_by", author=author, licence=licence)


def look_up(name: str, speech: Speech) -> str:
    """A link to find out who an actor without portrait is."""
    url = LOOK_UP.format(lang=speech.lang, name=quote(name))
    return link(speech("look_up", name=name), url)


def note(text: str, kind: str = "note") -> str:
    """One line of advice or explanation."""
    return f'<p class="{kind}">{escape(text)}</p>'


def points(value: str | None, speech: Speech) -> str:
    """A score with its unit; empty where there is none."""
    if value is None:
        return '<span class="score"></span>'
    return f'<span class="score"><b>{value}</b> {escape(speech("points"))}</span>'
