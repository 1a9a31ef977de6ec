"""The one match function: photo in, actors out, in the JSON form that others build on."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.answer import MatchJson, answer_json
from core.errors import NoFaceError, PhotoTooLargeError, UnreadablePhotoError
from core.faces.engine import FaceEngine
from core.faces.parts import PARTS
from core.faces.photo import read_photo
from core.gallery.credits import Credit
from core.gallery.people import ActorEntry, Filter, People
from core.gallery.photos import Portrait
from core.index.verdict import judge
from core.lookalike import LookalikeFinder
from core.settings import Settings
from tests.conftest import ASTRONAUT, SIX_PEOPLE, enrolled, rebuilt
from tests.index.test_enrol import SIX_FACES, fill_gallery, head


@pytest.fixture(scope="module")
def finder(
    engine: FaceEngine, models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> LookalikeFinder:
    """A finder on a gallery of seven real people with photos."""
    dataset = tmp_path_factory.mktemp("gallery")
    fill_gallery(dataset, [*SIX_FACES, "Astronaut"])
    settings = Settings(models_dir=models_dir, dataset_dir=dataset)
    return LookalikeFinder(engine, enrolled(engine, settings).index, settings)


@pytest.fixture(scope="module")
def starter_finder(finder: LookalikeFinder) -> LookalikeFinder:
    settings = finder.settings
    return replace(finder, index=rebuilt(settings.starter_path, settings).index)


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    Image.new("RGB", (320, 240), "grey").save(tmp_path / "blank.png")
    return tmp_path / "blank.png"


def test_everyone_in_a_group_finds_themselves_the_likely_subject_first(
    finder: LookalikeFinder,
) -> None:
    answer = finder.find(SIX_PEOPLE)
    assert answer.pack == "sface"
    height, width = answer.photo.pixels.shape[:2]
    subjects = [entry.face.detection.prominence(width, height) for entry in answer.faces]
    assert subjects == sorted(subjects, reverse=True)
    firsts = [entry.matches[0] for entry in answer.faces]
    assert sorted(match.actor for match in firsts) == sorted(SIX_FACES)
    for entry in answer.faces:
        assert entry.matches[0].similarity > entry.matches[1].similarity + 0.2
        x1, y1, x2, y2 = entry.face.detection.box
        left, top, right, bottom = SIX_FACES[entry.matches[0].actor]
        assert left < (x1 + x2) / 2 < right
        assert top < (y1 + y2) / 2 < bottom


def test_path_bytes_and_picture_give_the_same(finder: LookalikeFinder) -> None:
    photo = Image.open(ASTRONAUT)
    answers = [
        finder.find(source).faces[0].matches
        for source in (ASTRONAUT, str(ASTRONAUT), ASTRONAUT.read_bytes(), photo)
    ]
    assert answers[0][0].actor == "Astronaut"
    assert all(matches == answers[0] for matches in answers)


def test_number_of_matches_is_asked_for_or_the_setting(finder: LookalikeFinder) -> None:
    def count(finder: LookalikeFinder, top_k: int | None = None) -> int:
        return len(finder.find(ASTRONAUT, top_k).faces[0].matches)

    assert count(finder) == 5
    assert count(finder, 1) == 1
    assert count(finder, 99) == 7
    assert count(replace(finder, settings=finder.settings.replaced(top_k=2))) == 2


def known(finder: LookalikeFinder) -> LookalikeFinder:
    """The finder, told who is a woman or a man and from where; of Eve nothing is known."""
    rows = [("Ann", "female", "US"), ("Bob", "male", "US"), ("Cid", "male", "KR")]
    rows += [("Dan", "non-binary", "KR"), ("Astronaut", "female", "US"), ("송강호", "male", "KR")]
    entries = {
        name: ActorEntry(name, name, gender=gender, country=code) for name, gender, code in rows
    }
    return replace(finder, people=People(entries))


def test_a_filter_leaves_the_closest_of_those_who_pass_in_the_same_order(
    finder: LookalikeFinder,
) -> None:
    (everyone,) = known(finder).find(ASTRONAUT, 7).faces
    for wanted, names in [
        (Filter("women"), {"Ann", "Astronaut"}),
        (Filter("men", "KR"), {"Cid", "송강호"}),
        (Filter(country="KR"), {"Cid", "Dan", "송강호"}),
        (Filter("women", "KR"), set()),
    ]:
        (entry,) = known(finder).find(ASTRONAUT, 7, wanted).faces
        assert {match.actor for match in entry.matches} == names
        assert list(entry.matches) == [match for match in everyone.matches if match.actor in names]


def test_a_filtered_answer_is_as_long_as_asked_for_if_it_can_be(finder: LookalikeFinder) -> None:
    face = finder.faces(ASTRONAUT).faces[0]
    korean = Filter(country="KR")
    assert len(known(finder).judge(face, korean, 2).matches) == 2
    assert len(known(finder).judge(face, korean).matches) == 3
    two = replace(known(finder), settings=finder.settings.replaced(top_k=2))
    assert len(two.judge(face, korean).matches) == 2


def test_a_face_judged_again_has_the_answer_of_its_photo(finder: LookalikeFinder) -> None:
    for entry in finder.find(SIX_PEOPLE).faces:
        again = finder.judge(entry.face)
        assert (again.matches, again.verdict) == (entry.matches, entry.verdict)


def test_each_face_comes_with_what_may_be_said_of_it_under_the_filter(
    finder: LookalikeFinder,
) -> None:
    (entry,) = known(finder).find(ASTRONAUT).faces
    assert entry.verdict == judge(finder.index, entry.face.detection.crop, entry.matches)
    assert entry.verdict.same_person
    (other,) = known(finder).find(ASTRONAUT, wanted=Filter("men")).faces
    assert not other.verdict.same_person
    (nobody,) = known(finder).find(ASTRONAUT, wanted=Filter("women", "KR")).faces
    assert (nobody.matches, nobody.verdict.share) == ((), None)


def test_a_portrait_that_may_not_be_shown_has_no_path(finder: LookalikeFinder) -> None:
    shown = Portrait("", "Ann/1.png", Credit("Jane", "CC0"))
    assert finder.portrait_path(shown) == finder.settings.dataset_dir / "Ann" / "1.png"
    assert finder.portrait_path(replace(shown, credit=None)) is not None  # the owner's own
    assert finder.portrait_path(replace(shown, credit=Credit("", "", "", "https://x"))) is None
    assert finder.portrait_path(Portrait("")) is None


def test_json_form_is_the_agreed_one(finder: LookalikeFinder) -> None:
    answer = answer_json(finder, str(SIX_PEOPLE), 3)
    assert list(answer) == ["photo", "pack", "faces"]
    assert (answer["photo"], answer["pack"], len(answer["faces"])) == (str(SIX_PEOPLE), "sface", 6)
    for face in answer["faces"]:
        assert list(face) == ["box", "detection_score", "matches", "verdict", "tips"]
        assert [type(value) for value in face["box"]] == [float] * 4
        assert all(value == round(value, 1) for value in face["box"])
        assert type(face["detection_score"]) is float
        assert 0.8 < face["detection_score"] < 1
        assert face["detection_score"] == round(face["detection_score"], 4)
        assert len(face["matches"]) == 3
        for match in face["matches"]:
            assert list(match) == list(MatchJson.__annotations__)
            assert type(match["actor"]) is str
            assert type(match["similarity"]) is float
            assert match["similarity"] == round(match["similarity"], 4)
            assert type(match["score"]) is float
            assert match["score"] == round(match["score"], 1)
            assert match["portrait"] in {f"{match['actor']}/{n}.png" for n in (1, 2)}
    assert json.loads(json.dumps(answer, ensure_ascii=False)) == answer


def test_portrait_is_the_one_closest_to_the_face(finder: LookalikeFinder, tmp_path: Path) -> None:
    for number in (1, 2):
        portrait = finder.settings.dataset_dir / "Eve" / f"{number}.png"
        (face,) = answer_json(finder, portrait, 1)["faces"]
        assert face["matches"][0]["portrait"] == f"Eve/{number}.png"
        assert finder.portrait_path(finder.find(portrait).faces[0].matches[0].portrait) == portrait


def test_starter_gallery_gives_scores_and_null_portraits(starter_finder: LookalikeFinder) -> None:
    (face,) = answer_json(starter_finder, ASTRONAUT)["faces"]
    assert len(face["matches"]) == 5
    assert [match["portrait"] for match in face["matches"]] == [None] * 5
    scores = [match["score"] for match in face["matches"]]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] <= scores[0] <= 99.9


def test_parts_of_a_likeness_are_answered_where_they_are_asked_for(
    starter_finder: LookalikeFinder,
) -> None:
    plain, asked = (
        answer_json(starter_finder, ASTRONAUT, 3, parts=parts)["faces"][0]["matches"]
        for parts in (False, True)
    )
    assert [match["parts"] for match in plain] == [None] * 3
    for before, match in zip(plain, asked, strict=True):
        parts = match["parts"]
        assert {**match, "parts": None} == before
        assert list(parts) == [*PARTS, "clear", "told"]
        shares = {part: parts[part] for part in PARTS}
        assert sum(shares.values()) == pytest.approx(1, abs=0.002)
        assert parts["clear"] == bool(parts["told"])
        assert parts["told"][:1] in ([], [max(PARTS, key=lambda part: shares[part])])


def test_a_small_gallery_has_no_parts_to_answer(finder: LookalikeFinder) -> None:
    (face,) = answer_json(finder, ASTRONAUT, parts=True)["faces"]
    assert {match["parts"] for match in face["matches"]} == {None}


def test_gallery_too_small_for_a_score_has_null(
    finder: LookalikeFinder, engine: FaceEngine, settings: Settings
) -> None:
    fill_gallery(settings.dataset_dir, ["Ann", "Bob"], photos=1)
    small = replace(finder, index=enrolled(engine, settings).index, settings=settings)
    (face,) = answer_json(small, ASTRONAUT)["faces"]
    assert [match["score"] for match in face["matches"]] == [None, None]
    assert [match["portrait"] for match in face["matches"]] != [None, None]


def test_photo_without_a_face_is_an_error_with_its_code(
    finder: LookalikeFinder, blank: Path
) -> None:
    with pytest.raises(NoFaceError):
        finder.find(blank)
    answer = answer_json(finder, blank)
    assert answer == {
        "photo": str(blank),
        "error": {
            "code": "no_face",
            "message": "no face found in blank.png; use one that shows a face clearly",
        },
    }


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_of_an_animation_the_first_pictures_with_a_face_is_answered(
    kind: str, finder: LookalikeFinder, blank: Path, tmp_path: Path
) -> None:
    with Image.open(ASTRONAUT) as face, Image.open(blank) as empty:
        pictures = [empty.convert("RGB").resize(face.size), face.convert("RGB")]
    path = tmp_path / "animation"
    pictures[0].save(path, kind, save_all=True, append_images=pictures[1:], duration=200)
    (entry,) = finder.find(path).faces
    assert entry.matches[0].actor == "Astronaut"
    pictures[0].save(path, kind, save_all=True, append_images=[ImageOps.invert(pictures[0])])
    with pytest.raises(NoFaceError):
        finder.find(path)


def test_unreadable_and_too_large_photos_are_errors_with_their_codes(
    finder: LookalikeFinder, tmp_path: Path
) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("I am no picture")
    tight = replace(finder, settings=finder.settings.replaced(max_megapixels=0.1))
    with pytest.raises(UnreadablePhotoError):
        finder.find(text)
    with pytest.raises(PhotoTooLargeError):
        tight.find(ASTRONAUT)
    for used, photo, code in [
        (finder, text, "unreadable"),
        (finder, tmp_path / "missing.jpg", "unreadable"),
        (tight, ASTRONAUT, "too_large"),
    ]:
        answer = answer_json(used, photo)
        assert list(answer) == ["photo", "error"]
        assert list(answer["error"]) == ["code", "message"]
        assert (answer["photo"], answer["error"]["code"]) == (str(photo), code)
        assert photo.name in answer["error"]["message"]


@pytest.mark.parametrize(
    "file", ["../secret.jpg", "Ann/../../secret.jpg", "{absolute}", "Ann/gone.png", "Ann", "a\0b"]
)
def test_index_cannot_point_out_of_the_gallery(
    file: str, finder: LookalikeFinder, tmp_path: Path
) -> None:
    """An index is only a file: whoever made it must not choose what the page shows."""
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    fill_gallery(dataset, ["Ann"], photos=1)
    head("Ann").save(tmp_path / "secret.jpg")
    file = file.replace("{absolute}", str(tmp_path / "secret.jpg"))
    index = finder.index
    portraits = tuple(Portrait(portrait.sha256, file) for portrait in index.portraits)
    crafted = replace(
        finder,
        index=replace(index, portraits=portraits),
        settings=finder.settings.replaced(dataset_dir=dataset),
    )
    assert crafted.portrait_path(Portrait("", file)) is None
    (face,) = answer_json(crafted, ASTRONAUT)["faces"]
    assert [match["portrait"] for match in face["matches"]] == [None] * 5


def test_portrait_deleted_after_the_build_is_null(finder: LookalikeFinder, tmp_path: Path) -> None:
    moved = replace(finder, settings=finder.settings.replaced(dataset_dir=tmp_path))
    (face,) = answer_json(moved, ASTRONAUT)["faces"]
    assert [match["portrait"] for match in face["matches"]] == [None] * 5
    assert face["matches"][0]["actor"] == "Astronaut"


def test_turned_photo_finds_the_same_actor_with_a_box_in_the_photo_as_given(
    finder: LookalikeFinder,
) -> None:
    with Image.open(ASTRONAUT) as photo:
        stream = io.BytesIO()
        photo.convert("RGB").transpose(Image.Transpose.ROTATE_90).save(stream, "PNG")
    (entry,) = finder.find(stream.getvalue()).faces
    assert entry.matches[0].actor == "Astronaut"
    x1, y1, x2, y2 = entry.face.detection.box
    assert 63 < (x1 + x2) / 2 < 174  # its y before the turn
    assert 512 - 269 < (y1 + y2) / 2 < 512 - 179


def as_jpeg(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def test_a_phones_photo_is_read_small_and_answered_in_its_own_pixels(
    finder: LookalikeFinder,
) -> None:
    photo = as_jpeg(head("Astronaut").resize((3024, 3780)))
    found = finder.faces(photo)
    assert found.photo.zoom == 2  # a quarter would have fewer than a thousand pixels
    (whole,) = finder.engine.find_faces(read_photo(photo))
    assert float(found.faces[0].embedding @ whole.embedding) > 0.99
    (face,) = answer_json(finder, photo)["faces"]
    assert face["box"] == pytest.approx(whole.detection.box, abs=0.03 * 3024)
    assert face["matches"][0]["actor"] == "Astronaut"
    assert face["verdict"]["same_person"]


def test_a_large_photo_with_a_small_face_is_read_whole(finder: LookalikeFinder) -> None:
    scene = Image.new("RGB", (4000, 3000), "white")
    scene.paste(head("Astronaut").resize((600, 750)), (1700, 1100))
    photo = as_jpeg(scene)
    found, (whole,) = finder.faces(photo), finder.engine.find_faces(read_photo(photo))
    assert found.photo.zoom == 1
    assert np.array_equal(found.faces[0].embedding, whole.embedding)
