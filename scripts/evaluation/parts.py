"""Chapter: what is told to be alike, how often, and whether a second photo agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.faces.engine import FaceEngine
from core.faces.framing import FramedFace, in_frame
from core.faces.parts import PARTS, embed_covered
from core.faces.photo import read_photo
from core.index.alike import Alike, what_is_alike
from scripts.evaluation.chapter import Figures, Plot, rate, table
from scripts.evaluation.datasets import LFW, LabelledPhoto, plain_name
from scripts.evaluation.galleries import Gallery, enrol
from scripts.evaluation.material import Material
from scripts.evaluation.measure import most_central

TITLE = "What is alike?"
EVERY = 4  # of LFW's pairs of one person, one in so many is compared


@dataclass(frozen=True)
class Agreement:
    """What two photos of one person say of the first one's closest actor."""

    pairs: int
    told: int  # first photos of which a part is told
    same_first: int  # of these: the second photo's first part is the same
    among_two: int  # of these: it is among the second photo's first two
    by_chance: float  # 0-1: share of same first parts were the second photos exchanged


def agreement(
    engine: FaceEngine, gallery: Gallery, pairs: Iterable[tuple[FramedFace, FramedFace]]
) -> Agreement:
    """Compare what is told of a first photo with a second photo of the same person."""
    found = [_of_both(engine, gallery, *pair) for pair in pairs]
    told = [(first, _in_order(second)) for first, second in found if first.told]
    firsts = Counter(first.told[0] for first, _ in told)
    seconds = Counter(order[0] for _, order in told)
    exchanged = sum(firsts[part] * seconds[part] for part in PARTS)
    return Agreement(
        pairs=len(found),
        told=len(told),
        same_first=sum(first.told[0] == order[0] for first, order in told),
        among_two=sum(first.told[0] in order[:2] for first, order in told),
        by_chance=exchanged / max(1, len(told) ** 2),
    )


def measure(material: Material) -> Figures:
    """Against the 397 actors of gallery and headshots."""
    return measure_parts(material, enrol(material.everyone))


def text(figures: Figures) -> tuple[str | Plot, ...]:
    """The chapter."""
    told, pairs = figures["parts.told"]
    same, two = figures["parts.same_first"][0], figures["parts.among_two"][0]
    return (
        "Two photos of one stranger (LFW, one pair in four), compared with the actor closest to the"
        " first. Where something is told of the first photo, does the second name the same part?",
        table(
            ["pairs", "told of the first", "same first part", "among its first two", "by chance"],
            [
                [f"{pairs:,}", rate(told / pairs), rate(same / told), rate(two / told),
                 rate(figures["parts.by_chance"])]
            ],
        ),
        "So it is about this photo as much as about this face.",
    )  # fmt: skip


def measure_parts(material: Material, gallery: Gallery) -> Figures:
    """Pairs of LFW, of people who are not in the gallery; names begin with "parts."."""
    photos, actors = material.photos(LFW), set(map(plain_name, gallery.actors))
    pairs = material.learn.and_of(material.test)
    chosen = [
        (photos[first], photos[second])
        for first, second, same in zip(pairs.first, pairs.second, pairs.same, strict=True)
        if same and plain_name(photos[first].person) not in actors
    ][::EVERY]
    engine = material.meter.engine
    work = ((_framed(engine, first), _framed(engine, second)) for first, second in chosen)
    both = ((first, second) for first, second in work if first and second)
    progress = material.meter.progress(both, "parts", len(chosen))
    found = agreement(engine, gallery, progress)
    return {
        "parts.told": [found.told, found.pairs],
        "parts.same_first": [found.same_first, found.told],
        "parts.among_two": [found.among_two, found.told],
        "parts.by_chance": found.by_chance,
    }


def _of_both(
    engine: FaceEngine, gallery: Gallery, first: FramedFace, second: FramedFace
) -> tuple[Alike, Alike]:
    rows = embed_covered(engine, first), embed_covered(engine, second)
    actor = gallery.actors[int(gallery.similarities(rows[0][:1])[0].argmax())]
    one, other = (what_is_alike(gallery, covered, actor) for covered in rows)
    return one, other


def _in_order(alike: Alike) -> list[str]:
    """All parts, the first first."""
    return sorted(PARTS, key=lambda part: -alike.shares[part])


def _framed(engine: FaceEngine, entry: LabelledPhoto) -> FramedFace | None:
    """The labelled face of an LFW photo; None where none is found."""
    photo = read_photo(entry.path)
    height, width = photo.pixels.shape[:2]
    faces = most_central(engine.detect(photo), width, height)
    return in_frame(photo.pixels, np.asarray(faces[0].landmarks)) if faces else None
