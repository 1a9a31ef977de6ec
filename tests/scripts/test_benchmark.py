"""scripts/benchmark.py: its parts run, and the report keeps what was measured before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.models.install import InstalledPack
from scripts.benchmark import main
from scripts.benchmarks.figures import Chapter, Goal, Row, paired
from scripts.cli import run
from tests.conftest import SHARED, needs_shared
from tests.running_script import run_here

FEW = ["--rounds", "1", "--seconds", "1", "--templates", "302", "--rebuild", "1", "--no-rivals"]


def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, models: Path, *more: str) -> str:
    """The report of a short run."""
    monkeypatch.setenv("LOOKALIKE_MODELS_DIR", str(models))
    places = ["--out", str(tmp_path / "out"), "--scratch", str(tmp_path / "scratch")]
    monkeypatch.setattr("sys.argv", ["benchmark.py", *FEW, *places, *more])
    assert main() == 0
    return (tmp_path / "out" / "benchmarks.md").read_text("utf-8")


@pytest.fixture
def few_photos(tmp_path: Path) -> Path:
    """A folder like the labelled photos, with as few as do."""
    data = tmp_path / "data"
    for name in ("Abbie Cornish", "Adam Driver", "Woody Harrelson"):
        shutil.copytree(SHARED / "headshots" / name, data / "headshots" / name)
    shutil.copytree(SHARED / "gallery" / "Brad Pitt", data / "gallery" / "Brad Pitt")
    return data


@needs_shared
def test_one_part_is_measured_again_and_the_others_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sface: InstalledPack, few_photos: Path
) -> None:
    figures = tmp_path / "out" / "benchmarks" / "figures.json"
    figures.parent.mkdir(parents=True)
    earlier = Chapter("live", "Live", "", [Goal("frames", 9.0, 8.0, at_least=True)])
    earlier.add("frames a second", "alone", [9.0], "1/s")
    figures.write_text(json.dumps([earlier.to_json()]))
    asked = ["--only", "search", "--data", str(few_photos)]
    report = measured(monkeypatch, tmp_path, sface.folder.parent, *asked)
    assert "| frames | 9.00× | ≥ 8× | met |" in report
    assert "| 302 templates, one face | " in report
    assert [entry["name"] for entry in json.loads(figures.read_text())] == ["search", "live"]
    assert {path.name for path in figures.parent.glob("*.png")} == {"search.png", "live.png"}


@pytest.mark.slow
@needs_shared
def test_every_part_measures_something(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sface: InstalledPack, few_photos: Path
) -> None:
    asked = ["--data", str(few_photos)]
    measured(monkeypatch, tmp_path, sface.folder.parent, *asked)
    stored = json.loads((tmp_path / "out" / "benchmarks" / "figures.json").read_text())
    chapters = {entry["name"]: Chapter.from_json(entry) for entry in stored}
    assert list(chapters) == ["match", "build", "search", "start", "visitors", "live"]
    assert all(chapter.goals for chapter in chapters.values())
    assert all(row.median > 0 for chapter in chapters.values() for row in chapter.rows)
    faces = "\n".join(chapters["match"].notes)
    assert "one face, 1280 × 720: 1 face(s)" in faces
    assert "six faces, 1280 × 720: 6 face(s)" in faces
    errors = next(goal for goal in chapters["visitors"].goals if "errors" in goal.what)
    assert errors.value == 0


def test_a_ratio_is_of_the_same_round() -> None:
    fast, slow = Row("match", "fast", (1.0, 10.0, 2.0), "ms"), Row("", "", (2.0, 20.0, 8.0), "ms")
    assert paired(fast, slow) == 0.5


def test_missing_photos_are_one_line_and_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark.py", "--data", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="2"):
        run(main)
    assert str(tmp_path / "nowhere") in capsys.readouterr().err


def test_the_growth_of_an_index_is_measured_and_drawn(tmp_path: Path) -> None:
    out = tmp_path / "g.png"
    done = run_here("benchmarks/growth", 100, 3000, "--out", out, cwd=tmp_path, env={})
    assert done.returncode == 0, done.stderr
    small, large = done.stdout.splitlines()[-2:]
    assert (small.split()[1], large.split()[1]) == ("100", "3,000")
    files = [float(line.split("|")[2].removesuffix(" MB ")) for line in (small, large)]
    assert files[1] > 3 > files[0]
    assert out.stat().st_size > 5000
