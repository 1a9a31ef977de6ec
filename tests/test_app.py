"""The app over HTTP: its API, its promises about photos, its start."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from core.enrol import index_from_cache
from core.faces import FaceEngine
from core.lookalike import LookalikeFinder
from core.models import InstalledPack
from core.page_text import PAGE_TEXT, banners, visitor_language
from core.settings import Settings
from tests.conftest import ASTRONAUT, ROOT
from tests.running_app import RunningApp, clean_env, running_app

SECONDS = 3  # a visitor's photo lives, in these tests
SWEEP = 25  # seconds within which it must be gone, on a busy machine


@pytest.fixture(scope="module")
def starter_env(tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack) -> dict[str, str]:
    dataset = tmp_path_factory.mktemp("dataset")
    return {
        "LOOKALIKE_MODELS_DIR": str(sface.folder.parent),
        "LOOKALIKE_DATASET_DIR": str(dataset),
        "LOOKALIKE_PHOTO_SECONDS": str(SECONDS),
    }


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory, starter_env: dict[str, str]
) -> Iterator[RunningApp]:
    with running_app(
        tmp_path_factory.mktemp("app"), ["--port", "7978"], env=starter_env
    ) as running:
        yield running


@pytest.fixture(scope="module")
def client(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(app.url, verbose=False, download_files=tmp_path_factory.mktemp("client"))


def test_the_first_match_is_as_fast_as_the_tenth_and_asks_nobody(
    app: RunningApp, client: Client
) -> None:
    app.outside_connections()
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        client.predict(handle_file(ASTRONAUT), 5, api_name="/match")
        seconds.append(time.perf_counter() - started)
    assert seconds[0] < 3 * median(seconds[1:])
    assert app.outside_connections() == []


def test_match_endpoint_answers_in_the_documented_form(client: Client) -> None:
    answer = client.predict(handle_file(ASTRONAUT), 3, api_name="/match")
    assert set(answer) == {"photo", "pack", "faces"}
    assert answer["pack"] == "sface"
    (face,) = answer["faces"]
    assert face["detection_score"] > 0.9
    assert len(face["matches"]) == 3
    assert set(face["matches"][0]) == {"actor", "similarity", "score", "portrait"}
    assert face["matches"][0]["portrait"] is None


def test_match_endpoint_says_why_there_is_no_answer(client: Client, tmp_path: Path) -> None:
    blank, text = tmp_path / "blank.png", tmp_path / "notes.jpg"
    Image.new("RGB", (320, 240), "white").save(blank)
    text.write_text("not a picture")
    codes = [
        client.predict(handle_file(photo), api_name="/match")["error"]["code"]
        for photo in (blank, text)
    ]
    assert codes == ["no_face", "unreadable"]


def test_a_visitors_photo_is_gone_soon_and_leaves_no_trace(
    app: RunningApp, client: Client, tmp_path: Path
) -> None:
    photo = tmp_path / "somebodys-holiday.png"
    Image.open(ASTRONAUT).rotate(3).save(photo)
    client.predict(handle_file(photo), api_name="/match")
    assert "somebodys-holiday.png" in [path.name for path in app.photos.rglob("*")]
    deadline = time.monotonic() + SWEEP
    while kept := [path for path in app.photos.rglob("*") if path.parent.parent == app.photos]:
        assert time.monotonic() < deadline, f"still there: {kept}"
        time.sleep(0.5)
    assert "somebodys-holiday" not in app.log
    assert "0.9" not in app.log  # no score, similarity or detection score either


def test_nothing_else_is_left_in_the_systems_temporary_folder(
    app: RunningApp, client: Client
) -> None:
    client.predict(handle_file(ASTRONAUT), api_name="/match")
    left = [path.name for path in app.temporary.rglob("*")]
    assert set(left) <= {"gradio", "vibe_edit_history"}  # empty; no device id of onnxruntime's


def test_other_things_in_the_temporary_folder_are_left_alone(
    tmp_path: Path, starter_env: dict[str, str]
) -> None:
    precious = tmp_path / "photos" / "somebody-elses" / "work.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("weeks of it")
    with running_app(tmp_path, ["--port", "7971"], env=starter_env):
        assert precious.read_text() == "weeks of it"
    assert precious.read_text() == "weeks of it"


def test_photos_are_gone_when_the_app_ends(tmp_path: Path, starter_env: dict[str, str]) -> None:
    env = starter_env | {"LOOKALIKE_PHOTO_SECONDS": "60"}
    with running_app(tmp_path, ["--port", "7977"], env=env) as running:
        client = Client(running.url, verbose=False, download_files=tmp_path)
        client.predict(handle_file(ASTRONAUT), api_name="/match")
        assert [path for path in running.photos.rglob("*") if path.is_file()]
    left = [path for path in running.photos.rglob("*") if path.suffix != ".lock"]
    assert left == []


def test_history_and_analytics_are_off(app: RunningApp) -> None:
    import httpx

    config = httpx.get(f"{app.url}config").json()
    assert config["run_history"] is False
    assert config["analytics_enabled"] is False


def test_share_without_its_relay_says_so_in_one_sentence_and_serves(
    tmp_path: Path, starter_env: dict[str, str]
) -> None:
    env = starter_env | {"GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:9"}  # nobody listens there
    with running_app(tmp_path, ["--share", "--port", "7976"], env=env) as running:
        deadline = time.monotonic() + 60
        while "public link" not in running.log and time.monotonic() < deadline:
            time.sleep(0.1)
        told = [line for line in running.lines if "link" in line]
        assert told == [
            "there is no public link: Gradio's relay is out of reach; the local page works"
        ]
        client = Client(running.url, verbose=False, download_files=tmp_path)
        assert client.predict(handle_file(ASTRONAUT), api_name="/match")["faces"]


def test_port_variable_opens_the_page_to_the_platforms_proxy(
    tmp_path: Path, starter_env: dict[str, str]
) -> None:
    with running_app(tmp_path, env=starter_env | {"PORT": "7975"}) as running:
        assert "on every network interface" in running.log
        socket.create_connection(("127.0.0.2", 7975), timeout=5).close()  # not 127.0.0.1 alone


def test_without_a_platform_only_this_machine_reaches_the_page(app: RunningApp) -> None:
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", 7978), timeout=5)


def test_a_port_in_use_ends_in_one_line_and_status_2(
    app: RunningApp, tmp_path: Path, starter_env: dict[str, str]
) -> None:
    env = clean_env(tmp_path, LOOKALIKE_TEMP_DIR=str(tmp_path / "photos"), **starter_env)
    command = [sys.executable, "app.py", "--port", app.url.rstrip("/").rsplit(":", 1)[1]]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: the page cannot be served")
    assert "Traceback" not in done.stderr


def test_a_fallback_is_told_on_the_page_before_anything_else(
    engine: FaceEngine, settings: Settings
) -> None:
    index = index_from_cache(settings.starter_path, settings).index
    assert banners(LookalikeFinder(engine, index, settings)) == ["starter"]
    assert banners(LookalikeFinder(engine, index, settings, "no Hub")) == ["fallback"]


def test_a_pack_that_cannot_be_had_ends_in_one_line_and_status_2(tmp_path: Path) -> None:
    env = clean_env(
        tmp_path,
        LOOKALIKE_MODEL_PACK="auraface",
        LOOKALIKE_MODELS_DIR=str(tmp_path / "models"),
        LOOKALIKE_DATASET_DIR=str(tmp_path),
        LOOKALIKE_TEMP_DIR=str(tmp_path / "photos"),
        HF_HUB_OFFLINE="1",
    )
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,ko;q=0.5", "ko"),
        ("fr-FR", "en"),
        (None, "en"),
    ],
)
def test_the_page_speaks_the_browsers_language(header: str | None, language: str) -> None:
    assert visitor_language(header) == language


def test_both_languages_say_everything() -> None:
    assert PAGE_TEXT["en"].keys() == PAGE_TEXT["ko"].keys()
