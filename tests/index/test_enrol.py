"""Photos become an index by way of the cache; only what is new or changed meets the models."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

import core.index.enrol
from core.errors import GalleryError, IndexRefusedError
from core.faces.copies import crop_hash, is_same_photo
from core.faces.engine import Detection, FaceEngine
from core.faces.photo import Photo, read_photo
from core.gallery.photos import Credit
from core.index.actor_index import ActorIndex
from core.index.embeddings_cache import load_cache, save_cache
from core.index.enrol import Enrolment
from core.log import log
from core.models.install import InstalledPack
from core.settings import DetectionOptions, Settings
from core.startup import open_gallery
from tests.conftest import ASTRONAUT, SIX_PEOPLE, enrolled, needs_shared, rebuilt
from tests.remembering_engine import RememberingEngine

# Heads in SIX_PEOPLE: left, top, right, bottom of each face.
SIX_FACES = {
    "Ann": (462, 265, 576, 416),
    "Bob": (52, 265, 170, 399),
    "Cid": (899, 57, 1005, 197),
    "Dan": (270, 146, 369, 276),
    "Eve": (750, 346, 845, 472),
    "송강호": (1132, 274, 1227, 398),
}
ARRAYS = ("embeddings", "portrait_actor", "templates", "template_actor")


def head(name: str) -> Image.Image:
    """One person's head and what is round it."""
    if name == "Astronaut":
        return Image.open(ASTRONAUT).convert("RGB").crop((100, 0, 350, 300))
    left, top, right, bottom = SIX_FACES[name]
    with Image.open(SIX_PEOPLE) as photo:
        return photo.convert("RGB").crop((left - 35, top - 40, right + 35, bottom + 40))


def fill_gallery(dataset: Path, names: Iterable[str] = SIX_FACES, photos: int = 2) -> None:
    """A gallery of real faces that is there everywhere: up to 3 photos of up to 7 people."""
    for name in names:
        plain = head(name)
        looks = [plain, ImageOps.grayscale(plain), ImageEnhance.Brightness(plain).enhance(1.3)]
        (dataset / name).mkdir(exist_ok=True)
        for number, look in enumerate(looks[:photos], start=1):
            look.save(dataset / name / f"{number}.png", compress_level=1)


class CountingEngine(RememberingEngine):
    """Counts the photos and the crops it was given."""

    photos = 0
    crops = 0

    def detect(self, photo: Photo, least: float = 0.0) -> tuple[Detection, ...]:
        self.photos += 1
        return super().detect(photo, least)

    def embed(self, crops: Any) -> np.ndarray:
        self.crops += len(crops)
        return super().embed(crops)

    def seen(self) -> tuple[int, int]:
        """Photos and crops since the last call."""
        counts, self.photos, self.crops = (self.photos, self.crops), 0, 0
        return counts


@pytest.fixture(scope="module")
def counting_engine(sface: InstalledPack) -> CountingEngine:
    return CountingEngine(sface, threads=1)


@pytest.fixture
def counting(counting_engine: CountingEngine) -> CountingEngine:
    counting_engine.seen()
    return counting_engine


@pytest.fixture
def people(settings: Settings) -> Settings:
    """Settings whose dataset holds six people, two photos each."""
    fill_gallery(settings.dataset_dir)
    return settings


def assert_same_index(first: ActorIndex, second: ActorIndex) -> None:
    """Everything but the time of building."""
    assert replace(first.info, built="") == replace(second.info, built="")
    assert (first.actors, first.portraits) == (second.actors, second.portraits)
    for name in ARRAYS:
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    for name in ("similarities", "ranks", "mean", "deviation", "actors"):
        ours, theirs = (getattr(index.calibration, name) for index in (first, second))
        assert np.array_equal(ours, theirs), name


def test_photos_become_an_index(people: Settings, engine: FaceEngine) -> None:
    credit = "file,source,author,licence,licence_url\nAnn/1.png,s,Kim,CC0,u\n"
    (people.dataset_dir / "credits.csv").write_text(credit)
    shown: list[Any] = []

    def progress(photos: Any) -> Iterator[Any]:
        assert len(photos) == 12  # sized, as a progress bar wants it
        for photo in photos:
            shown.append(photo)
            yield photo

    enrolment = enrolled(engine, people, progress=progress)
    index = enrolment.index
    assert index.actors == tuple(sorted(SIX_FACES))
    assert (enrolment.photos, enrolment.embedded, enrolment.without_photo) == (12, 12, ())
    assert (enrolment.reasons, len(shown)) == ({}, 12)
    assert index.portraits[0].file == "Ann/1.png"
    assert index.portraits[0].credit == Credit("Kim", "CC0", "u", "s")
    assert index.info.source == "gallery"
    assert index.info.listing == open_gallery(people).listing
    for portrait, embedding in zip(index.portraits, index.embeddings, strict=True):
        (face,) = engine.find_faces(read_photo(people.dataset_dir / portrait.file))
        assert float(face.embedding @ embedding) > 0.9999
        assert index.search(face.embedding, 1)[0].portrait == portrait


def test_cache_is_written_with_every_photo(people: Settings, engine: FaceEngine) -> None:
    enrolled(engine, people)
    cache = load_cache(people.cache_path)
    pack = cache.packs["sface"]
    assert (cache.latest, pack.identity) == ("sface", engine.pack.identity)
    assert {name: len(row) for name, row in cache.actors.items()} == dict.fromkeys(SIX_FACES, 2)
    assert set(pack.libraries) >= {"insightface", "onnxruntime", "numpy"}
    for photo in pack.photos.values():
        x1, y1, x2, y2 = photo.box
        assert 0 <= x1 < x2
        assert 0 <= y1 < y2
        assert len(photo.landmarks) == 10
        assert photo.detection_score > 0.7


def test_index_knows_where_each_portraits_face_is_and_what_its_crop_looks_like(
    people: Settings, engine: FaceEngine
) -> None:
    for portrait in enrolled(engine, people).index.portraits:
        (face,) = engine.find_faces(read_photo(people.dataset_dir / portrait.file))
        found = face.detection.landmarks.ravel()
        assert np.abs(np.subtract(portrait.landmarks, found)).max() <= 0.051  # rounded to 0.1
        assert portrait.crop_hash == crop_hash(face.detection.crop)
        assert is_same_photo(face.detection.crop, portrait.crop_hash)


def test_hashes_missing_in_a_cache_of_old_are_added_without_a_model(
    people: Settings, counting: CountingEngine
) -> None:
    new = enrolled(counting, people).index
    cache = load_cache(people.cache_path)
    photos = cache.packs["sface"].photos
    photos.update({key: replace(photo, crop_hash="") for key, photo in photos.items()})
    save_cache(cache, people.cache_path)
    without = rebuilt(people.cache_path, people).index
    assert {portrait.crop_hash for portrait in without.portraits} == {""}
    counting.seen()
    again = enrolled(counting, people).index
    assert counting.seen() == (0, 0)
    for ours, theirs in zip(new.portraits, again.portraits, strict=True):
        bits = int(ours.crop_hash, 16) ^ int(theirs.crop_hash, 16)
        assert bits.bit_count() <= 8  # of 256: landmarks are kept to 0.1 pixel
    stored = load_cache(people.cache_path).packs["sface"].photos.values()
    assert all(photo.crop_hash for photo in stored)


def test_second_run_embeds_nothing_and_gives_the_same(
    people: Settings, counting: CountingEngine
) -> None:
    first = enrolled(counting, people)
    assert counting.seen() == (12, 12)
    written = people.cache_path.read_bytes()
    second = enrolled(counting, people)
    assert counting.seen() == (0, 0)
    assert (second.photos, second.embedded) == (12, 0)
    assert_same_index(first.index, second.index)
    assert people.cache_path.read_bytes() == written


def test_only_what_is_new_or_changed_is_embedded(
    people: Settings, counting: CountingEngine
) -> None:
    enrolled(counting, people)
    counting.seen()
    dataset = people.dataset_dir

    fill_gallery(dataset, ["Astronaut"], photos=1)
    added = enrolled(counting, people)
    assert (counting.seen(), added.embedded, added.photos) == ((1, 1), 1, 13)

    ImageOps.flip(head("Bob").rotate(170)).save(dataset / "Bob" / "1.png")
    head("Cid").resize((400, 500)).save(dataset / "Cid" / "1.png")
    changed = enrolled(counting, people)
    assert (counting.seen()[0], changed.photos) == (2, 13)

    (dataset / "Ann").rename(dataset / "Anna")
    renamed = enrolled(counting, people)
    assert (counting.seen(), renamed.embedded) == ((0, 0), 0)
    assert "Anna" in renamed.index.actors
    assert "Ann" not in renamed.index.actors


def test_what_is_gone_is_dropped_from_index_and_cache(people: Settings, engine: FaceEngine) -> None:
    enrolled(engine, people)
    shutil.rmtree(people.dataset_dir / "Ann")
    (people.dataset_dir / "Bob" / "1.png").unlink()
    index = enrolled(engine, people).index
    cache = load_cache(people.cache_path)
    assert "Ann" not in index.actors
    assert len(index.portraits) == len(cache.packs["sface"].photos) == 9
    assert "Ann" not in cache.actors


def test_bad_photos_are_reported_and_stop_nothing(
    people: Settings, counting: CountingEngine
) -> None:
    dataset = people.dataset_dir
    for name in ("Nobody", "Crowd", "Trash"):
        (dataset / name).mkdir()
    Image.new("RGB", (300, 300), "white").save(dataset / "Nobody" / "blank.jpg")
    twice = Image.new("RGB", (500, 300))
    for left in (0, 250):
        twice.paste(head("Astronaut"), (left, 0))
    twice.save(dataset / "Crowd" / "two.png")
    (dataset / "Trash" / "text.jpg").write_text("I am no picture")
    (dataset / "Trash" / "empty.jpg").write_bytes(b"")
    (dataset / "Trash" / "cut.jpg").write_bytes((dataset / "Ann" / "1.png").read_bytes()[:900])
    (dataset / "Trash" / "folder.jpg").mkdir()  # named by the gallery: tests/gallery
    (dataset / "Trash" / "link.jpg").symlink_to(dataset / "nowhere.jpg")
    Image.new("1", (8000, 8000)).save(dataset / "Trash" / "large.png")
    shutil.copy(dataset / "Bob" / "1.png", dataset / "Bob" / "copy.png")

    for run in (1, 2):  # the second, from the cache, says the same
        enrolment = enrolled(counting, people)
        assert enrolment.index.info.left_out == {
            "Nobody/blank.jpg": "no_face",
            "Crowd/two.png": "several_faces",
            "Trash/text.jpg": "unreadable",
            "Trash/empty.jpg": "unreadable",
            "Trash/cut.jpg": "unreadable",
            "Trash/link.jpg": "unreadable",
            "Trash/large.png": "too_large",
            "Bob/copy.png": "duplicate",
        }
        assert enrolment.without_photo == ("Crowd", "Nobody", "Trash")
        assert enrolment.reasons["unreadable"] == 4
        assert len(enrolment.index.portraits) == 12
        assert (enrolment.photos, enrolment.embedded) == (20, 12 if run == 1 else 0)


def test_photo_too_large_is_tried_again_when_the_limit_is_raised(
    people: Settings, engine: FaceEngine
) -> None:
    tight = people.replaced(max_megapixels=0.03)
    assert enrol_large(engine, tight) == {"Astronaut/1.png": "too_large"}
    assert enrol_large(engine, people) == {}


def enrol_large(engine: FaceEngine, settings: Settings) -> dict[str, str]:
    """Six small photos, and one of 0.075 megapixels."""
    fill_gallery(settings.dataset_dir, ["Astronaut"], photos=1)
    for name in SIX_FACES:
        for path in (settings.dataset_dir / name).iterdir():
            with Image.open(path) as photo:
                photo.thumbnail((150, 170))
                photo.save(path)
    return enrolled(engine, settings).index.info.left_out


def test_gallery_without_a_usable_photo_is_refused(settings: Settings, engine: FaceEngine) -> None:
    (settings.dataset_dir / "Ann").mkdir()
    (settings.dataset_dir / "Ann" / "1.jpg").write_text("I am no picture")
    with pytest.raises(GalleryError, match="no photo of the gallery can be used"):
        enrolled(engine, settings)


def test_a_small_face_beside_the_subject_does_no_harm(people: Settings, engine: FaceEngine) -> None:
    photo = Image.new("RGB", (500, 300), "grey")
    photo.paste(head("Astronaut"), (0, 0))
    photo.paste(head("Eve").resize((100, 120)), (350, 100))
    (people.dataset_dir / "Astronaut").mkdir()
    photo.save(people.dataset_dir / "Astronaut" / "1.png")
    assert len(engine.detect(read_photo(people.dataset_dir / "Astronaut" / "1.png"))) == 2
    index = enrolled(engine, people).index
    assert index.info.left_out == {}
    (face,) = engine.find_faces(read_photo(ASTRONAUT))
    assert index.search(face.embedding, 1)[0].actor == "Astronaut"


def test_strangers_photo_in_an_actors_folder_is_a_likely_mislabel(
    settings: Settings, engine: FaceEngine
) -> None:
    fill_gallery(settings.dataset_dir, photos=3)
    head("Astronaut").save(settings.dataset_dir / "Ann" / "9.png")
    enrolment = enrolled(engine, settings)
    assert enrolment.index.info.left_out == {"Ann/9.png": "likely_mislabel"}


def test_two_folders_of_one_name_are_told(
    people: Settings, engine: FaceEngine, logged: pytest.LogCaptureFixture
) -> None:
    first, *_ = sorted(people.dataset_dir.iterdir())
    shutil.copytree(first, first.with_name(f" {first.name.upper()}_"))
    enrolled(engine, people)
    assert "look like one name" in logged.text
    assert repr(first.name) in logged.text


def test_interrupted_run_keeps_what_it_embedded(
    people: Settings, counting: CountingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.index.enrol, "BATCH", 4)

    def stop_at_the_tenth(photos: Any) -> Iterator[Any]:
        for number, photo in enumerate(photos, start=1):
            if number == 10:
                raise KeyboardInterrupt
            yield photo

    with pytest.raises(KeyboardInterrupt):
        enrolled(counting, people, progress=stop_at_the_tenth)
    assert counting.seen() == (9, 8)
    assert len(load_cache(people.cache_path).packs["sface"].photos) == 8
    again = enrolled(counting, people)
    assert (counting.seen(), again.embedded) == ((4, 4), 4)
    assert len(again.index.portraits) == 12


def test_other_detection_settings_embed_again(people: Settings, counting: CountingEngine) -> None:
    enrolled(counting, people)
    counting.seen()
    counting.options = DetectionOptions(min_face=25)
    assert enrolled(counting, people).index.info.detection["min_face"] == 25
    assert counting.seen() == (12, 12)


def test_other_weights_embed_again_and_other_packs_stay(
    people: Settings, counting: CountingEngine
) -> None:
    enrolled(counting, people)
    counting.seen()
    cache = load_cache(people.cache_path)
    cache.packs["auraface"] = replace(cache.packs["sface"], name="auraface")
    cache.packs["sface"] = replace(cache.packs["sface"], identity="sface-older")
    save_cache(cache, people.cache_path)
    enrolled(counting, people)
    assert counting.seen() == (12, 12)
    packs = load_cache(people.cache_path).packs
    assert packs["sface"].identity == counting.pack.identity
    assert len(packs["auraface"].photos) == 12


def test_damaged_cache_is_made_anew(
    people: Settings, counting: CountingEngine, logged: pytest.LogCaptureFixture
) -> None:
    people.cache_path.write_text("{")
    assert enrolled(counting, people).embedded == 12
    assert len(load_cache(people.cache_path).actors) == 6
    assert "the embeddings cache is made anew" in logged.messages[0]


def test_cache_that_cannot_be_written_costs_a_warning_not_the_index(
    people: Settings, engine: FaceEngine, logged: pytest.LogCaptureFixture
) -> None:
    (people.dataset_dir / "file").write_text("in the way")
    settings = people.replaced(cache_file=people.dataset_dir / "file" / "cache.json")
    assert len(enrolled(engine, settings).index.actors) == 6
    assert "cannot write" in logged.messages[0]


@pytest.fixture
def logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """The app's log from warnings up, wherever else it goes."""
    monkeypatch.setattr(log, "propagate", True)
    return caplog


@pytest.mark.parametrize("clusters", [1, 2])
def test_cache_alone_gives_the_same_index(
    clusters: int, settings: Settings, engine: FaceEngine
) -> None:
    fill_gallery(settings.dataset_dir, photos=3)
    head("Astronaut").save(settings.dataset_dir / "Ann" / "9.png")  # a mislabel, left out by both
    (settings.dataset_dir / "Bob" / "bad.jpg").write_text("I am no picture")
    built = enrolled(engine, settings, clusters=clusters)
    again = rebuilt(settings.cache_path, settings, clusters=clusters)
    assert len(built.index.templates) == 6 * clusters
    assert_same_index(built.index, again.index)
    assert (again.photos, again.embedded) == (20, 0)
    assert (again.reasons, again.without_photo) == (built.reasons, built.without_photo)


@pytest.fixture
def built_before(people: Settings, engine: FaceEngine) -> tuple[Settings, Enrolment]:
    return people, enrolled(engine, people)


def test_cache_without_its_photos_is_enough(built_before: tuple[Settings, Enrolment]) -> None:
    settings, built = built_before
    for name in SIX_FACES:
        shutil.rmtree(settings.dataset_dir / name)
    again = rebuilt(settings.cache_path, settings)
    assert np.array_equal(again.index.embeddings, built.index.embeddings)
    assert again.index.portraits == built.index.portraits


def test_index_of_a_cache_does_not_claim_photos_the_cache_lacks(
    built_before: tuple[Settings, Enrolment],
) -> None:
    """Else a start would take it for the index of the gallery as it is now."""
    settings, built = built_before
    fill_gallery(settings.dataset_dir, ["Astronaut"], photos=1)
    again = rebuilt(settings.cache_path, settings).index
    now = open_gallery(settings).listing
    assert again.info.listing not in (now, built.index.info.listing)


def test_cache_of_other_weights_or_packs_is_refused(
    built_before: tuple[Settings, Enrolment],
) -> None:
    settings, _ = built_before
    cache = load_cache(settings.cache_path)
    with pytest.raises(
        IndexRefusedError, match=r"no embeddings of pack auraface \(it has: sface\)"
    ):
        rebuilt(settings.cache_path, settings, pack="auraface")
    stored = cache.packs["sface"]
    cache.packs["sface"] = replace(stored, identity="sface-older")
    save_cache(cache, settings.cache_path)
    with pytest.raises(IndexRefusedError, match="other weights of pack sface"):
        rebuilt(settings.cache_path, settings)
    cache.packs, cache.latest = {"buffalo_l": replace(stored, name="buffalo_l")}, "buffalo_l"
    save_cache(cache, settings.cache_path)
    with pytest.raises(IndexRefusedError, match="no embeddings of pack buffalo_l"):
        rebuilt(settings.cache_path, settings)


def test_starter_gallery_becomes_an_index_at_once(settings: Settings) -> None:
    enrolment = rebuilt(settings.starter_path, settings)
    assert enrolment.index.info.source == "starter"
    assert len(enrolment.index.actors) == 712


@needs_shared
def test_real_gallery_finds_its_own_actors(small_gallery: Settings, engine: FaceEngine) -> None:
    enrolment = enrolled(engine, small_gallery)
    index = enrolment.index
    assert (len(index.actors), len(index.portraits), enrolment.reasons) == (4, 20, {})
    for embedding, actor in zip(index.embeddings, index.portrait_actor, strict=True):
        best, second = index.search(embedding, 2)
        assert best.actor == index.actors[actor]
        assert best.similarity > second.similarity + 0.2
