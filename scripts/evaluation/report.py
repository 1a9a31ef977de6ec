"""Material → docs/evaluation.md, its plots, and figures.json for the regression test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.files import new_file
from core.models.packs import PACKS
from core.settings import ROOT
from scripts.evaluation import (
    calibration,
    identification,
    parts,
    robustness,
    strangers,
    verification,
)
from scripts.evaluation.chapter import Chapter, Figures, Plot, table
from scripts.evaluation.likeness import chapter as likeness
from scripts.evaluation.material import Material

CHAPTERS: tuple[Chapter, ...] = (
    likeness,
    parts,
    identification,
    verification,
    calibration,
    strangers,
    robustness,
)
FIGURES = "figures.json"  # beside the plots
SAMPLE = "{} sample"  # the name beside a pack's of what the regression test measures
TRIED = ROOT / "docs" / "evaluation" / "tried.md"  # written by hand; ends SFace's report
NOT_MEASURED = "not measured here"
SIZE = (6.4, 4.2)  # inches
DOTS = 110  # per inch

Tell = Callable[[str], None]


def all_figures(material: Material, tell: Tell) -> Figures:
    """The figures of every chapter; `tell` is told how long each took."""
    figures: Figures = {}
    for chapter in CHAPTERS:
        started = time.monotonic()
        figures |= rounded(chapter.measure(material))
        tell(f"{chapter.TITLE} ({time.monotonic() - started:.0f} s)")
    return figures


def rounded(figures: Figures) -> Figures:
    """To what a reader could compare."""
    return {name: _rounded(figure) for name, figure in figures.items()}


def _rounded(figure: Any) -> Any:
    if isinstance(figure, list):
        return [_rounded(part) for part in figure]
    return round(figure, 6)


def known_figures(out: Path) -> dict[str, Figures]:
    """The figures written by earlier runs, by pack or sample; {} if there are none."""
    path = out / "evaluation" / FIGURES
    known: dict[str, Figures] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return known


def write_report(pack: str, known: dict[str, Figures], out: Path) -> Path:
    """Write report, plots and figures; the report's path.

    Args:
        pack: whose figures are told in full.
        known: figures by pack, its own among them, and by sample.
        out: folder for `evaluation.md`, or `evaluation-<pack>.md` for another pack than SFace,
            and for `evaluation/`.
    """
    plots = out / "evaluation"
    for chapter in CHAPTERS:
        for block in chapter.text(known[pack]):
            if isinstance(block, Plot):
                draw(block, plots)
    with new_file(plots / FIGURES) as temporary:
        temporary.write_text(as_json(known), "utf-8")
    report = out / ("evaluation.md" if pack == "sface" else f"evaluation-{pack}.md")
    with new_file(report) as temporary:
        temporary.write_text(markdown(pack, known), "utf-8")
    return report


def as_json(known: dict[str, Figures]) -> str:
    """A line a figure, so that a comparison of two versions shows which differ."""
    packs = []
    for name in sorted(known):
        figures = sorted(known[name].items())
        lines = [f'  "{figure}": {json.dumps(value)}' for figure, value in figures]
        packs.append(f' "{name}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(packs) + "\n}\n"


def markdown(pack: str, known: dict[str, Figures]) -> str:
    """The whole report."""
    blocks = [
        f"# How good the answers are: {PACKS[pack].title}",
        "Written by `python scripts/evaluate.py`, which measures everything anew from labelled"
        " photos beside the project (`../shared/data`, not published: no rights in them are"
        " cleared) and takes some twenty minutes on two cores. Photos are read, detected, aligned"
        " and embedded by the app's own code. Every number is in"
        " [figures.json](evaluation/figures.json), with which the tests compare a part of the"
        " photos measured anew.",
        table(
            ["pack", "first answer right, `probes`", "`probes_wild`", "LFW pairs"],
            [[f"`{name}`", *_headline(known.get(name))] for name in sorted(PACKS, reverse=True)],
        ),
    ]
    for chapter in CHAPTERS:
        blocks += [f"## {chapter.TITLE}", *map(str, chapter.text(known[pack]))]
    if pack == "sface":
        blocks.append(TRIED.read_text("utf-8").rstrip())
    return "\n\n".join(blocks) + "\n"


def _headline(figures: Figures | None) -> list[str]:
    if figures is None:
        return [NOT_MEASURED] * 3
    return [*identification.headline(figures), verification.headline(figures)]


def draw(plot: Plot, folder: Path) -> Path:
    """Write one plot; the file's path.

    No date or version goes into the file. matplotlib is a development requirement only.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=SIZE, dpi=DOTS, layout="constrained")
    for label, (xs, ys) in plot.lines.items():
        axes.plot(xs, ys, marker="o" if len(xs) < 15 else None, markersize=4, label=label)
    if plot.diagonal:
        axes.plot([0, 100], [0, 100], color="grey", linestyle=":", label="as it says")
    if plot.log_x:
        axes.set_xscale("log")
    if plot.y_range:
        axes.set_ylim(*plot.y_range)
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / plot.file
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)
    return path
