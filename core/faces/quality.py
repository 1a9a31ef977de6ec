"""How well a face can be seen in its photo: light, sharpness, size, turn, and what covers it.

Plain pixel measures, about a millisecond a face. They choose a tip; they never touch a score.

What would make a visitor's photo better: one short line a fault, with what to do.

Limits are measured with the embedded pack on the labelled development photos: 399 gallery, 158
probe and 338 studio photos, and Labeled Faces in the Wild (LFW, development view). "Clean" is
the share of untouched photos a tip appears for, real faults among them included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.faces.engine import Detection
from core.faces.photo import Photo

# Pixels between the eyes at which sharpness is looked at: as in the standard crop, so that
# what a recogniser never sees counts neither way. Smaller faces are not enlarged.
EYE_DISTANCE = 35.0
REBLUR = 2.0  # pixels, Gaussian sigma: of the candidates 1 and 2 the better on motion blur
NOSE_DEPTH = 0.5  # nose tip before the line of the eyes, in eye distances; a rough average
# Windows of the standard crop, (rows, columns).
FACE = np.s_[30:104, 26:86]
CHEEKS_AND_NOSE = (np.s_[66:82, 26:44], np.s_[66:82, 68:86], np.s_[58:72, 50:62])
UNDER_EYES = (np.s_[56:64, 29:47], np.s_[56:64, 65:83])
UPPER_FACE = (np.s_[44:62, 50:62], np.s_[60:66, 32:48], np.s_[60:66, 64:80])
MOUTH_AND_CHIN = np.s_[76:104, 38:74]


@dataclass(frozen=True)
class Quality:
    """How well one face can be seen."""

    certainty: float  # 0-1, detection score
    brightness: float  # 0-255, mean luma of the aligned face
    sharpness: float  # 0-1, share of edge energy a further blur takes; low = blurred already
    size: float  # pixels, shorter side of the face's box
    yaw: float  # degrees to either side, roughly; 0 = facing the camera
    under_eyes: float  # lightness under the brighter eye / of cheeks and nose; dark lenses: low
    mouth_tint: float  # colour distance (Lab a, b) of the mouth's most skin-like tenth to skin


def measure_quality(photo: Photo, detection: Detection) -> Quality:
    """Measure one face of a photo."""
    import cv2

    x1, y1, x2, y2 = detection.box
    luma = cv2.cvtColor(detection.crop, cv2.COLOR_RGB2GRAY)
    lab = cv2.cvtColor(detection.crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    return Quality(
        certainty=detection.detection_score,
        brightness=float(luma[FACE].mean()),
        sharpness=_sharpness(_face_at_eye_distance(photo, detection)),
        size=min(x2 - x1, y2 - y1),
        yaw=_yaw(detection.landmarks),
        under_eyes=_under_eyes(lab[:, :, 0]),
        mouth_tint=_mouth_tint(lab),
    )


def _yaw(landmarks: NDArray[np.float32]) -> float:
    """Degrees from the nose's offset from the midline, along the eyes; roll does not matter."""
    eye, other_eye, nose, mouth, other_mouth = landmarks.astype(np.float64) @ [1, 1j]
    eyes = (eye + other_eye) / 2
    down = (mouth + other_mouth) / 2 - eyes
    offset = ((nose - eyes) * np.conj(down)).imag / max(abs(down), 1e-6)
    apart = max(abs(other_eye - eye), 1e-6)
    return float(np.degrees(np.arctan(abs(offset) / apart / NOSE_DEPTH)))


def _face_at_eye_distance(photo: Photo, detection: Detection) -> NDArray[np.float32]:
    """Luma of the box without its rim, shrunk to the eye distance of the standard crop."""
    import cv2

    height, width = photo.pixels.shape[:2]
    x1, y1, x2, y2 = detection.box
    rim_x, rim_y = 0.1 * (x2 - x1), 0.1 * (y2 - y1)
    left, right = max(0, int(x1 + rim_x)), min(width, int(x2 - rim_x) + 1)
    top, bottom = max(0, int(y1 + rim_y)), min(height, int(y2 - rim_y) + 1)
    luma = cv2.cvtColor(photo.pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    scale = min(1.0, EYE_DISTANCE / _unturned_eye_distance(detection.landmarks))
    sides = [max(8, round(side * scale)) for side in (right - left, bottom - top)]
    return np.asarray(cv2.resize(luma, sides, interpolation=cv2.INTER_AREA), np.float32)


def _unturned_eye_distance(landmarks: NDArray[np.float32]) -> float:
    """Between the eyes, in pixels; turned away, from eyes to mouth (0.85 of it: the crop's)."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    apart = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    return max(apart, 0.85 * float(np.linalg.norm(mouth - eyes)), 1.0)


def _sharpness(luma: NDArray[np.float32]) -> float:
    """Least share of squared differences that a blur takes away, over four directions.

    A share, so neither contrast nor make-up counts; the least, so that motion shows.
    """
    import cv2

    blurred = np.asarray(cv2.GaussianBlur(luma, (0, 0), REBLUR), np.float32)
    before, after = _edge_energy(luma), _edge_energy(blurred)
    return float(np.min(1 - after / np.maximum(before, 1e-3)).clip(0, 1))


def _edge_energy(luma: NDArray[np.float32]) -> NDArray[np.float64]:
    """(4,) sums of squared differences: across, down and along both diagonals."""
    steps = (
        luma[:, 1:] - luma[:, :-1],
        luma[1:] - luma[:-1],
        luma[1:, 1:] - luma[:-1, :-1],
        luma[1:, :-1] - luma[:-1, 1:],
    )
    return np.array([float((step**2).sum()) for step in steps])


def _under_eyes(lightness: NDArray[np.float32]) -> float:
    """Lenses reach below the eye, where even a deep-set or closed eye leaves bright skin."""
    skin = np.median(np.concatenate([lightness[window].ravel() for window in CHEEKS_AND_NOSE]))
    brighter = max(float(np.median(lightness[window])) for window in UNDER_EYES)
    return brighter / max(float(skin), 1.0)


def _mouth_tint(lab: NDArray[np.float32]) -> float:
    """A beard leaves lips or cheeks of the skin's colour, a mask none. 0 in grey photos."""
    tints = lab[:, :, 1:]
    skin = np.median(np.concatenate([tints[w].reshape(-1, 2) for w in UPPER_FACE]), axis=0)
    distances = np.linalg.norm(tints[MOUTH_AND_CHIN].reshape(-1, 2) - skin, axis=1)
    return float(np.percentile(distances, 10))


MOST_TIPS = 2
# Detection score. Below: a galaxy, motorcycles, none of 1,100 faces (lowest 0.875).
CERTAIN = 0.87
# Mean luma, 0-255. Clean below: 1 of 338 studio photos, else none; three stops darker 78 % are
# below, four stops 100 %. Not 65 (three stops: 91 %): more dark-skinned faces in ordinary light
# would be told to find a lamp.
DARK = 60.0
# Clean above: 1 of 399 gallery photos; two stops brighter 67 %, three stops 92 %.
BRIGHT = 205.0
# Clean below: gallery 2.8 %, probes 1.9 %, studio 0, LFW 0.2 %. Blurred by a Gaussian of 0.07
# eye distances (which takes the cosine to 0.75) 99 %, dragged by 0.4 eye distances 84 %.
# Enlarged from 10 pixels between the eyes only four in ten: there the cosine is still 0.8.
SHARP = 0.51
# Box's shorter side, pixels (about 21 between the eyes). The same photo shrunk so far keeps a
# cosine of 0.96, of 27 pixels 0.87, of 22 pixels 0.79. Clean below: none.
LARGE = 48.0
# Degrees. 26 of 30 faces that eyes called strongly turned are above; clean: gallery 1.0 %,
# probes 1.9 %, studio 0, LFW 1.8 %, nearly all of them turned.
TURNED = 40.0
# 77 of 85 real pairs of dark or tinted glasses are below. Clean, without glasses: gallery and
# LFW 0.8 %, probes 0, studio 0.3 %; of LFW's fifth with the darkest skin 0.7 %.
UNCOVERED_EYES = 0.65
# Of masks drawn in seven colours 92 % are above (pink the fewest), of two real ones the blue
# one; a skin-coloured mask and grey photos never. Clean: gallery and probes 1.1 %, studio 0,
# LFW 0.6 %.
MASK_TINT = 8.5


def coach(quality: Quality) -> tuple[str, ...]:
    """Codes of one face's faults, most important first, at most two; () for a good photo.

    Their words are in core/page/words/.

    What to do about several faces is said where they are numbered (core/page/result.py).
    """
    faults = {
        "perhaps_no_face": quality.certainty < CERTAIN,
        "too_dark": quality.brightness < DARK,
        "too_bright": quality.brightness > BRIGHT,
        "blurred": quality.sharpness < SHARP,
        "too_small": quality.size < LARGE,
        "turned_away": quality.yaw > TURNED,
        "sunglasses": quality.under_eyes < UNCOVERED_EYES,
        "mask": quality.mouth_tint > MASK_TINT,
    }
    return tuple(code for code, found in faults.items() if found)[:MOST_TIPS]
