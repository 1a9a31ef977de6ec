"""A photo of several people: its faces numbered, and who of them is the most alike."""

from __future__ import annotations

from html import escape

from core.page.comparison import copied
from core.page.html import note, picture, points
from core.page.seen import Seen, data_uri
from core.page.view import Judged, View


def group_html(view: View, seen: Seen, judged: list[Judged]) -> str:
    """The photo with its numbered faces, and who of them comes closest to an actor."""
    key = "group_hint" if seen.found == len(judged) else "group_more"
    hint = view.speech(key, count=seen.found, shown=len(judged))
    scene = picture(data_uri(seen.scene), view.speech("group_scene", count=len(judged)))
    spots = "".join(_spot(view, number, entry) for number, entry in enumerate(judged))
    ranked = sorted(enumerate(judged), key=lambda entry: -entry[1].matches[0].similarity)
    rows = "".join(_row(view, number, entry) for number, entry in ranked)
    return (
        f'<section class="group"><h2>{escape(view.speech("group"))}</h2>{note(hint)}'
        f'<div class="scene">{scene}<fieldset><legend>{escape(view.speech("group_faces"))}'
        f"</legend>{spots}</fieldset></div><ol>{rows}</ol></section>"
    )


def _spot(view: View, number: int, judged: Judged) -> str:
    x1, y1, x2, y2 = (f"{100 * value:.2f}%" for value in _square(judged.face.box))
    label = escape(view.speech("face_number", number=number + 1))
    checked = " checked" if number == 0 else ""
    return (
        f'<label style="left:{x1};top:{y1};width:{x2};height:{y2}"><input type="radio"'
        f' name="face" value="{number}" aria-label="{label}"{checked}>'
        f"<span>{number + 1}</span></label>"
    )


def _row(view: View, number: int, judged: Judged) -> str:
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
