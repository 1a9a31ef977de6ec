"""Results as HTML: what the page shows for an answer, or for why there is none."""

from __future__ import annotations

import base64
import io
import math
from functools import lru_cache
from html import escape
from pathlib import Path
from urllib.parse import quote

from PIL import Image, ImageOps

from core.credits import Credit
from core.index import Match
from core.lookalike import Answer, LookalikeFinder
from core.photo import read_photo

THUMBNAIL = 224  # pixels: twice the largest size shown, for sharp phone screens
LOOK_UP = "https://{lang}.wikipedia.org/w/index.php?search={name}"

Texts = dict[str, str]


def result_html(finder: LookalikeFinder, answer: Answer, texts: Texts, lang: str) -> str:
    """The largest face's matches, the first one large."""
    largest = answer.faces[0]
    notes = []
    if len(answer.faces) > 1:
        notes.append(texts["several_faces"].format(count=len(answer.faces)))
    if finder.index.calibration and finder.index.calibration.is_rough:
        notes.append(texts["rough"])
    first, *rest = largest.matches
    you = _picture(_data_uri(Image.fromarray(largest.face.detection.crop)), texts["your_face"])
    rows = "".join(f"<li>{_row(finder, match, texts, lang)}</li>" for match in rest)
    return (
        f'<div class="result" role="status">{"".join(map(_note, notes))}'
        f'<div class="first"><figure>{you}'
        f"<figcaption>{escape(texts['you'])}</figcaption></figure>"
        f"{_figure(finder, first, texts)}</div>"
        f'<div class="headline">{_name(finder, first, texts, lang)}{_score(first, texts)}'
        f"{_meaning(first, texts)}</div>"
        f'<ol class="others" start="2">{rows}</ol></div>'
    )


def problem_html(text: str) -> str:
    """One plain sentence in place of a result."""
    return f'<div class="result problem" role="alert">{escape(text)}</div>'


def waiting_html(text: str) -> str:
    """What stands there before the first photo."""
    return f'<div class="result waiting">{escape(text)}</div>'


def monogram(name: str) -> str:
    """Initials: first and last word's, or one syllable of a name in a script without cases."""
    words = name.split() or ["?"]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [words[0][0]]
    return "".join(letters).upper()


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _row(finder: LookalikeFinder, match: Match, texts: Texts, lang: str) -> str:
    return f"{_face(finder, match, texts)}{_name(finder, match, texts, lang)}{_score(match, texts)}"


def _figure(finder: LookalikeFinder, match: Match, texts: Texts) -> str:
    return (
        f"<figure>{_face(finder, match, texts)}"
        f"<figcaption>{escape(match.actor)}</figcaption></figure>"
    )


def _face(finder: LookalikeFinder, match: Match, texts: Texts) -> str:
    """The closest portrait where the gallery has one, else a monogram."""
    path = finder.portrait_path(match)
    if path is None:
        hue = sum(map(ord, match.actor)) * 47 % 360
        initials = escape(monogram(match.actor))
        return (
            f'<span class="face monogram" style="--hue:{hue}" aria-hidden="true">{initials}</span>'
        )
    status = path.stat()
    thumbnail = _thumbnail(path, status.st_mtime_ns)
    return _picture(thumbnail, texts["portrait_of"].format(name=match.actor))


def _picture(uri: str, alt: str) -> str:
    return f'<img class="face" src="{uri}" alt="{escape(alt, quote=True)}">'


def _name(finder: LookalikeFinder, match: Match, texts: Texts, lang: str) -> str:
    parts = [f'<span class="name">{escape(match.actor)}</span>']
    if finder.portrait_path(match) is None:
        url = LOOK_UP.format(lang=lang, name=quote(match.actor))
        parts.append(f"<small>{_linked(texts['look_up'], url)}</small>")
    elif match.portrait and match.portrait.credit:
        parts.append(f"<small>{_credit(match.portrait.credit, texts)}</small>")
    return f'<span class="who">{"".join(parts)}</span>'


def _credit(credit: Credit, texts: Texts) -> str:
    """Author and licence, each linked to its page where that is known."""
    return escape(texts["photo_by"]).format(
        author=_linked(credit.author, credit.source),
        licence=_linked(credit.licence, credit.licence_url),
    )


def _linked(text: str, url: str) -> str:
    """Text linked to a web page; to nothing else, whatever the credits file says."""
    if not url.startswith(("https://", "http://")):
        return escape(text)
    address = escape(url, quote=True)
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer">{escape(text)}</a>'


def _score(match: Match, texts: Texts) -> str:
    similarity = f"<small>{escape(texts['similarity'])} {match.similarity:.3f}</small>"
    if match.score is None:
        return f'<span class="score">{similarity}</span>'
    label = escape(texts["score"])
    number = f'<b aria-label="{label} {match.score:.1f}">{match.score:.1f}</b>'
    return f'<span class="score">{number}{similarity}</span>'


def _meaning(match: Match, texts: Texts) -> str:
    if match.score is None:
        return ""
    share = math.floor(match.score)
    text = texts["meaning"].format(share=share) if share else texts["meaning_low"]
    return f'<p class="meaning">{escape(text)}</p>'


@lru_cache(maxsize=2048)
def _thumbnail(path: Path, _modified: int) -> str:
    pixels = read_photo(path).pixels
    return _data_uri(
        ImageOps.fit(Image.fromarray(pixels), (THUMBNAIL, THUMBNAIL), centering=(0.5, 0.3))
    )


def _data_uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
