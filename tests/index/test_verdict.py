"""What may be said of a face's matches: the share, the same photo or person, a close race."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.faces.engine import FaceEngine
from core.gallery.photos import Portrait
from core.index.actor_index import ActorIndex, Match
from core.index.verdict import CLOSE_RACE, LOW, Verdict, judge, meaning_of, same_person_similarity
from core.lookalike import LookalikeFinder
from core.settings import Settings
from tests.conftest import ASTRONAUT, SHARED, copy_actors, enrolled, needs_shared, rebuilt
from tests.index.test_actor_index import gallery_of, unit
from tests.index.test_enrol import SIX_FACES, fill_gallery, head

ACTORS = ["Brad Pitt", "Gal Gadot", "Kim Mu-yeol", "Morgan Freeman", "Uma Thurman", "Zendaya"]
NO_CROP = np.zeros((112, 112, 3), np.uint8)
PLAIN = Portrait("0" * 64)


@pytest.fixture(scope="module")
def starter() -> ActorIndex:
    return rebuilt(Settings().starter_path, Settings()).index


@pytest.fixture(scope="module")
def seven(
    engine: FaceEngine, models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> LookalikeFinder:
    """A gallery of seven real people, one photo each."""
    dataset = tmp_path_factory.mktemp("seven")
    fill_gallery(dataset, [*SIX_FACES, "Astronaut"], photos=1)
    settings = Settings(models_dir=models_dir, dataset_dir=dataset)
    return LookalikeFinder(engine, enrolled(engine, settings).index, settings)


@pytest.fixture(scope="module")
def actors(
    engine: FaceEngine, models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> LookalikeFinder:
    """A gallery of six actors, five photos each."""
    dataset = tmp_path_factory.mktemp("actors")
    copy_actors(ACTORS, dataset)
    settings = Settings(models_dir=models_dir, dataset_dir=dataset)
    return LookalikeFinder(engine, enrolled(engine, settings).index, settings)


def verdict_on(finder: LookalikeFinder, photo: Path | bytes | Image.Image) -> Verdict:
    return finder.find(photo).faces[0].verdict


def matches_at(index: ActorIndex, *similarities: float) -> tuple[Match, ...]:
    """Made-up matches as close as this, scored by the index."""
    scale = index.calibration
    return tuple(
        Match(f"No. {n}", value, scale.score(value) if scale else None, PLAIN)
        for n, value in enumerate(similarities)
    )


def jpeg(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def half(image: Image.Image) -> Image.Image:
    return image.resize((image.width * 3 // 5, image.height * 3 // 5), Image.Resampling.LANCZOS)


COPIES: list[Callable[[Image.Image], Image.Image | bytes]] = [
    lambda image: image,
    lambda image: jpeg(image, 40),
    half,
    ImageOps.mirror,
    lambda image: jpeg(ImageOps.mirror(half(image)), 70),
]


@pytest.mark.parametrize(
    "copy", COPIES, ids=["itself", "re-encoded", "smaller", "mirrored", "all at once"]
)
def test_a_copy_of_an_enrolled_photo_is_told_as_the_very_photo(
    seven: LookalikeFinder, copy: Callable[[Image.Image], Image.Image | bytes]
) -> None:
    found = seven.find(copy(head("Astronaut"))).faces[0]
    assert found.matches[0].actor == "Astronaut"
    assert found.verdict.same_photo
    assert found.verdict.same_person
    assert found.verdict.key == "same_photo"
    assert not found.verdict.close_race


@needs_shared
def test_most_copies_of_an_actors_portrait_are_told(actors: LookalikeFinder) -> None:
    portraits = [sorted((actors.settings.dataset_dir / name).iterdir())[0] for name in ACTORS]
    for copy, least in zip(COPIES, (6, 6, 6, 5, 5), strict=True):
        pictures = [Image.open(io.BytesIO(path.read_bytes())).convert("RGB") for path in portraits]
        told = [verdict_on(actors, copy(picture)).same_photo for picture in pictures]
        assert sum(told) >= least, told


@needs_shared
def test_another_photo_of_an_actor_is_the_same_person_and_not_the_same_photo(
    actors: LookalikeFinder,
) -> None:
    probes = [path for name in ACTORS for path in sorted((SHARED / "probes" / name).iterdir())]
    assert len(probes) >= 10
    verdicts = [verdict_on(actors, probe) for probe in probes]
    assert [verdict.same_photo for verdict in verdicts] == [False] * len(probes)
    said = [verdict.key for verdict in verdicts]
    assert said.count("same_person") >= len(probes) - 1
    assert not any(verdict.close_race for verdict in verdicts if verdict.same_person)


@needs_shared
def test_strangers_are_neither_the_same_person_nor_the_same_photo(
    actors: LookalikeFinder, starter: ActorIndex
) -> None:
    strangers = [sorted(folder.iterdir())[0] for folder in (SHARED / "kpop_portraits").iterdir()]
    everyone = replace(actors, index=starter)
    for photo in sorted(strangers)[:12]:
        for finder in (actors, everyone):
            verdict = verdict_on(finder, photo)
            assert (verdict.same_photo, verdict.same_person) == (False, False), photo
            assert verdict.key.startswith("meaning")


def test_the_share_is_the_score_rounded_down(starter: ActorIndex) -> None:
    for similarity in (0.2, 0.36, 0.4, 0.43, 0.47):
        (match,) = matches_at(starter, similarity)
        assert match.score is not None
        verdict = judge(starter, NO_CROP, (match,))
        assert verdict.share == int(match.score)
        assert verdict.key == meaning_of(verdict.share)
    assert [meaning_of(share) for share in (0, 1, LOW - 1, LOW, 99)] == [
        "meaning_least", "meaning_low", "meaning_low", "meaning", "meaning",
    ]  # fmt: skip
    crafted = replace(match, similarity=0.4, score=83.9)
    assert judge(starter, NO_CROP, (crafted,)).share == 83


def test_score_share_and_sentence_never_fall_as_similarity_rises(starter: ActorIndex) -> None:
    """From "hardly any" over every share to "the same person": each only ever says more."""
    order = ["meaning_least", "meaning_low", "meaning", "same_person"]
    said = []
    for similarity in np.linspace(-1, 1, 4001):
        matches = matches_at(starter, float(similarity))
        verdict = judge(starter, NO_CROP, matches)
        assert verdict.share is not None
        said.append((order.index(verdict.key), verdict.share, matches[0].score))
    for position in range(3):
        values = [entry[position] for entry in said]
        assert values == sorted(values)
    assert said == sorted(said)
    assert len({share for _, share, _ in said}) > 60
    assert (said[0][0], said[-1]) == (0, (3, 99, 99.9))


def test_same_person_is_said_from_the_measured_similarity_on(starter: ActorIndex) -> None:
    assert same_person_similarity(starter) == 0.62
    assert judge(starter, NO_CROP, matches_at(starter, 0.62)).key == "same_person"
    assert judge(starter, NO_CROP, matches_at(starter, 0.609)).key == "meaning"


def test_no_badge_for_a_pack_or_a_gallery_size_that_was_not_measured(starter: ActorIndex) -> None:
    other = replace(starter, info=replace(starter.info, pack="auraface"))
    crowd = gallery_of({f"A{n:04}": [unit(n)] for n in range(2201)})
    for index in (other, crowd):
        assert same_person_similarity(index) is None
        assert not judge(index, NO_CROP, matches_at(index, 0.9)).same_person


@pytest.mark.parametrize(
    ("pack", "actors", "similarity"),
    [("sface", 2200, 0.62), ("sface-alone", 400, 0.50), ("sface-alone", 401, 0.55)],
)
def test_a_larger_gallery_and_another_pack_ask_for_more(
    pack: str, actors: int, similarity: float
) -> None:
    index = gallery_of({f"A{n:04}": [unit(n)] for n in range(actors)})
    index = replace(index, info=replace(index.info, pack=pack))
    assert same_person_similarity(index) == similarity
    assert judge(index, NO_CROP, matches_at(index, similarity)).same_person
    assert not judge(index, NO_CROP, matches_at(index, similarity - 0.001)).same_person


def test_the_very_photo_is_told_where_the_person_is_not(seven: LookalikeFinder) -> None:
    """A hash needs no measured similarity; with such a first match no race is close."""
    found = seven.find(head("Bob")).faces[0]
    index = replace(seven.index, info=replace(seven.index.info, pack="auraface"))
    second = replace(found.matches[1], similarity=found.matches[0].similarity - 0.001)
    verdict = judge(index, found.face.detection.crop, (found.matches[0], second))
    assert (verdict.key, verdict.same_person, verdict.close_race) == ("same_photo", True, False)


def test_only_the_first_matchs_photo_counts(seven: LookalikeFinder) -> None:
    found = seven.find(head("Bob")).faces[0]
    turned = tuple(reversed(found.matches))
    assert not judge(seven.index, found.face.detection.crop, turned).same_photo


def test_first_and_second_hardly_apart_are_a_close_race(starter: ActorIndex) -> None:
    for apart, close in [(0.0, True), (CLOSE_RACE - 0.001, True), (CLOSE_RACE + 0.001, False)]:
        matches = matches_at(starter, 0.4, 0.4 - apart, 0.1)
        assert judge(starter, NO_CROP, matches).close_race is close
    assert not judge(starter, NO_CROP, matches_at(starter, 0.4)).close_race
    assert not judge(starter, NO_CROP, matches_at(starter, 0.7, 0.699)).close_race


def test_a_small_gallery_is_rough_and_a_tiny_one_has_no_score(
    seven: LookalikeFinder, starter: ActorIndex, engine: FaceEngine, settings: Settings
) -> None:
    assert verdict_on(seven, ASTRONAUT).rough
    assert not judge(starter, NO_CROP, matches_at(starter, 0.4)).rough
    fill_gallery(settings.dataset_dir, ["Ann", "Bob"], photos=1)
    tiny = LookalikeFinder(engine, enrolled(engine, settings).index, settings)
    verdict = verdict_on(tiny, ASTRONAUT)
    assert (verdict.share, verdict.rough, verdict.key) == (None, False, "no_score")
    assert verdict_on(tiny, head("Ann")).key == "same_photo"


def test_a_filter_that_leaves_nobody_has_nothing_to_say(starter: ActorIndex) -> None:
    assert judge(starter, NO_CROP, ()) == Verdict(None, False, False, False, rough=False)
