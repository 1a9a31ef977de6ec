"""The embeddings cache: every bit survives, and what is damaged is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.errors import IndexRefusedError, StorageError
from core.gallery.photos import Credit, Portrait
from core.index.embeddings_cache import (
    EmbeddingsCache,
    EnrolledPhoto,
    PackCache,
    load_cache,
    save_cache,
)
from core.settings import Settings


def unit(seed: int, dimension: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(0, 1, dimension).astype(np.float32)
    vector[:3] = 0.0, -1e-38, 1e-30  # awkward numbers too
    return vector / np.linalg.norm(vector)


def made_up_cache() -> EmbeddingsCache:
    """Two actors, two packs, photos with and without a face."""
    credit = Credit('Kim "M.", ☺', "CC BY 4.0", "https://example.org/by", "https://example.org")
    actors = {
        "송강호": [Portrait("a" * 64, "송강호/1.jpg", credit), Portrait("b" * 64)],
        "Zoë": [Portrait("c" * 64, 'Zoë/"2".jpg')],
    }
    packs = {}
    for seed, (name, dimension) in enumerate([("sface", 128), ("auraface", 512)]):
        face = EnrolledPhoto(
            unit(seed, dimension),
            None,
            (1.5, 2.0, 3.0, 4.0),
            tuple(map(float, range(10))),
            0.912,
            "ab" * 8,
        )
        photos = {"a" * 64: face, "c" * 64: EnrolledPhoto(None, "no_face")}
        packs[name] = PackCache(
            name, f"{name}-x", dimension, {"min_face": 20}, {"numpy": "2"}, photos
        )
    return EmbeddingsCache(actors, packs, "auraface")


def test_everything_survives_the_file(tmp_path: Path) -> None:
    cache, path = made_up_cache(), tmp_path / "embeddings.json"
    save_cache(cache, path)
    loaded = load_cache(path)
    assert (loaded.actors, loaded.latest) == (cache.actors, "auraface")
    for name, pack in cache.packs.items():
        again = loaded.packs[name]
        assert (again.identity, again.dimension) == (pack.identity, pack.dimension)
        assert (again.detection, again.libraries) == (pack.detection, pack.libraries)
        for key, photo in pack.photos.items():
            assert again.photos[key].to_json() == photo.to_json()
            assert again.photos[key].crop_hash == photo.crop_hash
            assert again.photos[key].landmarks == photo.landmarks


def test_embeddings_keep_every_bit(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.json"
    vectors = {str(seed): unit(seed, 512) for seed in range(50)}
    photos = {key: EnrolledPhoto(vector) for key, vector in vectors.items()}
    save_cache(EmbeddingsCache({}, {"p": PackCache("p", "", 512, {}, {}, photos)}), path)
    loaded = load_cache(path).packs["p"].photos
    for key, vector in vectors.items():
        assert loaded[key].embedding.dtype == np.float32
        assert loaded[key].embedding.tobytes() == vector.tobytes()


def test_saving_twice_writes_the_same_bytes_one_photo_a_line(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    save_cache(made_up_cache(), first)
    save_cache(load_cache(first), second)
    assert first.read_bytes() == second.read_bytes()
    lines = first.read_text("utf-8").splitlines()
    assert sum('"embedding"' in line for line in lines) == 2
    assert any(line.startswith('"송강호"') for line in lines)


def test_file_name_that_is_no_utf_8_survives(tmp_path: Path) -> None:
    path, name = tmp_path / "embeddings.json", os.fsdecode(b"Zo\xeb/1.jpg")
    save_cache(EmbeddingsCache({"Zo\ufffd": [Portrait("a" * 64, name)]}), path)
    assert load_cache(path).actors["Zo\ufffd"][0].file == name


def test_empty_cache_is_a_cache(tmp_path: Path) -> None:
    save_cache(EmbeddingsCache(), tmp_path / "embeddings.json")
    assert load_cache(tmp_path / "embeddings.json") == EmbeddingsCache()


def test_photos_that_no_actor_has_are_forgotten_in_every_pack() -> None:
    cache = made_up_cache()
    cache.actors["송강호"].pop(0)
    cache.forget_gone()
    assert [list(pack.photos) for pack in cache.packs.values()] == [["c" * 64], ["c" * 64]]


@pytest.fixture
def content(tmp_path: Path) -> dict:
    """A good file's content, to be damaged by a test."""
    save_cache(made_up_cache(), tmp_path / "good.json")
    return json.loads((tmp_path / "good.json").read_text("utf-8"))


def refused(tmp_path: Path, content: object) -> str:
    path = tmp_path / "embeddings.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(IndexRefusedError) as error:
        load_cache(path)
    message = str(error.value)
    assert str(path) in message
    return message


def test_other_schema_is_refused(content: dict, tmp_path: Path) -> None:
    content["schema"] = 99
    assert "schema 99" in refused(tmp_path, content)


def test_face_without_a_hash_as_older_versions_wrote_it_is_read(
    content: dict, tmp_path: Path
) -> None:
    del content["packs"]["sface"]["photos"]["a" * 64]["crop_hash"]
    path = tmp_path / "embeddings.json"
    path.write_text(json.dumps(content), "utf-8")
    photo = load_cache(path).packs["sface"].photos["a" * 64]
    assert (photo.crop_hash, len(photo.landmarks)) == ("", 10)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_truncated_file_is_refused(share: float, content: dict, tmp_path: Path) -> None:
    text = (tmp_path / "good.json").read_text("utf-8")
    assert "damaged" in refused(tmp_path, text[: int(len(text) * share)])


@pytest.mark.parametrize("text", ["[]", "null", "7", '"a"', "[" * 100_000, "{}", "\0"])
def test_other_json_is_refused(text: str, tmp_path: Path) -> None:
    assert "damaged" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("embedding", [0.5] * 127),
        ("embedding", [0.5] * 128),  # not of unit length
        ("embedding", [float("nan")] * 128),
        ("embedding", [1e300] + [0.0] * 127),
        ("embedding", [10**400] + [0] * 127),
        ("embedding", None),
        ("embedding", "x"),
        ("box", 3),
        ("landmarks", [1.0] * 9),
        ("landmarks", ["left"] * 10),
        ("detection_score", []),
    ],
)
def test_damaged_face_is_refused(field: str, value: object, content: dict, tmp_path: Path) -> None:
    content["packs"]["sface"]["photos"]["a" * 64][field] = value
    assert "damaged" in refused(tmp_path, content)


@pytest.mark.parametrize("value", [[], {"x": [{}]}, {"x": [3]}, {"x": 3}])
def test_damaged_actors_are_refused(value: object, content: dict, tmp_path: Path) -> None:
    content["actors"] = value
    assert "damaged" in refused(tmp_path, content)


def test_random_bytes_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.json"
    with pytest.raises(IndexRefusedError, match="is a folder; name the cache's file"):
        load_cache(tmp_path)
    with pytest.raises(IndexRefusedError, match="is not there"):
        load_cache(path)
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(IndexRefusedError, match="damaged"):
        load_cache(path)
    with pytest.raises(IndexRefusedError):
        load_cache(tmp_path)


def test_cache_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        save_cache(made_up_cache(), tmp_path / "file" / "embeddings.json")
    with pytest.raises(StorageError, match="cannot write"):
        save_cache(made_up_cache(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_committed_starter_gallery_is_a_cache() -> None:
    assert load_cache(Settings().starter_path).latest == "sface"
