"""Chapters become Markdown, plots and figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.evaluation.chapter import Chapter, Plot, count_of, rate, table, with_interval
from scripts.evaluation.intervals import Interval
from scripts.evaluation.report import (
    NOT_MEASURED,
    all_figures,
    draw,
    known_figures,
    markdown,
    same_line,
)

FIGURES = {
    "probes.photos": 158.0, "probes.rank1": 157.0, "probes_wild.photos": 407.0,
    "probes_wild.rank1": 405.0, "lfw.accuracy": 0.99345,
}  # fmt: skip


def test_numbers_are_written_as_the_comparison_reads_them() -> None:
    assert count_of(405, 407) == "405 of 407 (99.5 %)"
    assert count_of(4991, 4992) == "4,991 of 4,992 (100.0 %)"
    assert rate(0.99345, 2) == "99.34 %"
    assert with_interval(Interval(0.5, 0.4, 0.625)) == "50.0 % (40.0 % to 62.5 %)"
    assert same_line(count_of(405, 407), count_of(404, 407))
    assert not same_line(count_of(405, 407), count_of(403, 407))
    assert not same_line(rate(0.99, 2), rate(0.985, 2))


def test_a_pack_that_nobody_measured_says_so() -> None:
    text = markdown("SFace", [], {"sface": FIGURES})
    assert "| `sface` | 99.4 % | 99.5 % | 99.34 % |" in text
    assert f"| `auraface` | {NOT_MEASURED} | {NOT_MEASURED} | {NOT_MEASURED} |" in text
    both = markdown("SFace", [], {"sface": FIGURES, "auraface": FIGURES})
    assert NOT_MEASURED not in both


def test_a_chapter_ends_with_its_plots() -> None:
    plot = Plot("p.png", "A plot", "x", "y", {"line": ([1, 2], [3.0, 4.0])})
    chapter = Chapter("Title", ("one", table(["a", "b"], [[1, 2.5]])), {"k": 1 / 3}, (plot,))
    assert chapter.markdown == (
        "## Title\n\none\n\n| a | b |\n| --- | --- |\n| 1 | 2.5 |\n\n![A plot](evaluation/p.png)"
    )
    assert all_figures([chapter, Chapter("Other", (), {"m": 2.0})]) == {"k": 0.333333, "m": 2.0}


@pytest.mark.parametrize("log_x", [True, False])
def test_a_plot_is_a_png_that_only_its_lines_decide(log_x: bool, tmp_path: Path) -> None:
    lines = {"one": ([10, 100, 1000], [99.0, 98.5, 97.0])}
    plot = Plot(
        "p.png", "Grows", "actors", "%", lines, diagonal=True, log_x=log_x, y_range=(0, 100)
    )
    first = draw(plot, tmp_path / "a").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert draw(plot, tmp_path / "b").read_bytes() == first


def test_figures_of_earlier_runs_are_known(tmp_path: Path) -> None:
    assert known_figures(tmp_path) == {}
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "figures.json").write_text(json.dumps({"auraface": FIGURES}))
    assert known_figures(tmp_path) == {"auraface": FIGURES}
