"""What a machine beside the app learns of it: figures, and whether visitors may be sent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from core.models.install import InstalledPack
from tests.conftest import ASTRONAUT
from tests.running_app import RunningApp, gallery_env, running_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, sface: InstalledPack) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("measured")
    env = gallery_env(sface.folder.parent, folder / "d", LOOKALIKE_METRICS="1")
    with running_app(folder, env=env | {"LOOKALIKE_LOG": "json"}) as running:
        yield running


def figures(app: RunningApp) -> dict[tuple[str, ...], float]:
    """Every sample of /metrics, by its name and its labels' values."""
    answer = httpx.get(f"{app.url}metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_photos_are_counted_by_what_came_of_them_and_events_are_timed(
    app: RunningApp, tmp_path: Path
) -> None:
    wall, text = tmp_path / "wall.png", tmp_path / "text.jpg"
    Image.fromarray(np.full((300, 300, 3), 90, np.uint8)).save(wall)
    text.write_text("I am no picture")
    before = figures(app)
    assert before["lookalike_photos_total", "answered"] == 0
    client = Client(app.url, verbose=False, download_files=tmp_path)
    for photo in (ASTRONAUT, ASTRONAUT, wall, text):
        client.predict(handle_file(photo), api_name="/match")
    after = figures(app)
    counts = {
        outcome: after["lookalike_photos_total", outcome]
        for outcome in ("answered", "no_face", "unreadable", "too_large")
    }
    assert counts == {"answered": 2, "no_face": 1, "unreadable": 1, "too_large": 0}
    assert after["lookalike_event_seconds_count", "match"] == 4
    assert 0.01 < after["lookalike_event_seconds_sum", "match"] < 20
    assert after[("lookalike_waiting_events",)] == 0
    assert after[("process_resident_memory_bytes",)] > 1e8
    assert "astronaut" not in httpx.get(f"{app.url}metrics").text.lower()


def test_frames_of_the_camera_are_counted(app: RunningApp) -> None:
    config = httpx.get(f"{app.url}config").json()
    live = next(entry["id"] for entry in config["dependencies"] if entry["api_name"] == "live")
    sent = {"fn_index": live, "session_hash": "camera", "data": [None]}
    httpx.post(f"{app.url}gradio_api/queue/join", json=sent).raise_for_status()
    with httpx.stream("GET", f"{app.url}gradio_api/queue/data?session_hash=camera") as stream:
        assert any("process_streaming" in line for line in stream.iter_lines())
    assert figures(app)["lookalike_event_seconds_count", "live"] == 1


def test_no_figures_are_told_unless_the_setting_says_so(served: httpx.Client) -> None:
    assert served.get("/metrics").status_code == 404


def test_it_is_ready_until_no_photo_can_be_kept(app: RunningApp) -> None:
    ready = httpx.get(f"{app.url}ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "reason": None})
    (folder,) = (entry for entry in app.photos.iterdir() if entry.is_dir())
    shutil.move(folder, aside := folder.with_name("aside"))
    gone = httpx.get(f"{app.url}ready")
    shutil.move(aside, folder)
    assert gone.status_code == 503
    assert gone.json() == {
        "ready": False,
        "reason": "the folder of visitors' photos cannot be written",
    }
    assert httpx.get(f"{app.url}health").status_code == 200
