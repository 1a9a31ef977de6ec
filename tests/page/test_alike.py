"""What the page tells to be alike: in words, as light over the face, and on the card."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from core.faces.framing import FramedFace, in_frame
from core.faces.parts import PARTS, Part
from core.index.alike import Alike
from core.lookalike import LookalikeFinder
from core.page.card_preview import share_card
from core.page.handlers import Handlers
from core.page.heat import heat_uri
from core.page.words import page_languages
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.page.conftest import view_of, visit


@pytest.fixture(scope="module")
def handlers(starter: LookalikeFinder) -> Handlers:
    return Handlers(starter)


@pytest.fixture(scope="module")
def kept(handlers: Handlers) -> Any:
    """What the browser keeps of six people, as it comes back."""
    return json.loads(json.dumps(handlers.show(str(SIX_PEOPLE), "", "", visit())[1]))


@pytest.fixture(scope="module")
def framed(starter: LookalikeFinder) -> FramedFace:
    found = starter.faces(ASTRONAUT)
    return in_frame(found.photo.pixels, found.faces[0].detection.landmarks)


def alike(*told: Part, **shares: float) -> Alike:
    return Alike(dict.fromkeys(PARTS, 0.1), {**dict.fromkeys(PARTS, 0.0), **shares}, told)


def light(framed: FramedFace, found: Alike) -> np.ndarray:
    """(75, 60) 0-255, how strong the light is."""
    png = base64.b64decode(heat_uri(framed, found).removeprefix("data:image/png;base64,"))
    assert len(png) < 6000
    return np.asarray(Image.open(io.BytesIO(png)))[:, :, 3]


@pytest.mark.parametrize(
    ("told", "english", "korean"),
    [
        ((), "No single part stands out: it is the whole face.",
         "어느 한 곳보다 얼굴 전체가 고루 닮았어요."),
        (("mouth",), "Especially the mouth.", "특히 입매가 닮았어요."),
        (("eyes", "nose"), "Especially the eyes and the nose.", "특히 눈매와 코가 닮았어요."),
        (("shape", "eyes"), "Especially the shape of the face and the eyes.",
         "특히 얼굴형과 눈매가 닮았어요."),
    ],
)  # fmt: skip
def test_one_sentence_says_it(
    starter: LookalikeFinder, told: tuple[Part, ...], english: str, korean: str
) -> None:
    assert [view_of(starter, lang).alike(told) for lang in ("en", "ko")] == [english, korean]


def test_the_light_lies_over_the_part_that_is_alike(framed: FramedFace) -> None:
    eyes, mouth = (framed.points[rows].mean(axis=0) / 8 for rows in ([0, 1], [3, 4]))
    over_eyes, over_mouth = (light(framed, alike(part, **{part: 1.0})) for part in PARTS[:3:2])
    for lit, here, there in ((over_eyes, eyes, mouth), (over_mouth, mouth, eyes)):
        assert lit[round(here[1]), round(here[0])] > 80
        assert lit[round(there[1]), round(there[0])] < 10
        assert lit.max() < 140  # the face is still seen


def test_every_face_and_match_can_be_asked(handlers: Handlers, kept: Any) -> None:
    for lang in page_languages():
        speech = handlers.view(visit(lang)).speech
        for face, match in ((0, 0), (3, 4)):
            found = handlers.tell_alike(kept, "", "", [face, match, []], visit(lang))
            assert found is not None
            assert bool(found["told"]) == bool(found["heat"])
            assert (found["sentence"] == speech("alike_whole")) == (not found["told"])


def test_the_page_and_the_photo_itself_are_told_the_same(
    starter: LookalikeFinder, handlers: Handlers, framed: FramedFace
) -> None:
    """The page's picture is a JPEG, which costs next to nothing."""
    kept = handlers.show(str(ASTRONAUT), "", "", visit())[1]
    (face,) = handlers._kept_photo(kept, handlers.view(visit())).faces
    matches = starter.judge(face).matches
    for ours, theirs in zip(
        starter.alike(face.in_frame, matches), starter.alike(framed, matches), strict=True
    ):
        for part in PARTS:
            assert ours.falls[part] == pytest.approx(theirs.falls[part], abs=0.02)


def test_one_face_alone_is_enough(handlers: Handlers, kept: Any) -> None:
    """What the page sends of six."""
    one = {**kept, "faces": [kept["faces"][3]], "scene": ""}
    whole = handlers.tell_alike(kept, "", "", [3, 1], visit())
    assert handlers.tell_alike(one, "", "", [0, 1], visit()) == whole


def test_nothing_is_told_without_a_face_a_match_or_a_gallery_large_enough(
    handlers: Handlers, gallery: LookalikeFinder, kept: Any
) -> None:
    assert handlers.tell_alike(None, "", "", [0, 0], visit()) is None
    assert handlers.tell_alike(kept, "aliens", "", [0, 0], visit()) is None
    assert Handlers(gallery).tell_alike(kept, "", "", [0, 0], visit()) is None


def test_a_small_gallery_offers_no_button(handlers: Handlers, gallery: LookalikeFinder) -> None:
    shown = [
        each.show(str(ASTRONAUT), "", "", visit())[0] for each in (handlers, Handlers(gallery))
    ]
    assert [html.count('<div class="alike"><button type="button"') for html in shown] == [5, 0]


@pytest.mark.parametrize("junk", [[0, 0, 7], [0, 0, None], [0], "ab", [0, "x", []]], ids=repr)
def test_a_choice_that_is_none_is_one_sentence(handlers: Handlers, kept: Any, junk: Any) -> None:
    with pytest.raises(gr.Error):
        handlers.tell_alike(kept, "", "", junk, visit())


def test_the_card_says_what_was_told_and_no_other_words(
    starter: LookalikeFinder, handlers: Handlers, kept: Any
) -> None:
    view = handlers.view(visit())
    shown = handlers._on_show(kept, "", "", [1, 0, ["<script>", "eyes", "nose", "mouth"]], view)
    assert shown.told == ("eyes", "nose")
    plain = share_card(view, shown.judged, 0, "").sentence
    told = share_card(view, shown.judged, 0, "", shown.told).sentence
    assert told == f"{plain} Especially the eyes and the nose."
