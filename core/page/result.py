"""A photo's answer as HTML: faces side by side, the score in words, the other matches.

Everything a visitor may choose between is in it from the start; core/page/page.js only shows and
hides, so that choosing asks nobody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from html import escape

from core.coaching import COACHING_TEXT, NO_FACE_TIPS
from core.index import Match
from core.lookalike import LookalikeFinder
from core.page.html import credit_line, framed, look_up, note, picture
from core.page.portraits import PortraitShelf
from core.page.seen import Seen, SeenFace, data_uri
from core.page.speech import Speech
from core.people import Filter
from core.verdict import Verdict, judge


@dataclass(frozen=True, eq=False)
class Judged:
    """One face with its matches under the filter in force."""

    face: SeenFace
    matches: tuple[Match, ...]
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class ResultView:
    """How one finder's answers are shown in one language."""

    finder: LookalikeFinder
    shelf: PortraitShelf
    speech: Speech

    def name(self, match: Match) -> str:
        """The actor's name in the visitor's language."""
        return self.finder.people.name(match.actor, self.speech.lang)

    def judged(self, face: SeenFace, wanted: Filter) -> Judged:
        """Search the gallery for one face."""
        matches = self.finder.matches(face.embedding, wanted=wanted)
        return Judged(face, matches, judge(self.finder.index, face.crop, matches))

    def html(self, seen: Seen, wanted: Filter) -> str:
        """The whole result."""
        judged = [self.judged(face, wanted) for face in seen.faces]
        if not judged[0].matches:
            return self.problem("nobody_left")
        group = self._group(seen, judged) if len(judged) > 1 else ""
        faces = "".join(self._face(number, entry) for number, entry in enumerate(judged))
        said = escape(self._announcement(judged[0]))
        return _told(f'class="result shown" data-announce="{said}"', group + faces)

    def waiting(self) -> str:
        """What stands there before the first photo."""
        return empty_result(self.finder, self.speech("waiting"))

    def problem(self, key: str) -> str:
        """One plain sentence in place of a result; for no face, what to do about it."""
        text = self.speech(key)
        tips = ""
        if key == "no_face":
            lines = [*NO_FACE_TIPS[self.speech.lang], self.speech("no_face_example")]
            tips = "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
        said = escape(text)
        return _told(f'class="result problem" data-announce="{said}"', f"<p>{said}</p>{tips}")

    def sentence(self, verdict: Verdict, match: Match, rank: int) -> str:
        """The true sentence of a match; the verdict on the face is the first match's."""
        if rank == 1:
            return self.speech(verdict.key, share=verdict.share)
        if match.score is None:
            return self.speech("no_score")
        share = int(match.score)
        return self.speech("meaning" if share else "meaning_low", share=share)

    def _announcement(self, judged: Judged) -> str:
        first = judged.matches[0]
        sentence = self.sentence(judged.verdict, first, 1)
        return self.speech("announce", name=self.name(first), sentence=sentence)

    def _group(self, seen: Seen, judged: list[Judged]) -> str:
        """The photo with its numbered faces, and who of them comes closest to an actor."""
        key = "group_hint" if seen.found == len(judged) else "group_more"
        hint = self.speech(key, count=seen.found, shown=len(judged))
        scene = picture(data_uri(seen.scene), self.speech("group_scene", count=len(judged)))
        spots = "".join(self._spot(number, entry) for number, entry in enumerate(judged))
        ranked = sorted(enumerate(judged), key=lambda entry: -entry[1].matches[0].similarity)
        rows = "".join(self._group_row(number, entry) for number, entry in ranked)
        return (
            f'<section class="group"><h2>{escape(self.speech("group"))}</h2>{note(hint)}'
            f'<div class="scene">{scene}<fieldset><legend>{escape(self.speech("group_faces"))}'
            f"</legend>{spots}</fieldset></div><ol>{rows}</ol></section>"
        )

    def _spot(self, number: int, judged: Judged) -> str:
        x1, y1, x2, y2 = (f"{100 * value:.2f}%" for value in _square(judged.face.box))
        label = escape(self.speech("face_number", number=number + 1))
        checked = " checked" if number == 0 else ""
        return (
            f'<label style="left:{x1};top:{y1};width:{x2};height:{y2}"><input type="radio"'
            f' name="face" value="{number}" aria-label="{label}"{checked}>'
            f"<span>{number + 1}</span></label>"
        )

    def _group_row(self, number: int, judged: Judged) -> str:
        first = judged.matches[0]
        who = self.speech("face_number", number=number + 1)
        face = f'<span class="face">{_copied(number, "")}</span>'
        pressed = "false" if number else "true"
        return (
            f'<li><button type="button" data-face="{number}" aria-pressed="{pressed}">{face}'
            f'<span class="who">'
            f'<small>{escape(who)}</small><span class="name">{escape(self.name(first))}</span>'
            f"</span>{self._points(first)}</button></li>"
        )

    def _face(self, number: int, judged: Judged) -> str:
        """One face's comparisons, the first one shown, and the matches to choose from."""
        texts = COACHING_TEXT[self.speech.lang]
        tips = "".join(note(texts[code], "tip") for code in judged.face.tips if code in texts)
        panels = "".join(
            self._comparison(number, judged, match, rank)
            for rank, match in enumerate(judged.matches, start=1)
        )
        rows = "".join(
            self._row(number, match, rank) for rank, match in enumerate(judged.matches, start=1)
        )
        hidden = " hidden" if number else ""
        legend = escape(self.speech("matches"))
        return (
            f'<section class="one" data-face="{number}"{hidden}>{tips}{panels}'
            f'<fieldset class="matches"><legend>{legend}</legend>{rows}</fieldset></section>'
        )

    def _comparison(self, number: int, judged: Judged, match: Match, rank: int) -> str:
        name, address = self.name(match), self.shelf.address(match.portrait, "face")
        alt = self.speech("your_face")
        first = rank == 1
        mine = picture(data_uri(judged.face.framed), alt) if first else _copied(number, alt)
        portrait = self.speech("portrait_of", name=name)
        theirs = framed(
            name, address, portrait, self.speech("no_portrait_of", name=name), lazy=not first
        )
        attribute = "" if first else " hidden"
        return (
            f'<article class="compare" data-match="{rank - 1}"{attribute}><div class="pair">'
            f'<figure><span class="face">{mine}</span>'
            f"<figcaption>{escape(self.speech('you'))}</figcaption></figure>"
            f"<figure>{theirs}<figcaption>{self._source(match, name)}</figcaption></figure></div>"
            f"{self._headline(judged, match, rank)}{self._blend(number, address, portrait)}"
            "</article>"
        )

    def _source(self, match: Match, name: str) -> str:
        """Whose picture it is; without a picture, where to look."""
        if self.finder.portrait_path(match.portrait) is None:
            return look_up(name, self.speech)
        credit = match.portrait.credit
        return credit_line(credit, self.speech) if credit else escape(name)

    def _headline(self, judged: Judged, match: Match, rank: int) -> str:
        speech, verdict = self.speech, judged.verdict
        place = speech("closest") if rank == 1 else speech("rank", rank=rank)
        notes = []
        if rank == 1 and verdict.close_race:
            notes.append(note(speech("close_race", second=self.name(judged.matches[1]))))
        if verdict.rough and match.score is not None:
            notes.append(note(speech("rough"), "small"))
        similarity = escape(speech("similarity", value=speech.similarity(match.similarity)))
        return (
            f'<div class="headline"><p class="place">{escape(place)}</p>'
            f'<h2 class="name">{escape(self.name(match))}</h2>{self._points(match)}'
            f'<p class="meaning">{escape(self.sentence(verdict, match, rank))}</p>'
            f'{"".join(notes)}<p class="small">{similarity}</p></div>'
        )

    def _points(self, match: Match) -> str:
        if match.score is None:
            return '<span class="score"></span>'
        points = escape(self.speech("points"))
        return f'<span class="score"><b>{self.speech.score(match.score)}</b> {points}</span>'

    def _blend(self, number: int, address: str | None, portrait: str) -> str:
        """Both faces over each other, and a slider between them."""
        if address is None:
            return ""
        mine = _copied(number, self.speech("your_face"))
        theirs = picture(address, portrait, lazy=True)
        hint = escape(self.speech("blend_hint"))
        return (
            f'<details class="blend"><summary>{escape(self.speech("blend"))}</summary>'
            f'<div class="face">{mine}{theirs}</div>'
            f'<input type="range" min="0" max="100" value="50" aria-label="{hint}"></details>'
        )

    def _row(self, number: int, match: Match, rank: int) -> str:
        name = self.name(match)
        face = framed(name, self.shelf.address(match.portrait, "small"), "", "", lazy=False)
        checked = " checked" if rank == 1 else ""
        return (
            f'<label><input type="radio" name="match-{number}" value="{rank - 1}"{checked}>'
            f'<span class="rank">{rank}</span>{face}<span class="who">'
            f'<span class="name">{escape(name)}</span>{self._row_credit(match)}</span>'
            f"{self._points(match)}</label>"
        )

    def _row_credit(self, match: Match) -> str:
        """As text: a link in a row would be in the way of choosing it."""
        credit = match.portrait.credit
        if credit is None or self.finder.portrait_path(match.portrait) is None:
            return ""
        text = self.speech("photo_by", author=credit.author, licence=credit.licence)
        return f"<small>{escape(text)}</small>"


def empty_result(finder: LookalikeFinder, text: str) -> str:
    """As large as a result, with words in its middle; without any until the language is known."""
    kind = "waiting" if text else "blank"
    frames = '<span class="face"></span>' * 2
    rows = "<span></span>" * finder.settings.top_k
    return (
        f'<div class="result {kind}"><div class="pair" aria-hidden="true">{frames}</div>'
        f'<p>{escape(text)}</p><div class="rows" aria-hidden="true">{rows}</div></div>'
    )


def _told(attributes: str, inner: str) -> str:
    """The result's element, with a token by which the page tells a new answer from the old."""
    token = hashlib.sha256(f"{attributes}{inner}".encode()).hexdigest()[:12]
    return f'<div {attributes} data-token="{token}">{inner}</div>'


def _copied(number: int, alt: str) -> str:
    """The visitor's face once more: page.js copies it from the face's first comparison."""
    return f'<img data-mine="{number}" alt="{escape(alt)}">'


def _square(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Left, top, width, height as shares of the photo, kept within it."""
    x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in box)
    return x1, y1, max(0.0, x2 - x1), max(0.0, y2 - y1)
