"""What would make a visitor's photo better: one short line a fault, with what to do.

Limits are measured with the embedded pack on the labelled development photos: 399 gallery, 158
probe and 338 studio photos, and Labeled Faces in the Wild (LFW, development view). "Clean" is
the share of untouched photos a tip appears for, real faults among them included.
"""

from __future__ import annotations

from core.quality import Quality

MOST_TIPS = 2
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
# one; a skin-coloured mask and grey photos never. Clean: gallery and probes 1.3 %, studio 0,
# LFW 0.6 %.
MASK_TINT = 9.0

COACHING_TEXT = {
    "en": {
        "too_dark": "It is rather dark: turn towards a window or a lamp.",
        "too_bright": "It is rather bright: step out of the glare, or turn the flash off.",
        "blurred": "It is a little blurred: hold still, and wipe the lens.",
        "too_small": "Your face is rather small: come closer to the camera.",
        "turned_away": "You are looking away: turn your face to the camera.",
        "sunglasses": "Dark glasses? Take them off, so that your eyes can be seen.",
        "mask": "Is your mouth covered? Take the mask off, or lower your hand.",
    },
    "ko": {
        "too_dark": "조금 어두워요. 창문이나 조명을 바라보고 찍어 보세요.",
        "too_bright": "너무 밝아요. 강한 빛을 피하거나 플래시를 꺼 보세요.",
        "blurred": "조금 흐려요. 렌즈를 닦고 흔들리지 않게 찍어 보세요.",
        "too_small": "얼굴이 작게 나왔어요. 카메라에 더 가까이 와 보세요.",
        "turned_away": "고개가 돌아가 있어요. 카메라를 정면으로 바라봐 주세요.",
        "sunglasses": "선글라스를 쓰셨나요? 눈이 보이게 벗고 찍어 보세요.",
        "mask": "입이 가려져 있나요? 마스크를 벗거나 손을 내리고 찍어 보세요.",
    },
}
NO_FACE_TIPS = {
    "en": (
        "Face the camera, with eyes, nose and mouth in view.",
        "Come close enough for your face to fill a third of the picture.",
        "Find good light: a window or a lamp in front of you, not behind.",
    ),
    "ko": (
        "눈, 코, 입이 모두 보이게 카메라를 정면으로 바라봐 주세요.",
        "얼굴이 사진의 3분의 1쯤 차도록 가까이 와 보세요.",
        "창문이나 조명을 등지지 말고 마주 보고 찍어 보세요.",
    ),
}


def coach(quality: Quality) -> tuple[str, ...]:
    """Keys of COACHING_TEXT for one face, most important first, at most two; () for a good photo.

    What to do about several faces is said where they are numbered (core/page/group.py).
    """
    faults = {
        "too_dark": quality.brightness < DARK,
        "too_bright": quality.brightness > BRIGHT,
        "blurred": quality.sharpness < SHARP,
        "too_small": quality.size < LARGE,
        "turned_away": quality.yaw > TURNED,
        "sunglasses": quality.under_eyes < UNCOVERED_EYES,
        "mask": quality.mouth_tint > MASK_TINT,
    }
    return tuple(code for code, found in faults.items() if found)[:MOST_TIPS]
