"""Everything that the chapters are written from: each set measured when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np

from scripts.evaluation.datasets import (
    FURTHER_ACTORS,
    LEARN,
    LFW,
    TEST,
    LabelledPhoto,
    Pairs,
    labelled_photos,
    read_pairs,
)
from scripts.evaluation.galleries import Gallery, Portraits, enrol, portraits_of
from scripts.evaluation.measure import MeasuredSet, Meter, Way, weighed

SAMPLED = 8  # of LFW's pairs and of what is only thinned, the sample has one in so many
THINNED = ("kpop_crops",)


@dataclass(frozen=True, eq=False)
class Material:
    """The labelled photos and the means to measure them."""

    data: Path  # folder of the sets
    meter: Meter
    # A part of LFW, of `kpop_crops` and of the changed photos, and one photo of each Korean and
    # Indian actor, which the test suite has time for; gallery, probes and headshots are whole.
    sample: bool = False
    share: float | None = None  # of the second network; None: the pack's own

    def photos(self, name: str) -> Sequence[LabelledPhoto]:
        """A set's photos.

        Raises:
            GalleryError: the set is missing or empty.
        """
        if name == LFW:
            return self._lfw[0]
        photos = labelled_photos(self.data, name)
        if self.sample and name in FURTHER_ACTORS:
            return [next(of_one) for _, of_one in groupby(photos, key=lambda photo: photo.person)]
        return self.thinned(photos) if name in THINNED else photos

    def thinned(self, photos: Sequence[LabelledPhoto]) -> Sequence[LabelledPhoto]:
        """All of them, or those of the sample."""
        return photos[::SAMPLED] if self.sample else photos

    def measured(self, name: str) -> MeasuredSet:
        """A set's faces; of LFW's photos the one that is labelled."""
        return self.faces(name, self.photos(name), Way(central=name == LFW))

    def faces(self, name: str, photos: Sequence[LabelledPhoto], way: Way) -> MeasuredSet:
        """Faces of some photos, both networks counting as they shall."""
        measured = self.meter.measure(name, photos, way)
        if self.share is None:
            return measured
        networks = self.meter.engine.pack.networks
        return replace(measured, embeddings=weighed(measured.embeddings, networks, self.share))

    def with_share(self, share: float) -> Material:
        """The same photos where the second network counts so much, 0-1; nothing is run again."""
        return replace(self, share=share)

    @property
    def learn(self) -> Pairs:
        """Pairs of LFW on which a threshold is chosen."""
        return self._lfw[1]

    @property
    def test(self) -> Pairs:
        """Pairs of other people."""
        return self._lfw[2]

    @cached_property
    def portraits(self) -> Portraits:
        """Of the development gallery's actors."""
        return portraits_of(self.measured("gallery"))

    @cached_property
    def gallery(self) -> Gallery:
        """As a build would make it."""
        return enrol(self.portraits)

    @cached_property
    def headshots(self) -> Portraits:
        """One studio portrait an actor."""
        return portraits_of(self.measured("headshots"))

    @cached_property
    def everyone(self) -> Portraits:
        """Gallery and headshots, actors of both merged: the starter gallery's people."""
        return portraits_of(self.measured("gallery"), self.measured("headshots"))

    @cached_property
    def all_actors(self) -> Portraits:
        """Those and the Korean and Indian actors."""
        names = ("gallery", "headshots", *FURTHER_ACTORS)
        return portraits_of(*(self.measured(name) for name in names))

    @cached_property
    def _lfw(self) -> tuple[Sequence[LabelledPhoto], Pairs, Pairs]:
        photos = labelled_photos(self.data, LFW)
        learn, test = (read_pairs(self.data, pair_list, photos) for pair_list in (LEARN, TEST))
        if not self.sample:
            return photos, learn, test
        learn, test = learn.every(SAMPLED), test.every(SAMPLED)
        asked = np.unique(np.concatenate([learn.first, learn.second, test.first, test.second]))
        return [photos[place] for place in asked], learn.among(asked), test.among(asked)
