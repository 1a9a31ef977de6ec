"""Chapter: whether the answer stays when the same photo comes in another shape."""

from __future__ import annotations

from collections.abc import Sequence

from core.evaluation.chapter import Chapter, count_of, table
from core.evaluation.datasets import LabelledPhoto, labelled_photos
from core.evaluation.material import Material
from core.evaluation.measure import Change, Way
from core.evaluation.measured import MeasuredSet
from core.evaluation.robustness import CHANGES, CLOSE, Pixels, changed_by, close_crop, steadiness

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
