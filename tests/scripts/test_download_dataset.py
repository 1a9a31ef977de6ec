"""The download script against the stand-in of Wikidata and Commons, as an owner runs it."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from core.gallery.credits import read_credits
from core.gallery.people import read_actors
from core.gallery.photos import scan_gallery
from core.models.install import InstalledPack
from tests.conftest import ASTRONAUT, ROOT, SHARED, needs_shared
from tests.hub_standin import finish, refusal
from tests.running_app import clean_env
from tests.wikimedia_standin import Fault, File, WikimediaStandin

SCRIPT = "scripts/download_dataset.py"


@pytest.fixture
def env(tmp_path: Path, models_dir: Path, sface: InstalledPack) -> dict[str, str]:
    return clean_env(
        tmp_path,
        LOOKALIKE_MODELS_DIR=str(models_dir),
        LOOKALIKE_MODEL_PACK="sface",
        LOOKALIKE_DATASET_DIR=str(tmp_path / "dataset"),
    )


def start(env: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, SCRIPT, *arguments],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def download(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return finish(start(env, *arguments))


def wait_for_photos(dataset: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while len(list(dataset.glob("*/*.jpg"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the download is stuck"
        time.sleep(0.01)


@pytest.mark.slow
@needs_shared
def test_a_gallery_of_60_actors_killed_twice_on_the_way_is_whole_and_fetched_once(
    env: dict[str, str], tmp_path: Path
) -> None:
    dataset = tmp_path / "dataset"
    names = sorted(path.name for path in (SHARED / "headshots").iterdir() if path.is_dir())[:60]
    with WikimediaStandin() as wikimedia:
        for name in names:
            wikimedia.add(name, SHARED / "headshots" / name / "1.jpg")
        env |= wikimedia.environment()
        for photos in (15, 40):
            process = start(env, "--limit", "60", "--photos-per-actor", "1")
            wait_for_photos(dataset, photos, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = download(env, "--limit", "60", "--photos-per-actor", "1")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].startswith("60 of 60 actors, 60 photos (")
        fetched = wikimedia.fetched()
        again = download(env, "--limit", "60", "--photos-per-actor", "1")
        assert "60 of 60 actors, 60 photos (0 new)" in again.stdout
        assert wikimedia.fetched() == fetched
        assert wikimedia.most_at_once == 1
    twice = sum(fetched.values()) - len(fetched)
    assert len(fetched) == 60
    assert twice <= 2  # the one in hand at each kill
    check_whole(dataset, actors=60)


def check_whole(dataset: Path, actors: int) -> None:
    """Every photo opens to its end and has a credit, and nothing else lies about."""
    photos = scan_gallery(dataset)
    credits = read_credits(dataset / "credits.csv")
    assert {photo.file for photo in photos} == set(credits)
    assert len(read_actors(dataset / "actors.csv")) == actors
    assert {photo.actor for photo in photos} == {
        row.folder for row in read_actors(dataset / "actors.csv").values()
    }
    for photo in photos:
        assert photo.credit is not None
        assert photo.credit.author
        with Image.open(photo.path) as image:
            image.load()
    assert not list(dataset.rglob("*.tmp"))


def test_without_a_contact_nothing_starts(env: dict[str, str], tmp_path: Path) -> None:
    assert "LOOKALIKE_CONTACT" in refusal(download(env))
    assert not (tmp_path / "dataset").exists()


@pytest.mark.parametrize(
    "arguments", [["--limit", "0"], ["--limit", "x"], ["--photos-per-actor", "-1"]]
)
def test_an_argument_that_makes_no_sense_is_one_line(
    env: dict[str, str], arguments: list[str]
) -> None:
    done = download(env, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_country_that_is_none_is_refused_before_anything_is_asked(env: dict[str, str]) -> None:
    with WikimediaStandin() as wikimedia:
        line = refusal(download(env | wikimedia.environment(), "--country", "Korea"))
        assert "'KOREA' is no country" in line
        assert wikimedia.requests == []


def test_a_dry_run_lists_actors_and_writes_nothing(env: dict[str, str], tmp_path: Path) -> None:
    with WikimediaStandin() as wikimedia:
        wikimedia.add("Ann", ASTRONAUT, ko="앤", countries=("KR",))
        wikimedia.add("Bob", File(ASTRONAUT, licence="GFDL"), countries=("KR",))
        wikimedia.add("Eve", ASTRONAUT)
        done = download(env | wikimedia.environment(), "--dry-run", "--country", "kr")
        assert not wikimedia.fetched()
    assert done.stdout.splitlines() == [
        "Ann (Q1)\t앤\tKR\tCC BY-SA 4.0",
        "Bob (Q2)\t\tKR\tits licence is not free: GFDL",
        "2 actors, 1 with a main portrait that is free to use",
    ]
    assert not (tmp_path / "dataset").exists()


def test_the_end_says_who_was_left_out_and_why(env: dict[str, str], tmp_path: Path) -> None:
    with WikimediaStandin() as wikimedia:
        wikimedia.add("Bob", File(ASTRONAUT, licence="CC BY-NC 2.0"))
        wikimedia.add("Ann", ASTRONAUT)
        done = download(env | wikimedia.environment(), "--limit", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-5:] == [
        "1 of 1 actors, 1 photos (1 new)",
        "left out: 1 actors",
        "  Bob (Q1): no main portrait: its licence is not free: CC BY-NC 2.0",
        "photos not taken: 1",
        "  1 × its licence is not free: CC BY-NC 2.0",
    ]
    check_whole(tmp_path / "dataset", actors=1)


def test_the_actors_file_has_what_wikidata_knows(env: dict[str, str], tmp_path: Path) -> None:
    with WikimediaStandin() as wikimedia:
        wikimedia.add("Ann", ASTRONAUT, ko="앤", countries=("US", "KR"))
        download(env | wikimedia.environment())
    with (tmp_path / "dataset" / "actors.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row == {
        "folder": "Ann",
        "name": "Ann",
        "name_ko": "앤",
        "wikidata": "Q1",
        "birth_year": "1970",
        "gender": "female",
        "country": "KR US",
    }


@pytest.mark.slow
def test_ctrl_c_ends_it_soon_and_the_next_run_goes_on(env: dict[str, str], tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    with WikimediaStandin() as wikimedia:
        wikimedia.delay = 0.2
        for number in range(8):
            wikimedia.add(f"Actor {number}", ASTRONAUT)
        env |= wikimedia.environment()
        process = start(env)
        wait_for_photos(dataset, 2, process)
        process.send_signal(signal.SIGINT)
        pressed = time.monotonic()
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - pressed < 8
        assert process.returncode == 130, err
        assert "stopped; run it again to go on" in err
        assert "of 302 actors" in out
        wikimedia.delay = 0
        assert download(env).returncode == 0
        assert max(wikimedia.fetched().values()) <= 2
    check_whole(dataset, actors=8)


def test_a_service_that_is_down_is_one_line(env: dict[str, str], tmp_path: Path) -> None:
    with WikimediaStandin() as wikimedia:
        wikimedia.faults["sparql"] = [Fault(status=403, times=99)]
        assert "answered 403" in refusal_after_log(download(env | wikimedia.environment()))


def refusal_after_log(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a run that had begun."""
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.slow
def test_a_second_download_into_the_same_folder_is_refused(
    env: dict[str, str], tmp_path: Path
) -> None:
    with WikimediaStandin() as wikimedia:
        wikimedia.delay = 0.3
        for number in range(10):
            wikimedia.add(f"Actor {number}", ASTRONAUT)
        env |= wikimedia.environment()
        first = start(env)
        wait_for_photos(tmp_path / "dataset", 1, first)
        try:
            assert "is at work" in refusal(download(env))
        finally:
            first.send_signal(signal.SIGINT)
            first.communicate(timeout=20)


def test_a_folder_that_cannot_be_written_is_one_line(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text("a file")
    with WikimediaStandin() as wikimedia:
        wikimedia.add("Ann", ASTRONAUT)
        assert "cannot write" in refusal(download(env | wikimedia.environment()))
