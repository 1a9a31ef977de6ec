"""Figures become Markdown, plots and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.evaluation.chapter import Plot, bounds, count_of, rate, table, with_interval
from scripts.evaluation.intervals import Interval
from scripts.evaluation.report import (
    NOT_MEASURED,
    as_json,
    draw,
    known_figures,
    markdown,
    rounded,
    write_report,
)
from tests.conftest import ROOT


def test_numbers_are_written_as_people_read_them() -> None:
    assert count_of([405, 407]) == "405 of 407 (99.5 %)"
    assert count_of([4991, 4992]) == "4,991 of 4,992 (100.0 %)"
    assert rate(0.99345, 2) == "99.34 %"
    figures = {"x": [1, 2], **bounds("x", Interval(0.5, 0.4, 0.625))}
    assert with_interval(figures, "x") == "50.0 % (40.0 % to 62.5 %)"
    assert table(["a", "b"], [[1, 2.5]]) == "| a | b |\n| --- | --- |\n| 1 | 2.5 |"


def test_the_committed_report_says_what_the_committed_figures_say() -> None:
    """Neither was changed without the other."""
    report = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
    assert report == markdown("sface", known_figures(ROOT / "docs"))


def test_a_report_has_its_plots_and_its_figures_beside_it(tmp_path: Path) -> None:
    known = known_figures(ROOT / "docs")
    report = write_report("sface", known, tmp_path).read_text("utf-8")
    shown = [line.split("](")[1].rstrip(")") for line in report.splitlines() if "![" in line]
    assert len(shown) == 3
    assert all((tmp_path / plot).read_bytes().startswith(b"\x89PNG") for plot in shown)
    assert known_figures(tmp_path) == known


def test_a_pack_that_nobody_measured_says_so() -> None:
    figures = known_figures(ROOT / "docs")["sface"]
    text = markdown("sface", {"sface": figures})
    assert f"| `auraface` | {NOT_MEASURED} | {NOT_MEASURED} | {NOT_MEASURED} |" in text
    assert NOT_MEASURED not in markdown("sface", {"sface": figures, "auraface": figures})


def test_what_was_tried_with_sface_ends_its_report_alone() -> None:
    figures = known_figures(ROOT / "docs")["sface"]
    known = {"sface": figures, "auraface": figures}
    assert "\n## What was tried\n" in markdown("sface", known)
    assert "What was tried" not in markdown("auraface", known)


@pytest.mark.parametrize("log_x", [True, False])
def test_a_plot_is_a_png_that_only_its_lines_decide(log_x: bool, tmp_path: Path) -> None:
    lines = {"one": ([10, 100, 1000], [99.0, 98.5, 97.0])}
    plot = Plot(
        "p.png", "Grows", "actors", "%", lines, diagonal=True, log_x=log_x, y_range=(0, 100)
    )
    assert str(plot) == "![Grows](evaluation/p.png)"
    first = draw(plot, tmp_path / "a").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert draw(plot, tmp_path / "b").read_bytes() == first


def test_figures_stay_counts_and_shares_on_a_line_each() -> None:
    figures = rounded({"a": 1 / 3, "b": [1, 2], "c": 1.0, "d": 4, "e": [0.12345678]})
    assert figures == {"a": 0.333333, "b": [1, 2], "c": 1.0, "d": 4, "e": [0.123457]}
    written = as_json({"sface": figures})
    assert '\n  "b": [1, 2],\n  "c": 1.0,\n  "d": 4,\n' in written
    again = json.loads(written)["sface"]
    assert again == figures
    assert [type(again[name]) for name in "abcd"] == [float, list, float, int]


def test_figures_of_earlier_runs_are_known(tmp_path: Path) -> None:
    assert known_figures(tmp_path) == {}
