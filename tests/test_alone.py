"""The recogniser works alone where the package of the second network is missing, and says so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.answer import health_json
from core.errors import IndexRefusedError
from core.faces.engine import FaceEngine
from core.index.actor_index import load_index, save_index
from core.index.embeddings_cache import load_cache, save_cache
from core.models.install import WITHOUT_SECOND, InstalledPack, ensure_models, pack_to_be_had
from core.models.packs import PACKS
from core.settings import Settings
from core.startup import check_index, open_gallery, plan_start, start
from core.upkeep.actors import add_photos, rename_actor
from core.upkeep.check import check_gallery
from tests.conftest import ASTRONAUT, enrolled, rebuilt, take_second_network_away
from tests.index.test_enrol import CountingEngine, fill_gallery, head

pytestmark = pytest.mark.usefixtures("no_hub")
WHOLE = PACKS["sface"]
ALONE = WHOLE.alone
assert ALONE is not None
THREE = ("Ann", "Bob", "Cid")


@pytest.fixture
def here(settings: Settings, alone_pack: InstalledPack, tmp_path: Path) -> Settings:
    """An empty dataset, and a models folder in which the recogniser's part is made already."""
    shutil.copytree(alone_pack.folder, tmp_path / "models" / alone_pack.folder.name)
    return settings.replaced(models_dir=tmp_path / "models")


@pytest.fixture
def without_second(monkeypatch: pytest.MonkeyPatch) -> None:
    take_second_network_away(monkeypatch)


@pytest.fixture
def three_people(here: Settings) -> Settings:
    fill_gallery(here.dataset_dir, THREE)
    return here


@pytest.mark.usefixtures("without_second")
def test_the_recognisers_pack_is_given_with_a_warning(
    tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    installed = ensure_models(Settings(models_dir=tmp_path), "sface")
    assert (installed.pack, installed.warning) == (ALONE, WITHOUT_SECOND)
    assert installed.pack.dimension == WHOLE.recogniser.dimension
    assert WITHOUT_SECOND in logged.messages
    assert {path.name for path in installed.folder.glob("*.onnx")} == {
        "detector.onnx",
        WHOLE.recogniser.file,
    }


@pytest.mark.usefixtures("without_second")
def test_a_whole_pack_that_was_made_before_is_used(engine: FaceEngine, models_dir: Path) -> None:
    settings = Settings(models_dir=models_dir)
    assert pack_to_be_had("sface", settings) == engine.pack
    assert ensure_models(settings, "sface").warning is None


@pytest.mark.usefixtures("without_second")
def test_where_auraface_is_missing_too_both_are_told(here: Settings) -> None:
    installed = ensure_models(here, "auto")
    assert installed.pack == ALONE
    assert "AuraFace-v1 is not to be had" in (installed.warning or "")
    assert (installed.warning or "").endswith(WITHOUT_SECOND)


@pytest.mark.usefixtures("without_second")
def test_the_starter_gallery_is_cut_and_a_start_says_so(here: Settings) -> None:
    finder = start(here)
    index = finder.index
    assert (len(index.actors), index.info.pack) == (712, ALONE.name)
    assert (finder.notice, health_json(finder)["warning"]) == (WITHOUT_SECOND, WITHOUT_SECOND)
    assert index.embeddings.shape == (1942, ALONE.dimension)
    assert np.allclose(np.linalg.norm(index.embeddings, axis=1), 1, atol=1e-5)
    assert len(finder.find(ASTRONAUT).faces[0].matches) == 5
    again = plan_start(here, open_gallery(here))
    assert (again.new, again.pack) == (False, ALONE.name)


def test_a_start_with_both_networks_warns_of_nothing(
    settings: Settings, sface: InstalledPack
) -> None:
    assert health_json(start(settings))["warning"] is None


@pytest.mark.usefixtures("without_second")
def test_an_index_of_the_whole_pack_is_refused_and_its_cache_cut_not_embedded_again(
    three_people: Settings,
    engine: FaceEngine,
    monkeypatch: pytest.MonkeyPatch,
    logged: pytest.LogCaptureFixture,
) -> None:
    whole = enrolled(engine, three_people).index
    save_index(whole, three_people.index_path)
    with pytest.raises(IndexRefusedError, match="the second network of pack sface is not to be"):
        check_index(whole, three_people, open_gallery(three_people))
    monkeypatch.setattr(FaceEngine, "embed", lambda *_: pytest.fail("a photo was embedded"))
    finder = start(three_people)
    assert any("the second network of pack sface is not" in line for line in logged.messages)
    assert (finder.index.info.pack, finder.index.actors) == (ALONE.name, THREE)
    assert load_index(three_people.index_path).info == finder.index.info
    parts = whole.embeddings[:, : ALONE.dimension]
    expected = parts / np.linalg.norm(parts, axis=1, keepdims=True)
    assert np.allclose(finder.index.embeddings, expected, atol=1e-6)


@pytest.mark.usefixtures("without_second")
def test_a_cut_embedding_is_what_the_recogniser_alone_makes(
    three_people: Settings, engine: FaceEngine, alone: FaceEngine
) -> None:
    enrolled(engine, three_people)
    cut = enrolled(alone, three_people).index
    fresh = enrolled(
        alone, three_people.replaced(cache_file=three_people.dataset_dir / "new.json")
    ).index
    assert np.allclose(cut.embeddings, fresh.embeddings, atol=1e-4)


@pytest.mark.usefixtures("without_second")
def test_a_new_photo_alone_is_embedded_and_the_others_are_cut(
    three_people: Settings, engine: FaceEngine, alone_pack: InstalledPack
) -> None:
    enrolled(engine, three_people)
    fill_gallery(three_people.dataset_dir, ["Dan"], photos=1)
    counting = CountingEngine(alone_pack, threads=1)
    assert enrolled(counting, three_people).embedded == 1
    assert counting.seen() == (1, 1)
    assert set(load_cache(three_people.cache_path).packs) == {"sface", ALONE.name}


def test_cache_of_other_weights_is_not_cut(
    three_people: Settings, engine: FaceEngine, alone_pack: InstalledPack
) -> None:
    enrolled(engine, three_people)
    cache = load_cache(three_people.cache_path)
    cache.packs["sface"] = replace(cache.packs["sface"], identity="sface-older")
    save_cache(cache, three_people.cache_path)
    counting = CountingEngine(alone_pack, threads=1)
    assert enrolled(counting, three_people).embedded == 6


def test_when_the_second_network_is_back_the_whole_pack_is_made_and_photos_indexed_anew(
    three_people: Settings, logged: pytest.LogCaptureFixture
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        take_second_network_away(patch)
        assert start(three_people).index.info.pack == ALONE.name
    finder = start(three_people)
    assert (finder.engine.pack, finder.notice) == (WHOLE, None)
    assert (finder.index.info.pack, finder.index.actors) == ("sface", THREE)
    assert finder.index.embeddings.shape == (6, WHOLE.dimension)
    assert any("without the second network, which is here now" in line for line in logged.messages)


def test_when_the_second_network_is_back_the_starter_gallery_is_whole_again(
    here: Settings,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        take_second_network_away(patch)
        start(here)
    plan = plan_start(here, open_gallery(here))
    assert (plan.pack, plan.new) == ("sface", True)


def test_an_index_without_its_photos_stays_when_the_second_network_is_back(
    three_people: Settings, alone: FaceEngine
) -> None:
    save_index(enrolled(alone, three_people).index, three_people.index_path)
    for name in THREE:
        shutil.rmtree(three_people.dataset_dir / name)
    plan = plan_start(three_people, open_gallery(three_people))
    assert (plan.pack, plan.new) == (ALONE.name, False)


@pytest.mark.usefixtures("without_second")
def test_the_gallery_is_checked_by_the_recogniser_alone(here: Settings, alone: FaceEngine) -> None:
    fill_gallery(here.dataset_dir, THREE, photos=3)
    head("Astronaut").save(here.dataset_dir / "Ann" / "9.png")
    faults = check_gallery(alone, here).faults
    assert [f.file for f in faults if f.reason == "likely_mislabel"] == ["Ann/9.png"]


def test_an_owner_adds_and_renames_alone_and_keeps_the_looks_of_the_index(
    three_people: Settings, alone: FaceEngine, tmp_path: Path
) -> None:
    settings = three_people.replaced(model_pack="sface")
    photo = tmp_path / "dan.png"
    head("Dan").save(photo)
    with pytest.MonkeyPatch.context() as patch:
        take_second_network_away(patch)
        save_index(enrolled(alone, settings, clusters=2).index, settings.index_path)
        assert add_photos("Dan", [photo], settings, {ALONE.name: alone}.__getitem__) == "Dan"
        assert rename_actor("Dan", "Daniel", settings, {}.__getitem__) == "Daniel"
        index = load_index(settings.index_path)
        check_index(index, settings, open_gallery(settings))
    assert (index.info.pack, index.info.clusters) == (ALONE.name, 2)
    assert index.actors == (*THREE, "Daniel")


@pytest.mark.usefixtures("without_second")
def test_an_owner_adds_to_a_gallery_of_both_networks_alone(
    three_people: Settings, engine: FaceEngine, alone: FaceEngine, tmp_path: Path
) -> None:
    save_index(enrolled(engine, three_people).index, three_people.index_path)
    photo = tmp_path / "dan.png"
    head("Dan").save(photo)
    add_photos("Dan", [photo], three_people, {ALONE.name: alone}.__getitem__)
    index = load_index(three_people.index_path)
    assert (index.info.pack, len(index.portraits)) == (ALONE.name, 7)
    assert rebuilt(three_people.cache_path, three_people).index.info.pack == ALONE.name
