"""People who were taken out stay out, whatever an index is made from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from core.errors import GalleryError
from core.faces.engine import FaceEngine
from core.files import sha256_of
from core.gallery.removals import Removals, load_removals, save_removals
from core.index.actor_index import save_index
from core.index.embeddings_cache import load_cache
from core.settings import Settings
from core.startup import open_gallery, plan_start
from scripts.maintenance.make_starter_gallery import embedded
from tests.conftest import ROOT, enrolled, rebuilt
from tests.index.test_enrol import fill_gallery


@pytest.fixture
def without_bob(settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose removals name Bob."""
    path = tmp_path / "removals.json"
    save_removals(Removals().and_of(["Bob"]), path)
    return settings.replaced(removals_file=path)


def test_a_name_is_known_however_it_is_written() -> None:
    removals = Removals().and_of(["송강호", "AC/DC", "Robert Downey Jr."])
    for name in (unicodedata.normalize("NFD", "송강호"), "ac/dc", "AC∕DC", "robert downey jr"):
        assert name in removals
    assert "Robert\u200b_ Downey  JR" in removals  # as it looks: tests/gallery/test_people.py
    assert "Robert Downey" not in removals


def test_a_line_of_the_old_key_is_honoured() -> None:
    old = sha256_of(b"uma_thurman")  # of a folder's name, in folded case
    removals = Removals(frozenset([old]))
    assert "Uma_Thurman" in removals
    assert removals.lines_of("Uma_Thurman") == [old]
    assert "Uma Thurman" in Removals(frozenset([sha256_of(b"uma thurman")]))


def test_the_list_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "removals.json"
    save_removals(Removals().and_of(["Gal Gadot"]), path)
    assert "Gadot" not in path.read_text()
    assert "Gal Gadot" in load_removals(path)


def test_deleting_any_line_undoes_a_removal(tmp_path: Path) -> None:
    path = tmp_path / "removals.json"
    for number in range(3):
        save_removals(Removals().and_of(["A", "B", "C"]), path)
        lines = path.read_text().splitlines()
        del lines[3 + number]
        path.write_text("\n".join(lines))
        assert len(load_removals(path).hashes) == 2


def test_a_missing_list_is_empty_and_a_damaged_one_stops_everything(tmp_path: Path) -> None:
    path = tmp_path / "removals.json"
    assert load_removals(path) == Removals()
    for damage in ("{", "[]", '{"schema": 2, "names": []}', '{"schema": 1, "names": ["Bob"]}'):
        path.write_text(damage)
        with pytest.raises(GalleryError, match="cannot be read"):
            load_removals(path)


def test_photos_of_the_removed_are_left_out_and_their_embeddings_go(
    without_bob: Settings, engine: FaceEngine
) -> None:
    fill_gallery(without_bob.dataset_dir, ["Ann", "Bob"])
    everyone = enrolled(engine, without_bob.replaced(removals_file=Path("/nowhere.json")))
    assert everyone.index.actors == ("Ann", "Bob")
    enrolment = enrolled(engine, without_bob)
    assert enrolment.index.actors == ("Ann",)
    left_out = enrolment.index.info.left_out
    assert left_out == {"Bob/1.png": "removed", "Bob/2.png": "removed"}
    cache = load_cache(without_bob.cache_path)
    assert list(cache.actors) == ["Ann"]
    assert len(cache.packs["sface"].photos) == 2


def test_a_cache_with_the_removed_gives_an_index_without(
    without_bob: Settings, engine: FaceEngine
) -> None:
    fill_gallery(without_bob.dataset_dir, ["Ann", "Bob"])
    enrolled(engine, without_bob.replaced(removals_file=Path("/nowhere.json")))
    index = rebuilt(without_bob.cache_path, without_bob).index
    assert index.actors == ("Ann",)
    assert set(index.info.left_out.values()) == {"removed"}


def test_an_index_made_before_a_removal_is_not_used(
    without_bob: Settings, engine: FaceEngine
) -> None:
    fill_gallery(without_bob.dataset_dir, ["Ann", "Bob"])
    everyone = without_bob.replaced(removals_file=Path("/nowhere.json"), model_pack="sface")
    save_index(enrolled(engine, everyone).index, everyone.index_path)
    assert plan_start(everyone, open_gallery(everyone)).index is not None
    now = everyone.replaced(removals_file=without_bob.removals_file)
    assert plan_start(now, open_gallery(now)).index is None  # enrolled anew


def test_the_starter_gallery_is_made_without_the_removed(
    without_bob: Settings, engine: FaceEngine
) -> None:
    fill_gallery(without_bob.dataset_dir, ["Ann", "Bob"])
    cache = embedded(without_bob.dataset_dir, engine, without_bob)
    assert list(cache.actors) == ["Ann"]
    assert len(cache.packs["sface"].photos) == 2


def test_a_starter_gallery_with_a_removed_person_fails_its_check(tmp_path: Path) -> None:
    path = tmp_path / "removals.json"
    save_removals(Removals().and_of(["Gal Gadot"]), path)
    command = [
        sys.executable,
        ROOT / "scripts" / "maintenance" / "make_starter_gallery.py",
        "--check",
    ]
    environ = {**os.environ, "LOOKALIKE_REMOVALS_FILE": str(path)}
    answer = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert answer.returncode == 2
    assert "1 people on removals.json are in it" in answer.stderr


def test_the_committed_list_can_be_read() -> None:
    path = Settings().removals_path
    assert json.loads(path.read_text())["schema"] == 1
    removals = load_removals(path)
    assert not [n for n in load_cache(Settings().starter_path).actors if n in removals]
