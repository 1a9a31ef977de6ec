"""An index in Milvus answers as the one in memory does, and is changed whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core.index.milvus.search
from core.errors import IndexRefusedError, IndexServerError, StorageError
from core.faces.engine import FaceEngine
from core.faces.framing import in_frame
from core.faces.parts import embed_covered
from core.faces.photo import read_photo
from core.gallery.photos import Portrait
from core.index.actor_index import ActorIndex, IndexInfo
from core.index.alike import what_is_alike
from core.index.kept import drop_kept, is_kept, keep, load_kept, place_of
from core.index.milvus.build import KNOTS
from core.index.milvus.search import LIVE_ACTORS, MilvusIndex
from core.index.milvus.server import Address, Database
from core.index.milvus.stored import KINDS, collection_of
from core.index.scoring import Calibration
from core.settings import Settings, load_settings
from tests.conftest import ASTRONAUT, ROOT, rebuilt

pytest.importorskip("pymilvus", reason="needs requirements-milvus.txt")


def kept_in(folder: Path) -> Settings:
    """Settings of an index in a file of milvus-lite."""
    return Settings(index=f"milvus:{folder / 'gallery.db'}")


def kept(index: ActorIndex, folder: Path) -> MilvusIndex:
    """An index, written to Milvus and opened again."""
    keep(index, kept_in(folder))
    return opened(folder)


def opened(folder: Path) -> MilvusIndex:
    found = load_kept(kept_in(folder))
    assert isinstance(found, MilvusIndex)
    return found


def some_of(index: ActorIndex, names: list[str]) -> ActorIndex:
    """The gallery of some actors, with the whole one's similarities to be calibrated by."""
    assert index.calibration
    numbers = [index.actors.index(name) for name in sorted(names)]
    portraits, templates = (
        np.isin(rows, numbers) for rows in (index.portrait_actor, index.template_actor)
    )
    return replace(
        index,
        calibration=replace(index.calibration, actors=len(names)),
        actors=tuple(sorted(names)),
        portraits=tuple(np.array(index.portraits, dtype=object)[portraits]),
        embeddings=index.embeddings[portraits],
        portrait_actor=np.searchsorted(numbers, index.portrait_actor[portraits]).astype(np.int32),
        templates=index.templates[templates],
        template_actor=np.searchsorted(numbers, index.template_actor[templates]).astype(np.int32),
    )


def made_up(
    templates: np.ndarray, names: list[str] | None = None, each: int = 1, **info: Any
) -> ActorIndex:
    """Actors with so many templates each, and the first of them as their only portrait."""
    count = len(templates) // each
    names = names or [f"{number:06}" for number in range(count)]
    keys = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    owners = np.arange(count, dtype=np.int32)
    return ActorIndex(
        IndexInfo("sface", "x", {}, {}, "gallery", "", each, "2026-11-26T00:00:00", **info),
        tuple(names),
        tuple(Portrait(key, f"{number}/1.jpg") for number, key in enumerate(keys)),
        templates[::each],
        owners,
        templates,
        np.repeat(owners, each),
        Calibration(np.array([-0.5, 0.5]), np.array([0.0, 1.0]), 0.0, 0.1, count),
    )


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def random_units(count: int, seed: int = 0, dimension: int = 256) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((count, dimension), np.float32))


@pytest.fixture(scope="module")
def exact() -> ActorIndex:
    """A hundred actors of the starter gallery, up to two templates each."""
    settings = Settings()
    index = rebuilt(settings.starter_path, settings, clusters=2).index
    several = [
        name for name, count in zip(index.actors, index.portrait_counts, strict=True) if count > 2
    ]
    return some_of(index, several[:100])


@pytest.fixture(scope="module")
def milvus(exact: ActorIndex, tmp_path_factory: pytest.TempPathFactory) -> MilvusIndex:
    return kept(exact, tmp_path_factory.mktemp("milvus"))


def test_every_answer_is_that_of_the_exact_search(exact: ActorIndex, milvus: MilvusIndex) -> None:
    faces = [*exact.embeddings[::30], *random_units(10)]
    for face in faces:
        assert milvus.search(face, 5) == exact.search(face, 5)
    assert milvus.search(faces[0], 1000) == exact.search(faces[0], 1000)


def test_what_is_known_of_the_gallery_is_the_same(exact: ActorIndex, milvus: MilvusIndex) -> None:
    assert (milvus.info, milvus.actors) == (exact.info, exact.actors)
    assert milvus.dimension == exact.dimension
    assert np.array_equal(milvus.portrait_counts, exact.portrait_counts)
    assert exact.calibration and milvus.calibration
    for likeness in np.linspace(-1, 1, 50):
        assert milvus.calibration.score(likeness) == exact.calibration.score(likeness)
    assert list(milvus.all_portraits()) == sorted(
        exact.all_portraits(), key=lambda one: (one[0], one[1].file or "", one[1].sha256)
    )


def test_portraits_are_found_by_key_and_nothing_else(
    exact: ActorIndex, milvus: MilvusIndex
) -> None:
    wanted = exact.portraits[7]
    found = [(exact.actors[exact.portrait_actor[7]], wanted)]
    assert milvus.portraits_of([wanted.key]) == exact.portraits_of([wanted.key]) == found
    assert milvus.portraits_of(['"] or id != "', "0" * 16, "", wanted.sha256]) == []
    for actor in (0, 50, 99):
        face = exact.embeddings[actor]
        assert milvus.closest_portrait(actor, face) == exact.closest_portrait(actor, face)


@pytest.mark.parametrize("named", [1000, 7])
def test_a_filter_lets_through_just_whom_it_names(
    exact: ActorIndex, milvus: MilvusIndex, named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.index.milvus.search, "NAMED", named)
    monkeypatch.setattr(core.index.milvus.search, "SPARE", 1)
    face = exact.embeddings[3]
    for among in (exact.actors[::2], exact.actors[90:], exact.actors[:2], ()):
        allowed = frozenset(among)
        assert milvus.search(face, 5, allowed) == exact.search(face, 5, allowed)


def test_a_filter_of_rare_actors_is_right_where_the_hits_do_not_reach_them(
    exact: ActorIndex, milvus: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = exact.embeddings[3]
    last = [match.actor for match in exact.search(face, len(exact.actors))][-6:]
    monkeypatch.setattr(core.index.milvus.search, "NAMED", 4)  # so that they are not named at once
    monkeypatch.setattr(core.index.milvus.search, "MOST_HITS", 16)
    assert milvus.search(face, 5, frozenset(last)) == exact.search(face, 5, frozenset(last))


def test_live_sees_the_closest_as_they_are_and_all_others_below_them(
    exact: ActorIndex, milvus: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.index.milvus.search, "LIVE_ACTORS", 10)
    faces = exact.embeddings[:4]
    ours, theirs = milvus.actor_similarities(faces), exact.actor_similarities(faces)
    for row, whole in zip(ours, theirs, strict=True):
        closest = np.argsort(-whole, kind="stable")
        assert np.array_equal(row[closest[:10]], whole[closest[:10]])
        assert (row[closest[10:]] == whole[closest[9]]).all()
    assert LIVE_ACTORS >= 100


def test_what_is_alike_is_told_by_the_actor_and_a_sample_of_others(
    exact: ActorIndex, milvus: MilvusIndex, engine: FaceEngine
) -> None:
    photo = read_photo(ASTRONAUT)
    face = engine.find_faces(photo)[0]
    embeddings = embed_covered(engine, in_frame(photo.pixels, face.detection.landmarks))
    for actor in exact.actors[::25]:
        ours = what_is_alike(milvus.around(actor), embeddings, actor)
        theirs = what_is_alike(exact.around(actor), embeddings, actor)
        assert ours.told == theirs.told
        assert ours.shares == pytest.approx(theirs.shares)


def test_only_a_sample_of_a_larger_gallery_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.index.milvus.search, "SAMPLE", 60)
    index = made_up(random_units(600))
    milvus = kept(index, tmp_path)
    assert 30 < len(milvus.sample) < 100
    around = milvus.around(index.actors[5])
    assert index.actors[5] in around.actors
    assert len(around.actors) in (len(milvus.sample), len(milvus.sample) + 1)
    assert not [name for name in vars(milvus) if name in ("templates", "embeddings", "portraits")]


def test_equal_templates_tie_by_name_whatever_the_names(tmp_path: Path) -> None:
    odd = ['Zoë "Z"', "back\\slash", "O'Neil", "송강호", "a", "b", "{c}"]
    names = sorted([*odd, *(f"x{number:02}" for number in range(80))])  # more than SPARE
    rows = np.repeat(random_units(1), len(names), axis=0)
    kept(made_up(rows[40:], names[40:]), tmp_path)  # so that the first names come last
    index = made_up(rows, names)
    milvus = kept(index, tmp_path)
    assert milvus.search(rows[0], 3) == index.search(rows[0], 3)
    assert [match.actor for match in milvus.search(rows[0], 99)] == names
    for name in odd:
        assert [match.actor for match in milvus.search(rows[0], 1, {name})] == [name]
        assert name in milvus.around(name).actors


class Watched:
    """Counts the rows that go to the collections of templates and portraits."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.upserted: list[str] = []
        self.deleted: list[str] = []
        upsert, delete = Database.upsert, Database.delete

        def watched_upsert(database: Database, name: str, rows: Any, *size: int) -> None:
            rows = list(rows)
            self.upserted += [row["actor"] for row in rows if "actor" in row]
            upsert(database, name, rows, *size)

        def watched_delete(database: Database, name: str, ids: Any) -> None:
            ids = list(ids)
            self.deleted += ids if name != "lookalike" else []
            delete(database, name, ids)

        patch.setattr(Database, "upsert", watched_upsert)
        patch.setattr(Database, "delete", watched_delete)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def everything(folder: Path, dimension: int = 256) -> dict[str, list[dict[str, Any]]]:
    """Every row that is stored, served or not."""
    database = Database(Address.of(kept_in(folder).index))
    return {
        kind: list(database.every_row(collection_of(kind, dimension), "", ["id", "actor"]))
        for kind in KINDS
    }


def test_only_what_changed_is_upserted_and_who_was_taken_out_is_deleted(
    exact: ActorIndex, tmp_path: Path, watched: Watched
) -> None:
    names = list(exact.actors)
    kept(some_of(exact, names[:20]), tmp_path)
    added, removed = names[20], names[3]
    watched.upserted.clear()
    now = some_of(exact, [*names[:3], *names[4:21]])
    milvus = kept(now, tmp_path)
    gone = some_of(exact, [removed])
    rows = len(gone.portraits) + len(gone.templates)
    # The removed one's rows are ended until the new build is served, then deleted.
    assert set(watched.upserted) == {added, removed}
    assert watched.upserted.count(removed) == len(watched.deleted) == rows
    assert milvus.actors == now.actors
    stored = everything(tmp_path)
    assert {row["actor"] for kind in KINDS for row in stored[kind]} == set(now.actors)
    assert [len(stored[kind]) for kind in KINDS] == [len(now.templates), len(now.portraits)]
    face = gone.embeddings[0]
    assert milvus.search(face, 5) == now.search(face, 5)


def test_a_build_of_the_same_gallery_writes_no_row_again(
    exact: ActorIndex, tmp_path: Path, watched: Watched
) -> None:
    index = some_of(exact, list(exact.actors[:5]))
    kept(index, tmp_path)
    watched.upserted.clear()
    newer = replace(index, info=replace(index.info, built="2030-01-01T00:00:00"))
    assert kept(newer, tmp_path).info.built == "2030-01-01T00:00:00"
    assert (watched.upserted, watched.deleted) == ([], [])


def test_a_running_app_keeps_its_build_until_it_starts_anew(
    exact: ActorIndex, tmp_path: Path
) -> None:
    names = list(exact.actors)
    before = some_of(exact, names[:10])
    running = kept(before, tmp_path)
    now = some_of(exact, names[1:12])
    kept(now, tmp_path)
    face = some_of(exact, [names[11]]).embeddings[0]
    left = frozenset(names[1:10])  # what was taken out is gone, what is new is not seen
    assert running.search(face, 20) == before.search(face, 20, left)
    assert opened(tmp_path).search(face, 5) == now.search(face, 5)


@pytest.fixture
def broken_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Any]:
    """Let the n-th message of a build be the last that arrives."""

    def after(messages: int) -> Any:
        left = iter(range(messages))
        asked = Database._ask

        def until_then(database: Database, task: str, *args: Any, **options: Any) -> Any:
            if task in ("upsert", "delete") and next(left, None) is None:
                raise KeyboardInterrupt
            return asked(database, task, *args, **options)

        return monkeypatch.setattr(Database, "_ask", until_then)

    return after


@pytest.mark.parametrize("messages", range(9))
def test_a_half_done_build_is_not_served_and_the_next_one_clears_it_away(
    exact: ActorIndex,
    tmp_path: Path,
    broken_off: Callable[[int], Any],
    monkeypatch: pytest.MonkeyPatch,
    messages: int,
) -> None:
    names = list(exact.actors)
    before, wanted = some_of(exact, names[:8]), some_of(exact, names[2:12])
    kept(before, tmp_path)
    with monkeypatch.context() as patch:
        broken_off(messages)
        with pytest.raises(KeyboardInterrupt):
            keep(wanted, kept_in(tmp_path))
        patch.undo()
    monkeypatch.undo()
    served = opened(tmp_path)
    whole = before if served.actors == before.actors else wanted
    assert whole is before or messages >= 6  # it was served only after all was written
    face = some_of(exact, [names[3]]).embeddings[0]
    assert served.search(face, 20) == whole.search(face, 20)
    # A third gallery, without some that the broken-off one had written.
    last = some_of(exact, names[1:6])
    assert kept(last, tmp_path).search(face, 20) == last.search(face, 20)
    stored = everything(tmp_path)
    assert [len(stored[kind]) for kind in KINDS] == [len(last.templates), len(last.portraits)]


def test_two_builds_at_once_are_told_of_and_neither_is_mixed(
    exact: ActorIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = list(exact.actors)
    first, second = some_of(exact, names[:6]), some_of(exact, names[3:9])
    kept(some_of(exact, names[:2]), tmp_path)
    count, other = Database.count, iter([second])

    def meanwhile(database: Database, collection: str, condition: str) -> int:
        for index in other:
            keep(index, kept_in(tmp_path))
        return count(database, collection, condition)

    monkeypatch.setattr(Database, "count", meanwhile)
    with pytest.raises(StorageError, match=r"another build is writing to .* wait for it, then"):
        keep(first, kept_in(tmp_path))
    monkeypatch.undo()
    served = opened(tmp_path)
    assert served.search(first.embeddings[0], 9) == second.search(first.embeddings[0], 9)


def test_rows_that_are_missing_are_noticed(exact: ActorIndex, tmp_path: Path) -> None:
    kept(some_of(exact, list(exact.actors[:4])), tmp_path)
    stored = everything(tmp_path)
    database = Database(Address.of(kept_in(tmp_path).index))
    database.delete(collection_of("portraits", 256), [stored["portraits"][0]["id"]])
    with pytest.raises(IndexRefusedError, match=r"it has \d+ portraits of \d+"):
        opened(tmp_path)


def test_what_is_known_of_a_build_is_sealed_and_its_version_asked(
    exact: ActorIndex, tmp_path: Path
) -> None:
    index = some_of(exact, list(exact.actors[:4]))
    kept(index, tmp_path)
    database = Database(Address.of(kept_in(tmp_path).index))
    fields = ["*"]
    (part,) = database.rows("lookalike", 'id == "1-0"', fields)
    database.upsert("lookalike", [part | {"text": part["text"].replace("starter", "Starter")}])
    with pytest.raises(IndexRefusedError, match="damaged"):
        opened(tmp_path)
    (served,) = database.rows("lookalike", 'id == "served"', fields)
    for spoilt in (
        served["text"][1:],
        served["text"].replace('"dimension"', '"dimensions"'),
        "[3]",
    ):
        database.upsert("lookalike", [served | {"text": spoilt}])
        with pytest.raises(IndexRefusedError, match="damaged"):
            opened(tmp_path)
    newer = served["text"].replace('"schema": 1', '"schema": 2')
    database.upsert("lookalike", [served | {"text": newer}])
    for refused in (opened, lambda folder: keep(index, kept_in(folder))):
        with pytest.raises(IndexRefusedError, match=r"another version .* name another database"):
            refused(tmp_path)


def test_another_pack_takes_the_place_of_the_former(tmp_path: Path) -> None:
    kept(made_up(random_units(30)), tmp_path)
    other = made_up(random_units(20, dimension=128))
    milvus = kept(other, tmp_path)
    assert milvus.dimension == 128
    face = random_units(1, 5, 128)[0]
    assert milvus.search(face, 5) == other.search(face, 5)
    database = Database(Address.of(kept_in(tmp_path).index))
    own = {"lookalike", "lookalike_portraits_128", "lookalike_templates_128"}
    assert set(database.collections()) == own


def test_nothing_is_written_where_there_is_no_index_or_something_else(tmp_path: Path) -> None:
    photos = tmp_path / "photos.db"
    (photos / "Ann").mkdir(parents=True)
    (tmp_path / "text.db").write_text("no index")
    for name, fault in (
        ("photos.db", "something else"),
        ("text.db", "something else"),
        ("away/gallery.db", "away is not a folder"),
    ):
        with pytest.raises(IndexServerError, match=fault):
            Database(Address.of(f"milvus:{tmp_path / name}"))
    assert [path.name for path in photos.iterdir()] == ["Ann"]


def test_an_index_is_there_until_it_is_dropped(tmp_path: Path) -> None:
    settings = kept_in(tmp_path)
    assert not is_kept(settings)
    with pytest.raises(IndexRefusedError, match="there is none"):
        load_kept(settings)
    assert list(tmp_path.iterdir()) == []  # who only reads makes none
    database = Database(Address.of(settings.index))
    database.make("somebody_elses", 8, {})
    keep(made_up(random_units(5)), settings)
    assert is_kept(settings)
    drop_kept(settings)
    assert not is_kept(settings)
    assert database.collections() == ["somebody_elses"]


def test_a_long_calibration_is_thinned_and_scores_stay(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    knots = np.sort(random.normal(0.3, 0.1, 4 * KNOTS))
    weights = random.uniform(0.1, 3, len(knots))
    ranks = (np.cumsum(weights) - weights / 2) / weights.sum()
    index = made_up(random_units(40))
    index = replace(index, calibration=Calibration(knots, ranks, 0.2, 0.1, 40))
    milvus = kept(index, tmp_path)
    assert index.calibration and milvus.calibration
    assert len(milvus.calibration.ranks) == KNOTS
    likenesses = np.linspace(-0.2, 0.9, 2000)
    ours = np.array([milvus.calibration.score(value) for value in likenesses])
    theirs = np.array([index.calibration.score(value) for value in likenesses])
    assert np.abs(ours - theirs).max() < 0.11  # a tenth, where rounding down falls otherwise
    assert (ours == theirs).mean() > 0.95


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("milvus://host", Address("http://host:19530"), "http://host:19530"),
        ("milvus://10.1.2.3:1234/faces", Address("http://10.1.2.3:1234", "", "faces"), "faces"),
        (
            "milvus+tls://me:s%40cret@milvus.example.org:443",
            Address("https://milvus.example.org:443", "me:s@cret"),
            "https://milvus.example.org:443",
        ),
        ("milvus:/data/gallery.db", Address("/data/gallery.db"), "/data/gallery.db"),
    ],
)
def test_the_address_says_where_and_its_password_is_never_shown(
    text: str, address: Address, shown: str
) -> None:
    settings = load_settings({"LOOKALIKE_INDEX": text})
    assert Address.of(settings.index) == address
    assert place_of(settings).endswith(shown)
    for seen in (place_of(settings), repr(address), repr(settings)):
        assert "cret" not in seen


def test_a_file_is_meant_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Address.of("milvus:gallery.db") == Address(str(tmp_path / "gallery.db"))


def test_a_server_that_does_not_answer_is_told_in_one_sentence() -> None:
    settings = Settings(index="milvus://127.0.0.1:1")
    for asked in (
        load_kept,
        is_kept,
        drop_kept,
        lambda where: keep(made_up(random_units(3)), where),
    ):
        with pytest.raises(IndexServerError, match=r"127\.0\.0\.1:1 does not answer") as refused:
            asked(settings)
        assert "start it, or correct LOOKALIKE_INDEX" in str(refused.value)
        assert "\n" not in str(refused.value)


def test_a_file_that_another_process_uses_is_told_in_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gallery.db"
    folder.mkdir()
    with (folder / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(IndexServerError, match="let no other process use the file") as refused:
            load_kept(kept_in(tmp_path))
    assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""


def test_without_the_client_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(IndexServerError, match=r"pip install -r requirements-milvus\.txt"):
        load_kept(Settings(index="milvus://127.0.0.1:1"))


def structured(count: int, each: int, seed: int) -> np.ndarray:
    """Unit vectors, half of them at random and half in families of alike actors."""
    random = np.random.default_rng(seed)
    plain = random.standard_normal((count // 2, 256), np.float32)
    families = random.standard_normal((count // 2 // (20 * each), 256), np.float32)
    alike = np.repeat(families, 20 * each, axis=0)
    return unit(np.concatenate([plain, alike + 0.4 * random.standard_normal(alike.shape)]))


@pytest.mark.slow
def test_the_five_closest_of_a_hundred_thousand_templates_are_the_exact_ones(
    tmp_path: Path,
) -> None:
    each = 5
    templates = structured(100_000, each, seed=11)
    assert templates.shape == (100_000, 256)
    index = made_up(templates, each=each)
    milvus = kept(index, tmp_path)
    near = unit(templates[[5, 60_000, 99_999]] + 0.03 * random_units(3, 1))
    for face in [*random_units(4, 12), *near]:
        assert milvus.search(face, 5) == index.search(face, 5)
    women = frozenset(index.actors[::3])  # more than are named one by one
    few = frozenset(index.actors[::7000])
    for among in (women, few):
        assert milvus.search(near[1], 5, among) == index.search(near[1], 5, among)
    now = replace(index, actors=("000000-", *index.actors[1:]))  # one is renamed
    assert kept(now, tmp_path).search(near[0], 5) == now.search(near[0], 5)


KILLED = """
import os, sys
sys.path.insert(0, {root!r})
from tests.index.test_milvus import Database, keep, kept_in, made_up, random_units
from pathlib import Path
upsert, left = Database._ask, iter(range(3))
def ask(database, task, *args, **options):
    if task == "upsert" and next(left, None) is None:
        os._exit(9)
    return upsert(database, task, *args, **options)
Database._ask = ask
keep(made_up(random_units(5000, 2)), kept_in(Path({folder!r})))
"""


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_the_former_one(tmp_path: Path) -> None:
    script = KILLED.format(root=str(ROOT), folder=str(tmp_path))
    before = made_up(random_units(50))
    keep_elsewhere = script.replace("next(left, None) is None", "False").replace("5000, 2", "50")
    for text, status in ((keep_elsewhere, 0), (script, 9)):
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
    face = random_units(1, 9)[0]
    assert opened(tmp_path).search(face, 5) == before.search(face, 5)
