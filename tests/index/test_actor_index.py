"""The index file keeps everything, refuses damage, and its search is exact. On real embeddings."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import core.index.actor_index
from core.errors import IndexRefusedError, StorageError
from core.gallery.photos import Credit, Portrait
from core.index.actor_index import ActorIndex, load_index, save_index
from core.index.embeddings_cache import EmbeddingsCache, EnrolledPhoto, PackCache, load_cache
from core.index.templates import build_index
from core.models.packs import PACKS
from core.settings import Settings

DIMENSION = PACKS["sface"].dimension
POINTS = tuple(float(n) + 0.1 for n in range(10))
ARRAYS = ("embeddings", "portrait_actor", "templates", "template_actor")


@pytest.fixture(scope="module")
def starter() -> EmbeddingsCache:
    return load_cache(Settings().starter_path)


@pytest.fixture(scope="module")
def people(starter: EmbeddingsCache) -> ActorIndex:
    """The starter gallery's actors with several portraits, two templates each."""
    actors = {
        name: [replace(photo, file=f"{name}/{n}.jpg") for n, photo in enumerate(row)]
        for name, row in starter.actors.items()
        if len(row) > 2
    }
    cache = EmbeddingsCache(actors, starter.packs)
    return build_index(cache, starter.packs["sface"], source="gallery", listing="x", clusters=2)


def gallery_of(actors: dict[str, list[np.ndarray]], clusters: int = 1) -> ActorIndex:
    """An index of these embeddings; portrait files are `<actor>/<n>.jpg`."""
    photos, rows = {}, {}
    for name, vectors in actors.items():
        rows[name] = []
        for n, vector in enumerate(vectors):
            key = hashlib.sha256(f"{name}{n}".encode()).hexdigest()
            photos[key] = EnrolledPhoto(vector, landmarks=POINTS, crop_hash=f"{n:016x}")
            rows[name].append(Portrait(key, f"{name}/{n}.jpg", Credit("Kim", "CC0")))
    pack = PackCache("sface", "sface-x", DIMENSION, {"min_face": 20}, {"numpy": "2"}, photos)
    cache = EmbeddingsCache(rows)
    return build_index(cache, pack, source="gallery", listing="y", clusters=clusters)


def unit(seed: int, size: int = DIMENSION) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(0, 1, size)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def assert_equal(first: ActorIndex, second: ActorIndex) -> None:
    assert first.info == second.info
    assert (first.actors, first.portraits) == (second.actors, second.portraits)
    for name in ARRAYS:
        ours, theirs = getattr(first, name), getattr(second, name)
        assert ours.dtype == theirs.dtype
        assert ours.tobytes() == theirs.tobytes(), name
    if first.calibration is None:
        assert second.calibration is None
        return
    for name in ("similarities", "ranks"):
        assert np.array_equal(getattr(first.calibration, name), getattr(second.calibration, name))
    for name in ("mean", "deviation", "actors"):
        assert getattr(first.calibration, name) == getattr(second.calibration, name)


def test_index_read_back_equals_the_one_written(people: ActorIndex, tmp_path: Path) -> None:
    assert people.calibration is not None
    save_index(people, tmp_path / "new" / "index.npz")  # its folder is made
    assert_equal(load_index(tmp_path / "new" / "index.npz"), people)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["index.npz"]


def test_small_gallery_with_hangul_and_credits_is_read_back(tmp_path: Path) -> None:
    index = gallery_of({"송강호": [unit(1), unit(2)], 'Zoë "Z"': [unit(3)]}, clusters=2)
    assert index.calibration is None
    save_index(index, tmp_path / "index.npz")
    again = load_index(tmp_path / "index.npz")
    assert_equal(again, index)
    assert again.portraits[0].credit == Credit("Kim", "CC0")
    assert again.portraits[0].landmarks == POINTS
    assert [portrait.crop_hash for portrait in again.portraits] == [
        "0" * 16,
        "0" * 16,
        "0" * 15 + "1",
    ]


def test_file_is_a_plain_archive_without_pickle(people: ActorIndex, tmp_path: Path) -> None:
    path = tmp_path / "index.npz"
    save_index(people, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    with np.load(path, allow_pickle=False) as stored:
        kinds = {name: stored[name].dtype.kind for name in stored.files}
    assert set(ARRAYS) < set(kinds)
    assert set(kinds.values()) <= {"f", "i", "u"}


def test_damage_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.npz"
    save_index(gallery_of({name: [unit(ord(name))] for name in "ABCD"}), path)
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    damaged = [whole[: int(len(whole) * share)] for share in (0, 0.01, 0.3, 0.9, 0.999)]
    damaged += [whole + b"x", whole[1:], random.bytes(len(whole)), b"I am no index", bytes(500)]
    for position in random.choice(len(whole), 300, replace=False):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << random.integers(8)
        damaged.append(bytes(flipped))
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(IndexRefusedError, match="damaged or no index"):
            load_index(path)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.npz", tmp_path):
        with pytest.raises(IndexRefusedError, match="is not there"):
            load_index(path)


def test_other_schema_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index.npz"
    with monkeypatch.context() as patch:
        patch.setattr(core.index.actor_index, "SCHEMA", 99)
        save_index(gallery_of({"Ann": [unit(1)]}), path)
    with pytest.raises(IndexRefusedError, match="schema 99, this version reads 3"):
        load_index(path)


class Trap:
    """Leaves a file behind if it is ever unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_pickled_objects_in_an_index_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "index.npz"
    save_index(gallery_of({"Ann": [unit(1)]}), path)
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["templates"] = np.array([Trap(tmp_path / "sprung")], dtype=object)
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    body = archive.getvalue()[:-2] + b"\x40\x00"
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())  # sealed like a good one
    with pytest.raises(IndexRefusedError, match="allow_pickle"):
        load_index(path)
    assert not (tmp_path / "sprung").exists()


def test_index_that_cannot_be_written_leaves_the_old_one(
    people: ActorIndex, tmp_path: Path
) -> None:
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "folder.npz", tmp_path / "file" / "index.npz"):
        with pytest.raises(StorageError, match="cannot write"):
            save_index(people, path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.npz"]


def test_search_is_brute_force(people: ActorIndex) -> None:
    probes = [people.embeddings[7], people.templates[3], *(unit(seed) for seed in range(30))]
    for probe in probes:
        best: dict[str, float] = {}
        for template, actor in zip(people.templates, people.template_actor, strict=True):
            name = people.actors[actor]
            cosine = float(np.dot(template.astype(float), probe.astype(float)))
            best[name] = max(best.get(name, -1.0), cosine)
        expected = sorted(best.items(), key=lambda item: (-round(item[1], 6), item[0]))[:10]
        matches = people.search(probe, 10)
        assert [match.actor for match in matches] == [name for name, _ in expected]
        for match, (_, cosine) in zip(matches, expected, strict=True):
            assert match.similarity == pytest.approx(cosine, abs=1e-6)
            assert match.similarity == round(match.similarity, 6)
            assert match.score == people.calibration.score(match.similarity)


def test_among_some_the_answer_is_everyones_without_the_others(people: ActorIndex) -> None:
    everyone = people.search(unit(3), len(people.actors))
    for among in (people.actors[::3], people.actors[5:6], ("Nobody",), ()):
        wanted = tuple(match for match in everyone if match.actor in among)
        assert people.search(unit(3), 7, among) == wanted[:7]


def test_every_portrait_finds_its_own_actor_first(people: ActorIndex) -> None:
    rows = zip(people.embeddings, people.portrait_actor, strict=True)
    right = [people.search(row, 1)[0].actor == people.actors[actor] for row, actor in rows]
    assert np.mean(right) > 0.99


def test_k_larger_than_the_gallery_gives_all_of_it_once(people: ActorIndex) -> None:
    matches = people.search(unit(1), 10_000)
    assert sorted(match.actor for match in matches) == list(people.actors)
    similarities = [match.similarity for match in matches]
    assert similarities == sorted(similarities, reverse=True)
    assert people.search(unit(1), 3) == matches[:3]


def test_ties_go_by_name() -> None:
    """The same five portraits under every third of 300 names, in many orders."""
    rows, random = [unit(seed) for seed in range(5)], np.random.default_rng(2)
    names = [f"Actor {number:03}" for number in range(300)]
    actors = {name: [rows[n] for n in random.permutation(5)] for name in names[::3]}
    others = {name: [unit(50 + seed)] for seed, name in enumerate(names) if name not in actors}
    index = gallery_of(actors | others)
    for seed in range(20):
        near = rows[0] + 0.1 * unit(seed)
        ties = index.search(near / np.linalg.norm(near), 100)
        assert [match.actor for match in ties] == names[::3]
        assert len({match.similarity for match in ties}) == 1


def test_an_actor_counts_with_the_best_of_their_templates() -> None:
    looks = [unit(1), unit(2)]
    two, one = (gallery_of({"Ann": looks, "Bob": [unit(3)]}, clusters=k) for k in (2, 1))
    assert two.search(looks[1], 1)[0].similarity == pytest.approx(1, abs=1e-5)
    assert one.search(looks[1], 1)[0].similarity < 0.9


def test_closest_portrait_is_the_actors_own_and_the_closest(people: ActorIndex) -> None:
    for row in range(0, len(people.portraits), 7):
        probe = people.embeddings[row]
        match = people.search(probe, 1)[0]
        assert match.portrait == people.portraits[row]  # of all, it is closest to itself
    for match in people.search(unit(5), 20):
        own = [p for p in people.portraits if p.file.startswith(f"{match.actor}/")]
        cosines = [people.embeddings[people.portraits.index(p)] @ unit(5) for p in own]
        assert match.portrait == own[int(np.argmax(cosines))]


def test_starter_gallerys_closest_portrait_has_no_file(starter: EmbeddingsCache) -> None:
    index = build_index(starter, starter.packs["sface"], source="starter", listing="")
    for match in index.search(unit(1), 5):
        assert match.portrait in starter_portraits(index, match.actor)
        assert match.portrait.file is None


def starter_portraits(index: ActorIndex, actor: str) -> list[Portrait]:
    rows = np.flatnonzero(index.portrait_actor == index.actors.index(actor))
    return [index.portraits[row] for row in rows]


def test_gallery_too_small_for_a_score_has_similarities_alone() -> None:
    index = gallery_of({"Ann": [unit(1)], "Bob": [unit(2)]})
    assert [match.score for match in index.search(unit(1), 5)] == [None, None]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("embeddings", lambda value: value[:-1]),
        ("embeddings", lambda value: value[:, :-1]),
        ("portrait_actor", lambda value: value[:-1]),
        ("templates", lambda value: value[:-1]),
        ("template_actor", lambda value: value[:-1]),
        ("actors", lambda value: (*value, "Nobody")),
        ("portraits", lambda value: value[:-1]),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    field: str, change: object, people: ActorIndex
) -> None:
    with pytest.raises(ValueError, match="expected"):
        replace(people, **{field: change(getattr(people, field))})  # type: ignore[operator]
