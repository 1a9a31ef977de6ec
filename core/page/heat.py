"""Where a face is alike, as warm light over its picture."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageFilter

from core.faces.framing import FramedFace
from core.faces.parts import PARTS, inside, part_masks
from core.index.alike import Alike

SHRUNK = 8  # times; the browser draws it in the frame's size, and so softly
COLOUR = (255, 92, 40)
STRONGEST = 0.5  # of the colour over the first part
HEAD = (56.0, 60.0, 56.0, 66.0)  # as core/faces/parts.py's ellipses: the shape ends with the hair
SOFT = 2  # pixels of the small picture, a blur's sigma


def heat_uri(face: FramedFace, alike: Alike) -> str:
    """A PNG for an <img> that lies over the face's framed picture, some 3 KB."""
    shares = np.array([alike.shares[part] for part in PARTS], np.float32)
    strength = (part_masks(face) * (shares / shares.max())[:, None, None]).max(axis=0)
    alpha = (255 * STRONGEST * strength * inside(face, HEAD)).round().astype(np.uint8)
    small = Image.fromarray(alpha).reduce(SHRUNK).filter(ImageFilter.GaussianBlur(SOFT))
    light = Image.new("RGB", small.size, COLOUR)
    light.putalpha(small)
    stream = io.BytesIO()
    light.save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
