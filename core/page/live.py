"""A steady answer from a moving face: the live mode's memory of the last second or two.

Single frames flicker between actors that are nearly as close. Similarities are averaged over
time, and a new name must lead by a margin for several frames before it takes over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.index.actor_index import Match
from core.page.language import View
from core.page.templates import render

# Weight of the past a quarter of a second later: about a second's memory. It goes by time, since a
# busy server answers two frames a second, and one with nothing else to do eight.
KEPT, STEP = 0.75, 0.25
# Similarity by which a challenger must be ahead. In a moving, noisy picture the difference of two
# actors varies by 0.02-0.03 a frame, averaged by 0.01: at 0.01 a face halfway between two changed
# its name up to 10 times a minute, at 0.02 at most twice.
LEAD = 0.02
FRAMES_TO_TAKE_OVER = 2  # in a row, over STEP at least
ROUNDING = 1e-6  # seconds
# Cosine of two frames' faces; below, somebody else has sat down. As rare between strangers as 0.30
# of SFace alone (1.3 % of the starter gallery's pairs).
SAME_FACE = 0.37
FORGOTTEN_AFTER = 1.0  # seconds without a face


@dataclass(frozen=True, eq=False)
class Steady:
    """What is remembered between two frames; `after` gives the next one."""

    similarities: NDArray[np.float64] | None = None  # (A,) averaged over time
    face: NDArray[np.float32] | None = None  # (D,) unit, of the last frame with one
    actor: int | None = None  # who is named
    challenger: int | None = None
    streak: int = 0  # frames in a row the challenger has led
    led: float = 0.0  # seconds since it was first ahead
    missed: float = 0.0  # seconds without a face

    def after(
        self,
        face: NDArray[np.float32] | None,
        similarities: NDArray[np.float64] | None,
        seconds: float = STEP,
    ) -> Steady:
        """The memory after one more frame, so long after the last; None for one without a face."""
        if face is None or similarities is None:
            return self._without_face(seconds)
        if self._is_somebody_else(face):
            return Steady(similarities, face, int(similarities.argmax()))
        averaged = similarities
        if self.similarities is not None:
            kept = KEPT ** (seconds / STEP)
            averaged = kept * self.similarities + (1 - kept) * similarities
        leader = int(averaged.argmax())
        if self.actor is None:
            return Steady(averaged, face, leader)
        ahead = averaged[leader] - averaged[self.actor] >= LEAD
        if leader == self.actor or not ahead:
            return Steady(averaged, face, self.actor)
        again = leader == self.challenger
        streak, led = (self.streak + 1, self.led + seconds) if again else (1, 0.0)
        if streak >= FRAMES_TO_TAKE_OVER and led >= STEP - ROUNDING:
            return Steady(averaged, face, leader)
        return Steady(averaged, face, self.actor, leader, streak, led)

    @property
    def similarity(self) -> float | None:
        """Of the named actor, averaged."""
        if self.similarities is None or self.actor is None:
            return None
        return float(self.similarities[self.actor])

    def _is_somebody_else(self, face: NDArray[np.float32]) -> bool:
        return self.face is not None and float(self.face @ face) < SAME_FACE

    def _without_face(self, seconds: float) -> Steady:
        missed = self.missed + seconds
        if missed >= FORGOTTEN_AFTER - ROUNDING:
            return Steady()
        return Steady(self.similarities, self.face, self.actor, missed=missed)


@dataclass(frozen=True, eq=False)
class LiveMemory:
    """What one visitor's live mode remembers between two frames; no picture."""

    steady: Steady = field(default_factory=Steady)
    html: str = ""  # as last shown: the same again is not sent
    seen: float = 0.0  # when, by time.monotonic()


def live_html(view: View, steady: Steady | None) -> str:
    """The actor named now, with portrait and score; before the first frame, what to do."""
    match = steady and _named(view, steady)
    if match is None:
        key = "live_waiting" if steady is None else "live_nobody"
        return render("live", speech=view.speech, match=None, key=key)
    return render("live", speech=view.speech, view=view, match=match)


def _named(view: View, steady: Steady) -> Match | None:
    """Who is named, with the portrait closest to the face now."""
    if steady.actor is None or steady.face is None or steady.similarity is None:
        return None
    index = view.finder.index
    portrait = index.closest_portrait(steady.actor, steady.face)
    score = None if index.calibration is None else index.calibration.score(steady.similarity)
    return Match(index.actors[steady.actor], steady.similarity, score, portrait)
