"""Chapter: whether the first answer stays when the same photo is sent in another shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.evaluation.changes import CHANGES, TURNS, Change, Pixels, changed_by, close_crop
from scripts.evaluation.chapter import Figures, count_of, table
from scripts.evaluation.datasets import LabelledPhoto
from scripts.evaluation.galleries import Gallery
from scripts.evaluation.material import Material
from scripts.evaluation.measure import MeasuredSet, Way

TITLE = "Does the answer stay?"
EVERY = 3  # of the unfiltered probes, one in so many is changed; of the picked, all
CLOSE = "cropped close"
NAMES = (*CHANGES, CLOSE)
SAMPLED_TURNS = 5  # the sample has one in so many: 15, 90, 165, 240 and 315 degrees


@dataclass(frozen=True)
class Steadiness:
    """First answers to changed photos, against those to the photos as they are."""

    photos: int
    same: int  # first answers that stay; a photo that loses its face does not
    lost: int  # photos in which no face is found any more
    moved: float  # median change of the similarity to the actor first named


def steadiness(gallery: Gallery, plain: MeasuredSet, changed: MeasuredSet) -> Steadiness:
    """Compare the answers to the face that the engine puts first, photo by photo."""
    before, after = plain.chosen(), changed.chosen()
    both = (before >= 0) & (after >= 0)
    old = gallery.similarities(plain.embeddings[before[both]])
    new = gallery.similarities(changed.embeddings[after[both]])
    named = old.argmax(axis=1)
    rows = np.arange(len(named))
    return Steadiness(
        photos=len(before),
        same=int((new.argmax(axis=1) == named).sum()),
        lost=int(((before >= 0) & (after < 0)).sum()),
        moved=float(np.median(new[rows, named] - old[rows, named])),
    )


def measure(material: Material) -> Figures:
    """Every change of CHANGES, the close crop, and every turn."""
    photos = material.thinned(
        [*material.photos("probes"), *material.photos("probes_wild")[::EVERY]]
    )
    plain = material.meter.measure("plain", photos)
    turns = dict(list(TURNS.items())[:: SAMPLED_TURNS if material.sample else 1])
    changes = {name: changed_by(change) for name, change in {**CHANGES, **turns}.items()}
    changes[CLOSE] = _to_the_face(photos, plain)
    figures: Figures = {"steady.photos": len(photos)}
    for name, change in changes.items():
        changed = material.meter.measure("changed", photos, Way(changed=name, change=change))
        found = steadiness(material.gallery, plain, changed)
        figures |= {
            f"steady.{name}": [found.same, found.photos],
            f"steady.{name}.lost": found.lost,
            f"steady.{name}.moved": found.moved,
        }
    return figures


def _to_the_face(photos: Sequence[LabelledPhoto], plain: MeasuredSet) -> Change:
    """Cut each photo to its chosen face; one in which none was found stays whole."""
    boxes = {
        photo.path: plain.boxes[face]
        for photo, face in zip(photos, plain.chosen(), strict=True)
        if face >= 0
    }

    def cut(photo: LabelledPhoto, pixels: Pixels) -> Pixels:
        return close_crop(pixels, boxes[photo.path]) if photo.path in boxes else pixels

    return cut


def text(figures: Figures) -> tuple[str, ...]:
    """The chapter."""
    return (
        "The same photo sent in another shape: all of `probes` and every"
        f" {EVERY}rd of `probes_wild` ({figures['steady.photos']} photos). The first answer stays"
        " if it names the same actor as for the photo as it is. Moved: median change of the"
        " similarity to that actor.",
        _table("change", NAMES, figures),
        "Turned by any angle, as phones and wrong EXIF data do; black where the photo ends:",
        _table("turn", TURNS, figures),
    )


def _table(what: str, names: Iterable[str], figures: Figures) -> str:
    return table(
        [what, "first answer stays", "face lost", "moved"],
        [
            [name, count_of(figures[f"steady.{name}"]), figures[f"steady.{name}.lost"],
             f"{figures[f'steady.{name}.moved']:+.3f}"]
            for name in names
        ],
    )  # fmt: skip
