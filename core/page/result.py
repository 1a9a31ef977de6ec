"""A photo's answer as HTML: several faces numbered, faces side by side, the other matches.

Everything a visitor may choose between is in it from the start; core/page/page.js only shows and
hides, so that choosing asks nobody.

Small pieces of HTML that the page's parts share; whatever comes in is escaped.

One face's comparisons with its matches, and the rows to choose between them.

A photo of several people: its faces numbered, and who of them is the most alike.
"""

from __future__ import annotations

import hashlib
from html import escape
from urllib.parse import quote

from core.faces.quality import COACHING_TEXT, NO_FACE_TIPS
from core.gallery.credits import Credit
from core.gallery.people import Filter
from core.index.actor_index import Match
from core.lookalike import Judged, LookalikeFinder
from core.page.browser_memory import KeptFace, KeptPhoto, data_uri
from core.page.language import Speech, View

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


def face_html(view: View, number: int, judged: Judged[KeptFace]) -> str:
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


def _comparison(view: View, number: int, judged: Judged[KeptFace], match: Match, rank: int) -> str:
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


def _headline(view: View, judged: Judged[KeptFace], match: Match, rank: int) -> str:
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


def group_html(view: View, photo: KeptPhoto, judged: list[Judged[KeptFace]]) -> str:
    """The photo with its numbered faces, and who of them comes closest to an actor."""
    key = "group_hint" if photo.found == len(judged) else "group_more"
    hint = view.speech(key, count=photo.found, shown=len(judged))
    scene = picture(data_uri(photo.scene), view.speech("group_scene", count=len(judged)))
    spots = "".join(_spot(view, number, entry) for number, entry in enumerate(judged))
    ranked = sorted(enumerate(judged), key=lambda entry: -entry[1].matches[0].similarity)
    rows = "".join(_group_row(view, number, entry) for number, entry in ranked)
    return (
        f'<section class="group"><h2>{escape(view.speech("group"))}</h2>{note(hint)}'
        f'<div class="scene">{scene}<fieldset><legend>{escape(view.speech("group_faces"))}'
        f"</legend>{spots}</fieldset></div><ol>{rows}</ol></section>"
    )


def _spot(view: View, number: int, judged: Judged[KeptFace]) -> str:
    x1, y1, x2, y2 = (f"{100 * value:.2f}%" for value in _square(judged.face.box))
    label = escape(view.speech("face_number", number=number + 1))
    checked = " checked" if number == 0 else ""
    return (
        f'<label style="left:{x1};top:{y1};width:{x2};height:{y2}"><input type="radio"'
        f' name="face" value="{number}" aria-label="{label}"{checked}>'
        f"<span>{number + 1}</span></label>"
    )


def _group_row(view: View, number: int, judged: Judged[KeptFace]) -> str:
    first = judged.matches[0]
    who = view.speech("face_number", number=number + 1)
    face = f'<span class="face">{copied(number, "")}</span>'
    pressed = "false" if number else "true"
    return (
        f'<li><button type="button" data-face="{number}" aria-pressed="{pressed}">{face}'
        f'<span class="who">'
        f'<small>{escape(who)}</small><span class="name">{escape(view.name(first))}</span>'
        f"</span>{points(view.points(first), view.speech)}</button></li>"
    )


def _square(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Left, top, width, height as shares of the photo, kept within it."""
    x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in box)
    return x1, y1, max(0.0, x2 - x1), max(0.0, y2 - y1)


def result_html(view: View, photo: KeptPhoto, wanted: Filter) -> str:
    """The whole result."""
    judged = [view.finder.judge(face, wanted) for face in photo.faces]
    if not judged[0].matches:
        return problem_html(view, "nobody_left")
    group = group_html(view, photo, judged) if len(judged) > 1 else ""
    faces = "".join(face_html(view, number, entry) for number, entry in enumerate(judged))
    said = escape(_announcement(view, judged[0]))
    return _told(f'class="result shown" data-announce="{said}"', group + faces)


def waiting_html(view: View) -> str:
    """What stands there before the first photo."""
    return empty_html(view.finder, view.speech("waiting"))


def problem_html(view: View, key: str) -> str:
    """One plain sentence in place of a result; for no face, what to do about it."""
    text = view.speech(key)
    tips = ""
    if key == "no_face":
        lines = [*NO_FACE_TIPS[view.speech.lang], view.speech("no_face_example")]
        tips = "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
    said = escape(text)
    return _told(f'class="result problem" data-announce="{said}"', f"<p>{said}</p>{tips}")


def empty_html(finder: LookalikeFinder, text: str) -> str:
    """As large as a result, with words in its middle; without any until the language is known."""
    kind = "waiting" if text else "blank"
    frames = '<span class="face"></span>' * 2
    rows = "<span></span>" * finder.settings.top_k
    return (
        f'<div class="result {kind}"><div class="pair" aria-hidden="true">{frames}</div>'
        f'<p>{escape(text)}</p><div class="rows" aria-hidden="true">{rows}</div></div>'
    )


def _announcement(view: View, judged: Judged[KeptFace]) -> str:
    first = judged.matches[0]
    sentence = view.sentence(judged.verdict, first, 1)
    return view.speech("announce", name=view.name(first), sentence=sentence)


def _told(attributes: str, inner: str) -> str:
    """The result's element, with a token by which the page tells a new answer from the old."""
    token = hashlib.sha256(f"{attributes}{inner}".encode()).hexdigest()[:12]
    return f'<div {attributes} data-token="{token}">{inner}</div>'
