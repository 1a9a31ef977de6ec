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
from typing import Any

import httpx
import pytest
import yaml
from gradio_client import Client, handle_file
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from core.faces.engine import FaceEngine
from core.models.packs import PACKS
from core.settings import load_settings
from core.upkeep.space import needed_files
from scripts.container.image_by_chroot import steps
from scripts.page.app import free_port
from tests.conftest import ASTRONAUT, ROOT, six_actors
from tests.hub_repos import Repo
from tests.hub_standin import NOWHERE, HubStandin, publish_standin
from tests.loopback import LoopbackHandler, LoopbackStandin
from tests.running_app import RunningApp, clean_env, running_app

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


def health(app: RunningApp) -> dict[str, Any]:
    """What the running app says of itself; without a warning both networks are there."""
    answer: dict[str, Any] = httpx.get(f"{app.url}health").json()
    return answer


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
        assert app.outside_connections() == []
        assert health(app)["warning"] is None
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
        assert app.outside_connections() == []
        assert health(app)["warning"] is None
        client = Client(app.url, verbose=False, download_files=tmp_path)
        answer = client.predict(handle_file(ASTRONAUT), api_name="/match")
        assert app.outside_connections() == []
    assert answer["pack"] == "sface"
    assert len(answer["faces"][0]["matches"]) == 5


def front_matter() -> dict[str, Any]:
    """What the README tells a Space."""
    return dict(yaml.safe_load((ROOT / "README.md").read_text("utf-8").split("---\n")[1]))


COLOURS = "red|yellow|green|blue|indigo|purple|pink|gray"
# Keys that the Hub documents for Spaces ("Spaces configuration reference"), and what they may say.
DOCUMENTED = {
    "title": r".+",
    "emoji": r"\W",  # one sign
    "colorFrom": COLOURS,
    "colorTo": COLOURS,
    "sdk": "gradio|docker|static",
    "sdk_version": r"\d+\.\d+\.\d+",
    "python_version": r"3\.\d+(\.\d+)?",  # of 3.x; text, or 3.10 would be 3.1
    "app_file": r"[\w/]+\.py",
    "pinned": "True|False",
    "license": r"[a-z0-9.-]+",
    "short_description": r".{1,60}",
    "startup_duration_timeout": r"\d+[smh]",
    "preload_from_hub": r".+",
}


def test_the_front_matter_has_documented_keys_with_values_they_may_have() -> None:
    front = front_matter()
    assert front.keys() <= DOCUMENTED.keys()
    for key, value in front.items():
        assert re.fullmatch(DOCUMENTED[key], str(value)), key
    assert isinstance(front["python_version"], str)
    for line in front["preload_from_hub"]:  # repository, files with commas, commit
        assert re.fullmatch(r"[\w.-]+/[\w.-]+ [\w./,-]+ [0-9a-f]{40}", line)


def test_spaces_front_matter_agrees_with_requirements_and_pins() -> None:
    front = front_matter()
    lowest = re.search(r"^gradio>=([\d.]+)", REQUIREMENTS, flags=re.MULTILINE)
    assert lowest
    assert front["sdk_version"] == lowest[1]
    assert front["sdk"] == "gradio"
    assert front["app_file"] == "app.py"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert front["python_version"] in SpecifierSet(project["requires-python"])
    assert (ROOT / "packages.txt").read_text().split() == ["libgl1", "libglib2.0-0", "libfribidi0"]


def test_every_weight_is_on_a_space_before_it_starts() -> None:
    """Carried by a package that is required, or preloaded from the Hub at its pinned revision."""
    required = {canonicalize_name(Requirement(line).name) for line in required_lines()}
    preloaded = front_matter()["preload_from_hub"]
    for pack in PACKS.values():
        for weights in (pack.detector, *(network.weights for network in pack.networks)):
            on_hub = f"{weights.repo} {weights.name} {weights.revision}"
            assert weights.carrier in required or on_hub in preloaded, weights.name
    assert {line.split()[0] for line in preloaded} == {PACKS["auraface"].recogniser.weights.repo}


@pytest.mark.slow
def test_a_space_has_its_gallery_before_the_page_is_up_and_starts_again_without_the_hub(
    tmp_path: Path, engine: FaceEngine
) -> None:
    """Nothing but the files that go there; AuraFace preloaded, as the front matter asks for."""
    root = tmp_path / "space"
    for name, path in needed_files(ROOT).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, root / name)
    portrait = six_actors(tmp_path / "six", engine)
    photos = (tmp_path / "six").rglob("*.png")
    files = {p.relative_to(tmp_path / "six").as_posix(): p.read_bytes() for p in photos}
    standin = publish_standin(tmp_path / "hub")
    storage = tmp_path / "data"
    storage.mkdir()
    env = clean_env(
        tmp_path,
        SPACE_ID="me/lookalike",
        NO_PROXY="*",
        LOOKALIKE_GALLERY="me/actors",
        LOOKALIKE_STORAGE_DIR=str(storage),
        **standin,
    )
    with HubStandin(tmp_path / "hub") as hub:
        hub.repos.repos["datasets/me/actors"] = Repo(False, None, files)
        env["HF_ENDPOINT"] = hub.url
        preload(env)
        hub.requests.clear()
        with running_app(tmp_path, root=root, env=env | {"PORT": str(free_port())}) as app:
            assert not [asked for asked in hub.downloads if "AuraFace" in asked.path]
            hub.requests.clear()
            assert best_of(app, portrait, tmp_path) == ("배우 3", "auraface", "배우 3/1.png")
            assert hub.requests == []  # a visitor's first request asks for nothing
    assert {path.name for path in storage.iterdir()} == {"models", "dataset"}
    assert not (root / "models").exists()
    assert not (root / "dataset" / "actor_index.npz").exists()
    shutil.rmtree(tmp_path / "hf")  # the preloaded file goes with a restart; so may the Hub
    env["HF_ENDPOINT"] = NOWHERE
    with running_app(tmp_path, root=root, env=env | {"PORT": str(free_port())}) as app:
        assert "WARNING" not in app.log
        assert "filled from" not in app.log
        assert best_of(app, portrait, tmp_path) == ("배우 3", "auraface", "배우 3/1.png")


def preload(env: dict[str, str]) -> None:
    """What a Space's build does for `preload_from_hub`: the client's cache is filled."""
    (line,) = front_matter()["preload_from_hub"]
    repo, names, revision = line.split()
    assert "," not in names
    asked = f"{repo!r}, {names!r}, revision={revision!r}"
    code = f"import huggingface_hub as h; h.hf_hub_download({asked})"
    subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, check=True, capture_output=True)


def best_of(app: RunningApp, photo: Path, downloads: Path) -> tuple[str, str, str]:
    """Of the answer for a photo: the closest actor, the pack, the portrait."""
    client = Client(app.url, verbose=False, download_files=downloads)
    answer = client.predict(handle_file(photo), 6, api_name="/match")
    best = answer["faces"][0]["matches"][0]
    return best["actor"], answer["pack"], best["portrait"]


def test_both_opencv_wheels_have_one_version() -> None:
    versions = re.findall(r"^opencv-python(?:-headless)?==([\d.]+)", REQUIREMENTS, re.MULTILINE)
    assert len(versions) == 2
    assert len(set(versions)) == 1


def required_lines() -> list[str]:
    return [line for line in REQUIREMENTS.splitlines() if line[0] != "#"]


def locked(file: Path = ROOT / "requirements-lock.txt") -> list[tuple[Requirement, list[str]]]:
    """The lock file's packages, each with its hashes."""
    text = file.read_text("utf-8").replace("\\\n", "")
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
    wanted = [Requirement(line) for line in required_lines()]
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


def test_the_lock_file_names_no_index() -> None:
    text = (ROOT / "requirements-lock.txt").read_text("utf-8")
    assert "://" not in text
    assert "uv pip compile requirements.txt" in text.splitlines()[1]


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions by stage."""
    found: list[list[tuple[str, str]]] = []
    for instruction, rest in steps(ROOT / "Dockerfile"):
        if instruction == "FROM":
            found.append([])
        if found:
            found[-1].append((instruction, rest))
    return found


def test_the_container_installs_the_lock_file_by_hash_but_for_windows_and_libgl(
    tmp_path: Path,
) -> None:
    (install,) = [rest for _, rest in stages()[0] if "pip --python" in rest and " install " in rest]
    assert "--no-deps --require-hashes -r /tmp/lock.txt" in install
    shorten = install.partition(" && ")[0].replace("/tmp/lock.txt", str(tmp_path / "lock.txt"))
    assert shorten in (ROOT / "scripts" / "container" / "try_container").read_text("utf-8").replace(
        '"$work/lock.txt"', f" {tmp_path / 'lock.txt'}"
    )
    subprocess.run(["sh", "-c", shorten], cwd=ROOT, check=True)
    whole, short = ROOT / "requirements-lock.txt", tmp_path / "lock.txt"
    gone = [package for package in locked(whole) if package not in locked(short)]
    assert [package.name for package, _ in gone] == ["opencv-python"]
    assert len(locked(short)) == len(locked(whole)) - 1


def test_docker_image_makes_models_and_index_in_the_build_and_runs_as_nobody_special() -> None:
    build, image = stages()
    assert image[0] == ("FROM", "$BASE")
    done = [rest for instruction, rest in build if instruction == "RUN"]
    models, index = railway_commands()[0]
    (packs,) = [rest for rest in done if models in rest]
    assert packs.endswith("|| exit 1; done")
    assert done.index(packs) < done.index(index)
    user = next(place for place, (instruction, _) in enumerate(image) if instruction == "USER")
    assert image[user] == ("USER", "visitor")
    assert not [entry for entry in image[user:] if entry[0] in ("COPY", "RUN")]
    assert json.loads(image[-1][1]) == railway_commands()[1].split()


def test_compose_mounts_the_gallery_where_the_image_looks_for_it_and_asks_its_health() -> None:
    (service,) = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))[
        "services"
    ].values()
    _, image = stages()
    folder = dict(image)["WORKDIR"]
    where = load_settings({}).dataset_dir.relative_to(ROOT)
    assert service["volumes"] == [f"${{GALLERY:-gallery}}:{folder}/{where}"]
    check = dict(image)["HEALTHCHECK"]
    assert service["healthcheck"]["test"][1:] == json.loads(check[check.index("[") :])
    assert service["read_only"]


@pytest.mark.parametrize(
    ("given", "status"), [(200, 0), (503, 1), (None, 1)], ids=["up", "refusing", "away"]
)
def test_the_health_check_says_whether_the_app_answers(given: int | None, status: int) -> None:
    class Handler(LoopbackHandler):
        def answer(self) -> None:
            self.send_response(given if given and self.path == "/health" else 404)
            self.end_headers()

    with LoopbackStandin(Handler) as standin:
        port = standin.port if given else free_port()
        env = os.environ | {"PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
        script = [sys.executable, "scripts/container/ask_health.py"]
        assert subprocess.run(script, cwd=ROOT, env=env, check=False).returncode == status
