"""Everything that the chapters are written from: each set measured once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from core.faces.detect import FaceDetector
from core.faces.engine import FaceEngine
from core.models.install import InstalledPack
from scripts.evaluation.datasets import LFW, PAIR_LISTS, SETS, Pairs, labelled_photos, read_pairs
from scripts.evaluation.galleries import Gallery, Portraits, enrol, portraits_of
from scripts.evaluation.measure import MeasuredSet, Meter, Way

MIRRORED = ("gallery", "probes", "probes_wild")  # sets on which flip augmentation is tried


@dataclass(frozen=True, eq=False)
class Material:
    """Measured sets by name, the pairs, and the means to measure more."""

    data: Path
    installed: InstalledPack
    meter: Meter
    sets: dict[str, MeasuredSet]
    learn: Pairs  # the threshold is chosen on these
    test: Pairs

    @cached_property
    def portraits(self) -> Portraits:
        """Of the development gallery's actors."""
        return portraits_of(self.sets["gallery"])

    @cached_property
    def gallery(self) -> Gallery:
        """As a build would make it."""
        return enrol(self.portraits)

    @cached_property
    def headshots(self) -> Portraits:
        """One studio portrait an actor."""
        return portraits_of(self.sets["headshots"])

    @cached_property
    def everyone(self) -> Portraits:
        """Gallery and headshots, actors of both merged: the starter gallery's people."""
        return portraits_of(self.sets["gallery"], self.sets["headshots"])

    def with_detector(self, detector: type[FaceDetector] = FaceDetector, **changed: int) -> Meter:
        """A meter that looks at photos in another way, or with other detection settings."""
        settings = self.meter.settings.replaced(**changed)
        engine = FaceEngine(
            self.installed, settings.detection, threads=settings.threads, detector=detector
        )
        return replace(self.meter, engine=engine, settings=settings)


def gather(data: Path, installed: InstalledPack, meter: Meter) -> Material:
    """Measure every set, LFW last and without mirror images: it has the most photos.

    Raises:
        GalleryError: a folder or a list is missing.
    """
    photos = {name: labelled_photos(data, name) for name in SETS}
    pairs = [read_pairs(data, pair_list, photos[LFW]) for pair_list in PAIR_LISTS]
    sets = {
        name: meter.measure(name, photos[name], Way(central=name == LFW, mirrored=name in MIRRORED))
        for name in SETS
    }
    return Material(data, installed, meter, sets, *pairs)
