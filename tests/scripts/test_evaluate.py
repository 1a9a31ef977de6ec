"""scripts/evaluate.py: its faults in one line, and what --check says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import GalleryError
from scripts.evaluate import compare
from tests.conftest import ROOT


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "evaluate.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("missing", ["nowhere", "empty"])
def test_missing_photos_are_one_line_and_status_2(missing: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = evaluate("--data", tmp_path / missing, "--out", tmp_path / "out")
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: ")
    assert str(tmp_path / missing) in error
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_check_is_content_with_the_same_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed, new = tmp_path / "evaluation.md", tmp_path / "new.md"
    committed.write_text("rank-1 405 of 407 (99.5 %)\n")
    new.write_text("rank-1 406 of 407 (99.8 %)\n")
    assert compare(committed, new) == 0
    assert capsys.readouterr().out == "evaluation.md: as committed\n"


def test_check_shows_the_lines_that_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed, new = tmp_path / "evaluation.md", tmp_path / "new.md"
    committed.write_text("rank-1 405 of 407 (99.5 %)\nsame\n")
    new.write_text("rank-1 401 of 407 (98.5 %)\nsame\n")
    assert compare(committed, new) == 1
    assert capsys.readouterr().out.splitlines() == [
        "- rank-1 405 of 407 (99.5 %)",
        "+ rank-1 401 of 407 (98.5 %)",
        "evaluation.md: differs",
    ]


def test_check_without_a_committed_report_says_how_to_get_one(tmp_path: Path) -> None:
    new = tmp_path / "new.md"
    new.write_text("rank-1\n")
    with pytest.raises(GalleryError, match="without --check"):
        compare(tmp_path / "evaluation.md", new)


def test_the_committed_report_is_whole() -> None:
    """Every plot it shows is there, and it tells of both packs."""
    report = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
    shown = [line.split("](")[1].rstrip(")") for line in report.splitlines() if "![" in line]
    assert len(shown) >= 3
    for plot in shown:
        assert (ROOT / "docs" / plot).read_bytes().startswith(b"\x89PNG")
    assert "| `sface` | 100.0 %" in report or "| `sface` | 99." in report
    assert "| `auraface` |" in report
