"""The script that makes a Space: it only talks until it is told to go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import ROOT
from core.upkeep.space import needed_files
from tests.hub_repos import WRITING
from tests.hub_standin import HubStandin, client_at, refusal
from tests.running_script import Done, run_here

# Of the client's own upload by LFS.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubStandin]:
    with HubStandin(tmp_path / "files") as standin, client_at(standin.url, tmp_path, WRITING):
        yield standin


def deployed(tmp_path: Path, *arguments: str, **env: str) -> Done:
    return run_here("deploy_space", "me/lookalike", *arguments, cwd=tmp_path, env=env)


def test_without_go_it_says_what_would_be_done_and_asks_nobody(
    hub: HubStandin, tmp_path: Path
) -> None:
    done = deployed(tmp_path, "--gallery", "me/actors", "--set", "LOOKALIKE_TOP_K=3")
    assert (done.returncode, done.stderr) == (0, "")
    files = needed_files(ROOT)
    size = sum(path.stat().st_size for path in files.values()) / 1e6
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        f"{hub.url}/spaces/me/lookalike",
        f"files: {len(files)}, {size:.3f} MB",
    ]
    core = [path.stat().st_size for name, path in files.items() if name.startswith("core/")]
    assert f"  core/: {len(core)} files, {sum(core) / 1e6:.3f} MB" in lines
    assert lines[-3:] == [
        "variable: LOOKALIKE_GALLERY=me/actors",
        "variable: LOOKALIKE_TOP_K=3",
        "nothing was done; --go does it",
    ]
    assert hub.requests == []


def test_with_go_the_whole_project_is_there_and_a_second_time_nothing_is_done(
    hub: HubStandin, tmp_path: Path
) -> None:
    done = deployed(tmp_path, "--go", "--gallery", "me/actors")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["set: LOOKALIKE_GALLERY", "files: one new commit"]
    space = hub.repos.repos["spaces/me/lookalike"]
    wanted = {name: path.read_bytes() for name, path in needed_files(ROOT).items()}
    assert wanted.items() <= space.files.items()
    assert space.files.keys() - wanted.keys() == {".gitattributes"}
    again = deployed(tmp_path, "--go", "--gallery", "me/actors")
    assert again.stdout.splitlines()[-1] == "files: nothing has changed"
    assert len(space.commits) == 1


def test_a_fault_is_one_line_and_status_2(hub: HubStandin, tmp_path: Path) -> None:
    assert "there is no token" in refusal(deployed(tmp_path, "--go", HF_TOKEN=""))
    hub.faults.page = True
    assert "login page" in refusal(deployed(tmp_path, "--go"))


@pytest.mark.parametrize("text", ["LOOKALIKE_TOP_K", "3"])
def test_a_setting_without_a_value_is_a_usage_fault(tmp_path: Path, text: str) -> None:
    done = deployed(tmp_path, "--set", text)
    assert done.returncode == 2
    assert f"'{text}' is not NAME=VALUE" in done.stderr
