"""The whole app on an index in Milvus: built, changed by its owner, searched, refused."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

from core.answer import actors_json, answer_json, health_json
from core.errors import IndexRefusedError, IndexServerError, ModelError
from core.faces.engine import FaceEngine
from core.gallery.credits import write_credits
from core.gallery.people import Filter, write_actors
from core.gallery.removals import load_removals, save_removals
from core.index.kept import is_kept, keep, load_kept
from core.index.milvus.search import MilvusIndex
from core.index.milvus.server import Database
from core.lookalike import LookalikeFinder
from core.models.packs import PACKS
from core.page.handlers import Handlers
from core.page.serving.server import credits_page
from core.settings import Settings
from core.startup import open_gallery, plan_start, start
from core.upkeep.actors import add_photos, remove_actor, rename_actor
from scripts.page.app import free_port
from tests.conftest import ROOT, enrolled
from tests.index.test_enrol import SIX_FACES, fill_gallery, head
from tests.page.conftest import JANE, PEOPLE, view_of, visit
from tests.running_script import run_here

T = TypeVar("T")
NAMES = [*SIX_FACES, "Astronaut"]


@pytest.fixture
def owned(settings: Settings, tmp_path: Path) -> Settings:
    """Seven people, two photos each; the index is to be in Milvus."""
    pytest.importorskip("pymilvus", reason="needs requirements-milvus.txt")
    fill_gallery(settings.dataset_dir, NAMES)
    write_actors(settings.people_path, PEOPLE.values())
    write_credits(settings.dataset_dir / "credits.csv", {f"Ann/{n}.png": JANE for n in (1, 2)})
    return settings.replaced(
        model_pack="sface",
        index=f"milvus:{tmp_path / 'gallery.db'}",
        removals_file=tmp_path / "removals.json",
    )


@pytest.fixture
def built(owned: Settings, engine: FaceEngine) -> Settings:
    keep(enrolled(engine, owned).index, owned)
    return owned


@pytest.fixture
def make_engine(engine: FaceEngine) -> Callable[[str], FaceEngine]:
    return lambda pack: engine


def in_file(finder: LookalikeFinder) -> LookalikeFinder:
    """The same finder on the index in memory."""
    settings = finder.settings.replaced(index="")
    return replace(finder, index=enrolled(finder.engine, settings).index, settings=settings)


def environ(settings: Settings) -> dict[str, str]:
    """That scripts see these settings."""
    names = ("index", "dataset_dir", "models_dir", "removals_file", "model_pack")
    given = {f"LOOKALIKE_{name.upper()}": str(getattr(settings, name)) for name in names}
    return given | {"HF_HUB_OFFLINE": "1"}


def test_every_answer_of_the_app_is_that_of_the_index_in_memory(built: Settings) -> None:
    ours = start(built)
    assert isinstance(ours.index, MilvusIndex)
    ours.warm_up()
    theirs = in_file(ours)
    photo = built.dataset_dir / "Cid" / "2.png"
    for wanted in (Filter(), Filter("women"), Filter("men", "KR"), Filter("", "FR")):
        expected = answer_json(theirs, photo, 5, wanted)
        assert answer_json(ours, photo, 5, wanted) == expected
        assert actors_json(ours, wanted) == actors_json(theirs, wanted)
    assert {**health_json(ours), "built": ""} == {**health_json(theirs), "built": ""}
    assert not built.index_path.exists()


def test_the_page_shows_portraits_credits_and_live_from_milvus(built: Settings) -> None:
    ours = start(built)
    view = view_of(ours)
    match = ours.find(built.dataset_dir / "Ann" / "1.png").faces[0].matches[0]
    address = view.address(match, "small")
    assert match.actor == "Ann" and address
    key = address.split("/")[1]
    assert view.pictures.encoded(key, "small") == view_of(in_file(ours)).pictures.encoded(
        key, "small"
    )
    assert view.pictures.encoded("0" * 16, "small") is None
    assert view.pictures.framed(match.portrait)
    assert credits_page(view).count("Jane Doe") == 2
    handlers, frame = Handlers(ours), np.asarray(head("Dan").resize((400, 420)))
    html, memory = handlers.name_live(frame, None, visit())
    assert 'data-actor="Dan"' in html
    _, memory = handlers.name_live(frame, memory, visit())
    assert ours.index.actors[memory.steady.actor] == "Dan"
    in_memory, _ = Handlers(in_file(ours)).name_live(frame, None, visit())
    assert html == in_memory


def test_the_build_script_writes_to_milvus_and_only_new_photos_meet_the_models(
    owned: Settings, tmp_path: Path, no_hub: None
) -> None:
    built = run_here("build_actor_index_insightface", cwd=tmp_path, env=environ(owned))
    assert built.returncode == 0, built.stderr
    assert "7 actors, 14 of 14 photos used (14 new)" in built.stdout
    assert not owned.index_path.exists()
    assert load_kept(owned).actors == tuple(sorted(NAMES))
    head("Ann").rotate(2).save(owned.dataset_dir / "Ann" / "9.png")
    again = run_here("build_actor_index_insightface", cwd=tmp_path, env=environ(owned))
    assert "7 actors, 15 of 15 photos used (1 new)" in again.stdout
    assert int(load_kept(owned).portrait_counts.sum()) == 15
    cached = run_here("build_index_from_cache", cwd=tmp_path, env=environ(owned))
    assert "15 portraits: Milvus at " in cached.stdout, cached.stderr
    found = run_here(
        "find_lookalike", owned.dataset_dir / "Bob" / "1.png", cwd=tmp_path, env=environ(owned)
    )
    assert "1. Bob" in found.stdout, found.stderr


def test_a_file_named_on_the_command_line_goes_before_the_setting(
    owned: Settings, tmp_path: Path, no_hub: None
) -> None:
    file = tmp_path / "other.npz"
    done = run_here(
        "build_actor_index_insightface", "--index", file, cwd=tmp_path, env=environ(owned)
    )
    assert (done.returncode, file.is_file()) == (0, True), done.stderr
    with pytest.raises(IndexRefusedError, match="there is none"):
        load_kept(owned)


def test_the_owners_changes_reach_milvus(
    built: Settings, make_engine: Callable[[str], FaceEngine], tmp_path: Path
) -> None:
    photo = tmp_path / "new.png"
    head("Eve").rotate(3, resample=Image.Resampling.BICUBIC).save(photo)
    add_photos("Eve", [photo], built, make_engine)
    eve = load_kept(built).actors.index("Eve")
    assert load_kept(built).portrait_counts[eve] == 3
    rename_actor("Eve", "이브", built, make_engine)
    assert set(load_kept(built).actors) == {*NAMES, "이브"} - {"Eve"}
    gone = start(built).find(built.dataset_dir / "Dan" / "1.png").faces[0]
    assert gone.matches[0].actor == "Dan"
    remove_actor("Dan", built, make_engine)
    finder = start(built)
    assert "Dan" not in finder.index.actors
    assert "Dan" not in [match.actor for match in finder.index.search(gone.face.embedding, 9)]
    assert finder.index.portraits_of([gone.matches[0].portrait.key]) == []
    assert finder.index.search(gone.face.embedding, 9) == in_file(finder).index.search(
        gone.face.embedding, 9
    )


def test_a_change_broken_off_while_it_was_written_is_ended_by_the_same_command(
    built: Settings, make_engine: Callable[[str], FaceEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for change in (
        lambda: rename_actor("Eve", "이브", built, make_engine),
        lambda: remove_actor("Bob", built, make_engine),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Database, "delete", killed)  # rows of the new build are there by then
            with pytest.raises(KeyboardInterrupt):
                change()
        with pytest.raises(IndexRefusedError, match=r"changed|taken out"):
            plan_start(built, open_gallery(built))  # the former build is whole, and does not fit
        change()
        start(built)
    assert set(load_kept(built).actors) == {*NAMES, "이브"} - {"Eve", "Bob"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("gallery", "the gallery has changed"),
        ("removals", "it holds people who were taken out"),
        ("settings", "it was made with other detection settings"),
        ("identity", "it was made with other weights of pack sface"),
        ("pack", "it is of pack sface, auraface is asked for"),
        ("nothing", "there is none"),
    ],
)
def test_an_index_that_does_not_fit_is_refused_and_never_built_by_a_start(
    owned: Settings, engine: FaceEngine, change: str, reason: str
) -> None:
    index, asked = enrolled(engine, owned).index, owned
    if change == "identity":
        index = replace(index, info=replace(index.info, identity="other"))
    if change != "nothing":
        keep(index, owned)
    if change == "gallery":
        (owned.dataset_dir / "Ann" / "2.png").unlink()
    if change == "removals":
        removals = load_removals(owned.removals_path)
        save_removals(removals.and_of({"Bob"}), owned.removals_path)
    if change == "settings":
        asked = owned.replaced(min_face=30)
    if change == "pack":
        asked = owned.replaced(model_pack="auraface")
    with pytest.raises(IndexRefusedError) as refused:
        start(asked)
    sentence = str(refused.value)
    assert sentence.startswith("the index in Milvus at ")
    assert reason in sentence
    assert sentence.endswith("write it with scripts/build_actor_index_insightface.py")
    assert not owned.index_path.exists()


def test_an_index_whose_pack_is_not_to_be_had_is_no_reason_for_another(
    owned: Settings, engine: FaceEngine, no_hub: None
) -> None:
    index = enrolled(engine, owned).index
    info = replace(index.info, pack="auraface", identity=PACKS["auraface"].identity)
    keep(replace(index, info=info), owned)
    with pytest.raises(ModelError, match="Hub"):
        start(owned.replaced(model_pack="auto"))


def test_a_machine_without_the_photos_serves_the_index(built: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    finder = start(built.replaced(dataset_dir=tmp_path / "empty"))
    answer = finder.find(built.dataset_dir / "Bob" / "1.png")
    assert answer.faces[0].matches[0].actor == "Bob"
    assert finder.portrait_path(answer.faces[0].matches[0].portrait) is None


@pytest.mark.parametrize("script", ["find_lookalike", "build_actor_index_insightface"])
def test_scripts_say_in_one_line_that_no_server_answers(
    owned: Settings, tmp_path: Path, script: str, no_hub: None
) -> None:
    env = environ(owned) | {"LOOKALIKE_INDEX": "milvus://127.0.0.1:1"}
    photos = [owned.dataset_dir / "Bob" / "1.png"] if script == "find_lookalike" else []
    done = run_here(script, *photos, cwd=tmp_path, env=env)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: Milvus at http://127.0.0.1:1 does not answer")
    assert last.endswith("start it, or correct LOOKALIKE_INDEX")


def test_the_app_says_in_one_line_that_no_server_answers(owned: Settings, tmp_path: Path) -> None:
    env = environ(owned) | {"LOOKALIKE_INDEX": "milvus://127.0.0.1:1", "HOME": str(tmp_path)}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, ROOT / "app.py", "--port", "1"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: Milvus at http://127.0.0.1:1 does not")
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 30


@contextlib.contextmanager
def milvus_server(folder: Path, port: int) -> Iterator[None]:
    """milvus-lite as a server of its own; what it has is in the folder."""
    program = Path(sys.executable).with_name("milvus-lite")
    command = [program, "server", "--data-dir", folder, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.kill()


def patiently(ask: Callable[[], T]) -> T:
    """The answer of a server that is just starting."""
    for _ in range(120):
        try:
            return ask()
        except IndexServerError:
            time.sleep(0.25)
    return ask()


@pytest.mark.slow
def test_an_app_goes_on_when_the_server_has_come_back(
    owned: Settings, engine: FaceEngine, tmp_path: Path
) -> None:
    port = free_port()
    served = owned.replaced(index=f"milvus://127.0.0.1:{port}")
    photo, index = owned.dataset_dir / "Bob" / "1.png", enrolled(engine, owned).index
    with milvus_server(tmp_path / "data", port):
        assert not patiently(lambda: is_kept(served))
        keep(index, served)
        finder = start(served)
        expected = answer_json(finder, photo)
        assert expected == answer_json(in_file(finder), photo)
    with pytest.raises(IndexServerError, match="does not answer"):
        finder.find(photo)
    with milvus_server(tmp_path / "data", port):
        assert patiently(lambda: answer_json(finder, photo)) == expected
        done = run_here("build_actor_index_insightface", cwd=tmp_path, env=environ(served))
        assert done.returncode == 0, done.stderr


def test_without_the_client_the_start_names_the_remedy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(IndexServerError, match=r"pip install -r requirements-milvus\.txt"):
        start(settings.replaced(index="milvus://127.0.0.1:1"))


def test_nothing_imports_the_client_unless_it_is_asked_for() -> None:
    code = (
        "import sys, core.startup, core.upkeep.actors, core.page.layout, core.page.handlers;"
        "print(any(name.partition('.')[0] in ('pymilvus', 'milvus_lite', 'grpc')"
        " for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
