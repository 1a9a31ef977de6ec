"""The one match function behind page, API and command line: the corridor, top to bottom."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.errors import NoFaceError
from core.faces.engine import Face, FaceEngine
from core.faces.photo import Photo, PhotoSource, read_photo
from core.gallery.people import Filter, People
from core.gallery.photos import Portrait
from core.index.actor_index import ActorIndex, Match
from core.index.verdict import Verdict, judge
from core.settings import Settings


@dataclass(frozen=True, eq=False)
class FaceMatches:
    """One face of a photo, the actors closest to it, best first, and what may be said of them."""

    face: Face
    matches: tuple[Match, ...]
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found in one photo."""

    photo: Photo
    pack: str
    faces: tuple[FaceMatches, ...]  # the likely subject first, never empty


@dataclass(frozen=True, eq=False)
class LookalikeFinder:
    """An engine and an index that belong together."""

    engine: FaceEngine
    index: ActorIndex
    settings: Settings
    notice: str | None = None  # a fallback the page must tell of
    people: People = field(default_factory=lambda: People({}))

    def find(
        self, source: PhotoSource, top_k: int | None = None, wanted: Filter | None = None
    ) -> Answer:
        """The `top_k` closest actors for each face of a photo.

        Args:
            source: path, encoded bytes, or Pillow image.
            top_k: matches per face; default: the setting.
            wanted: which actors may be answered; default: everyone.

        Raises:
            PhotoError: unreadable, too large, or no face in it.
        """
        photo = read_photo(source, self.settings)
        faces = self.engine.find_faces(photo)
        if not faces:
            raise NoFaceError(f"no face found in {photo.source}; use one that shows a face clearly")
        matched = tuple(self._matched(face, top_k, wanted or Filter()) for face in faces)
        return Answer(photo, self.engine.pack.name, matched)

    def matches(
        self, embedding: NDArray[np.float32], top_k: int | None = None, wanted: Filter | None = None
    ) -> tuple[Match, ...]:
        """The `top_k` closest actors to a face's (D,) unit embedding that pass a filter."""
        top_k = top_k or self.settings.top_k
        among = self.people.among(wanted or Filter(), self.index.actors)
        if among is None:
            return self.index.search(embedding, top_k)
        everyone = self.index.search(embedding, len(self.index.actors))
        return tuple(match for match in everyone if match.actor in among)[:top_k]

    def _matched(self, face: Face, top_k: int | None, wanted: Filter) -> FaceMatches:
        matches = self.matches(face.embedding, top_k, wanted)
        return FaceMatches(face, matches, judge(self.index, face.detection.crop, matches))

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
        self.index.search(self.index.templates[0], 1)
