"""The owner's changes: dataset, tables, cache and index follow, and a kill spoils nothing."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

import core.upkeep.actors
from core.errors import GalleryError, StorageError, UnreadablePhotoError
from core.faces.engine import FaceEngine
from core.gallery.credits import Credit, read_credits, write_credits
from core.gallery.people import ActorEntry, read_actors, write_actors
from core.gallery.removals import load_removals, name_hash
from core.index.actor_index import load_index, save_index
from core.index.embeddings_cache import PackCache, load_cache, save_cache
from core.settings import Settings
from core.startup import check_index, open_gallery, plan_start
from core.upkeep.actors import add_photos, list_actors, remove_actor, rename_actor
from tests.conftest import ROOT, SIX_PEOPLE, enrolled, rebuilt
from tests.index.test_enrol import ARRAYS, fill_gallery, head

NAMES = ["Ann", "Bob", "Cid", "송강호"]


@pytest.fixture(scope="module")
def owned_once(
    tmp_path_factory: pytest.TempPathFactory, models_dir: Path, engine: FaceEngine
) -> Settings:
    """Four actors with two photos each, indexed; a starter gallery of two others beside."""
    folder = tmp_path_factory.mktemp("enrolled")
    starter, people = (
        load_cache(Settings().starter_path),
        read_actors(Settings().starter_people_path),
    )
    starter.actors = {name: starter.actors[name] for name in ("Brad Pitt", "Gal Gadot")}
    starter.forget_gone()
    settings = Settings(
        models_dir=models_dir,
        dataset_dir=folder / "dataset",
        starter_file=folder / "starter.json",
        removals_file=folder / "removals.json",
        model_pack="sface",
    )
    save_cache(starter, settings.starter_path)
    write_actors(settings.starter_people_path, [people[name] for name in starter.actors])
    settings.dataset_dir.mkdir()
    fill_gallery(settings.dataset_dir, NAMES)
    credits = {f"{name}/1.png": Credit(f"by {name}", "CC0") for name in NAMES}
    write_credits(settings.dataset_dir / "credits.csv", credits)
    rows = [ActorEntry(folder=name, name=name, wikidata=f"Q{len(name)}") for name in NAMES]
    write_actors(settings.people_path, rows)
    save_index(enrolled(engine, settings).index, settings.index_path)
    return settings


def moved(settings: Settings, to: Path) -> Settings:
    """A copy of the dataset and the committed files."""
    shutil.copytree(settings.dataset_dir.parent, to)
    return settings.replaced(
        dataset_dir=to / settings.dataset_dir.name,
        starter_file=to / settings.starter_path.name,
        removals_file=to / settings.removals_path.name,
    )


@pytest.fixture
def owned(owned_once: Settings, tmp_path: Path) -> Settings:
    return moved(owned_once, tmp_path / "owned")


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
        if path.is_file() and path.name != core.upkeep.actors.LOCK_FILE
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
    check_index(index, settings, open_gallery(settings))
    assert not list(settings.dataset_dir.rglob(".*.tmp"))


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
    assert [entry.actor for entry in listed] == ["Brad Pitt", "Gal Gadot"]
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
        ("text", "bad.png: cannot be read"),
        ("white", "bad.png: no face found"),
        ("group", "bad.png: several faces, none dominant"),
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
    outside = set(owned.dataset_dir.parent.iterdir())
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


def test_rename_mends_capitals(owned: Settings, engine: FaceEngine) -> None:
    assert rename_actor("Ann", "ANN", owned, no_engine) == "ANN"
    assert {entry.actor for entry in list_actors(owned)} == {"ANN", "Bob", "Cid", "송강호"}
    assert read_credits(owned.dataset_dir / "credits.csv")["ANN/1.png"].author == "by Ann"
    assert read_actors(owned.dataset_dir / "actors.csv")["ANN"].wikidata == "Q3"
    assert_like_a_rebuild(owned, engine)


def test_remove_takes_every_folder_that_looks_like_the_name(
    owned: Settings, engine: FaceEngine
) -> None:
    shutil.copytree(owned.dataset_dir / "Ann", owned.dataset_dir / "an\u200bn")
    assert remove_actor("Ann", owned, no_engine) == "Ann"
    assert not [path for path in owned.dataset_dir.iterdir() if "nn" in path.name]
    with pytest.raises(GalleryError, match="was taken out for good"):
        rename_actor("Bob", "_ANN ", owned, no_engine)


def test_rename_never_takes_anothers_name(owned: Settings) -> None:
    before = state(owned)
    with pytest.raises(GalleryError, match="is called that already"):
        rename_actor("Ann", "Ann", owned, no_engine)
    for new in ("Bob", "bob", "B\u200bob", "Bob."):
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
    other = PackCache("auraface", "x", found.dimension, {}, {}, dict(found.photos))
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
    assert actors_of_a_start(owned) == ("Brad Pitt", "Gal Gadot")


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
    assert not owned.index_path.exists()
    assert actors_of_a_start(owned) == ("Brad Pitt",)
    with pytest.raises(GalleryError, match="taken out for good; to undo that, delete the line"):
        add_photos("Gal Gadot", [picture("Dan", tmp_path)], owned, make_engine)
    entry = name_hash("Gal Gadot")
    kept = [line for line in owned.removals_path.read_text().splitlines() if entry not in line]
    owned.removals_path.write_text("\n".join(kept))
    assert add_photos("Gal Gadot", [tmp_path / "new.png"], owned, make_engine) == "Gal Gadot"


class Killed(BaseException):
    """Nothing is caught by this name in the program."""


class Kill:
    """Ends the program before a change on disk: a file taking its place, a folder going, ...

    From then on no further change comes about, as nothing cleans up after a process that is gone.
    """

    EVENTS = ("os.rename", "os.remove", "os.mkdir", "shutil.rmtree")

    def __init__(self) -> None:
        self.left: int | None = None  # changes until the end; None: no end
        sys.addaudithook(self)  # for good: there is no way to remove one

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.left is None or event not in self.EVENTS or self._is_nothing(event, *args):
            return
        if self.left == 0:
            raise Killed
        self.left -= 1

    def _is_nothing(self, event: str, path: object, *rest: object) -> bool:
        """Asked for, and no change: the folder is there, the file is not, or it is the lock."""
        if str(path).endswith(core.upkeep.actors.LOCK_FILE):
            return True
        if event == "os.remove" and rest == (-1,):  # by its whole path
            return not os.path.lexists(str(path))
        return event == "os.mkdir" and os.path.lexists(str(path))

    @contextmanager
    def after(self, changes: int) -> Iterator[None]:
        self.left = changes
        try:
            yield
        finally:
            self.left = None


@pytest.fixture(scope="module")
def kill() -> Kill:
    return Kill()


def without_photos(owned: Settings, to: Path) -> Settings:
    """Embeddings alone, in a dataset folder of their own."""
    to.mkdir()
    shutil.copyfile(owned.cache_path, to / "embeddings.json")
    return owned.replaced(dataset_dir=to)


def ended(settings: Settings) -> dict[str, object]:
    """What is there after a change, apart from when it was made and what a kill left hidden."""
    files: dict[str, object] = {
        path: content
        for path, content in state(settings).items()
        if not Path(path).name.startswith(".") and not path.endswith(".npz")
    }
    if settings.index_path.exists():
        index = load_index(settings.index_path)
        files["index"] = (index.actors, index.portraits, index.templates.tobytes())
        files["info"] = replace(index.info, built="")
    return files


Change = Callable[[Settings], str]


def changes(
    make_engine: Callable[[str], FaceEngine], tmp_path: Path
) -> dict[str, tuple[Change, str]]:
    """Each with the name of someone who is not to be met again."""
    photos = [picture("Dan", tmp_path, "dan.png"), tmp_path / "smaller.png"]
    head("Dan").resize((200, 250)).save(photos[1])
    return {
        "add": (lambda s: add_photos("Dan/Dee", photos, s, make_engine), ""),
        "rename": (lambda s: rename_actor("ann", "Zoe/Z", s, no_engine), ""),
        "remove": (lambda s: remove_actor("bob", s, no_engine), "Bob"),
        "remove by another name": (lambda s: remove_actor("갤 가돗", s, no_engine), "Gal Gadot"),
        "remove from embeddings alone": (lambda s: remove_actor("Cid", s, no_engine), "Cid"),
    }


@pytest.mark.parametrize(
    "kind",
    ["add", "rename", "remove", "remove by another name", "remove from embeddings alone"],
)
def test_after_a_kill_at_any_step_the_same_command_ends_the_job(
    kind: str,
    owned: Settings,
    make_engine: Callable[[str], FaceEngine],
    engine: FaceEngine,
    kill: Kill,
    tmp_path: Path,
) -> None:
    (tmp_path / "photos").mkdir()
    change, gone = changes(make_engine, tmp_path / "photos")[kind]
    before = owned
    if kind == "remove from embeddings alone":
        before = without_photos(before, before.dataset_dir.parent / "alone")
    whole = moved(before, tmp_path / "whole")
    change(whole)
    for steps in range(30):
        settings = moved(before, tmp_path / f"killed {steps}")
        try:
            with kill.after(steps):
                change(settings)
        except Killed:
            assert gone not in actors_of_a_start(settings) or steps == 0
            change(settings)
            assert ended(settings) == ended(whole), steps
        else:
            break
    assert 2 <= steps < 29


def actors_of_a_start(settings: Settings) -> tuple[str, ...]:
    """Whom a start would compare visitors with."""
    gallery = open_gallery(settings)
    plan = plan_start(settings, gallery)
    if plan.index is not None:
        return plan.index.actors
    return tuple({photo.actor for photo in gallery.photos if photo.actor not in gallery.removals})


@pytest.mark.slow
def test_a_killed_process_leaves_a_job_that_can_be_ended(
    owned: Settings, engine: FaceEngine
) -> None:
    """SIGKILL after the folder was renamed, before its old rows went."""
    script = f"""
import os, signal
from pathlib import Path
from core.settings import Settings
import core.upkeep.actors as actors
actors._drop_rows = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
settings = Settings(**{owned.model_dump(mode="json")!r})
actors.rename_actor("Ann", "Zoe", settings, None)
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert run.returncode == -signal.SIGKILL
    assert (owned.dataset_dir / "Zoe" / "1.png").is_file()
    assert rename_actor("Ann", "Zoe", owned, no_engine) == "Zoe"
    assert set(read_actors(owned.people_path)) == {"Bob", "Cid", "Zoe", "송강호"}
    assert_like_a_rebuild(owned, engine)


def test_a_full_disk_is_told_in_one_sentence_and_the_job_can_be_ended(
    owned: Settings, engine: FaceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(StorageError, match="No space left"):
        patch.setattr(core.upkeep.actors, "keep", full)
        remove_actor("Bob", owned, no_engine)
    assert remove_actor("Bob", owned, no_engine) == "Bob"
    assert_like_a_rebuild(owned, engine)


def test_two_changes_at_once_are_refused(owned: Settings) -> None:
    with (
        FileLock(owned.dataset_dir / core.upkeep.actors.LOCK_FILE),
        pytest.raises(StorageError, match="being changed by another run"),
    ):
        rename_actor("Ann", "Zoe", owned, no_engine)
