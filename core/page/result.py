"""A photo's answer as HTML: several faces numbered, faces side by side, the other matches.

Everything a visitor may choose between is in it from the start; core/page/page.js only shows and
hides, so that choosing asks nobody.
"""

from __future__ import annotations

import hashlib
from html import escape

from core.faces.quality import NO_FACE_TIPS
from core.gallery.people import Filter
from core.lookalike import LookalikeFinder
from core.page.comparison import face_html
from core.page.group import group_html
from core.page.seen import Seen
from core.page.view import Judged, View


def result_html(view: View, seen: Seen, wanted: Filter) -> str:
    """The whole result."""
    judged = [view.judged(face, wanted) for face in seen.faces]
    if not judged[0].matches:
        return problem_html(view, "nobody_left")
    group = group_html(view, seen, judged) if len(judged) > 1 else ""
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


def _announcement(view: View, judged: Judged) -> str:
    first = judged.matches[0]
    sentence = view.sentence(judged.verdict, first, 1)
    return view.speech("announce", name=view.name(first), sentence=sentence)


def _told(attributes: str, inner: str) -> str:
    """The result's element, with a token by which the page tells a new answer from the old."""
    token = hashlib.sha256(f"{attributes}{inner}".encode()).hexdigest()[:12]
    return f'<div {attributes} data-token="{token}">{inner}</div>'
