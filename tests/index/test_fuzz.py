"""Whatever stands in an index or a cache: it is used, or refused in one sentence."""

from __future__ import annotations

import copy
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import GalleryError, IndexRefusedError, LookalikeError
from core.files import sha256_of
from core.gallery.photos import Gallery
from core.gallery.removals import Removals
from core.index.actor_index import SEAL, load_index, save_index
from core.index.embeddings_cache import EmbeddingsCache, load_cache, save_cache
from core.index.enrol import index_from_cache
from core.index.templates import build_index
from core.settings import Settings

BOUNDED = settings(max_examples=250, deadline=None, derandomize=True, database=None)
SCRATCH = Path(tempfile.mkdtemp())  # hypothesis wants no fixture a test
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "\x1b[31m\n", "../../etc/passwd", "NaN", "sface", "gallery", "0" * 64])
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
    max_size=3), max_leaves=6,
)  # fmt: skip
STEPS = st.lists(st.integers(0, 10**6), max_size=7)
CHANGES = st.lists(st.tuples(STEPS, JSON | st.just(...)), min_size=1, max_size=3)


def small() -> EmbeddingsCache:
    cache = load_cache(Settings().starter_path)
    cache.actors = {name: cache.actors[name] for name in sorted(cache.actors)[:4]}
    cache.forget_gone()
    return cache


@pytest.fixture(scope="module", autouse=True)
def files() -> Iterator[None]:
    cache = small()
    save_cache(cache, SCRATCH / "whole.json")
    index = build_index(cache, cache.packs["sface"], source="gallery", listing="x")
    save_index(index, SCRATCH / "whole.npz")
    yield
    shutil.rmtree(SCRATCH)


def changed(content: Any, changes: list[tuple[list[int], Any]]) -> Any:
    """A copy with other values, or none (...), at some places."""
    content = copy.deepcopy(content)
    for steps, value in changes:
        place = content
        for number, step in enumerate(steps):
            if not isinstance(place, dict | list) or not place:
                break
            key = sorted(place)[step % len(place)] if isinstance(place, dict) else step % len(place)
            if number == len(steps) - 1 or not isinstance(place[key], dict | list):
                if value is ...:
                    del place[key]
                else:
                    place[key] = value
                break
            place = place[key]
    return content


def one_sentence(error: LookalikeError) -> bool:
    return 10 < len(str(error)) < 1000


@BOUNDED
@given(CHANGES)
def test_a_cache_of_other_values_is_used_or_refused(changes: list[tuple[list[int], Any]]) -> None:
    path = SCRATCH / "cache.json"
    content = json.loads((SCRATCH / "whole.json").read_text("utf-8"))
    path.write_text(json.dumps(changed(content, changes)), "utf-8")
    try:
        index = index_from_cache(path, Gallery(SCRATCH, (), Removals())).index
    except (IndexRefusedError, GalleryError) as error:
        assert one_sentence(error)
    else:
        assert index.search(index.templates[0], 2)
        save_index(index, SCRATCH / "made.npz")
        assert load_index(SCRATCH / "made.npz").actors == index.actors


@BOUNDED
@given(st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), min_size=1, max_size=4))
def test_a_cache_of_other_bytes_is_used_or_refused(edits: list[tuple[float, bytes]]) -> None:
    path = SCRATCH / "cache.json"
    data = (SCRATCH / "whole.json").read_bytes()
    for place, more in edits:
        start = int(place * len(data))
        data = data[:start] + more + data[start + len(more) // 2 :]
    path.write_bytes(data)
    try:
        load_cache(path)
    except IndexRefusedError as error:
        assert one_sentence(error)


def resealed(arrays: dict[str, np.ndarray], path: Path) -> None:
    archive = io.BytesIO()
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    body = archive.getvalue()[:-2] + SEAL.to_bytes(2, "little")
    path.write_bytes(body + sha256_of(body).encode())


def assert_used_or_refused(path: Path) -> None:
    try:
        index = load_index(path)
    except IndexRefusedError as error:
        assert one_sentence(error)
        return
    for match in index.search(np.full(index.dimension, index.dimension**-0.5, np.float32), 3):
        assert isinstance(match.actor, str)
        assert match.score is None or 0 <= match.score <= 100


@BOUNDED
@given(CHANGES)
def test_a_sealed_index_that_says_other_things_is_used_or_refused(
    changes: list[tuple[list[int], Any]],
) -> None:
    with np.load(io.BytesIO((SCRATCH / "whole.npz").read_bytes()[:-SEAL] + b"0" * SEAL)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    about = changed(json.loads(arrays["about"].tobytes()), changes)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    resealed(arrays, SCRATCH / "index.npz")
    assert_used_or_refused(SCRATCH / "index.npz")


ARRAYS = ["embeddings", "portrait_actor", "templates", "template_actor"]
KINDS = ["float32", "float64", "int32", "int64", "uint8", "bool", "complex64", "U3"]


@BOUNDED
@given(st.sampled_from(ARRAYS), st.sampled_from(KINDS), st.integers(0, 9),
       st.sampled_from(["kind", "value", "shape", "flat", "missing", "short", "order"]),
       st.integers(-(2**31), 2**31 - 1))  # fmt: skip
def test_a_sealed_index_of_other_numbers_is_used_or_refused(
    name: str, kind: str, place: int, what: str, value: int
) -> None:
    with np.load(io.BytesIO((SCRATCH / "whole.npz").read_bytes()[:-SEAL] + b"0" * SEAL)) as stored:
        arrays = {name: stored[name].copy() for name in stored.files}
    array = arrays[name]
    if what == "kind":
        arrays[name] = array.astype(kind)
    elif what == "value":
        array.flat[place % array.size] = value if place % 3 else (np.nan if array.ndim > 1 else -1)
    elif what == "shape":
        arrays[name] = array[None]
    elif what == "flat":
        arrays[name] = array.ravel()[: len(array)]
    elif what == "missing":
        del arrays[name]
    elif what == "short":
        arrays[name] = array[:place]
    else:
        arrays[name] = array[::-1].copy()
    resealed(arrays, SCRATCH / "index.npz")
    assert_used_or_refused(SCRATCH / "index.npz")
