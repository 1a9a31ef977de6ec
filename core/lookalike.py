"""The one match function behind page, API and command line: the corridor, top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import NoFaceError
from core.faces.engine import Engine, Face
from core.faces.framing import FramedFace
from core.faces.parts import embed_covered
from core.faces.photo import Photo, PhotoSource, further_pictures, read_photo
from core.gallery.people import EVERYONE, Filter, People
from core.gallery.photos import Portrait
from core.index.actor_index import Match
from core.index.alike import Alike, tells_parts, what_is_alike
from core.index.kept import Index
from core.index.verdict import Verdict, judge
from core.settings import Settings

# A phone's photo is read at a half or a quarter first: its longer side has still so many pixels.
ENOUGH = 1000
# Area of a face's box in square pixels from which all that is cut out of it is reduced, not
# enlarged; where one has less, the photo is read whole.
LARGE = 240**2


class KnownFace(Protocol):
    """What a judgement needs of a face: the engine's, or the browser's copy of it."""

    @property
    def embedding(self) -> NDArray[np.float32]:
        """(D,) unit."""

    @property
    def crop(self) -> NDArray[np.uint8]:
        """(112, 112, 3) RGB, aligned."""


F = TypeVar("F", bound=KnownFace)


@dataclass(frozen=True, eq=False)
class Judged(Generic[F]):
    """A face, the actors closest to it, best first, and what may be said of them."""

    face: F
    matches: tuple[Match, ...]
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class PhotoFaces:
    """The faces found in one photo."""

    photo: Photo
    faces: tuple[Face, ...]  # the likely subject first, never empty


@dataclass(frozen=True, eq=False)
class Answer:
    """A photo's faces, judged."""

    photo: Photo
    pack: str
    faces: tuple[Judged[Face], ...]  # the likely subject first, never empty


@dataclass(frozen=True, eq=False)
class LookalikeFinder:
    """An engine and an index that belong together."""

    engine: Engine
    index: Index
    settings: Settings
    notice: str | None = None  # a fallback the page must tell of
    people: People = field(default_factory=lambda: People({}))

    def find(
        self, source: PhotoSource, top_k: int | None = None, wanted: Filter = EVERYONE
    ) -> Answer:
        """The `top_k` closest actors for each face of a photo.

        Args:
            source: path, encoded bytes, or Pillow image.
            top_k: matches per face; default: the setting.
            wanted: which actors may be answered.

        Raises:
            PhotoError: unreadable, too large, or no face in it.
        """
        found = self.faces(source)
        judged = tuple(self.judge(face, wanted, top_k) for face in found.faces)
        return Answer(found.photo, self.engine.pack.name, judged)

    def faces(self, source: PhotoSource) -> PhotoFaces:
        """All faces of a photo, embedded; of an animation's first picture that shows any.

        Arguments and errors as of `find`.
        """
        limits = self.settings.photo_limits
        photo = read_photo(source, limits, enough=ENOUGH)
        faces = self.engine.find_faces(photo, LARGE if photo.zoom > 1 else 0)
        if photo.zoom > 1 and not faces:
            photo = read_photo(source, limits)
            faces = self.engine.find_faces(photo)
        for further in () if faces else further_pictures(source, limits):
            photo, faces = further, self.engine.find_faces(further)
            if faces:
                break
        if not faces:
            raise NoFaceError(f"no face found in {photo.source}; use one that shows a face clearly")
        return PhotoFaces(photo, faces)

    def judge(self, face: F, wanted: Filter = EVERYONE, top_k: int | None = None) -> Judged[F]:
        """Search the gallery for one face, and judge what was found."""
        matches = self._matches(face.embedding, top_k or self.settings.top_k, wanted)
        return Judged(face, matches, judge(self.index, face.crop, matches))

    @property
    def tells_parts(self) -> bool:
        """Whether the gallery has actors enough to tell what is alike."""
        return tells_parts(self.index)

    def alike(self, face: FramedFace, matches: Sequence[Match]) -> tuple[Alike, ...]:
        """For each of a face's matches, which parts carry the likeness.

        () where the gallery has too few actors to tell.
        """
        if not self.tells_parts:
            return ()
        embeddings = embed_covered(self.engine, face)
        return tuple(
            what_is_alike(self.index.around(match.actor), embeddings, match.actor)
            for match in matches
        )

    def _matches(
        self, embedding: NDArray[np.float32], top_k: int, wanted: Filter
    ) -> tuple[Match, ...]:
        among = self.people.among(wanted, self.index.actors)
        return self.index.search(embedding, top_k, among)

    def portrait_path(self, portrait: Portrait) -> Path | None:
        """The file of a portrait, if the gallery has it on disk and it may be shown."""
        if portrait.file is None or portrait.hidden:
            return None
        relative = PurePosixPath(portrait.file)
        if relative.is_absolute() or ".." in relative.parts:
            return None  # an index is only a file: it must not point out of the gallery
        path = self.settings.dataset_dir / relative
        return path if path.is_file() else None

    def warm_up(self) -> None:
        """Do once what the first visitor would otherwise wait for."""
        self.engine.warm_up()
        self.index.search(np.eye(1, self.index.dimension, dtype=np.float32)[0], 1)
