"""The owner's changes: dataset, cache and index go together, or nothing does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import core.upkeep.actors
import core.upkeep.swap
from core.errors import GalleryError, LookalikeError, StorageError, UnreadablePhotoError
from core.faces.engine import FaceEngine
from core.gallery.credits import Credit, read_credits, write_credits
from core.gallery.people import ActorEntry, read_actors, write_actors
from core.gallery.removals import load_removals, name_hash
from core.index.actor_index import load_index, save_index
from core.index.embeddings_cache import PackCache, load_cache, save_cache
from core.settings import Settings
from core.startup import plan_start
from core.upkeep.actors import add_photos, list_actors, remove_actor, rename_actor
from tests.conftest import SIX_PEOPLE, enrolled, rebuilt
from tests.index.test_enrol import ARRAYS, fill_gallery, head

NAMES = ["Ann", "Bob", "Cid", "송강호"]


@pytest.fixture
def owned(settings: Settings, engine: FaceEngine, tmp_path: Path) -> Settings:
    """Four actors with two photos each, indexed; copies of the committed files beside."""
    starter = tmp_path / "starter.json"
    shutil.copyfile(settings.starter_path, starter)
    shutil.copyfile(settings.starter_people_path, tmp_path / "starter_actors.csv")
    settings = settings.replaced(
        starter_file=starter,
        removals_file=tmp_path / "removals.json",
        model_pack="sface",
    )
    fill_gallery(settings.dataset_dir, NAMES)
    credits = {f"{name}/1.png": Credit(f"by {name}", "CC0") for name in NAMES}
    write_credits(settings.dataset_dir / "credits.csv", credits)
    rows = [ActorEntry(folder=name, name=name, wikidata=f"Q{len(name)}") for name in NAMES]
    write_actors(settings.dataset_dir / "actors.csv", rows)
    save_index(enrolled(engine, settings).index, settings.index_path)
    return settings


@pytest.fixture
def make_engine(engine: FaceEngine) -> Callable[[str], FaceEngine]:
    return lambda pack: engine


def no_engine(pack: str) -> FaceEngine:
    raise AssertionError(f"pack {pack} was loaded")


def state(settings: Settings) -> dict[str, bytes]:
    """Every file of the dataset and the committed files, byte for byte."""
    folder = settings.dataset_dir.parent
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != core.upkeep.swap.LOCK
    }


def assert_like_a_rebuild(settings: Settings, engine: FaceEngine) -> None:
    """The index on disk is what a rebuild with nothing to go by would give, and is used."""
    index = load_index(settings.index_path)
    fresh = enrolled(engine, settings.replaced(cache_file=settings.dataset_dir / "new.json"))
    for name in ARRAYS:
        assert np.array_equal(getattr(index, name), getattr(fresh.index, name)), name
    assert (index.actors, index.portraits) == (fresh.index.actors, fresh.index.portraits)
    assert replace(index.info, built="") == replace(fresh.index.info, built="")
    cached = rebuilt(settings.cache_path, settings).index
    assert np.array_equal(cached.templates, index.templates)
    assert plan_start(settings).index is not None
    assert not list(settings.dataset_dir.rglob(".roster-*"))


def picture(name: str, tmp_path: Path, file: str = "new.png") -> Path:
    path = tmp_path / file
    head(name).save(path)
    return path


def test_list_counts_photos(owned: Settings) -> None:
    assert [(e.actor, e.photos, e.source) for e in list_actors(owned)] == [
        (name, 2, "gallery") for name in NAMES
    ]


def test_without_photos_the_starter_gallery_is_listed(owned: Settings) -> None:
    empty = owned.replaced(dataset_dir=owned.dataset_dir.parent / "empty")
    listed = list_actors(empty)
    assert len(listed) > 390
    assert {entry.source for entry in listed} == {"starter"}


def test_a_new_actor_is_added(
    owned: Settings, engine: FaceEngine, make_engine: Callable[[str], FaceEngine], tmp_path: Path
) -> None:
    photo = picture("Dan", tmp_path)
    assert add_photos("Dan/Dee", [photo], owned, make_engine) == "Dan∕Dee"
    assert (owned.dataset_dir / "Dan∕Dee" / "1.png").read_bytes() == photo.read_bytes()
    assert read_actors(owned.dataset_dir / "actors.csv")["Dan∕Dee"].name == "Dan/Dee"
    assert_like_a_rebuild(owned, engine)


def test_a_known_actor_gets_a_further_photo(
    owned: Settings, engine: FaceEngine, make_engine: Callable[[str], FaceEngine], tmp_path: Path
) -> None:
    photo = tmp_path / "new.JPEG"
    head("Ann").resize((300, 380)).save(photo)
    assert add_photos("ann", [photo], owned, make_engine) == "Ann"
    assert (owned.dataset_dir / "Ann" / "3.jpeg").is_file()
    assert load_index(owned.index_path).portrait_actor.tolist().count(0) == 3
    assert_like_a_rebuild(owned, engine)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("text", "bad.png cannot be read"),
        ("white", "bad.png shows no face"),
        ("group", "bad.png shows several faces"),
        ("stranger", "bad.png is unlike Ann's photos"),
        ("again", "bad.png is among Ann's photos already"),
        ("missing", "bad.png: no such file"),
    ],
)
def test_one_bad_photo_refuses_the_whole_add(
    kind: str,
    said: str,
    owned: Settings,
    make_engine: Callable[[str], FaceEngine],
    tmp_path: Path,
) -> None:
    good = tmp_path / "good.png"
    head("Ann").resize((300, 380)).save(good)
    bad = tmp_path / "bad.png"
    if kind == "text":
        bad.write_bytes(b"no picture")
    elif kind == "white":
        Image.new("RGB", (200, 200), "white").save(bad)
    elif kind == "group":
        shutil.copyfile(SIX_PEOPLE, bad)
    elif kind == "stranger":
        picture("Bob", tmp_path, "bad.png")
    elif kind == "again":
        shutil.copyfile(owned.dataset_dir / "Ann" / "1.png", bad)
    before = state(owned)
    with pytest.raises((GalleryError, UnreadablePhotoError), match=said):
        add_photos("Ann", [good, bad], owned, make_engine)
    assert state(owned) == before


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "..\\evil", "....//evil"])
def test_no_name_leads_out_of_the_dataset(
    name: str, owned: Settings, make_engine: Callable[[str], FaceEngine], tmp_path: Path
) -> None:
    outside = set(owned.dataset_dir.parent.iterdir()) | {tmp_path / "new.png"}
    actor = add_photos(name, [picture("Dan", tmp_path)], owned, make_engine)
    assert (owned.dataset_dir / actor).resolve().parent == owned.dataset_dir.resolve()
    rename_actor("Bob", f"{name}2", owned, no_engine)
    for unknown in ("..", "../dataset", ".", str(owned.dataset_dir)):
        with pytest.raises(GalleryError):
            remove_actor(unknown, owned, no_engine)
    assert set(owned.dataset_dir.parent.iterdir()) == outside


def test_rename_embeds_nothing_and_tables_follow(owned: Settings, engine: FaceEngine) -> None:
    assert rename_actor("송강호", "Song Kang-ho", owned, no_engine) == "Song Kang-ho"
    assert not (owned.dataset_dir / "송강호").exists()
    assert {entry.actor for entry in list_actors(owned)} == {"Ann", "Bob", "Cid", "Song Kang-ho"}
    credits = read_credits(owned.dataset_dir / "credits.csv")
    assert credits["Song Kang-ho/1.png"].author == "by 송강호"
    assert len(credits) == 4
    entries = read_actors(owned.dataset_dir / "actors.csv")
    assert entries["Song Kang-ho"].wikidata == "Q3"
    assert "송강호" not in entries
    assert_like_a_rebuild(owned, engine)


def test_rename_never_takes_anothers_name(owned: Settings) -> None:
    before = state(owned)
    for new in ("Bob", "bob", "Ann"):
        with pytest.raises(GalleryError, match="in the gallery already"):
            rename_actor("Ann", new, owned, no_engine)
    with pytest.raises(GalleryError, match="nobody here is called Zed"):
        rename_actor("Zed", "Zoe", owned, no_engine)
    with pytest.raises(GalleryError, match="no folder of photos"):
        rename_actor("Gal Gadot", "Zoe", owned, no_engine)
    assert state(owned) == before


def test_remove_leaves_nothing_of_a_person(owned: Settings, engine: FaceEngine) -> None:
    cache = load_cache(owned.cache_path)
    found = cache.packs["sface"]
    other = PackCache("auraface", "x", 128, {}, {}, dict(found.photos))
    save_cache(replace(cache, packs={**cache.packs, "auraface": other}), owned.cache_path)
    (owned.dataset_dir / "contact_sheet.html").write_text("Ann")
    gone = {entry.sha256 for entry in cache.actors["Ann"]}
    vectors = [found.photos[key].embedding for key in gone]
    hashes = {found.photos[key].crop_hash for key in gone}
    assert remove_actor("ann", owned, no_engine) == "Ann"
    for path, content in state(owned).items():
        assert b"Ann" not in content or "starter" in path, path
        assert not path.startswith("dataset/Ann")
    after = load_cache(owned.cache_path)
    for pack in after.packs.values():
        assert len(pack.photos) == 6
        assert not gone & pack.photos.keys()
    index = load_index(owned.index_path)
    assert not any((index.embeddings == vector).all(axis=1).any() for vector in vectors)
    assert all(hashes)
    assert not hashes & {portrait.crop_hash for portrait in index.portraits}
    assert not any(value in owned.cache_path.read_text("utf-8") for value in hashes)
    assert "Ann/1.png" not in read_credits(owned.dataset_dir / "credits.csv")
    assert "Ann" not in read_actors(owned.dataset_dir / "actors.csv")
    assert_like_a_rebuild(owned, engine)


def test_the_last_actor_removed_leaves_no_cache_and_no_index(owned: Settings) -> None:
    for name in NAMES:
        remove_actor(name, owned, no_engine)
    assert not owned.cache_path.exists()
    assert not owned.index_path.exists()
    assert plan_start(owned).source == "starter"


def test_a_starter_actor_is_removed_by_the_korean_name_with_all_that_is_known_of_her(
    owned: Settings, tmp_path: Path
) -> None:
    owned = owned.replaced(dataset_dir=tmp_path / "other", index_file=tmp_path / "other.npz")
    before = read_actors(owned.starter_people_path)
    assert remove_actor("갤 가돗", owned, no_engine) == "Gal Gadot"
    after = read_actors(owned.starter_people_path)
    assert set(before) - set(after) == {"Gal Gadot"}
    assert "Gal Gadot" not in load_cache(owned.starter_path).actors
    removals = load_removals(owned.removals_path)
    assert "갤 가돗" in removals
    assert "Gal Gadot" in removals


def test_a_removed_person_leaves_the_starter_gallery_for_good(
    owned: Settings, make_engine: Callable[[str], FaceEngine], tmp_path: Path
) -> None:
    owned = owned.replaced(dataset_dir=tmp_path / "other")
    save_index(rebuilt(owned.starter_path, owned).index, tmp_path / "other.npz")
    owned = owned.replaced(index_file=tmp_path / "other.npz")
    before = load_cache(owned.starter_path)
    gone = {entry.sha256 for entry in before.actors["Gal Gadot"]}
    remove_actor("gal gadot", owned, no_engine)
    after = load_cache(owned.starter_path)
    assert set(before.actors) - set(after.actors) == {"Gal Gadot"}
    removed = before.packs["sface"].photos.keys() - after.packs["sface"].photos.keys()
    assert removed == gone
    assert "Gadot" not in owned.removals_path.read_text()
    index = load_index(owned.index_path)
    fresh = rebuilt(owned.starter_path, owned).index
    assert "Gal Gadot" not in index.actors
    assert replace(index.info, built="") == replace(fresh.info, built="")
    assert np.array_equal(index.templates, fresh.templates)
    assert plan_start(owned).index is not None
    with pytest.raises(GalleryError, match="taken out for good; to undo that, delete the line"):
        add_photos("Gal Gadot", [picture("Dan", tmp_path)], owned, make_engine)
    entry = name_hash("Gal Gadot")
    kept = [line for line in owned.removals_path.read_text().splitlines() if entry not in line]
    owned.removals_path.write_text("\n".join(kept))
    assert add_photos("Gal Gadot", [tmp_path / "new.png"], owned, make_engine) == "Gal Gadot"


def changes(owned: Settings, make_engine: Callable[[str], FaceEngine], tmp_path: Path) -> list:
    photo = picture("Dan", tmp_path)
    return [
        lambda: add_photos("Dan", [photo], owned, make_engine),
        lambda: rename_actor("Ann", "Zoe", owned, no_engine),
        lambda: remove_actor("Gal Gadot", owned, no_engine),
        lambda: remove_actor("Bob", owned, no_engine),
    ]


def test_a_full_disk_while_staging_changes_nothing(
    owned: Settings,
    make_engine: Callable[[str], FaceEngine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*args: object) -> None:
        raise StorageError("cannot write: no space left")

    for name in ("save_index", "save_cache"):
        for change in changes(owned, make_engine, tmp_path):
            before = state(owned)
            with monkeypatch.context() as patch, pytest.raises(LookalikeError):
                patch.setattr(core.upkeep.actors, name, full)
                change()
            assert state(owned) == before


def test_a_failure_at_any_rename_puts_back_what_was(
    owned: Settings,
    make_engine: Callable[[str], FaceEngine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    do = core.upkeep.swap.Step.do
    for change in changes(owned, make_engine, tmp_path):
        before = state(owned)
        for last in range(20):
            done = []

            def some(step: core.upkeep.swap.Step, last: int = last, done: list = done) -> None:
                if len(done) == last:
                    raise OSError("the disk is gone")
                done.append(step)
                do(step)

            with monkeypatch.context() as patch:
                patch.setattr(core.upkeep.swap.Step, "do", some)
                try:
                    change()
                except StorageError:
                    assert state(owned) == before
                else:
                    break
        assert last >= 3
        assert state(owned) != before


def test_a_kill_midway_is_put_right_by_the_next_change(
    owned: Settings, engine: FaceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(owned)
    do, done = core.upkeep.swap.Step.do, []

    def some(step: core.upkeep.swap.Step) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(step)
        do(step)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(core.upkeep.swap.Step, "do", some)
        patch.setattr(
            core.upkeep.swap.Swap, "undo", lambda swap: None
        )  # as if the process were gone
        rename_actor("Ann", "Zoe", owned, no_engine)
    assert state(owned) != before
    rename_actor("Bob", "Zed", owned, no_engine)
    assert {entry.actor for entry in list_actors(owned)} == {"Ann", "Cid", "Zed", "송강호"}
    assert_like_a_rebuild(owned, engine)


def test_two_changes_at_once_are_refused(owned: Settings) -> None:
    with (
        core.upkeep.swap.all_or_nothing(owned.dataset_dir),
        pytest.raises(StorageError, match="being changed by another run"),
    ):
        rename_actor("Ann", "Zoe", owned, no_engine)
