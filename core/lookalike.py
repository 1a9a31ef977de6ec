"""The one match function behind page, API and command line: the corridor, top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import NoFaceError, PhotoError
from core.faces import Face, FaceEngine
from core.index import ActorIndex, Match
from core.photo import Photo, PhotoSource, read_photo
from core.settings import Settings


@dataclass(frozen=True, eq=False)
class FaceMatches:
    """One face of a photo and the actors closest to it, best first."""

    face: Face
    matches: tuple[Match, ...]


@dataclass(frozen=True, eq=False)
class Answer:
    """What was found in one photo."""

    photo: Photo
    pack: str
    faces: tuple[FaceMatches, ...]  # largest first, never empty


@dataclass(frozen=True, eq=False)
class LookalikeFinder:
    """An engine and an index that belong together."""

    engine: FaceEngine
    index: ActorIndex
    settings: Settings
    notice: str | None = None  # a fallback the page must tell of

    def find(self, source: PhotoSource, top_k: int | None = None) -> Answer:
        """The `top_k` closest actors for each face of a photo.

        Args:
            source: path, encoded bytes, or Pillow image.
            top_k: matches per face; default: the setting.

        Raises:
            PhotoError: unreadable, too large, or no face in it.
        """
        photo = read_photo(source, self.settings)
        faces = self.engine.find_faces(photo)
        if not faces:
            raise NoFaceError(f"no face found in {photo.source}; use one that shows a face clearly")
        top_k = top_k or self.settings.top_k
        return Answer(
            photo=photo,
            pack=self.engine.pack.name,
            faces=tuple(
                FaceMatches(face, self.index.search(face.embedding, top_k)) for face in faces
            ),
        )

    def portrait_path(self, match: Match) -> Path | None:
        """The file of a match's portrait, if the gallery has it on disk."""
        if match.portrait is None or match.portrait.file is None:
            return None
        relative = PurePosixPath(match.portrait.file)
        if relative.is_absolute() or ".." in relative.parts:
            return None  # an index is only a file: it must not point out of the gallery
        path = self.settings.dataset_dir / relative
        return path if path.is_file() else None

    def warm_up(self) -> None:
        """Do once what the first visitor would otherwise wait for."""
        self.engine.warm_up()
        self.index.search(self.index.templates[0], 1)


def answer_json(
    finder: LookalikeFinder, source: str | Path, top_k: int | None = None
) -> dict[str, Any]:
    """The stable JSON form of a match, or of why there is none; see the README."""
    try:
        answer = finder.find(source, top_k)
    except PhotoError as error:
        return {"photo": str(source), "error": {"code": error.code, "message": str(error)}}
    return {
        "photo": str(source),
        "pack": answer.pack,
        "faces": [_face_json(finder, entry) for entry in answer.faces],
    }


def _face_json(finder: LookalikeFinder, entry: FaceMatches) -> dict[str, Any]:
    detection = entry.face.detection
    return {
        "box": [round(value, 1) for value in detection.box],
        "detection_score": round(detection.detection_score, 4),
        "matches": [_match_json(finder, match) for match in entry.matches],
    }


def _match_json(finder: LookalikeFinder, match: Match) -> dict[str, Any]:
    has_picture = finder.portrait_path(match) is not None
    return {
        "actor": match.actor,
        "similarity": round(match.similarity, 4),
        "score": match.score,
        "portrait": match.portrait.file if has_picture and match.portrait else None,
    }
