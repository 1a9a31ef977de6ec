"""Material → docs/evaluation.md, its plots, and figures.json for the regression test.

Draws the report's lines as PNG. matplotlib is a development requirement only.

Whether two reports say the same: one photo in a count and 0.2 in a rate do not matter.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

from core.files import new_file
from core.models.packs import PACKS
from scripts.evaluation import (
    calibration,
    identification,
    robustness,
    strangers,
    tried,
    verification,
)
from scripts.evaluation.chapter import Chapter, Plot, rate, table
from scripts.evaluation.material import Material

SIZE = (6.4, 4.2)  # inches
DOTS = 110  # per inch


def draw(plot: Plot, folder: Path) -> Path:
    """Write one plot; the file's path. No date or version goes into the file."""
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


COUNT, RATE, SIMILARITY = 1.0, 0.2, 0.01
ROUNDING = 1e-9
# A rate beside its count says nothing of its own: `405 of 407 (99.5 %)`.
BESIDE_COUNT = re.compile(r"( of [\d,]+) \([\d.]+ %\)")
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?: %)?")


def differing_lines(old: str, new: str) -> list[str]:
    """The lines of two Markdown texts that differ by more than the tolerances, as a diff."""
    lines = []
    for before, after in zip_longest(old.splitlines(), new.splitlines(), fillvalue=""):
        if not same_line(before, after):
            lines += [f"- {before}", f"+ {after}"]
    return lines


def same_line(before: str, after: str) -> bool:
    """Equal words, and numbers that are close enough."""
    before, after = (BESIDE_COUNT.sub(r"\1", line) for line in (before, after))
    if NUMBER.sub("#", before) != NUMBER.sub("#", after):
        return False
    pairs = zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    return all(_close(one, other) for one, other in pairs)


def _close(one: str, other: str) -> bool:
    values = [float(text.replace(",", "").removesuffix(" %")) for text in (one, other)]
    return abs(values[0] - values[1]) <= max(_tolerance(one), _tolerance(other)) + ROUNDING


def _tolerance(number: str) -> float:
    decimals = len(number.removesuffix(" %").partition(".")[2])
    if number.endswith("%") or decimals == 1:
        return RATE
    return SIMILARITY if decimals else COUNT


CHAPTERS = (identification, verification, calibration, strangers, robustness, tried)
FIGURES = "figures.json"  # beside the plots
NOT_MEASURED = "not measured here"

Figures = dict[str, float]
Tell = Callable[[str], None]


def write_report(material: Material, out: Path, known: dict[str, Figures], tell: Tell) -> Path:
    """Write report, plots and figures; the report's path.

    Args:
        material: what was measured.
        out: folder for `evaluation.md`, or `evaluation-<pack>.md` for another pack than SFace,
            and for `evaluation/`.
        known: the figures of other packs, from earlier runs.
        tell: is told how long each chapter took.
    """
    chapters = []
    for module in CHAPTERS:
        started = time.monotonic()
        chapters.append(module.chapter(material))
        tell(f"{chapters[-1].title} ({time.monotonic() - started:.0f} s)")
    pack = material.installed.pack
    figures = known | {pack.name: all_figures(chapters)}
    plots = out / "evaluation"
    for chapter in chapters:
        for plot in chapter.plots:
            draw(plot, plots)
    with new_file(plots / FIGURES) as temporary:
        temporary.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", "utf-8")
    report = out / ("evaluation.md" if pack.name == "sface" else f"evaluation-{pack.name}.md")
    with new_file(report) as temporary:
        temporary.write_text(markdown(pack.title, chapters, figures), "utf-8")
    return report


def all_figures(chapters: list[Chapter]) -> Figures:
    """Of all chapters, rounded to what a reader could compare."""
    return {key: round(value, 6) for chapter in chapters for key, value in chapter.figures.items()}


def known_figures(out: Path) -> dict[str, Figures]:
    """The figures written by earlier runs, by pack; {} if there are none."""
    path = out / "evaluation" / FIGURES
    known: dict[str, Figures] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return known


def markdown(title: str, chapters: list[Chapter], figures: dict[str, Figures]) -> str:
    """The whole report."""
    head = (
        f"# How good the answers are: {title}\n\n"
        "Written by `python scripts/evaluate.py`, which measures everything anew from labelled"
        " photos beside the project (`../shared/data`, not published: no rights in them are"
        " cleared) and takes some ten minutes on two cores. `--check` compares a new run with"
        " this file. Photos are read, detected, aligned and embedded by the app's own code.\n\n"
        + table(
            ["pack", "first answer right, `probes`", "`probes_wild`", "LFW pairs"], _packs(figures)
        )
    )
    return "\n\n".join([head, *(chapter.markdown for chapter in chapters)]) + "\n"


def _packs(figures: dict[str, Figures]) -> list[list[str]]:
    return [
        [f"`{name}`", *_headline(figures[name])]
        if name in figures
        else [f"`{name}`", *[NOT_MEASURED] * 3]
        for name in sorted(PACKS, reverse=True)
    ]


def _headline(found: Figures) -> list[str]:
    return [
        *(
            rate(found[f"{name}.rank1"] / found[f"{name}.photos"])
            for name in ("probes", "probes_wild")
        ),
        rate(found["lfw.accuracy"], 2),
    ]
