"""Which face of a photo is the actor's, and a crop that keeps hair and shoulders."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.faces.copies import crop_hash, is_same_photo
from core.faces.engine import Face, FaceEngine, stands_out
from core.faces.framing import MARGINS, framed_photo
from core.faces.photo import Photo

SMALLEST = 56  # least shorter side of a face's box, pixels: half of what recognisers look at
QUALITY = 92  # of the JPEG


@dataclass(frozen=True, eq=False)
class Cutout:
    """One person cut out of a photo, ready to be written."""

    jpeg: bytes
    embedding: NDArray[np.float32]  # (D,) unit length, of the face in the crop
    aligned: NDArray[np.uint8]  # (112, 112, 3) RGB, the face in the photo


@dataclass(frozen=True, eq=False)
class Known:
    """What an actor's photos say: whom to look for, and what is there already."""

    embedding: NDArray[np.float32]  # (D,) unit length, of the main portrait
    hashes: tuple[str, ...]  # of the photos' faces, see core/faces/copies.py

    def and_of(self, cutout: Cutout) -> Known:
        """The same person, with one more photo."""
        return Known(self.embedding, (*self.hashes, crop_hash(cutout.aligned)))

    def has(self, cutout: Cutout) -> bool:
        """Whether a cutout comes from one of the photos, or a copy of it."""
        return any(is_same_photo(cutout.aligned, known) for known in self.hashes)


def known_of(engine: FaceEngine, photos: Iterable[Photo]) -> Known | None:
    """From an actor's photos, the first of them the main portrait; None if none shows a face."""
    subjects = [dominant_face(engine.find_faces(photo)) for photo in photos]
    faces = [face for face in subjects if face is not None]
    if not faces:
        return None
    return Known(faces[0].embedding, tuple(crop_hash(face.detection.crop) for face in faces))


def cut_portrait(engine: FaceEngine, photo: Photo) -> Cutout | str:
    """The photo's only subject; or why it will not do for a main portrait."""
    faces = engine.find_faces(photo)
    face = dominant_face(faces)
    if face is None:
        return "it shows several faces, none dominant" if faces else "it shows no face"
    return _cut(engine, photo, face, faces)


def cut_other(engine: FaceEngine, photo: Photo, known: Known) -> Cutout | str:
    """The person who is known, on another photo of them; or why it will not do."""
    faces = engine.find_faces(photo)
    face = matching_face(faces, known.embedding, engine.pack.same_person)
    if face is None:
        return "it shows somebody else" if faces else "it shows no face"
    got = _cut(engine, photo, face, faces)
    if isinstance(got, Cutout) and known.has(got):
        return "it is a copy of a photo already kept"
    return got


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


def _cut(engine: FaceEngine, photo: Photo, face: Face, faces: Sequence[Face]) -> Cutout | str:
    x1, y1, x2, y2 = face.detection.box
    if min(x2 - x1, y2 - y1) < SMALLEST:
        return "its face is too small"
    return cut_out(engine, photo, face, faces) or "others are too close to the face"


def cut_out(engine: FaceEngine, photo: Photo, face: Face, faces: Sequence[Face]) -> Cutout | None:
    """A person with hair and shoulders, alone or larger than everybody else in the crop.

    Where the photo has more faces, narrower crops are tried, and each is searched again as
    enrolment will: None if none of them shows this person as its subject. Alone in a photo, a
    person is found again in the crop (in 385 of 385 of the development photos).

    Args:
        engine: searches again.
        photo: to cut from.
        face: the person's, one of `faces`.
        faces: all of the photo.
    """
    if len(faces) == 1:
        crop = framed_photo(photo, face, MARGINS[0])
        return Cutout(_jpeg(crop), face.embedding, face.detection.crop)
    for margins in MARGINS:
        crop = framed_photo(photo, face, margins)
        subject = dominant_face(engine.find_faces(crop))
        least = engine.pack.same_person
        if subject is not None and matching_face([subject], face.embedding, least) is not None:
            return Cutout(_jpeg(crop), subject.embedding, face.detection.crop)
    return None


def _jpeg(photo: Photo) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(photo.pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
