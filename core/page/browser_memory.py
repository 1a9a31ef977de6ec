"""What the browser keeps of a photo, so that the server need not: its faces, cut out.

Another filter, the share card, or what is alike, asks again with these; no photo and no
embedding stays on the server between two events (the live mode's memory, without pictures, is
LiveMemory in core/page/live.py). What comes back is a visitor's own and may be
anything: it is checked like any input.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import UnreadablePhotoError
from core.faces.engine import Face
from core.faces.framing import FRAME, FramedFace, could_be_framed, in_frame
from core.faces.photo import DECODER_FAULTS, Photo
from core.faces.quality import coach, measure_quality
from core.lookalike import PhotoFaces

MOST_FACES = 12  # shown of one photo; more would make the page heavy, not better
SCENE_SIDE = 900  # pixels of the photo that the faces are numbered on
CROP_SIDE = 112
PICTURE_BYTES = 800_000  # at most, of a picture that comes back; a scene of noise has 720,000


@dataclass(frozen=True, eq=False)
class KeptFace:
    """One face of the photo."""

    box: tuple[float, float, float, float]  # x1, y1, x2, y2 as shares of width and height, 0-1
    embedding: NDArray[np.float32]  # (D,) unit
    crop: NDArray[np.uint8]  # (112, 112, 3) RGB, aligned
    framed: bytes  # JPEG, 480×600; see core/faces/framing.py
    points: NDArray[np.float32]  # (5, 2) pixels of it: from these it is aligned again
    tips: tuple[str, ...]  # codes of core/faces/quality.py

    @property
    def picture(self) -> str:
        """For an <img>."""
        return _data_uri(self.framed)

    @property
    def in_frame(self) -> FramedFace:
        """Its picture and points."""
        return FramedFace(np.asarray(_decoded(self.framed, "JPEG", FRAME)), self.points)

    @property
    def place(self) -> dict[str, float]:
        """Its box in CSS's words, as shares of the photo, kept within it."""
        x1, y1, x2, y2 = (min(1.0, max(0.0, value)) for value in self.box)
        return {"left": x1, "top": y1, "width": max(0.0, x2 - x1), "height": max(0.0, y2 - y1)}

    def to_json(self) -> dict[str, Any]:
        """As the browser keeps it."""
        return {
            "box": list(self.box),
            "embedding": _text(self.embedding.astype("<f4").tobytes()),
            "crop": _text(_png(self.crop)),  # no pixel lost: the same photo is told by it
            "framed": _text(self.framed),
            "points": self.points.ravel().astype(float).round(2).tolist(),
            "tips": list(self.tips),
        }

    @staticmethod
    def from_json(entry: dict[str, Any]) -> KeptFace:
        """Inverse of `to_json`; ValueError for what is none."""
        x1, y1, x2, y2 = (float(value) for value in entry["box"])
        embedding = np.frombuffer(base64.b64decode(entry["embedding"], validate=True), "<f4")
        if not 0.99 < float(np.linalg.norm(embedding)) < 1.01:
            raise ValueError("an embedding is not of unit length")
        framed = base64.b64decode(entry["framed"], validate=True)
        _decoded(framed, "JPEG", FRAME)
        points = np.array([float(value) for value in entry["points"]], np.float32).reshape(5, 2)
        if not could_be_framed(points):
            raise ValueError("a face does not stand in its frame")
        png = base64.b64decode(entry["crop"], validate=True)
        crop = _decoded(png, "PNG", (CROP_SIDE, CROP_SIDE))
        tips = tuple(str(code) for code in entry["tips"])
        return KeptFace((x1, y1, x2, y2), embedding, np.asarray(crop), framed, points, tips)


@dataclass(frozen=True, eq=False)
class KeptPhoto:
    """One photo's faces, the likeliest subject first."""

    faces: tuple[KeptFace, ...]
    scene: bytes  # JPEG of the whole photo, small; b"" where it shows one face
    found: int  # faces in the photo, those not shown included

    @property
    def picture(self) -> str:
        """The whole photo for an <img>."""
        return _data_uri(self.scene)

    def to_json(self) -> dict[str, Any]:
        """As the browser keeps it."""
        faces = [face.to_json() for face in self.faces]
        return {"faces": faces, "scene": _text(self.scene), "found": self.found}

    @staticmethod
    def from_json(entry: Any, dimension: int) -> KeptPhoto:
        """Inverse of `to_json`.

        Raises:
            UnreadablePhotoError: it is not what `to_json` gave for an index of this dimension.
        """
        try:
            faces = tuple(KeptFace.from_json(face) for face in entry["faces"][:MOST_FACES])
            scene = base64.b64decode(entry["scene"], validate=True)
            if not faces or any(face.embedding.shape != (dimension,) for face in faces):
                raise ValueError("no face, or one of another model")
            if scene:
                _decoded(scene, "JPEG")
            found = int(entry["found"])
            if found < len(faces):
                raise ValueError("more faces than were found")
            return KeptPhoto(faces, scene, found)
        except (*DECODER_FAULTS, Image.DecompressionBombError) as error:
            raise UnreadablePhotoError(
                f"the page's memory of the photo cannot be read ({error}); show the photo again"
            ) from error


def keep(found: PhotoFaces) -> KeptPhoto:
    """What the browser is to keep of a photo."""
    faces = tuple(_kept_face(found.photo, face) for face in found.faces[:MOST_FACES])
    scene = _scene(found.photo) if len(found.faces) > 1 else b""
    return KeptPhoto(faces, scene, len(found.faces))


def _kept_face(photo: Photo, face: Face) -> KeptFace:
    height, width = photo.pixels.shape[:2]
    x1, y1, x2, y2 = face.detection.box
    framed = in_frame(photo.pixels, face.detection.landmarks)
    return KeptFace(
        box=(
            round(x1 / width, 4),
            round(y1 / height, 4),
            round(x2 / width, 4),
            round(y2 / height, 4),
        ),
        embedding=face.embedding,
        crop=face.crop,
        framed=_jpeg(framed.pixels, 88),
        points=framed.points,
        tips=coach(measure_quality(photo, face.detection)),
    )


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{_text(jpeg)}"


def _scene(photo: Photo) -> bytes:
    image = Image.fromarray(photo.pixels)
    image.thumbnail((SCENE_SIDE, SCENE_SIDE), reducing_gap=2.0)
    return _jpeg(np.asarray(image), 82)


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _decoded(picture: bytes, kind: str, size: tuple[int, int] | None = None) -> Image.Image:
    if len(picture) > PICTURE_BYTES:
        raise ValueError("a picture is too large")
    image = Image.open(io.BytesIO(picture), formats=[kind])
    if (size and image.size != size) or max(image.size) > SCENE_SIDE:
        raise ValueError("a picture has another size")
    return image.convert("RGB")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
