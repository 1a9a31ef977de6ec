"""Material → docs/evaluation.md, its plots, and figures.json for the regression test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from core.evaluation.chapter import Chapter, rate, table
from core.evaluation.chapters import (
    calibration,
    identification,
    robustness,
    strangers,
    tried,
    verification,
)
from core.evaluation.material import Material
from core.evaluation.plots import draw
from core.files import new_file
from core.models.packs import PACKS

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
