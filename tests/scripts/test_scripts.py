"""The scripts as people run them: from any folder, with their exit statuses and one-line faults."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.index.actor_index import load_index
from core.log import printable
from scripts.find_lookalike import as_lines
from tests.conftest import ASTRONAUT, ROOT, SIX_PEOPLE
from tests.index.test_enrol import SIX_FACES, fill_gallery, head
from tests.running_app import clean_env
from tests.running_script import Done, run_here

FOLDER = ROOT / "scripts"
SCRIPTS = sorted(
    path.relative_to(FOLDER).with_suffix("").as_posix()
    for path in FOLDER.rglob("*.py")
    if "\n    run(main" in path.read_text("utf-8")  # others are parts of a script
)
BUILD, REBUILD, FIND, STARTER = (
    "build_actor_index_insightface",
    "build_index_from_cache",
    "find_lookalike",
    "maintenance/make_starter_gallery",
)
Run = Callable[..., Done]


@pytest.fixture(scope="module")
def env(
    models_dir: Path, sface: object, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """An environment without any Hub."""
    home = tmp_path_factory.mktemp("home")
    return clean_env(home, HF_HUB_OFFLINE="1", LOOKALIKE_MODELS_DIR=str(models_dir))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not the project's."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def start(env: dict[str, str], elsewhere: Path) -> Run:
    """Run a script by its path in a process of its own."""

    def start(script: str, *args: object, cwd: Path = elsewhere, **extra: str) -> Done:
        command = [sys.executable, ROOT / "scripts" / f"{script}.py", *map(str, args)]
        return subprocess.run(
            command, cwd=cwd, env=env | extra, capture_output=True, text=True, check=False
        )

    return start


@pytest.fixture(scope="module")
def run(env: dict[str, str], elsewhere: Path) -> Run:
    """Run a script in this process."""

    def run(script: str, *args: object, cwd: Path = elsewhere, **extra: str) -> Done:
        return run_here(script, *args, cwd=cwd, env=env | extra)

    return run


def assert_fault(done: Done, words: str) -> None:
    """Exit status 2 and one line on stderr."""
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, start: Run) -> tuple[Path, Done]:
    """A folder with a gallery, good and bad photos in it, and what building it printed."""
    folder = tmp_path_factory.mktemp("built")
    dataset = folder / "photos"
    dataset.mkdir()
    fill_gallery(dataset)
    (dataset / "Nobody").mkdir()
    (dataset / "Nobody" / "text.jpg").write_text("I am no picture")
    Image.new("RGB", (300, 300)).save(dataset / "Ann" / "blank.png")
    args = ("--dataset-dir", "photos", "--clusters", 2, "--index", "i.npz", "--cache", "c.json")
    return folder, start(BUILD, *args, cwd=folder)


def test_there_are_scripts() -> None:
    assert {BUILD, REBUILD, FIND, "download_models", STARTER} <= set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_runs_by_path_from_any_folder(script: str, start: Run) -> None:
    done = start(script, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")


def test_script_runs_as_a_module() -> None:
    command = [sys.executable, "-m", f"scripts.{FIND}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")


@pytest.mark.parametrize("script", SCRIPTS)
def test_unknown_option_is_one_line_and_status_2(script: str, run: Run) -> None:
    done = run(script, "--nonsense")
    assert_fault(done, "see --help")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("script", "args", "words"),
    [
        (FIND, [], "PHOTO"),
        (FIND, ["--top-k", "0", "a.jpg"], "'0' is not a whole number of 1 or more"),
        (FIND, ["--pack", "buffalo_l", "a.jpg"], "buffalo_l"),
        (BUILD, ["--clusters", "two"], "'two' is not a whole number"),
        (STARTER, [], "name at least one folder"),
    ],
)
def test_argument_that_cannot_be_used_is_one_line_and_status_2(
    script: str, args: list[str], words: str, run: Run
) -> None:
    done = run(script, *args)
    assert_fault(done, words)
    assert done.stdout == ""


def test_setting_that_cannot_be_used_is_one_line_and_status_2(start: Run) -> None:
    assert_fault(start(REBUILD, LOOKALIKE_TOP_K="none"), "error: LOOKALIKE_TOP_K is 'none'")


def test_interrupted_script_says_how_to_go_on(run: Run) -> None:
    code = "from scripts.cli import run\ndef main():\n    raise KeyboardInterrupt\nrun(main)\n"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "stopped; run it again to go on\n")


def test_build_writes_index_and_cache_where_told_and_sums_up(built: tuple[Path, Done]) -> None:
    folder, done = built
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "✅ Actor index ready: 6 actors" in lines
    assert re.fullmatch(
        r"on disk: index 0\.\d MB, cache 0\.\d MB;"
        r" to load at start: index \d+\.\d\d s, models \d+\.\d\d s",
        lines.pop(),
    )
    assert lines[-6].startswith("6 actors, 12 of 14 photos used (12 new), ")
    assert lines[-6].endswith(" s")
    assert lines[-5:] == [
        "left out, no face found: 1",
        "  Ann/blank.png",
        "left out, cannot be read as a picture: 1",
        "  Nobody/text.jpg",
        "actors left with no usable photo: Nobody",
    ]
    index = load_index(folder / "i.npz")
    assert (len(index.templates), index.info.clusters) == (12, 2)
    assert (folder / "c.json").is_file()
    assert {path.name for path in (folder / "photos").iterdir()} == {*SIX_FACES, "Nobody"}


def test_cache_script_writes_the_same_index_without_the_models(
    built: tuple[Path, Done], run: Run, tmp_path: Path
) -> None:
    folder, _ = built
    script = str(ROOT / "scripts" / f"{REBUILD}.py")
    code = (
        "import runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "try:\n"
        "    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0, end.code\n"
        "heavy = {'insightface', 'onnxruntime', 'onnx', 'cv2', 'gradio', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    target = tmp_path / "again.npz"
    args = ["--dataset-dir", "photos", "--cache", "c.json", "--index", target, "--clusters", "2"]
    command = [sys.executable, "-c", code, script, *map(str, args)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == [f"12 portraits: {target}", "[]"]
    first, second = load_index(folder / "i.npz"), load_index(target)
    for name in ("embeddings", "portrait_actor", "templates", "template_actor"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert np.array_equal(first.calibration.similarities, second.calibration.similarities)
    assert (first.actors, first.portraits) == (second.actors, second.portraits)
    assert first.info.listing == second.info.listing


def test_cache_script_says_what_is_wrong_with_its_cache(
    built: tuple[Path, Done], run: Run, tmp_path: Path
) -> None:
    folder, _ = built
    missing = run(REBUILD, "--dataset-dir", tmp_path)
    assert_fault(missing, "embeddings.json is not there")
    other = run(REBUILD, "--cache", folder / "c.json", "--pack", "auraface")
    assert_fault(other, "no embeddings of pack auraface (it has: sface)")


def test_build_again_embeds_nothing_and_follows_the_gallery(
    built: tuple[Path, Done], run: Run, tmp_path: Path
) -> None:
    folder, _ = built
    args = ("--dataset-dir", folder / "photos", "--cache", folder / "c.json")
    done = run(BUILD, *args, "--index", tmp_path / "again.npz", "--pack", "sface")
    assert done.returncode == 0
    assert "6 actors, 12 of 14 photos used (0 new)" in done.stdout
    assert len(load_index(tmp_path / "again.npz").templates) == 6


def test_build_without_photos_uses_the_starter_gallery(run: Run, tmp_path: Path) -> None:
    done = run(BUILD, "--dataset-dir", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the starter gallery is used" in done.stdout
    assert len(load_index(tmp_path / "actor_index.npz").actors) == 712


@pytest.mark.parametrize("script", [BUILD, "check_gallery", FIND])
def test_a_gallery_of_which_nothing_is_seen_is_refused_and_not_answered_with_the_starter(
    script: str, run: Run, tmp_path: Path
) -> None:
    run(BUILD, "--dataset-dir", tmp_path)  # an index of the starter gallery from before
    (tmp_path / "actor_index.npz").rename(tmp_path / "before.npz")
    (tmp_path / "train" / "Ann").mkdir(parents=True)
    head("Ann").save(tmp_path / "train" / "Ann" / "1.png")
    args = [ASTRONAUT] if script == FIND else []
    for _ in range(2):
        done = run(script, *args, LOOKALIKE_DATASET_DIR=str(tmp_path))
        assert (done.returncode, done.stdout) == (2, "")
        *_, said = done.stderr.splitlines()
        assert "has no photo of any actor" in said
        assert "train (no photo of its own, only folders; move them up" in said
        if not (tmp_path / "actor_index.npz").exists():
            (tmp_path / "before.npz").rename(tmp_path / "actor_index.npz")


def test_build_takes_photos_by_content_and_lists_what_it_passes_over(
    run: Run, tmp_path: Path
) -> None:
    fill_gallery(tmp_path, ["Ann", "Bob"], photos=1)
    head("Cid").save(tmp_path / "Ann" / "x.jpg")
    (tmp_path / "Cid").mkdir()
    (tmp_path / "Ann" / "x.jpg").rename(tmp_path / "Cid" / "1.jfif")
    head("Dan").save(tmp_path / "Dan.png")
    (tmp_path / "@eaDir").mkdir()
    done = run(BUILD, "--dataset-dir", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 actors, 3 of 3 photos used (3 new)" in done.stdout
    assert done.stdout.splitlines()[-5:-1] == [
        "passed over, beside the actors' folders; put it into <Actor name>/: 1",
        "  Dan.png",
        "passed over, a system's own: 1",
        "  @eaDir",
    ]
    found = run(FIND, ASTRONAUT, LOOKALIKE_DATASET_DIR=str(tmp_path))
    assert found.returncode == 0
    assert found.stderr.count("passed over in") == 1
    assert "Dan.png; scripts/check_gallery.py says why" in found.stderr


def test_a_folder_given_as_a_photo_is_called_one(
    built: tuple[Path, Done], run: Run, tmp_path: Path
) -> None:
    folder, _ = built
    done = run(FIND, folder / "photos", ".", "--index", folder / "i.npz", cwd=tmp_path)
    assert done.returncode == 1
    for line in done.stdout.splitlines():
        assert line.endswith("is a folder, no photo; name the photos in it")
    done = run("actors", "--dataset-dir", tmp_path, "add", "Zoe", folder / "photos")
    assert_fault(done, "is a folder, no photo")


RAW = "Zo\x1b[31m\n\u202eevil\x9b\u2028"  # colours, new lines, and turns round what follows


def test_no_name_reaches_a_terminal_raw(run: Run, tmp_path: Path) -> None:
    dataset = tmp_path / f"data{RAW}"
    (dataset / RAW / RAW).mkdir(parents=True)
    fill_gallery(dataset, ["Ann", "Bob"], photos=1)
    head("Cid").save(dataset / RAW / "1.png")
    (dataset / RAW / f"{RAW}.png").write_text("no picture")
    head("Dan").save(dataset / f"{RAW}.png")
    env = {"LOOKALIKE_DATASET_DIR": str(dataset)}
    photo = tmp_path / f"{RAW}.png"
    head("Cid").save(photo)
    runs = [
        run(BUILD, **env),
        run(REBUILD, **env),
        run("check_gallery", **env),
        run("check_gallery", "--json", **env),
        run("actors", "list", **env),
        run("actors", "list", "--json", **env),
        run(FIND, photo, photo.with_name(f"no{RAW}"), **env),
        run(FIND, photo, "--json", **env),
        run("actors", "add", f"New{RAW}", photo, **env),
        run("actors", "rename", f"New{RAW}", f"Old{RAW}", **env),
        run("actors", "remove", f"None{RAW}", **env),
        run("actors", "remove", f"Old{RAW}", **env, LOOKALIKE_REMOVALS_FILE=str(tmp_path / "r"),
            LOOKALIKE_STARTER_FILE=str(tmp_path / "s")),
        run(BUILD, "--dataset-dir", tmp_path / RAW),
        run(BUILD, f"--{RAW}"),
        run(BUILD, "--clusters", RAW),
    ]  # fmt: skip
    for done in runs:
        for text in (done.stdout, done.stderr):
            assert text == "" or text.endswith("\n")
            assert all(line == printable(line) for line in text.removesuffix("\n").split("\n"))
            assert not any(line.startswith("\\u202e") for line in text.split("\n"))
        assert "Traceback" not in done.stderr
    assert "\\u001b[31m\\n\\u202eevil\\u009b\\u2028" in runs[0].stdout
    for done in (runs[3], runs[5]):
        assert RAW in {json.loads(line)["actor"] for line in done.stdout.splitlines()}
    (found,) = map(json.loads, runs[7].stdout.splitlines())
    assert found["photo"] == str(photo)


def test_build_that_cannot_write_its_index_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    target = tmp_path / "file" / "index.npz"
    assert_fault(run(BUILD, "--dataset-dir", tmp_path, "--index", target), f"cannot write {target}")


def test_build_of_a_missing_folder_fails(run: Run, tmp_path: Path) -> None:
    done = run(BUILD, "--dataset-dir", tmp_path / "nowhere")
    assert_fault(done, "is not a folder")
    assert done.stdout == ""


@pytest.mark.parametrize("script", ["download_models", BUILD, FIND])
def test_pack_asked_for_and_not_to_be_had_is_status_2(
    script: str, start: Run, tmp_path: Path
) -> None:
    (tmp_path / "Ann").mkdir()
    head("Ann").save(tmp_path / "Ann" / "1.png")
    args = [ASTRONAUT] if script == FIND else []
    done = start(script, "--pack", "auraface", *args, LOOKALIKE_DATASET_DIR=str(tmp_path))
    assert_fault(done, "error: the Hub is not asked: HF_HUB_OFFLINE is set")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Ann"]  # nothing was begun


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photo of one person, one of nobody and one that is none."""
    folder = tmp_path_factory.mktemp("probes")
    head("Astronaut").save(folder / "face.jpg")
    Image.new("RGB", (200, 200), "grey").save(folder / "blank.jpg")
    (folder / "text.jpg").write_text("I am no picture")
    return folder


def test_find_prints_one_json_object_a_line_and_nothing_else(
    built: tuple[Path, Done], start: Run, photos: Path
) -> None:
    folder, _ = built
    names = ["face.jpg", "blank.jpg", "text.jpg", str(SIX_PEOPLE)]
    args = ("--json", "--top-k", 2, "--index", folder / "i.npz")
    done = start(FIND, *names, *args, cwd=photos, LOOKALIKE_DATASET_DIR=str(folder / "photos"))
    assert done.returncode == 1
    face, blank, text, group = map(json.loads, done.stdout.splitlines())
    assert [answer["photo"] for answer in (face, blank, text, group)] == names
    assert (blank["error"]["code"], text["error"]["code"]) == ("no_face", "unreadable")
    assert [len(entry["matches"]) for entry in (*face["faces"], *group["faces"])] == [2] * 7
    best = [entry["matches"][0] for entry in group["faces"]]
    assert {match["actor"] for match in best} == set(SIX_FACES)
    assert all(match["portrait"].startswith(f"{match['actor']}/") for match in best)
    assert "송강호" in done.stdout  # readable, not escaped
    assert "Traceback" not in done.stderr


def test_find_with_a_face_in_every_photo_is_status_0(
    built: tuple[Path, Done], run: Run, photos: Path
) -> None:
    folder, _ = built
    odd = photos / os.fsdecode(b"\xff.jpg")  # a name that is no UTF-8
    odd.write_bytes((photos / "face.jpg").read_bytes())
    args = (photos / "face.jpg", odd, "--index", folder / "i.npz", "--pack", "sface", "--json")
    done = run(FIND, *args)
    assert done.returncode == 0
    plain, named = map(json.loads, done.stdout.splitlines())
    assert named["photo"] == str(odd)
    assert named["faces"] == plain["faces"]
    # The gallery's photos are not beside the index, so no portrait is claimed.
    assert {match["portrait"] for match in plain["faces"][0]["matches"]} == {None}


def test_find_for_people_uses_the_apps_own_index_and_makes_it(
    run: Run, photos: Path, tmp_path: Path
) -> None:
    done = run(FIND, photos / "face.jpg", photos / "blank.jpg", LOOKALIKE_DATASET_DIR=str(tmp_path))
    assert done.returncode == 1
    first, *ranks, blank = done.stdout.splitlines()
    assert first == f"{photos / 'face.jpg'}, face 1"
    assert [line.split(".")[0].strip() for line in ranks] == ["1", "2", "3", "4", "5"]
    assert all("score" in line and "similarity" in line for line in ranks)
    assert blank.startswith(f"{photos / 'blank.jpg'}: no face found")
    assert "✅ Actor index ready: 712 actors" in done.stderr
    assert (tmp_path / "actor_index.npz").is_file()


def test_find_names_the_parts_that_stand_out() -> None:
    match = {"actor": "Ann", "score": 83.21, "similarity": 0.4}
    told = [{"told": ["eyes", "nose"]}, {"told": ["shape"]}, {"told": []}, None]
    matches = [{**match, "parts": parts} for parts in told]
    lines = as_lines({"photo": "me.jpg", "faces": [{"matches": matches}]})
    assert [line.partition("similarity 0.400")[2] for line in lines[1:]] == [
        "  especially eyes and nose", "  especially shape", "", "",
    ]  # fmt: skip


def test_find_refuses_an_index_it_cannot_use(
    built: tuple[Path, Done], run: Run, photos: Path, tmp_path: Path
) -> None:
    folder, _ = built
    photo, damaged = photos / "face.jpg", tmp_path / "damaged.npz"
    damaged.write_bytes((folder / "i.npz").read_bytes()[:-9])
    before = (folder / "i.npz").read_bytes()
    for index, args, words in [
        (tmp_path / "missing.npz", [], "is not there"),
        (tmp_path, [], "as a folder; name the index's"),
        (damaged, [], "is damaged"),
        (folder / "i.npz", ["--pack", "auraface"], "it is of pack sface, auraface is asked for"),
    ]:
        done = run(FIND, photo, "--index", index, *args)
        assert_fault(done, words)
        assert str(index) in done.stderr
        assert done.stdout == ""
    assert (folder / "i.npz").read_bytes() == before
