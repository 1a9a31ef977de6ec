"""A start finds or makes the index that fits the gallery, the weights and the settings."""

from __future__ import annotations

import io
import logging
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core.index.actor_index
import core.startup
from core.errors import IndexRefusedError, ModelError
from core.faces.engine import FaceEngine
from core.gallery.credits import Credit, stamped, write_credits
from core.gallery.photos import Gallery
from core.gallery.removals import Removals
from core.index.actor_index import ActorIndex, load_index, save_index
from core.index.embeddings_cache import load_cache, save_cache
from core.index.enrol import Enrolment, detection_settings, index_from_cache
from core.models.packs import PACKS
from core.settings import Settings
from core.startup import check_index, open_gallery, pack_for_photos, plan_start, start
from tests.conftest import ASTRONAUT, enrolled, rebuilt
from tests.index.test_enrol import fill_gallery, head
from tests.slowness import slowness

pytestmark = pytest.mark.usefixtures("no_hub", "logged")
THREE = ("Ann", "Bob", "Cid")


@pytest.fixture
def three_people(settings: Settings) -> Settings:
    fill_gallery(settings.dataset_dir, THREE, photos=1)
    return settings


@pytest.fixture
def started(three_people: Settings, engine: FaceEngine) -> Settings:
    """Settings of a gallery that was built and kept before."""
    save_index(enrolled(engine, three_people).index, three_people.index_path)
    return three_people


def written(path: Path) -> tuple[int, int]:
    """Which file this is, and when it was last written."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def change_index(settings: Settings, **info: object) -> None:
    index = load_index(settings.index_path)
    save_index(replace(index, info=replace(index.info, **info)), settings.index_path)


def auraface_index(settings: Settings) -> ActorIndex:
    """An index as AuraFace would make it, of made-up embeddings."""
    index = rebuilt(settings.starter_path, settings).index
    info = replace(
        index.info,
        pack="auraface",
        identity=PACKS["auraface"].identity,
        detection=detection_settings(settings.detection),
    )
    rows, templates = len(index.embeddings), len(index.templates)
    random = np.random.default_rng(0).normal(0, 1, (rows, 512)).astype(np.float32)
    return replace(index, info=info, embeddings=random, templates=random[:templates])


def test_empty_dataset_starts_with_the_starter_gallery(
    settings: Settings, logged: pytest.LogCaptureFixture
) -> None:
    finder = start(settings)
    assert len(finder.index.actors) == 712
    assert (finder.index.info.source, finder.notice) == ("starter", None)
    assert load_index(settings.index_path).info == finder.index.info
    assert "✅ Actor index ready: 712 actors" in logged.messages
    assert len(finder.find(ASTRONAUT).faces) == 1


def test_missing_dataset_folder_starts_with_the_starter_gallery(settings: Settings) -> None:
    finder = start(settings.replaced(dataset_dir=settings.dataset_dir / "new"))
    assert len(finder.index.actors) == 712


def test_starter_index_is_made_in_under_a_second(settings: Settings) -> None:
    seconds = []
    for _ in range(3):  # the quickest of three, where other work is going on
        started = time.perf_counter()
        save_index(rebuilt(settings.starter_path, settings).index, settings.index_path)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 1 * slowness()


def test_starter_index_is_kept_for_the_next_start(settings: Settings) -> None:
    start(settings)
    before = settings.index_path.stat().st_ino
    assert start(settings).index.info.source == "starter"
    assert settings.index_path.stat().st_ino == before


def test_new_starter_gallery_replaces_the_old_one(settings: Settings) -> None:
    """As after an update of the app."""
    start(settings)
    change_index(settings, listing="0123456789abcdef", built="before")
    assert start(settings).index.info.built != "before"


def test_photos_added_later_replace_the_starter_gallery(
    settings: Settings, logged: pytest.LogCaptureFixture
) -> None:
    start(settings)
    fill_gallery(settings.dataset_dir, THREE, photos=1)
    finder = start(settings)
    assert (finder.index.actors, finder.index.info.source) == (THREE, "gallery")
    assert any("the gallery has changed" in line for line in logged.messages)
    assert load_index(settings.index_path).actors == THREE


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_milestones_are_logged_in_the_owners_language(
    lang: str, three_people: Settings, logged: pytest.LogCaptureFixture
) -> None:
    start(three_people.replaced(lang=lang))
    expected = {
        "en": ["🔮 Loading SFace...", "✅ Actor index ready: 3 actors"],
        "ko": ["🔮 SFace 모델 로딩 중...", "✅ 배우 인덱스 생성 완료: 3명"],
    }
    assert [line for line in logged.messages if line[0] in "🔮✅"] == expected[lang]


def test_index_that_fits_is_used_as_it_is(
    started: Settings, logged: pytest.LogCaptureFixture
) -> None:
    before, cache_before = written(started.index_path), written(started.cache_path)
    finder = start(started)
    assert finder.index.info == load_index(started.index_path).info
    assert written(started.index_path) == before
    assert written(started.cache_path) == cache_before
    assert not any("anew" in line or "ready" in line for line in logged.messages)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-500]), "damaged or no index"),
        (lambda path: path.write_bytes(b"I am no index"), "damaged or no index"),
        (lambda path: path.write_bytes(b""), "damaged or no index"),
    ],
    ids=["truncated", "text", "empty"],
)
def test_damaged_index_is_built_again_and_the_log_says_so(
    damage: object, reason: str, started: Settings, logged: pytest.LogCaptureFixture
) -> None:
    damage(started.index_path)  # type: ignore[operator]
    assert start(started).index.actors == THREE
    assert load_index(started.index_path).actors == THREE
    (line,) = [line for line in logged.messages if "the index is built anew" in line]
    assert reason in line


def test_index_of_an_older_version_is_built_again_from_the_cached_embeddings(
    started: Settings, logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = load_index(started.index_path)
    with monkeypatch.context() as patch:
        patch.setattr(core.index.actor_index, "SCHEMA", 1)
        save_index(index, started.index_path)
    assert all(portrait.crop_hash for portrait in start(started).index.portraits)
    (line,) = [line for line in logged.messages if "the index is built anew" in line]
    assert "schema 1, this version reads 3" in line
    assert load_index(started.index_path).portraits == index.portraits


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"identity": "sface-older"}, "other weights of pack sface"),
        ({"pack": "buffalo_l"}, "buffalo_l, which this version does not know"),
        ({"detection": {"recipe": 0}}, "other detection settings"),
        ({"listing": "0123456789abcdef"}, "the gallery has changed"),
    ],
)
def test_index_that_does_not_fit_is_built_again_and_the_log_says_why(
    info: dict[str, object], reason: str, started: Settings, logged: pytest.LogCaptureFixture
) -> None:
    change_index(started, **info)
    finder = start(started)
    assert (finder.index.actors, finder.index.info.pack) == (THREE, "sface")
    (line,) = [line for line in logged.messages if "the index is built anew" in line]
    assert reason in line


def test_other_detection_settings_build_the_index_again(started: Settings) -> None:
    finder = start(started.replaced(min_face=25))
    assert finder.index.info.detection["min_face"] == 25


def test_other_detection_settings_keep_an_index_that_has_no_photos_to_be_made_of(
    settings: Settings,
) -> None:
    start(settings)
    before = settings.index_path.stat().st_mtime_ns
    assert start(settings.replaced(min_face=25)).index.info.source == "starter"
    assert settings.index_path.stat().st_mtime_ns == before


def test_new_credit_reaches_the_index(started: Settings) -> None:
    credit = "file,source,author,licence,licence_url\nAnn/1.png,s,Kim,CC0,u\n"
    (started.dataset_dir / "credits.csv").write_text(credit)
    assert start(started).index.portraits[0].credit.author == "Kim"


def test_deleted_row_leaves_the_credit_of_the_photo_and_the_next_start_uses_the_index(
    settings: Settings,
) -> None:
    fill_gallery(settings.dataset_dir, ("Bob",), photos=1)
    (settings.dataset_dir / "Ann").mkdir()
    stream = io.BytesIO()
    head("Ann").save(stream, "JPEG")
    in_photo, in_row = Credit("Kim", "CC0"), Credit("Kim Min-su", "CC BY 4.0")
    photo = settings.dataset_dir / "Ann" / "1.jpg"
    photo.write_bytes(stamped(stream.getvalue(), in_photo))
    table = settings.dataset_dir / "credits.csv"
    write_credits(table, {"Ann/1.jpg": in_row})
    assert start(settings).index.portraits[0].credit == in_row
    table.unlink()
    assert start(settings).index.portraits[0].credit == in_photo
    before = settings.index_path.stat().st_mtime_ns
    start(settings)
    assert settings.index_path.stat().st_mtime_ns == before
    photo.write_bytes(stamped(stream.getvalue(), Credit("", "")))
    finder = start(settings)
    assert finder.index.portraits[0].file == "Ann/1.jpg"
    assert [finder.portrait_path(one) for one in finder.index.portraits] == [
        None,
        settings.dataset_dir / "Bob" / "1.png",
    ]


def test_index_outlives_its_photos(started: Settings) -> None:
    """A platform may ship the index alone."""
    for name in THREE:
        shutil.rmtree(started.dataset_dir / name)
    started.cache_path.unlink()
    assert start(started).index.actors == THREE


def test_cache_alone_is_enough(started: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    index = load_index(started.index_path)
    made: list[Enrolment] = []

    def counted(*args: Any, **options: Any) -> Enrolment:
        made.append(index_from_cache(*args, **options))
        return made[-1]

    monkeypatch.setattr(core.startup, "index_from_cache", counted)
    for name in THREE:
        shutil.rmtree(started.dataset_dir / name)
    started.index_path.unlink()
    finder = start(started)
    assert finder.index.actors == THREE
    assert np.array_equal(finder.index.embeddings, index.embeddings)
    assert len(made) == 1  # not once to see and once to keep
    before = written(started.index_path)
    start(started)  # and its index is used by the next start
    assert written(started.index_path) == before


def test_index_made_from_the_cache_gives_way_to_photos_it_lacks(started: Settings) -> None:
    fill_gallery(started.dataset_dir, ["Dan"], photos=1)
    save_index(rebuilt(started.cache_path, started).index, started.index_path)
    assert start(started).index.actors == (*THREE, "Dan")


def test_cache_that_cannot_be_used_gives_way_to_the_starter_gallery(
    started: Settings, logged: pytest.LogCaptureFixture
) -> None:
    for name in THREE:
        shutil.rmtree(started.dataset_dir / name)
    started.index_path.unlink()
    cache = load_cache(started.cache_path)
    cache.packs["sface"] = replace(cache.packs["sface"], identity="sface-older")
    save_cache(cache, started.cache_path)
    assert start(started).index.info.source == "starter"
    assert any("the embeddings cache is not used" in line for line in logged.messages)


def test_pack_asked_for_by_name_replaces_an_index_of_another(
    started: Settings, logged: pytest.LogCaptureFixture
) -> None:
    save_index(auraface_index(started), started.index_path)
    finder = start(started.replaced(model_pack="sface"))
    assert (finder.index.info.pack, finder.index.actors) == ("sface", THREE)
    assert any("it is of pack auraface, sface is asked for" in line for line in logged.messages)


def test_pack_asked_for_by_name_and_not_to_be_had_is_an_error(started: Settings) -> None:
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        start(started.replaced(model_pack="auraface"))


def test_index_names_the_pack_that_a_start_uses(settings: Settings) -> None:
    save_index(auraface_index(settings), settings.index_path)
    plan = plan_start(settings, open_gallery(settings))
    assert (plan.pack, plan.index is not None) == ("auraface", True)


@pytest.mark.parametrize("names", [(), THREE])
def test_index_whose_pack_is_not_to_be_had_gives_way_with_a_notice(
    names: tuple[str, ...], settings: Settings, logged: pytest.LogCaptureFixture
) -> None:
    fill_gallery(settings.dataset_dir, names, photos=1)
    index = auraface_index(settings)
    if names:
        listing = open_gallery(settings).listing
        index = replace(index, info=replace(index.info, listing=listing, source="gallery"))
    save_index(index, settings.index_path)
    before = settings.index_path.read_bytes()
    finder = start(settings)
    assert (finder.engine.pack.name, finder.index.info.pack) == ("sface", "sface")
    assert len(finder.index.actors) == (3 if names else 712)
    assert "AuraFace-v1 is not to be had" in (finder.notice or "")
    assert finder.notice in logged.messages
    assert settings.index_path.read_bytes() == before  # it is right again when the Hub answers


def test_photos_are_enrolled_with_what_is_at_hand(settings: Settings) -> None:
    assert pack_for_photos(settings) == "sface"
    assert pack_for_photos(settings.replaced(model_pack="auraface")) == "auraface"


def test_index_that_cannot_be_kept_is_used_with_a_warning(
    three_people: Settings, logged: pytest.LogCaptureFixture
) -> None:
    """As in a read-only folder."""
    (three_people.dataset_dir / "file").write_text("in the way")
    settings = three_people.replaced(
        index_file=three_people.dataset_dir / "file" / "index.npz",
        cache_file=three_people.dataset_dir / "file" / "cache.json",
    )
    finder = start(settings)
    assert finder.index.actors == THREE
    warnings = [r.getMessage() for r in logged.records if r.levelno == logging.WARNING]
    assert any("the index is used, but will be built again" in line for line in warnings)


def test_index_is_checked_without_the_gallery_too(started: Settings) -> None:
    index, nobody = load_index(started.index_path), Gallery(started.dataset_dir, (), Removals())
    check_index(index, started, nobody)
    with pytest.raises(IndexRefusedError, match="auraface is asked for"):
        check_index(index, started.replaced(model_pack="auraface"), nobody)
