"""One face's comparisons with its matches, and the rows to choose between them."""

from __future__ import annotations

from html import escape

from core.faces.quality import COACHING_TEXT
from core.index.actor_index import Match
from core.page.html import credit_line, framed, look_up, note, picture, points
from core.page.seen import data_uri
from core.page.view import Judged, View


def face_html(view: View, number: int, judged: Judged) -> str:
    """One face's comparisons, the first one shown, and the matches to choose from."""
    texts = COACHING_TEXT[view.speech.lang]
    tips = "".join(note(texts[code], "tip") for code in judged.face.tips if code in texts)
    panels = "".join(
        _comparison(view, number, judged, match, rank)
        for rank, match in enumerate(judged.matches, start=1)
    )
    rows = "".join(
        _row(view, number, match, rank) for rank, match in enumerate(judged.matches, start=1)
    )
    hidden = " hidden" if number else ""
    legend = escape(view.speech("matches"))
    return (
        f'<section class="one" data-face="{number}"{hidden}>{tips}{panels}'
        f'<fieldset class="matches"><legend>{legend}</legend>{rows}</fieldset></section>'
    )


def _comparison(view: View, number: int, judged: Judged, match: Match, rank: int) -> str:
    name, address = view.name(match), view.shelf.address(match.portrait, "face")
    alt = view.speech("your_face")
    first = rank == 1
    mine = picture(data_uri(judged.face.framed), alt) if first else copied(number, alt)
    portrait = view.speech("portrait_of", name=name)
    theirs = framed(
        name, address, portrait, view.speech("no_portrait_of", name=name), lazy=not first
    )
    attribute = "" if first else " hidden"
    return (
        f'<article class="compare" data-match="{rank - 1}"{attribute}><div class="pair">'
        f'<figure><span class="face">{mine}</span>'
        f"<figcaption>{escape(view.speech('you'))}</figcaption></figure>"
        f"<figure>{theirs}<figcaption>{_source(view, match, name)}</figcaption></figure></div>"
        f"{_headline(view, judged, match, rank)}{_blend(view, number, address, portrait)}"
        "</article>"
    )


def _source(view: View, match: Match, name: str) -> str:
    """Whose picture it is; without a picture, where to look."""
    if view.finder.portrait_path(match.portrait) is None:
        return look_up(name, view.speech)
    credit = match.portrait.credit
    return credit_line(credit, view.speech) if credit else escape(name)


def _headline(view: View, judged: Judged, match: Match, rank: int) -> str:
    speech, verdict = view.speech, judged.verdict
    place = speech("closest") if rank == 1 else speech("rank", rank=rank)
    notes = []
    if rank == 1 and verdict.close_race:
        notes.append(note(speech("close_race", second=view.name(judged.matches[1]))))
    if verdict.rough and match.score is not None:
        notes.append(note(speech("rough"), "small"))
    similarity = escape(speech("similarity", value=speech.similarity(match.similarity)))
    return (
        f'<div class="headline"><p class="place">{escape(place)}</p>'
        f'<h2 class="name">{escape(view.name(match))}</h2>{points(view.points(match), view.speech)}'
        f'<p class="meaning">{escape(view.sentence(verdict, match, rank))}</p>'
        f'{"".join(notes)}<p class="small">{similarity}</p></div>'
    )


def _blend(view: View, number: int, address: str | None, portrait: str) -> str:
    """Both faces over each other, and a slider between them."""
    if address is None:
        return ""
    mine = copied(number, view.speech("your_face"))
    theirs = picture(address, portrait, lazy=True)
    hint = escape(view.speech("blend_hint"))
    return (
        f'<details class="blend"><summary>{escape(view.speech("blend"))}</summary>'
        f'<div class="face">{mine}{theirs}</div>'
        f'<input type="range" min="0" max="100" value="50" aria-label="{hint}"></details>'
    )


def _row(view: View, number: int, match: Match, rank: int) -> str:
    name = view.name(match)
    face = framed(name, view.shelf.address(match.portrait, "small"), "", "", lazy=False)
    checked = " checked" if rank == 1 else ""
    return (
        f'<label><input type="radio" name="match-{number}" value="{rank - 1}"{checked}>'
        f'<span class="rank">{rank}</span>{face}<span class="who">'
        f'<span class="name">{escape(name)}</span>{_row_credit(view, match)}</span>'
        f"{points(view.points(match), view.speech)}</label>"
    )


def _row_credit(view: View, match: Match) -> str:
    """As text: a link in a row would be in the way of choosing it."""
    credit = match.portrait.credit
    if credit is None or view.finder.portrait_path(match.portrait) is None:
        return ""
    text = view.speech("photo_by", author=credit.author, licence=credit.licence)
    return f"<small>{escape(text)}</small>"


def copied(number: int, alt: str) -> str:
    """The visitor's face once more: page.js copies it from the face's first comparison."""
    return f'<img data-mine="{number}" alt="{escape(alt)}">'
