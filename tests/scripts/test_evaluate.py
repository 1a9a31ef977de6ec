"""scripts/evaluate.py: its faults in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.cli import run
from scripts.evaluate import main


@pytest.mark.parametrize("missing", ["nowhere", "empty"])
def test_missing_photos_are_one_line_and_status_2(
    missing: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    given = ["evaluate.py", "--data", str(tmp_path / missing), "--out", str(out)]
    monkeypatch.setattr("sys.argv", given)
    with pytest.raises(SystemExit, match="2"):
        run(main)
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert str(tmp_path / missing) in error
    assert not out.exists()
