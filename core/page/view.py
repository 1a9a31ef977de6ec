"""What every part of the page asks of one finder, in one language."""

from __future__ import annotations

from dataclasses import dataclass

from core.gallery.people import Filter
from core.index.actor_index import Match
from core.index.verdict import Verdict, judge
from core.lookalike import LookalikeFinder
from core.page.portraits import PortraitShelf
from core.page.seen import SeenFace
from core.page.speech import Speech


@dataclass(frozen=True, eq=False)
class Judged:
    """One face with its matches under the filter in force."""

    face: SeenFace
    matches: tuple[Match, ...]
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class View:
    """One finder's answers in words of one language."""

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

    def sentence(self, verdict: Verdict, match: Match, rank: int) -> str:
        """The true sentence of a match; the verdict on the face is the first match's."""
        if rank == 1:
            return self.speech(verdict.key, share=verdict.share)
        if match.score is None:
            return self.speech("no_score")
        share = int(match.score)
        return self.speech("meaning" if share else "meaning_low", share=share)

    def points(self, match: Match) -> str | None:
        """Its score as shown; None where the gallery is too small for one."""
        return None if match.score is None else self.speech.score(match.score)
