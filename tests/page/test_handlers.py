"""What the page's events answer: to photos, to junk, to frames, and what they keep of anybody."""

from __future__ import annotations

import functools
import gc
import json
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from core.errors import ModelError
from core.faces.engine import FaceEngine
from core.faces.photo import read_photo
from core.lookalike import LookalikeFinder
from core.page.handlers import Handlers, LiveMemory, _link
from core.page.live import STEP
from tests.conftest import ASTRONAUT, SIX_PEOPLE
from tests.index.test_enrol import head
from tests.page.conftest import visit

SKIPPED = gr.skip()
JUNK: list[Any] = ["x", 7, [1], {"faces": []}, {"faces": [{}], "scene": "", "found": 1}, True]


@pytest.fixture(scope="module")
def kept(handlers: Handlers) -> Any:
    """What the browser keeps of the six, as it comes back."""
    return json.loads(json.dumps(handlers.show(str(SIX_PEOPLE), "", "", visit())[1]))


def test_a_photo_is_answered_at_once_in_the_visitors_language(handlers: Handlers) -> None:
    for lang, name in (("en-US", "Eileen Collins"), ("ko-KR", "아일린 콜린스")):
        html, kept, card, button = handlers.show(str(ASTRONAUT), "", "", visit(lang))
        assert f'<h2 class="name">{name}</h2>' in html
        assert len(kept["faces"]) == 1
        assert card == ""
        assert button["interactive"] is True


def test_the_addresss_language_wins_over_the_browsers(handlers: Handlers) -> None:
    request = visit("en-US")
    request.request.scope["query_string"] = b"lang=ko"
    assert handlers.view(request).speech.lang == "ko"
    assert handlers.view(visit("en-US")).speech.lang == "en"


def test_a_photo_taken_away_clears_the_page(handlers: Handlers) -> None:
    html, kept, card, button = handlers.show(None, "", "", visit())
    assert "waiting" in html
    assert (kept, card, button["interactive"]) == (None, "", False)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("blank", "no_face"),
        ("text", "unreadable"),
        ("gone", "unreadable"),
        ("large", "too_large"),
    ],
)
def test_a_photo_that_cannot_be_matched_says_why(
    handlers: Handlers, gallery: LookalikeFinder, tmp_path: Path, kind: str, code: str
) -> None:
    photo = tmp_path / "photo.jpg"
    if kind == "text":
        photo.write_text("<svg onload=alert(1)>")
    elif kind != "gone":
        Image.new("RGB", (300, 300), "grey").save(photo)
    if kind == "large":
        settings = gallery.settings.replaced(max_megapixels=0.01)
        handlers = Handlers(replace(gallery, settings=settings))
    html, kept, card, button = handlers.show(str(photo), "", "", visit("ko"))
    assert handlers.view(visit("ko")).speech(code) in html
    assert (kept, card, button["interactive"]) == (None, "", False)
    assert str(tmp_path) not in html
    assert "photo.jpg" not in html


class BrokenEngine(FaceEngine):
    def __init__(self, engine: FaceEngine) -> None:
        self.pack = engine.pack

    def detect(self, photo: Any, least: float = 0.0) -> Any:
        raise ModelError(f"/srv/models/secret.onnx is gone, {photo.source}")


def test_a_fault_of_the_servers_is_one_sentence_without_its_reason(
    gallery: LookalikeFinder,
) -> None:
    broken = Handlers(replace(gallery, engine=BrokenEngine(gallery.engine)))
    with pytest.raises(gr.Error) as told:
        broken.show(str(ASTRONAUT), "", "", visit())
    assert told.value.message == broken.view(visit()).speech("failed")
    assert told.value.print_exception is False


def test_another_filter_asks_again_with_what_the_browser_kept(
    handlers: Handlers, kept: Any
) -> None:
    html, card = handlers.show_again(kept, "men", "KR", visit())
    names = {part.split("<")[0] for part in html.split('<h2 class="name">')[1:]}
    assert names == {"Cid", "Song Kang-ho"}
    assert card == ""
    again, _ = handlers.show_again(kept, "", "", visit())
    assert again == handlers.show(str(SIX_PEOPLE), "", "", visit())[0]


def test_a_filter_before_a_photo_changes_nothing(handlers: Handlers) -> None:
    for nothing in (None, "", {}, []):
        assert handlers.show_again(nothing, "women", "", visit()) == [SKIPPED, ""]
        assert handlers.draw_card(nothing, "women", "", [0, 0], visit()) == ""


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_from_the_browser_is_one_sentence(handlers: Handlers, junk: Any) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: handlers.show_again(junk, "", "", visit("ko")),
        lambda: handlers.draw_card(junk, "", "", [0, 0], visit("ko")),
    ]
    for call in calls:
        with pytest.raises(gr.Error) as told:
            call()
        assert told.value.message == handlers.view(visit("ko")).speech("failed")
        assert told.value.print_exception is False


@pytest.mark.parametrize(
    "junk", ["ab", "1", [1], [0, 0, 0], [None, 0], {"a": 1}, 5, [0, float("inf")], [0, "<b>"]],
    ids=repr,
)  # fmt: skip
def test_a_choice_that_is_none_is_one_sentence(handlers: Handlers, kept: Any, junk: Any) -> None:
    with pytest.raises(gr.Error) as told:
        handlers.draw_card(kept, "", "", junk, visit())
    assert told.value.print_exception is False


@pytest.mark.parametrize("junk", ["aliens", ["women"], {"a": 1}, 7, "<script>"], ids=repr)
def test_a_filter_that_is_none_lets_nobody_through(
    handlers: Handlers, kept: Any, junk: Any
) -> None:
    for gender, country in ((junk, ""), ("", junk)):
        html, _ = handlers.show_again(kept, gender, country, visit())
        assert "The gallery has no such actor." in html
        assert handlers.draw_card(kept, gender, country, [0, 0], visit()) == ""


def test_the_card_is_of_the_face_and_match_on_show(handlers: Handlers, kept: Any) -> None:
    view = handlers.view(visit())
    seen = handlers._kept_photo(kept, view)
    for face, match in ((0, 0), (4, 1), (5, 4)):
        name = view.name(view.finder.judge(seen.faces[face]).matches[match])
        html = handlers.draw_card(kept, "", "", [face, match], visit())
        assert f"you beside {name}" in html
    first = view.name(view.finder.judge(seen.faces[0]).matches[0])
    for unchosen in (None, [], [6, 0], [0, -1]):
        html = handlers.draw_card(kept, "", "", unchosen, visit())
        assert f"you beside {first}" in html


@pytest.mark.parametrize(
    ("referer", "link"),
    [
        ("https://example.org/", "example.org"),
        ("https://example.org/lookalike/?lang=ko", "example.org/lookalike"),
        ("http://192.168.1.5:7860/", "192.168.1.5:7860"),
        ("http://127.0.0.1:7860/", ""),
        ("http://localhost:7860/?lang=ko", ""),
        ("http://[::1]:7860/", ""),
        ("http://0.0.0.0:7860/", ""),
        ("http://[bad/", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_a_card_has_a_link_that_others_can_follow_or_none(referer: str, link: str) -> None:
    assert _link(visit(referer=referer)) == link
    assert _link(visit(referer=referer), "https://look.example/") == "look.example"


def test_a_visitor_is_greeted_with_the_filters_of_this_gallery(handlers: Handlers) -> None:
    waiting, kept, card, live, genders, countries = handlers.greet(None, None, None, visit("en"))
    assert "waiting" in waiting
    assert kept is None
    assert card["interactive"] is False
    assert "Start the camera" in live
    assert genders["choices"] == [("Everyone", ""), ("Women", "women"), ("Men", "men")]
    assert countries["choices"] == [
        ("All countries", ""),
        ("South Korea", "KR"),
        ("United States", "US"),
    ]
    *_, genders, countries = handlers.greet(None, None, None, visit("ko"))
    assert genders["choices"][0] == ("모두", "")
    assert countries["choices"] == [("모든 나라", ""), ("대한민국", "KR"), ("미국", "US")]


def test_a_result_is_there_again_after_the_language_was_switched(handlers: Handlers) -> None:
    _, kept, *_ = handlers.show(str(ASTRONAUT), "women", "", visit("en"))
    kept = json.loads(json.dumps(kept))  # as the browser carries it
    html, kept_again, card, _, genders, countries = handlers.greet(kept, "women", "", visit("ko"))
    assert html == handlers.show(str(ASTRONAUT), "women", "", visit("ko"))[0]
    assert "아일린 콜린스" in html
    assert kept_again == kept
    assert card["interactive"] is True
    assert (genders["value"], countries["value"]) == ("women", "")


@pytest.mark.parametrize("stale", [{"faces": []}, "another gallery's", [1]])
def test_what_cannot_be_shown_again_leaves_the_page_empty(handlers: Handlers, stale: Any) -> None:
    html, kept, card, *_ = handlers.greet(stale, "", "", visit("en"))
    assert "waiting" in html
    assert kept is None
    assert card["interactive"] is False


def test_a_camera_names_the_closest_actor_and_repeats_nothing(handlers: Handlers) -> None:
    frame = read_photo(ASTRONAUT).pixels
    html, memory = handlers.name_live(frame, None, visit("ko"))
    assert 'data-actor="아일린 콜린스"' in html
    assert "점" in html
    again, memory = handlers.name_live(frame, memory, visit("ko"))
    assert again == SKIPPED
    html, memory = handlers.name_live(np.asarray(head("Eve")), memory, visit("ko"))
    assert 'data-actor="Eve"' in html  # somebody else: at once
    for _ in range(4):  # a quarter of a second each
        memory = replace(memory, seen=memory.seen - STEP)
        html, memory = handlers.name_live(None, memory, visit("ko"))
    assert "얼굴이 보이지 않아요." in html
    assert memory.steady.face is None


def test_the_live_mode_credits_a_portrait_and_hides_what_may_not_be_shown(
    handlers: Handlers,
) -> None:
    ann, _ = handlers.name_live(np.asarray(head("Ann")), None, visit())
    assert "/small.webp" in ann
    assert ">Jane Doe</a>" in ann
    bob, _ = handlers.name_live(np.asarray(head("Bob")), None, visit())
    assert "portraits/" not in bob
    assert ">B</span>" in bob


def test_a_frame_without_a_face_is_told(handlers: Handlers) -> None:
    html, memory = handlers.name_live(np.zeros((240, 320, 3), np.uint8), None, visit())
    assert "No face in view." in html
    assert memory.steady.actor is None


def test_the_live_mode_remembers_no_picture(handlers: Handlers) -> None:
    _, memory = handlers.name_live(read_photo(ASTRONAUT).pixels, None, visit())
    assert isinstance(memory, LiveMemory)
    arrays = [memory.steady.face, memory.steady.similarities]
    assert [array.shape for array in arrays if array is not None] == [
        (handlers.finder.engine.pack.dimension,),
        (7,),
    ]
    assert "data:" not in memory.html


def everything_held_by(*roots: object) -> list[object]:
    """What can be reached from some objects, short of modules, classes and code."""
    passed_over = (type, types.ModuleType, types.CodeType, types.FrameType)
    found: dict[int, object] = {}
    waiting = list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in found or isinstance(thing, passed_over):
            continue
        found[id(thing)] = thing
        if isinstance(thing, types.FunctionType):
            waiting += [cell.cell_contents for cell in thing.__closure__ or ()]
            waiting.append(thing.__dict__)
        elif not isinstance(thing, functools._lru_cache_wrapper):  # of portraits: by their files
            waiting += gc.get_referents(thing)
    return list(found.values())


def test_nothing_of_a_visitor_is_left_in_the_server_after_an_answer(
    gallery: LookalikeFinder, plain_engine: FaceEngine, tmp_path: Path
) -> None:
    gallery = replace(gallery, engine=plain_engine)
    handlers = Handlers(gallery)
    photo = tmp_path / "somebodys-holiday.png"
    Image.open(ASTRONAUT).rotate(3).save(photo)
    face = gallery.find(photo).faces[0].face
    size = face.embedding.size
    _, kept, _, _ = handlers.show(str(photo), "women", "", visit())
    handlers.show_again(kept, "men", "", visit())
    handlers.draw_card(kept, "", "", [0, 0], visit())
    handlers.name_live(read_photo(photo).pixels, None, visit())
    secrets = [kept["faces"][0][part] for part in ("embedding", "crop", "framed")]
    del kept
    gc.collect()
    held = everything_held_by(handlers, gallery)
    assert any(thing is gallery.index.embeddings for thing in held)  # the walk does reach things
    for thing in held:
        if isinstance(thing, np.ndarray) and thing.dtype == np.float32 and thing.size % size == 0:
            rows = thing.reshape(-1, size)
            assert not np.isclose(rows, face.embedding, atol=1e-4).all(axis=1).any()
        if isinstance(thing, np.ndarray):
            assert thing.shape != (112, 112, 3)
            assert thing.dtype != np.uint8 or thing.ndim != 3
        assert not isinstance(thing, Image.Image)
        if isinstance(thing, str):
            assert "somebodys-holiday" not in thing
            assert thing not in secrets
        if isinstance(thing, bytes):
            assert thing[:3] != b"\xff\xd8\xff"


def test_a_photos_file_is_not_kept_open(handlers: Handlers, tmp_path: Path) -> None:
    photo = tmp_path / "visitor.png"
    Image.open(ASTRONAUT).save(photo)
    handlers.show(str(photo), "", "", visit())
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("needs /proc")
    names = []
    for entry in descriptors.iterdir():
        try:
            names.append(str(entry.readlink()))
        except FileNotFoundError:  # the listing's own
            continue
    assert names
    assert not [name for name in names if "visitor.png" in name]
