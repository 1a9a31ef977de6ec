"""The share card of a chosen match, and the page's preview of it."""

from __future__ import annotations

import base64
import io
import secrets
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from core.card.layout import ShareCard, share_card_png
from core.card.text import clean
from core.faces.parts import Part
from core.gallery.credits import Credit
from core.index.actor_index import Match
from core.languages import ENGLISH
from core.lookalike import Judged
from core.page.browser_memory import KeptFace
from core.page.language import Speech, View
from core.page.templates import hue, initials, render
from core.page.words import words_of


def card_html(
    view: View, judged: Judged[KeptFace], chosen: int, link: str, told: Sequence[Part] = ()
) -> str:
    """Preview with a button to save it and one to share it, for the match at `chosen`.

    The picture is in the page itself: no file of it is written on the server.
    """
    chosen = min(max(chosen, 0), len(judged.matches) - 1)
    match = judged.matches[chosen]
    png = share_card_png(share_card(view, judged, chosen, link, told))
    return render(
        "card",
        speech=view.speech,
        name=view.name(match),
        picture=f"data:image/png;base64,{base64.b64encode(png).decode()}",
        file=f"{view.speech('card_file')}-{_file_part(match)}.png",
        token=secrets.token_hex(6),
    )


def share_card(
    view: View, judged: Judged[KeptFace], chosen: int, link: str, told: Sequence[Part] = ()
) -> ShareCard:
    """What stands on the card; `told`: the parts that carry the likeness, if asked for."""
    match, speech = judged.matches[chosen], view.speech
    name = _name(view, match)
    them = view.pictures.framed(match.portrait)
    credit = match.portrait.credit
    sentence = view.sentence(judged.verdict, match, chosen + 1)
    return ShareCard(
        you=Image.open(io.BytesIO(judged.face.framed)).convert("RGB"),
        them=them,
        title=speech("card_title"),
        you_label=speech("you"),
        name=name,
        score=view.points(match),
        sentence=f"{sentence} {view.alike(told)}" if told else sentence,
        credit=_credit(credit, speech) if them is not None and credit else "",
        app_name="Lookalike",
        link=link,
        monogram=initials(name),
        hue=hue(view.name(match)),
    )


def _name(view: View, match: Match) -> str:
    """As the page says it; else the English one, if the card's fonts lack its script."""
    english = view.finder.people.name(match.actor, ENGLISH)
    return _drawable(view.name(match)) or _drawable(english) or _drawable(match.actor)


def _credit(credit: Credit, speech: Speech) -> str:
    """With the photo's page for an author, or in English, where the card's fonts ask for it."""
    author = _drawable(credit.author) or credit.source
    text = speech("photo_by", author=author, licence=credit.licence)
    if clean(text) == text:
        return text
    english = replace(speech, lang=ENGLISH, words=words_of(ENGLISH))
    return english("photo_by", author=author, licence=credit.licence)


def _drawable(text: str) -> str:
    """What the card can show of a text; "" if that has no letters."""
    cleaned = clean(text)
    return cleaned if any(map(str.isalnum, cleaned)) else ""


def _file_part(match: Match) -> str:
    """The actor's name without what a file name may not hold."""
    return "".join(sign if sign.isalnum() else "-" for sign in match.actor).strip("-") or "actor"
