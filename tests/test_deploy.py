"""Where the app runs: Railway's commands in order in a clean copy, Spaces' and Docker's files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.faces.engine import FaceEngine
from core.models.packs import PACKS
from scripts.page_driver import free_port
from tests.conftest import ASTRONAUT, ROOT, six_actors
from tests.hub_standin import HubStandin, publish_standin
from tests.running_app import clean_env, running_app

REQUIREMENTS = (ROOT / "requirements.txt").read_text("utf-8")
MILESTONES = [
    "📥 InsightFace 모델 다운로드 시작",
    "📥 HuggingFace Hub에서 AuraFace-v1 모델 다운로드 중...",
    "✅ 모델 다운로드 완료!",
    "🔮 AuraFace-v1 모델 로딩 중...",
    "✅ 배우 인덱스 생성 완료: 6명",
]


def clean_copy(target: Path) -> Path:
    """The project's files as a clone would have them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def railway_commands() -> tuple[list[str], str]:
    """Build commands and start command of nixpacks.toml."""
    plan = tomllib.loads((ROOT / "nixpacks.toml").read_text("utf-8"))
    return plan["phases"]["build"]["cmds"], plan["start"]["cmd"]


def run_build(root: Path, env: dict[str, str]) -> str:
    """Run the build commands in a clean copy; their log."""
    python_first = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    log = ""
    for command in railway_commands()[0]:
        done = subprocess.run(
            command.split(),
            cwd=root,
            env=env | python_first,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        log += done.stdout
    return log


def in_order(expected: list[str], log: str) -> bool:
    """Whether the lines stand in the log, in this order."""
    lines = iter(log.splitlines())
    return all(any(line == wanted for line in lines) for wanted in expected)


@pytest.mark.slow
def test_railway_with_the_hub_goes_all_the_way_with_auraface(
    tmp_path: Path, engine: FaceEngine
) -> None:
    root = clean_copy(tmp_path / "clone")
    portrait = six_actors(root / "dataset", engine)
    standin = publish_standin(tmp_path / "hub")
    with HubStandin(tmp_path / "hub") as hub:
        env = clean_env(
            tmp_path,
            HF_ENDPOINT=hub.url,
            LOOKALIKE_LANG="ko",
            **standin,
        )
        log = run_build(root, env)
    assert in_order(MILESTONES, log), log
    assert railway_commands()[1] == "python app.py"
    with running_app(tmp_path, root=root, env=env | {"PORT": str(free_port())}) as app:
        assert "🔮 AuraFace-v1 모델 로딩 중..." in app.log
        app.outside_connections()
        client = Client(app.url, verbose=False, download_files=tmp_path)
        answer = client.predict(handle_file(portrait), 6, api_name="/match")
        assert app.outside_connections() == []
    assert answer["pack"] == "auraface"
    best, *others = answer["faces"][0]["matches"]
    assert best["actor"] == "배우 3"
    assert best["similarity"] > 0.999
    assert best["portrait"] == "배우 3/1.png"
    assert len(others) == 5


@pytest.mark.slow
def test_railway_without_the_hub_starts_with_the_starter_gallery(tmp_path: Path) -> None:
    root = clean_copy(tmp_path / "clone")
    env = clean_env(tmp_path, HF_HUB_OFFLINE="1", LOOKALIKE_LANG="ko")
    log = run_build(root, env)
    milestones = [MILESTONES[0], MILESTONES[2], "✅ 배우 인덱스 생성 완료: 712명"]
    assert in_order(milestones, log), log
    assert "WARNING: AuraFace-v1 is not to be had" in log
    with running_app(tmp_path, root=root, env=env | {"PORT": str(free_port())}) as app:
        assert "🔮 SFace 모델 로딩 중..." in app.log
        app.outside_connections()
        client = Client(app.url, verbose=False, download_files=tmp_path)
        answer = client.predict(handle_file(ASTRONAUT), api_name="/match")
        assert app.outside_connections() == []
    assert len(answer["faces"][0]["matches"]) == 5


def front_matter() -> dict[str, str]:
    """The simple `key: value` lines of the README's front matter."""
    block = (ROOT / "README.md").read_text("utf-8").split("---\n")[1]
    return dict(re.findall(r"^(\w+): (.+)$", block, flags=re.MULTILINE))


def test_spaces_front_matter_agrees_with_requirements_and_pins() -> None:
    front = front_matter()
    lowest = re.search(r"^gradio>=([\d.]+)", REQUIREMENTS, flags=re.MULTILINE)
    assert lowest
    assert front["sdk_version"] == lowest[1]
    assert front["sdk"] == "gradio"
    assert front["app_file"] == "app.py"
    pinned = PACKS["auraface"].recogniser.weights
    block = (ROOT / "README.md").read_text("utf-8").split("---\n")[1]
    assert f"- {pinned.repo} {pinned.name} {pinned.revision}\n" in block
    assert (ROOT / "packages.txt").read_text().split() == ["libgl1", "libglib2.0-0", "libfribidi0"]


def test_both_opencv_wheels_have_one_version() -> None:
    versions = re.findall(r"^opencv-python(?:-headless)?==([\d.]+)", REQUIREMENTS, re.MULTILINE)
    assert len(versions) == 2
    assert len(set(versions)) == 1


def locked() -> list[tuple[Requirement, list[str]]]:
    """The lock file's packages, each with its hashes."""
    text = (ROOT / "requirements-lock.txt").read_text("utf-8").replace("\\\n", "")
    lines = [line.split("--hash=") for line in text.splitlines() if not line.startswith("#")]
    return [(Requirement(line.strip()), [h.strip() for h in hashes]) for line, *hashes in lines]


def test_the_lock_file_is_what_requirements_ask_for_each_with_its_hashes() -> None:
    versions: dict[str, set[str]] = {}
    for package, hashes in locked():
        (pin,) = package.specifier
        assert pin.operator == "=="
        versions.setdefault(canonicalize_name(package.name), set()).add(pin.version)
        assert hashes, package.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", entry) for entry in hashes)
    wanted = [Requirement(line) for line in REQUIREMENTS.splitlines() if line[0] != "#"]
    for asked in wanted:
        pinned = versions[canonicalize_name(asked.name)]
        assert all(asked.specifier.contains(version) for version in pinned), asked
    # Nothing is missing that these need in turn: the packages that the tests run with say so.
    here = {canonicalize_name(package.name) for package, _ in locked()}
    for package, _ in locked():
        with contextlib.suppress(metadata.PackageNotFoundError):  # of another system
            needs = map(Requirement, metadata.requires(package.name) or ())
            missing = [n.name for n in needs if not n.marker or n.marker.evaluate({"extra": ""})]
            assert {canonicalize_name(name) for name in missing} <= here, package.name


def test_the_lock_file_names_no_index_and_the_container_installs_by_it() -> None:
    text = (ROOT / "requirements-lock.txt").read_text("utf-8")
    assert "://" not in text
    assert "uv pip compile requirements.txt" in text.splitlines()[1]
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    (install,) = [line for line in lines if "pip install" in line]
    assert install.endswith("--require-hashes -r requirements-lock.txt")


def test_docker_image_makes_models_and_index_in_the_build_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    build = [f"RUN {command}" for command in railway_commands()[0]]
    assert [line for line in lines if line in build] == build
    assert lines.index("USER visitor") < lines.index(build[0])
    assert json.loads(lines[-1].removeprefix("CMD ")) == railway_commands()[1].split()
