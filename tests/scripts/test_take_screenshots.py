"""The page's states as pictures, by the command a person types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from core.models.install import InstalledPack
from scripts.page.chromium import chromium_program
from tests.conftest import ROOT
from tests.running_app import clean_env

SCRIPT = "scripts/page/take_screenshots.py"
WITHOUT_PLAYWRIGHT = f"""
import sys, runpy
sys.modules["playwright"] = None
sys.argv = [{SCRIPT!r}]
runpy.run_path({SCRIPT!r}, run_name="__main__")
"""


def take(tmp_path: Path, *arguments: str, models: Path | None = None) -> tuple[int, str]:
    """Exit status and what was printed."""
    env = clean_env(tmp_path, **({"LOOKALIKE_MODELS_DIR": str(models)} if models else {}))
    command = [sys.executable, SCRIPT, "--out", str(tmp_path / "shots"), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    chromium_program() is None, reason="needs Chromium (Debian: apt-get install chromium)"
)
def test_each_state_is_shown_on_phone_and_desktop_in_light_and_dark(
    tmp_path: Path, sface: InstalledPack
) -> None:
    status, printed = take(
        tmp_path, "--only", "waiting", "--only", "result", "--only", "blend",
        models=sface.folder.parent,
    )  # fmt: skip
    assert status == 0, printed
    assert "this gallery has no state blend" in printed  # the starter gallery has no portraits
    shots = {file.name: Image.open(file).convert("RGB") for file in tmp_path.glob("shots/*.png")}
    looks = ["waiting-{}-light-ko", "waiting-{}-dark-en", "result-{}-light-en", "result-{}-dark-ko"]
    states = {f"{look.format(width)}.png" for look in looks for width in (390, 1280)}
    assert set(shots) == {*states, "cover.png"}
    assert all(str(shots[name].width) in name for name in states)
    assert (tmp_path / "shots" / "cover.png").stat().st_size < 300_000  # the README's picture
    assert min(shots["result-390-light-en.png"].getpixel((3, 3))) > 200
    assert max(shots["result-390-dark-ko.png"].getpixel((3, 3))) < 60
    sheet = (tmp_path / "shots" / "index.html").read_text("utf-8")
    assert all(name in sheet for name in shots)


def test_an_unknown_state_is_named_with_those_there_are(tmp_path: Path) -> None:
    status, printed = take(tmp_path, "--only", "dancing")
    assert status == 2
    assert printed.startswith("error: no state is called dancing; there are waiting, result")
    assert printed.count("\n") == 1


def test_a_missing_playwright_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PLAYWRIGHT],
        cwd=ROOT, env=clean_env(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "playwright is missing; pip install -r requirements-dev.txt" in done.stderr
    assert done.stderr.count("\n") == 1
