"""The app over HTTP: its promises about photos, its start; the API is in test_api.py."""

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

from core.models.install import InstalledPack
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
