"""face_recognition as its README has it, in an environment of its own."""

from __future__ import annotations

import io
from pathlib import Path

import face_recognition
from serving import serve


def match(photo: str) -> int:
    """How many faces were embedded."""
    picture = face_recognition.load_image_file(io.BytesIO(Path(photo).read_bytes()))
    places = face_recognition.face_locations(picture)
    return len(face_recognition.face_encodings(picture, places))


def build(photos: list[str]) -> int:
    """How many photos have a face."""
    return sum(match(photo) > 0 for photo in photos)


if __name__ == "__main__":
    serve({"match": match, "build": build})
