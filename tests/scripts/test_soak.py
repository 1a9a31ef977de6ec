"""scripts/soak.py: what it counts as outgrown; the visitors themselves are run by .ci/run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from scripts.soak import Holdings, holdings, outgrown, tracebacks

BEFORE = Holdings(megabytes=600, threads=10, files=11, photos=1)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"megabytes": 629.0, "threads": 9, "files": 11, "photos": 0}, []),
        ({"megabytes": 631.0}, ["memory grew from 600 to 631 MB"]),
        ({"threads": 11}, ["threads grew from 10 to 11"]),
        ({"files": 12, "photos": 2}, ["open files grew from 11 to 12",
                                      "temporary files grew from 1 to 2"]),
    ],
)  # fmt: skip
def test_what_is_more_than_it_was_is_told(more: dict[str, float], said: list[str]) -> None:
    assert outgrown(BEFORE, replace(BEFORE, **more)) == said


def test_a_process_and_its_photos_are_counted(tmp_path: Path) -> None:
    before = holdings(psutil.Process(), tmp_path)
    assert (before.photos, before.megabytes > 50, before.threads > 0) == (0, True, True)
    (tmp_path / "photos" / "of one").mkdir(parents=True)
    (tmp_path / "photos" / "of one" / "me.jpg").write_bytes(b"")
    with (tmp_path / "open").open("w"):
        after = holdings(psutil.Process(), tmp_path)
    assert (after.photos, after.files) == (1, before.files + 1)


def test_the_log_is_searched_for_errors_that_nobody_caught(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    lines = ["WARNING: x", "ERROR: an event failed: y", "Traceback (most recent call last):", "  z"]
    log.write_text("\n".join(lines))
    assert tracebacks(log) == lines[1:3]
