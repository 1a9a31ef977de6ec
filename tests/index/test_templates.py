"""From embeddings to an index: templates, mislabels, what is left out. On real embeddings."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import core.index.templates
from core.errors import GalleryError
from core.gallery.photos import Portrait
from core.index.embeddings_cache import EmbeddingsCache, EnrolledPhoto, PackCache, load_cache
from core.index.templates import build_index, likely_mislabels, make_templates
from core.models.packs import PACKS
from core.settings import Settings

UNLIKE = ("Brad Pitt", "Gal Gadot", "Morgan Freeman")


@pytest.fixture(scope="module")
def starter() -> EmbeddingsCache:
    return load_cache(Settings().starter_path)


@pytest.fixture(scope="module")
def people(starter: EmbeddingsCache) -> list[np.ndarray]:
    """(5, D) embeddings of each actor who has five portraits or more."""
    photos = starter.packs["sface"].photos
    rows = [[photos[p.sha256].embedding for p in row] for row in starter.actors.values()]
    return [np.stack(row[:5]) for row in rows if len(row) >= 5]


@pytest.fixture(scope="module")
def three(starter: EmbeddingsCache) -> list[np.ndarray]:
    """The same of three actors who are not alike."""
    photos = starter.packs["sface"].photos
    rows = [starter.actors[name][:5] for name in UNLIKE]
    return [np.stack([photos[p.sha256].embedding for p in row]) for row in rows]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def by_row(vectors: np.ndarray) -> np.ndarray:
    """In an order of their own, for comparing sets of templates."""
    return vectors[np.lexsort(vectors.T)]


def test_one_cluster_is_the_unit_mean(people: list[np.ndarray]) -> None:
    for rows in people[:10]:
        template = make_templates(rows, 1)
        assert template.shape == rows[:1].shape
        assert template.dtype == np.float32
        assert np.allclose(template[0], unit(rows.mean(axis=0)), atol=1e-6)


def test_two_looks_become_two_templates(people: list[np.ndarray]) -> None:
    """Two people's portraits under one name: an actor whose two looks could not differ more."""
    for first, second in zip(people[:10], people[10:20], strict=True):
        mixed = np.concatenate([first, second])[np.random.default_rng(0).permutation(10)]
        looks = unit(np.stack([first.mean(axis=0), second.mean(axis=0)]))
        assert np.allclose(by_row(make_templates(mixed, 2)), by_row(looks), atol=1e-5)


@pytest.mark.parametrize("clusters", [2, 3, 5, 9])
def test_no_more_portraits_than_clusters_keeps_each(
    clusters: int, people: list[np.ndarray]
) -> None:
    rows = people[0][: min(clusters, 5)]
    assert np.allclose(by_row(make_templates(rows, clusters)), by_row(rows), atol=1e-6)


@pytest.mark.parametrize("clusters", [1, 2, 3, 4])
def test_templates_are_unit_distinct_and_never_of_an_empty_cluster(
    clusters: int, people: list[np.ndarray]
) -> None:
    for rows in people:
        templates = make_templates(rows, clusters)
        assert templates.shape == rows[:clusters].shape
        assert np.allclose(np.linalg.norm(templates, axis=1), 1, atol=1e-5)
        closest = (rows @ templates.T).argmax(axis=1)
        assert set(closest) == set(range(clusters))


def test_the_same_picture_in_several_files_gives_no_empty_cluster(people: list[np.ndarray]) -> None:
    one, other = people[0][:2]
    for copies, expected in [([one] * 5, 1), ([one] * 4 + [other], 2), ([one, other] * 3, 2)]:
        for clusters in (2, 3, 4):
            templates = make_templates(np.stack(copies), clusters)
            assert templates.shape == (expected, one.size)
            assert np.isfinite(templates).all()


def test_templates_do_not_depend_on_chance(people: list[np.ndarray]) -> None:
    for rows in people[:20]:
        first = make_templates(rows, 2)
        np.random.seed(1)
        assert np.array_equal(first, make_templates(rows, 2))


def test_clean_portraits_are_not_called_mislabelled(people: list[np.ndarray]) -> None:
    assert len(people) > 70
    assert [likely_mislabels(list(rows)) for rows in people] == [[]] * len(people)


def test_a_swapped_portrait_is_found(people: list[np.ndarray]) -> None:
    """Another actor's portrait in every place of every actor: nine in ten are found, alone."""
    found = 0
    for position in range(5):
        for rows, stranger in zip(people, people[1:] + people[:1], strict=True):
            mixed = [*rows]
            mixed[position] = stranger[position]
            found += likely_mislabels(mixed) == [position]
    assert found / (5 * len(people)) > 0.90


def test_two_strangers_among_five_are_found_worst_first(three: list[np.ndarray]) -> None:
    rows, first, second = three[0], three[1][0], three[2][0]
    mixed = [rows[0], first, rows[1], rows[2], second]
    cosines = np.stack(mixed) @ np.stack(mixed).T
    worst = [int(position) for position in cosines.sum(axis=1).argsort()[:2]]
    assert set(worst) == {1, 4}
    assert likely_mislabels(mixed) == worst


def test_two_photos_are_never_judged(people: list[np.ndarray]) -> None:
    assert likely_mislabels([people[0][0], people[1][0]]) == []
    assert likely_mislabels([people[0][0]]) == []
    assert likely_mislabels([]) == []


def made_up(rows: dict[str, list[tuple[Portrait, EnrolledPhoto | None]]]) -> EmbeddingsCache:
    """A cache of these actors; None stands for a photo the pack does not know."""
    photos = {p.sha256: photo for row in rows.values() for p, photo in row if photo is not None}
    pack = PackCache(
        "sface", "sface-x", PACKS["sface"].dimension, {"min_face": 20}, {"numpy": "2"}, photos
    )
    actors = {name: [portrait for portrait, _ in row] for name, row in rows.items()}
    return EmbeddingsCache(actors, {"sface": pack}, "sface")


def test_what_is_left_out_is_named_with_its_reason(three: list[np.ndarray]) -> None:
    a, b, c = (EnrolledPhoto(vector) for vector in three[0][:3])
    stranger = EnrolledPhoto(three[1][0])
    cache = made_up(
        {
            "Zoe": [
                (Portrait("1" * 64, "Zoe/1.jpg"), a),
                (Portrait("2" * 64, "Zoe/2.jpg"), b),
                (Portrait("3" * 64, "Zoe/3.jpg"), stranger),
                (Portrait("1" * 64, "Zoe/4.jpg"), a),
                (Portrait("5" * 64, "Zoe/5.jpg"), EnrolledPhoto(None, "several_faces")),
                (Portrait("6" * 64), None),
                (Portrait("7" * 64, "Zoe/7.jpg"), c),
            ],
            "Ann": [(Portrait("8" * 64, "Ann/1.jpg"), stranger)],
            "Bob": [(Portrait("9" * 64, "Bob/1.jpg"), EnrolledPhoto(None, "no_face"))],
        }
    )
    index = build_index(cache, cache.packs["sface"], source="gallery", listing="x", clusters=1)
    assert index.info.left_out == {
        "Zoe/3.jpg": "likely_mislabel",
        "Zoe/4.jpg": "duplicate",
        "Zoe/5.jpg": "several_faces",
        "Zoe/666666666666": "not_embedded",
        "Bob/1.jpg": "no_face",
    }
    assert index.actors == ("Ann", "Zoe")  # by name, without the one who has none
    assert [p.file for p in index.portraits] == ["Ann/1.jpg", *(f"Zoe/{n}.jpg" for n in (1, 2, 7))]
    assert index.portrait_actor.tolist() == [0, 1, 1, 1]
    assert np.array_equal(index.embeddings[1:], three[0][:3])
    assert np.allclose(index.templates[1], unit(three[0][:3].mean(axis=0)), atol=1e-6)


def test_a_mislabel_counts_neither_for_the_template_nor_for_the_score(
    starter: EmbeddingsCache,
) -> None:
    pack, (name, *others, stranger) = starter.packs["sface"], UNLIKE
    clean = {actor: starter.actors[actor] for actor in (name, *others, "Tom Hardy", "Uma Thurman")}
    spoilt = {**clean, name: [*clean[name], starter.actors[stranger][0]]}
    one, other = (
        build_index(EmbeddingsCache(actors), pack, source="gallery", listing="")
        for actors in (clean, spoilt)
    )
    assert list(other.info.left_out.values()) == ["likely_mislabel"]
    assert np.array_equal(one.templates, other.templates)
    assert np.array_equal(one.calibration.similarities, other.calibration.similarities)
    assert one.calibration.mean == other.calibration.mean


def test_index_knows_what_it_was_made_from(starter: EmbeddingsCache) -> None:
    pack = starter.packs["sface"]
    info = build_index(starter, pack, source="starter", listing="abc", clusters=2).info
    assert (info.pack, info.identity) == ("sface", pack.identity)
    assert (info.detection, info.libraries) == (pack.detection, pack.libraries)
    assert (info.source, info.listing, info.clusters) == ("starter", "abc", 2)
    assert info.built.endswith("+00:00")


def test_gallery_without_one_usable_photo_is_refused() -> None:
    cache = made_up({"Zoe": [(Portrait("1" * 64, "Zoe/1.jpg"), EnrolledPhoto(None, "no_face"))]})
    with pytest.raises(GalleryError, match="no photo of the gallery can be used"):
        build_index(cache, cache.packs["sface"], source="gallery", listing="")


def test_a_large_gallery_is_calibrated_by_a_sample_in_little_memory(
    starter: EmbeddingsCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = starter.packs["sface"]
    whole = build_index(starter, pack, source="starter", listing="")
    sizes: list[int] = []
    compared = core.index.templates.best_per_actor

    def watched(rows: np.ndarray, *arrays: np.ndarray) -> np.ndarray:
        found = compared(rows, *arrays)
        sizes.append(found.size)
        return found

    monkeypatch.setattr(core.index.templates, "best_per_actor", watched)
    monkeypatch.setattr(core.index.templates, "CELLS", 20_000)
    monkeypatch.setattr(core.index.templates, "CALIBRATING", 1000)
    sampled = build_index(starter, pack, source="starter", listing="")
    assert max(sizes) <= 20_000
    assert sum(sizes) == 1000 * len(whole.actors)
    assert whole.calibration and sampled.calibration
    assert sampled.calibration.actors == whole.calibration.actors
    for likeness in np.linspace(0, 1, 40):
        ours, theirs = (index.calibration.score(likeness) for index in (sampled, whole))
        assert ours == pytest.approx(theirs, abs=2.5)
    arrays = (whole.embeddings, whole.portrait_actor, whole.templates, whole.template_actor)
    tracemalloc.start()
    core.index.templates.calibration_of(*arrays)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4e6  # bytes: 2e6; with all similarities kept 8e6
