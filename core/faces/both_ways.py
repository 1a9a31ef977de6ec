"""Each face twice: as found in the photo, and as found in its mirror image.

A detector moves its landmarks a little when a photo is mirrored, and so a selfie and its mirror
image would look like different actors. What is made of both is the same for either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.align import roll
from core.faces.cores import Cores
from core.faces.found import SAME_PLACE, SURE, FoundFace, FoundFaces, overlap

OTHER_WAY_UP = 45.0  # degrees
ONE_CORE = Cores(1)


@dataclass(frozen=True, eq=False)
class SeenFace:
    """One face: in the photo, and in its mirror image, each in pixels of its own."""

    here: FoundFace
    mirrored: FoundFace

    def middle(self, width: int) -> FoundFace:
        """The mean of both in a photo this wide."""
        back = self.mirrored.mirrored(width)
        return FoundFace(
            _mean(self.here.box, back.box),
            (self.here.score + back.score) / 2,
            _mean(self.here.landmarks, back.landmarks),
        )


def _mean(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    return ((one + other) / 2).astype(np.float32)


def find_both_ways(
    find: Callable[..., FoundFaces],
    pixels: NDArray[np.uint8],
    mirror: NDArray[np.uint8],
    cores: Cores = ONE_CORE,
) -> list[SeenFace]:
    """The faces of a (H, W, 3) photo and its mirror image, each once; looked for at once.

    What only one of both has counts if it is sure. Of 1,014 development photos, three had a face
    in one of both only: two temples and a cave. Where the photo shows nobody, small faces are not
    looked for in its mirror image as well: of 16 megapixels that takes half of the time.
    """
    width = pixels.shape[1]
    begun = cores.begin(lambda: find(pixels))
    found = find(mirror, small=lambda: len(begun.done().boxes) > 0)
    here = begun.done().faces()
    there = [face.mirrored(width) for face in found.faces()]
    pairs = _same_places(here, there)
    both = [_agreed(here[row], there[column], width) for row, column in pairs]
    once = [face for row, face in enumerate(here) if row not in {pair[0] for pair in pairs}]
    once += [face for row, face in enumerate(there) if row not in {pair[1] for pair in pairs}]
    sure = [SeenFace(face, face.mirrored(width)) for face in once if face.score >= SURE]
    return both + sure


def _agreed(one: FoundFace, other: FoundFace, width: int) -> SeenFace:
    """A face of the photo and of its mirror image, both in pixels of the photo, as one.

    Where they do not agree on which way is up, the surer has it right.
    """
    apart = abs(roll(one.landmarks) - roll(other.landmarks))
    if min(apart, 360 - apart) > OTHER_WAY_UP:
        one = other = max(one, other, key=lambda face: face.score)
    return SeenFace(one, other.mirrored(width))


def _same_places(here: list[FoundFace], there: list[FoundFace]) -> list[tuple[int, int]]:
    """Positions of the same face in both, those that share most first."""
    shared = [
        (overlap(one.box, other.box), row, column)
        for row, one in enumerate(here)
        for column, other in enumerate(there)
    ]
    pairs: list[tuple[int, int]] = []
    for share, row, column in sorted(shared, key=lambda entry: -entry[0]):
        taken = any(row == known[0] or column == known[1] for known in pairs)
        if share > SAME_PLACE and not taken:
            pairs.append((row, column))
    return pairs
