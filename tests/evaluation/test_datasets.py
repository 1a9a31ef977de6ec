"""Who is on which photo, and LFW's two forms of a pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import GalleryError
from scripts.evaluation.datasets import LFW, labelled_photos, plain_name, read_pairs
from scripts.evaluation.material import SAMPLED, Material
from tests.conftest import SHARED, needs_shared


@pytest.fixture
def lfw(tmp_path: Path) -> Path:
    for person, count in (("Ann_Lee", 3), ("Bob_Roe", 1)):
        folder = tmp_path / LFW / "images" / person
        folder.mkdir(parents=True)
        for number in range(1, count + 1):
            (folder / f"{person}_{number:04d}.jpg").write_bytes(b"x")
    return tmp_path


def test_both_forms_of_a_pair_are_read(lfw: Path) -> None:
    (lfw / LFW / "pairs.txt").write_text("1\nAnn_Lee\t1\t3\nAnn_Lee\t2\tBob_Roe\t1\n")
    photos = labelled_photos(lfw, LFW)
    pairs = read_pairs(lfw, "pairs.txt", photos)
    assert [photo.path.stem for photo in photos] == [
        "Ann_Lee_0001", "Ann_Lee_0002", "Ann_Lee_0003", "Bob_Roe_0001",
    ]  # fmt: skip
    assert [photo.person for photo in photos] == ["Ann_Lee"] * 3 + ["Bob_Roe"]
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0, 1], [2, 3])
    assert pairs.same.tolist() == [True, False]


@pytest.mark.parametrize("line", ["Ann_Lee\t1\t9", "Ann_Lee", "Ann_Lee\tx\ty"])
def test_a_pair_that_cannot_be_found_names_the_list(lfw: Path, line: str) -> None:
    (lfw / LFW / "pairs.txt").write_text(f"1\n{line}\n")
    with pytest.raises(GalleryError, match="cannot be used"):
        read_pairs(lfw, "pairs.txt", labelled_photos(lfw, LFW))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gallery").mkdir()
    with pytest.raises(GalleryError, match="has no photos"):
        labelled_photos(tmp_path, "gallery")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë_Kravitz", "Zoe Kravitz"),
        ("Ma Dong-seok", "ma dong seok"),
        ("Robert Downey Jr.", "Robert_Downey_Jr"),
        ("Courtney_Cox", "Courteney Cox"),
        ("Vivica_Fox", "Vivica A Fox"),
    ],
)
def test_one_person_in_two_spellings_is_one(one: str, other: str) -> None:
    assert plain_name(one) == plain_name(other)


def test_two_people_stay_two() -> None:
    assert plain_name("Adam_Scott") != plain_name("Ashley Scott")


@needs_shared
def test_every_pair_of_lfw_is_there() -> None:
    photos = labelled_photos(SHARED, LFW)
    for name, count in (("pairsDevTrain.txt", 2200), ("pairsDevTest.txt", 1000)):
        pairs = read_pairs(SHARED, name, photos)
        assert (len(pairs.same), int(pairs.same.sum())) == (count, count // 2)
        for first, second, same in zip(pairs.first, pairs.second, pairs.same, strict=True):
            assert (photos[first].person == photos[second].person) == same


@needs_shared
def test_the_sample_keeps_each_pair_with_its_photos() -> None:
    """One pair in eight, of the same two people, and no photo that is in none."""
    whole, sample = (Material(SHARED, meter=None, sample=thin) for thin in (False, True))
    photos, all_photos = sample.photos(LFW), whole.photos(LFW)
    assert len(photos) < len(all_photos) / 5
    asked = set()
    for few, every in ((sample.learn, whole.learn), (sample.test, whole.test)):
        kept = every.every(SAMPLED)
        for mine, theirs in ((few.first, kept.first), (few.second, kept.second)):
            assert [photos[one] for one in mine] == [all_photos[one] for one in theirs]
            asked |= set(mine.tolist())
        assert np.array_equal(few.same, kept.same)
    assert asked == set(range(len(photos)))
    assert len(sample.photos("kpop_crops")) < len(whole.photos("kpop_crops")) / 7
    assert sample.photos("probes_wild") == whole.photos("probes_wild")


def test_two_lists_of_pairs_are_one(lfw: Path) -> None:
    (lfw / LFW / "pairs.txt").write_text("1\nAnn_Lee\t1\t3\nAnn_Lee\t2\tBob_Roe\t1\n")
    pairs = read_pairs(lfw, "pairs.txt", labelled_photos(lfw, LFW))
    both = pairs.and_of(pairs.every(2))
    assert both.first.tolist() == [0, 1, 0]
    assert both.second.tolist() == [2, 3, 2]
    assert both.same.tolist() == [True, False, True]
