"""One file of Commons: fetched, looked at, and kept as a portrait, or refused with the reason.

Which face of a photo is the actor's, and a crop that keeps hair and shoulders.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.download.commons import CommonsFile
from core.download.http import WebClient
from core.download.store import KEPT, DownloadLog, Shelf
from core.download.wikidata import WikidataActor
from core.errors import GoneError, PhotoError
from core.faces.copies import crop_hash, is_same_photo
from core.faces.engine import Face, FaceEngine, stands_out
from core.faces.framing import MARGINS, framed_photo
from core.faces.photo import Photo, read_photo
from core.settings import Settings

SMALLEST = 56  # least shorter side of a face's box, pixels: half of what recognisers look at
QUALITY = 92  # of the JPEG


@dataclass(frozen=True, eq=False)
class Cutout:
    """One person cut out of a photo, ready to be written."""

    jpeg: bytes
    embedding: NDArray[np.float32]  # (D,) unit length, of the face in the crop
    aligned: NDArray[np.uint8]  # (112, 112, 3) RGB, the face in the photo


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


INCOMING = ".incoming"  # below the dataset: fetched files that were not looked at yet

Cut = Callable[[Photo], Cutout | str]  # the cutout, or why there is none


@dataclass(frozen=True, eq=False)
class Known:
    """What an actor's photos on disk say: whom to look for, and what is there already."""

    embedding: NDArray[np.float32]  # (D,) unit length, of the main portrait
    hashes: list[str]  # of the photos' faces, see core/faces/copies.py


class PhotoPicker:
    """Decides on files, one at a time; each decision is noted, so that none is fetched twice."""

    def __init__(
        self,
        client: WebClient,
        engine: FaceEngine,
        settings: Settings,
        shelf: Shelf,
        log: DownloadLog,
    ) -> None:
        """Clear what a killed run left."""
        self._client, self._engine, self._settings = client, engine, settings
        self._shelf, self._log = shelf, log
        self._incoming = settings.dataset_dir / INCOMING
        for leftover in self._incoming.glob(".*.tmp"):
            leftover.unlink()

    def known_of(self, photos: Sequence[Path]) -> Known | str:
        """From the photos on disk, the first of them the main portrait; or why there is none."""
        subjects = [dominant_face(self._engine.find_faces(photo)) for photo in self._read(photos)]
        faces = [face for face in subjects if face is not None]
        if not faces:
            return "its photos on disk show no face to compare with"
        return Known(faces[0].embedding, [crop_hash(face.crop) for face in faces])

    def take_portrait(
        self, actor: WikidataActor, folder: str, file: CommonsFile | None, name: str
    ) -> Known | str:
        """Keep a file as the main portrait; or why it will not do."""
        got = self._take(actor, folder, file, name, self._cut_portrait)
        return Known(got.embedding, [crop_hash(got.aligned)]) if isinstance(got, Cutout) else got

    def take_further(
        self, actor: WikidataActor, folder: str, file: CommonsFile, name: str, known: Known
    ) -> str:
        """Keep a further photo, which is known from then on; "" or why it was refused."""
        got = self._take(actor, folder, file, name, lambda photo: self._cut_more(photo, known))
        if isinstance(got, str):
            return got
        known.hashes.append(crop_hash(got.aligned))
        return ""

    def _read(self, photos: Sequence[Path]) -> Iterator[Photo]:
        for path in photos:
            with contextlib.suppress(PhotoError):
                yield read_photo(path, self._settings.photo_limits)

    def _take(
        self, actor: WikidataActor, folder: str, file: CommonsFile | None, name: str, cut: Cut
    ) -> Cutout | str:
        """Fetch, check and keep one file; the cutout, or why it was refused. Both are noted."""
        key = hashlib.sha256(f"{actor.wikidata}/{name}".encode()).hexdigest()
        fetched = self._incoming / key[:32]
        got = self._cut_file(file, fetched, cut)
        if isinstance(got, Cutout) and file is not None:
            self._shelf.put(actor, folder, got.jpeg, file.credit)
        self._log.note_file(actor.wikidata, name, KEPT if isinstance(got, Cutout) else got)
        fetched.unlink(missing_ok=True)
        return got

    def _cut_file(self, file: CommonsFile | None, fetched: Path, cut: Cut) -> Cutout | str:
        if file is None:
            return "it is not on Commons"
        if not file.usable:
            return file.refusal
        try:
            if not fetched.exists():  # a killed run may have fetched it
                most = int(self._settings.max_megabytes * 1e6)
                self._client.download(file.url, fetched, most)
            return cut(read_photo(fetched, self._settings.photo_limits))
        except GoneError as error:
            return f"it cannot be fetched: {error}"
        except PhotoError as error:
            return f"it cannot be read as a picture ({error.code})"

    def _cut_portrait(self, photo: Photo) -> Cutout | str:
        faces = self._engine.find_faces(photo)
        face = dominant_face(faces)
        if face is None:
            return "it shows several faces, none dominant" if faces else "it shows no face"
        return self._cut(photo, face, faces)

    def _cut_more(self, photo: Photo, known: Known) -> Cutout | str:
        faces = self._engine.find_faces(photo)
        face = matching_face(faces, known.embedding, self._engine.pack.same_person)
        if face is None:
            return "it shows somebody else" if faces else "it shows no face"
        got = self._cut(photo, face, faces)
        if isinstance(got, Cutout) and any(is_same_photo(got.aligned, one) for one in known.hashes):
            return "it is a copy of a photo already kept"
        return got

    def _cut(self, photo: Photo, face: Face, faces: Sequence[Face]) -> Cutout | str:
        if not is_large_enough(face):
            return "its face is too small"
        return cut_out(self._engine, photo, face, faces) or "others are too close to the face"
