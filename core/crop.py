"""Which face of a photo is the actor's, and a crop that keeps hair and shoulders."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.faces.copies import PhotoPrint, photo_print
from core.faces.engine import Face, FaceEngine, stands_out
from core.faces.framing import MARGINS, _framed_photo
from core.faces.photo import Photo

SMALLEST = 56  # least shorter side of a face's box, pixels: half of what recognisers look at
QUALITY = 92  # of the JPEG


@dataclass(frozen=True, eq=False)
class Cutout:
    """One person cut out of a photo, ready to be written."""

    jpeg: bytes
    embedding: NDArray[np.float32]  # (D,) unit length, of the face in the crop
    print: PhotoPrint


def dominant_face(faces: Sequence[Face]) -> Face | None:
    """The face that enrolment takes for a portrait's subject; None if none stands out."""
    if faces and stands_out([face.detection for face in faces]):
        return faces[0]
    return None


def matching_face(
    faces: Sequence[Face], embedding: NDArray[np.float32], least: float
) -> Face | None:
    """The face most similar to an embedding, if its cosine is `least` or more."""
    scored = [(float(face.embedding @ embedding), face) for face in faces]
    similarity, face = max(scored, key=lambda pair: pair[0], default=(-1.0, None))
    return face if similarity >= least else None


def is_large_enough(face: Face) -> bool:
    """Whether enough of a face is seen to enrol it."""
    x1, y1, x2, y2 = face.detection.box
    return min(x2 - x1, y2 - y1) >= SMALLEST


def cut_out(engine: FaceEngine, photo: Photo, face: Face, faces: Sequence[Face]) -> Cutout | None:
    """A person with hair and shoulders, alone or larger than everybody else in the crop.

    Where the photo has more faces, narrower crops are tried, and each is looked at again as
    enrolment will: None if none of them shows this person as its subject. Alone in a photo, a
    person is found again in the crop (in 385 of 385 of the development photos).

    Args:
        engine: looks again.
        photo: to cut from.
        face: the person's, one of `faces`.
        faces: all of the photo.
    """
    if len(faces) == 1:
        crop = _framed_photo(photo, face, MARGINS[0])
        return Cutout(_jpeg(crop), face.embedding, photo_print(photo, face))
    for margins in MARGINS:
        crop = _framed_photo(photo, face, margins)
        subject = dominant_face(engine.find_faces(crop))
        least = engine.pack.same_person
        if subject is not None and matching_face([subject], face.embedding, least) is not None:
            return Cutout(_jpeg(crop), subject.embedding, photo_print(photo, face))
    return None


def _jpeg(photo: Photo) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(photo.pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
