"""The live mode's one line: who it is now."""

from __future__ import annotations

import math
from html import escape

from core.live import Steady
from core.page.html import credit_line, framed, points
from core.page.view import View


def live_html(view: View, steady: Steady | None) -> str:
    """The actor named now, with portrait and score; before the first frame, what to do."""
    speech = view.speech
    if steady is None:
        return f'<div class="live"><p>{escape(speech("live_waiting"))}</p></div>'
    if steady.actor is None or steady.face is None or steady.similarity is None:
        return f'<div class="live"><p>{escape(speech("live_nobody"))}</p></div>'
    index = view.finder.index
    name = view.finder.people.name(index.actors[steady.actor], speech.lang)
    portrait = index.closest_portrait(steady.actor, steady.face)
    address = view.shelf.address(portrait, "small")
    face = framed(name, address, speech("portrait_of", name=name), "", lazy=False)
    credit = credit_line(portrait.credit, speech) if address and portrait.credit else ""
    return (
        f'<div class="live" data-actor="{escape(name)}">{face}<span class="who">'
        f'<span class="name">{escape(name)}</span><small>{credit}</small></span>'
        f"{points(_whole_points(view, steady.similarity), speech)}</div>"
    )


def _whole_points(view: View, similarity: float) -> str | None:
    """Tenths would change with every frame."""
    calibration = view.finder.index.calibration
    return None if calibration is None else str(math.floor(calibration.score(similarity)))
