"""From similarities to what may be said of them: one judgement for page, card and API.

The score says how alike a face is, compared with the lookalikes that these actors would be shown
(core/index/scoring.py). Beside it, three things are told: the very same photo, by a perceptual
hash; that this may well be the same person, by a similarity that almost no stranger reaches with
anyone of a gallery this large; and a close race, when first and second are hardly apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.copies import is_same_photo
from core.index.actor_index import Match
from core.index.kept import Index

# By pack: largest gallery measured, and the similarity to reach (docs/evaluation.md): at most one
# stranger in 1,000 does. 0.62 with both networks: one of 3,438 and one of 3,050 strangers with 80
# and 397 actors; with 712 one of 3,048, and that is the actor spelt otherwise; with 2,216 four of
# 1,544, all of them people whom LFW has under two names. The actors' own photos reach it in
# 98.1 % of picked and 91.9 % of unfiltered ones. No badge for a pack or size not measured.
SAME_PERSON = {
    "sface": ((2200, 0.62),),
    "sface-alone": ((400, 0.50), (1900, 0.55)),
}
CLOSE_RACE = 0.010  # similarity between first and second: half of such firsts change with the photo
LIKE_A_COPY = 0.5  # similarity below which no copy was met: the hash, 7-20 ms, need not be asked
LOW = 20  # score below which the sentence is another one


@dataclass(frozen=True)
class Verdict:
    """What may be said of a face's matches, the first of them above all."""

    share: int | None  # per cent, rounded down, of the score; None: no score
    same_photo: bool  # the first match's portrait is this very photo
    same_person: bool  # the face may well be the first match's own
    close_race: bool
    rough: bool  # the gallery is small

    @property
    def key(self) -> str:
        """Which sentence tells it: same_photo, same_person, no_score, or one of `meaning_of`."""
        if self.same_photo:
            return "same_photo"
        if self.same_person:
            return "same_person"
        if self.share is None:
            return "no_score"
        return meaning_of(self.share)


def meaning_of(share: int) -> str:
    """Which sentence tells a score, rounded down: meaning, meaning_low, meaning_least."""
    if share >= LOW:
        return "meaning"
    return "meaning_low" if share else "meaning_least"


def judge(index: Index, crop: NDArray[np.uint8], matches: Sequence[Match]) -> Verdict:
    """The verdict on one face.

    Args:
        index: the gallery.
        crop: (112, 112, 3) RGB, the face's aligned crop.
        matches: of that face, best first.
    """
    rough = index.calibration is not None and index.calibration.is_rough
    if not matches:
        return Verdict(None, False, False, False, rough)
    first = matches[0]
    limit = same_person_similarity(index)
    same_photo = first.similarity >= LIKE_A_COPY and is_same_photo(crop, first.portrait.crop_hash)
    same_person = same_photo or (limit is not None and first.similarity >= limit)
    return Verdict(
        share=None if first.score is None else math.floor(first.score),
        same_photo=same_photo,
        same_person=same_person,
        close_race=len(matches) > 1
        and not same_person
        and first.similarity - matches[1].similarity < CLOSE_RACE,
        rough=rough,
    )


def same_person_similarity(index: Index) -> float | None:
    """The similarity from which the page speaks of the same person; None: never."""
    for actors, similarity in SAME_PERSON.get(index.info.pack, ()):
        if len(index.actors) <= actors:
            return similarity
    return None
