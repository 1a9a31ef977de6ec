"""Whether the first answer stays when the same photo is sent in another shape.

Chapter: whether the answer stays when the same photo comes in another shape.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scripts.evaluation.chapter import Chapter, count_of, table
from scripts.evaluation.datasets import LabelledPhoto, labelled_photos
from scripts.evaluation.galleries import Gallery
from scripts.evaluation.material import Material
from scripts.evaluation.measure import Change, MeasuredSet, Way

Pixels = NDArray[np.uint8]  # (H, W, 3) RGB


@dataclass(frozen=True)
class Steadiness:
    """First answers to changed photos, against those to the photos as they are."""

    photos: int
    same: int  # first answers that stay; a photo that loses its face does not
    lost: int  # photos in which no face is found any more
    moved: float  # median change of the similarity to the actor first named


def _jpeg(pixels: Pixels) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=40)
    return np.asarray(Image.open(stream).convert("RGB"))


def _half(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((max(1, image.width // 2), max(1, image.height // 2))))


def turned(degrees: int) -> Callable[[Pixels], Pixels]:
    """A photo turned so far, black where it ends."""

    def turn(pixels: Pixels) -> Pixels:
        image = Image.fromarray(pixels)
        return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True))

    return turn


def changed_by(change: Callable[[Pixels], Pixels]) -> Change:
    """A change that is the same for every photo."""
    return lambda _, pixels: change(pixels)


def _brighter(factor: float) -> Callable[[Pixels], Pixels]:
    def brighten(pixels: Pixels) -> Pixels:
        return (pixels * factor).clip(0, 255).astype(np.uint8)

    return brighten


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG quality 40": _jpeg,
    "half size": _half,
    "turned +20°": turned(20),
    "turned -20°": turned(-20),
    "turned +40°": turned(40),
    "turned by 90°": np.rot90,
    "mirrored": lambda pixels: pixels[:, ::-1],
    "30 % brighter": _brighter(1.3),
    "30 % darker": _brighter(0.7),
}
CLOSE = "cropped close"
MARGIN = 0.1  # of the face's longer side, left around it by the close crop


def close_crop(pixels: Pixels, box: NDArray[np.float32]) -> Pixels:
    """(H, W, 3) cut to a face, x1, y1, x2, y2, and its margin."""
    margin = MARGIN * float(np.max(box[2:] - box[:2]))
    left, top = (max(0, round(float(edge) - margin)) for edge in box[:2])
    right, bottom = (round(float(edge) + margin) for edge in box[2:])
    return pixels[top:bottom, left:right]


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


EVERY = 3  # of the unfiltered probes, one in so many is changed; of the picked, all


def chapter(material: Material) -> Chapter:
    """Every change of robustness.CHANGES, and the close crop."""
    photos = [
        *labelled_photos(material.data, "probes"),
        *labelled_photos(material.data, "probes_wild")[::EVERY],
    ]
    plain = material.meter.measure("steady-plain", photos)
    changed = {name: changed_by(change) for name, change in CHANGES.items()}
    changed[CLOSE] = _to_the_face(photos, plain)
    found = {
        name: steadiness(
            material.gallery,
            plain,
            material.meter.measure(f"steady-{number}", photos, Way(change=change)),
        )
        for number, (name, change) in enumerate(changed.items())
    }
    return Chapter(
        "Does the answer stay?",
        (
            "The same photo sent in another shape: all of `probes` and every"
            f" {EVERY}rd of `probes_wild` ({len(photos)} photos). The first answer stays if it"
            " names the same actor as for the photo as it is. Moved: median change of the"
            " similarity to that actor.",
            table(
                ["change", "first answer stays", "face lost", "moved"],
                [
                    [name, count_of(one.same, one.photos), str(one.lost), f"{one.moved:+.3f}"]
                    for name, one in found.items()
                ],
            ),
        ),
        {f"steady.{name}": one.same / one.photos for name, one in found.items()},
    )


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
