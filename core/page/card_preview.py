"""The share card of a chosen match, and the page's preview of it."""

from __future__ import annotations

import base64
import io
import secrets

from PIL import Image

from core.card.layout import ShareCard, share_card_png
from core.index.actor_index import Match
from core.lookalike import Judged
from core.page.browser_memory import KeptFace
from core.page.language import View
from core.page.templates import hue, initials, render


def card_html(view: View, judged: Judged[KeptFace], chosen: int, link: str) -> str:
    """Preview with a button to save it and one to share it, for the match at `chosen`.

    The picture is in the page itself: no file of it is written on the server.
    """
    chosen = min(max(chosen, 0), len(judged.matches) - 1)
    match = judged.matches[chosen]
    png = share_card_png(share_card(view, judged, chosen, link))
    return render(
        "card",
        speech=view.speech,
        name=view.name(match),
        picture=f"data:image/png;base64,{base64.b64encode(png).decode()}",
        file=f"{view.speech('card_file')}-{_file_part(match)}.png",
        token=secrets.token_hex(6),
    )


def share_card(view: View, judged: Judged[KeptFace], chosen: int, link: str) -> ShareCard:
    """What stands on the card."""
    match, speech = judged.matches[chosen], view.speech
    name = view.name(match)
    them = view.pictures.framed(match.portrait)
    credit = match.portrait.credit
    return ShareCard(
        you=Image.open(io.BytesIO(judged.face.framed)).convert("RGB"),
        them=them,
        title=speech("card_title"),
        you_label=speech("you"),
        name=name,
        score=view.points(match),
        sentence=view.sentence(judged.verdict, match, chosen + 1),
        credit=speech("photo_by", author=credit.author, licence=credit.licence)
        if them is not None and credit
        else "",
        app_name="Lookalike",
        link=link,
        monogram=initials(name),
        hue=hue(name),
    )


def _file_part(match: Match) -> str:
    """The actor's name without what a file name may not hold."""
    return "".join(sign if sign.isalnum() else "-" for sign in match.actor).strip("-") or "actor"
