"""Copies are told from photos that are only alike; mislabels by whom they look like."""

from __future__ import annotations

from core.faces.engine import FaceEngine
from core.settings import Settings
from core.upkeep.check import check_gallery
from tests.conftest import copy_actors, needs_shared


@needs_shared
def test_clean_photos_of_one_actor_are_neither_copies_nor_mislabels(
    small_gallery: Settings, engine: FaceEngine
) -> None:
    assert check_gallery(engine, small_gallery).faults == ()


@needs_shared
def test_a_mislabel_is_named_with_the_actor_it_looks_like(
    small_gallery: Settings, engine: FaceEngine
) -> None:
    dataset = small_gallery.dataset_dir
    copy_actors(["Brad Pitt"], dataset / ".probes", "probes")
    (probe, *_) = sorted((dataset / ".probes" / "Brad Pitt").iterdir())
    probe.rename(dataset / "Tom Hardy" / "2.jpg")
    (fault,) = check_gallery(engine, small_gallery).faults
    assert (fault.file, fault.reason) == ("Tom Hardy/2.jpg", "likely_mislabel")
    assert fault.other == "Brad Pitt"


@needs_shared
def test_of_two_copies_the_one_in_the_wrong_folder_is_the_fault(
    small_gallery: Settings, engine: FaceEngine
) -> None:
    dataset = small_gallery.dataset_dir
    (dataset / "Brad Pitt" / "1.jpg").rename(dataset / "Brad Pitt" / "20.jpg")
    copy = dataset / "Tom Hardy" / "0.jpg"
    copy.write_bytes((dataset / "Brad Pitt" / "20.jpg").read_bytes())
    found = {fault.reason: fault for fault in check_gallery(engine, small_gallery).faults}
    assert found["duplicate"].file == "Tom Hardy/0.jpg"
    assert found["duplicate"].other == "Brad Pitt/20.jpg"
    assert found["likely_mislabel"].file == "Tom Hardy/0.jpg"
