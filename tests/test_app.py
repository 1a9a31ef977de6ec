"""The app over HTTP: its promises about photos, its start; the API is in test_api.py."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from core.models.install import InstalledPack
from scripts.page.app import free_port
from tests.conftest import ASTRONAUT, ROOT
from tests.running_app import RunningApp, clean_env, gallery_env, running_app

SWEEP = 45  # seconds within which a photo must be gone, on a busy machine


@pytest.fixture(scope="module")
def app(brief_app: RunningApp) -> RunningApp:
    return brief_app


@pytest.fixture(scope="module")
def client(app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(app.url, verbose=False, download_files=tmp_path_factory.mktemp("client"))


@pytest.mark.slow
def test_the_first_match_is_as_fast_as_the_tenth(client: Client) -> None:
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        client.predict(handle_file(ASTRONAUT), 5, api_name="/match")
        seconds.append(time.perf_counter() - started)
    assert seconds[0] < 3 * median(seconds[1:])


def test_a_visitors_photo_is_gone_soon_and_leaves_no_trace(
    app: RunningApp, client: Client, tmp_path: Path
) -> None:
    app.outside_connections()
    photo = tmp_path / "somebodys-holiday.png"
    Image.open(ASTRONAUT).rotate(3).save(photo)
    client.predict(handle_file(photo), api_name="/match")
    assert "somebodys-holiday.png" in [path.name for path in app.photos.rglob("*")]
    deadline = time.monotonic() + SWEEP
    while kept := [path for path in app.photos.rglob("*") if path.parent.parent == app.photos]:
        assert time.monotonic() < deadline, f"still there: {kept}"
        time.sleep(0.1)
    assert "somebodys-holiday" not in app.log
    assert "0.9" not in app.log  # no score, similarity or detection score either
    assert list(app.temporary.rglob("*")) == []  # no device id of onnxruntime's either
    assert app.outside_connections() == []


def test_history_and_analytics_are_off(app: RunningApp) -> None:
    config = httpx.get(f"{app.url}config").json()
    assert config["run_history"] is False
    assert config["analytics_enabled"] is False


def test_without_a_platform_only_this_machine_reaches_the_page(app: RunningApp) -> None:
    port = int(app.url.rstrip("/").rsplit(":", 1)[1])
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


@dataclass(frozen=True)
class Life:
    """What was seen of an app from its start to its end."""

    app: RunningApp
    reached: bool  # by another address than 127.0.0.1
    answer: dict[str, Any]
    photos: list[Path]  # of visitors, while it ran
    precious: Path  # somebody else's file beside them
    stopped: float  # seconds from the signal to the end, with a tab open


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack) -> Life:
    """Started as a platform does, with --share and no relay; asked once; stopped.

    The system's `gradio` folder is another's, as far as root knows another's: it is no folder.
    """
    folder = tmp_path_factory.mktemp("life")
    (folder / "tmp").mkdir()
    (folder / "tmp" / "gradio").touch()
    precious = folder / "photos" / "somebody-elses" / "work.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("weeks of it")
    port = free_port()
    more = {"PORT": str(port), "GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:9"}  # nobody listens there
    env = gallery_env(sface.folder.parent, folder / "dataset", **more)
    with running_app(folder, ["--share"], env=env) as running:
        deadline = time.monotonic() + 60
        while "public link" not in running.log and time.monotonic() < deadline:
            time.sleep(0.1)
        with socket.socket() as probe:
            reached = probe.connect_ex(("127.0.0.2", port)) == 0
        client = Client(running.url, verbose=False, download_files=folder)
        answer = client.predict(handle_file(ASTRONAUT), api_name="/match")
        photos = [path for path in running.photos.rglob("*") if path.is_file()]
        with httpx.stream("GET", f"{running.url}gradio_api/heartbeat/tab", timeout=None) as tab:
            next(tab.iter_lines())
            signalled = time.monotonic()
            running.process.terminate()
            running.process.wait(30)
            stopped = time.monotonic() - signalled
    return Life(running, reached, answer, photos, precious, stopped)


def test_port_variable_opens_the_page_to_the_platforms_proxy(life: Life) -> None:
    assert life.reached
    assert "on every network interface" in life.app.log


def test_share_without_its_relay_says_so_in_one_sentence_and_serves(life: Life) -> None:
    assert [line for line in life.app.lines if "link" in line] == [
        "there is no public link: Gradio's relay is out of reach; the local page works"
    ]
    assert life.answer["faces"]


def test_a_clean_stop_is_one_line(life: Life) -> None:
    assert life.app.lines[-1] == "stopped"
    assert "closing server" not in life.app.log


def test_an_open_tab_delays_no_stop(life: Life) -> None:
    assert life.app.process.returncode == 0
    assert life.stopped < 4  # Gradio would wait for five seconds, and then for its threads


def test_photos_are_gone_when_the_app_ends(life: Life) -> None:
    assert [path for path in life.photos if path.suffix != ".lock"]
    assert [path for path in life.app.photos.rglob("*") if path.suffix != ".lock"] == []


def test_other_things_in_the_temporary_folder_are_left_alone(life: Life) -> None:
    assert life.precious.read_text() == "weeks of it"


def test_a_port_in_use_ends_in_one_line_and_status_2(
    app: RunningApp, tmp_path: Path, sface: InstalledPack
) -> None:
    env = clean_env(
        tmp_path,
        LOOKALIKE_TEMP_DIR=str(tmp_path / "photos"),
        **gallery_env(sface.folder.parent, tmp_path / "dataset"),
    )
    command = [sys.executable, "app.py", "--port", app.url.rstrip("/").rsplit(":", 1)[1]]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: the page cannot be served")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"PORT": "abc"}, "error: PORT is 'abc'; set it to a whole number from 1 to 65535\n"),
        (
            {"LOOKALIKE_TEMP_DIR": "/proc/nothing"},
            "error: cannot write /proc/nothing/lookalike-photos-",
        ),
    ],
)
def test_a_start_that_cannot_be_ends_in_one_sentence_that_names_the_setting(
    wrong: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    env = clean_env(tmp_path, **wrong)
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert next(iter(wrong)) in done.stderr
    assert done.stderr.count("\n") == 1


READ_ONLY = """
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
awk '{print $5}' /proc/self/mountinfo | sort -u | while read -r place; do
  case $place in /proc*|/dev*|/sys*|"$1") ;; *) mount -o remount,ro,bind "$place" || true ;; esac
done 2>/dev/null
shift
! touch "$1" 2>/dev/null || exit 3
shift
exec "$@"
"""


@pytest.mark.slow
def test_one_writable_folder_is_enough(tmp_path: Path, sface: InstalledPack) -> None:
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    port, one = free_port(), tmp_path / "one"
    one.mkdir()
    env = clean_env(
        tmp_path,
        LOOKALIKE_TEMP_DIR=str(one),
        GRADIO_SERVER_PORT=str(port),
        **gallery_env(sface.folder.parent, tmp_path / "dataset"),
    )
    env.pop("HOME", None)
    own = [sys.executable, "app.py"]
    command = ["unshare", "-m", "bash", "-c", READ_ONLY, "-", str(one), str(tmp_path / "x"), *own]
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            if "running" in line:
                break
        else:
            pytest.fail("it did not start")
        client = Client(f"http://127.0.0.1:{port}", verbose=False, download_files=tmp_path)
        assert client.predict(handle_file(ASTRONAUT), api_name="/match")["faces"]
        process.terminate()
        told = process.communicate(timeout=30)[0]
    assert told == "stopped\n"


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
