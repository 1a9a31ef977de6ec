"""Without Ray the app is as it was; the two commands that need it say so in one sentence."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.cluster.connect import WITHOUT_RAY, cluster
from core.errors import ClusterError, SettingsError
from tests.conftest import ASTRONAUT, ROOT
from tests.running_app import gallery_env


@pytest.fixture
def no_ray(tmp_path: Path) -> dict[str, str]:
    """An environment in which it cannot be imported."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "ray.py").write_text('raise ImportError("not installed")\n')
    return {"PYTHONPATH": str(tmp_path / "without")}


@pytest.mark.parametrize("command", [["build_actor_index_insightface", "--ray"], ["serve"]])
def test_one_sentence_names_the_remedy(
    command: list[str], no_ray: dict[str, str], models_dir: Path, tmp_path: Path
) -> None:
    env = gallery_env(models_dir, tmp_path / "dataset") | no_ray
    folder = tmp_path / "dataset" / "Astronaut"
    folder.mkdir()
    (folder / "1.png").write_bytes(ASTRONAUT.read_bytes())
    done = subprocess.run(
        [sys.executable, f"scripts/{command[0]}.py", *command[1:]],
        cwd=ROOT,
        env=dict(os.environ) | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, f"error: {WITHOUT_RAY}\n")


def test_a_cluster_that_is_not_there_is_told_in_seconds() -> None:
    pytest.importorskip("ray")
    for address in ("127.0.0.1:9", "ray://127.0.0.1:9"):  # nobody listens there
        with (
            pytest.raises(ClusterError, match=f"the cluster {address} cannot be joined"),
            cluster(address),
        ):
            pytest.fail("it was joined")


def test_what_could_not_be_served_is_refused_before_ray_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from scripts.serve import main

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, fault in (
            (["--port", port], f"cannot be served at 127.0.0.1:{port}"),
            (["--host", "nohost.invalid"], "use another --port .* or another --host"),
            (["--engines", "3", "--most-engines", "1"], "less than --engines"),
        ):
            monkeypatch.setattr(sys, "argv", ["serve.py", *arguments])
            with pytest.raises(SettingsError, match=fault):
                main()


def test_nothing_else_imports_it(no_ray: dict[str, str]) -> None:
    modules = "app, scripts.serve, scripts.build_actor_index_insightface, core.cluster.connect"
    done = subprocess.run(
        [sys.executable, "-c", f"import {modules}"],
        cwd=ROOT,
        env=dict(os.environ) | no_ray,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
