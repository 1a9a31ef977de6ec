"""docs/benchmarks.md: ratios first, then each chapter's medians, spread and plot."""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata
from pathlib import Path

from core.faces.engine import usable_cpus
from core.files import new_file
from scripts.benchmarks.figures import Chapter, Row

ORDER = ("match", "build", "search", "start", "visitors", "live")
LIBRARIES = ("onnxruntime", "insightface", "numpy", "opencv-python", "pillow", "gradio")
HEAD = """# Benchmarks

Written by `python scripts/benchmark.py`; every engine in a process of its own, in turn. Medians,
and between which values half of the rounds lie. A ratio is the median of the rounds' ratios where
both sides have as many.
"""


def merged(new: list[Chapter], out: Path) -> list[Chapter]:
    """These chapters, and those of earlier runs that were not measured again."""
    file = out / "benchmarks" / "figures.json"
    known = json.loads(file.read_text("utf-8")) if file.exists() else []
    chapters = {entry["name"]: Chapter.from_json(entry) for entry in known}
    chapters |= {chapter.name: chapter for chapter in new}
    return [chapters[name] for name in ORDER if name in chapters]


def write_report(chapters: list[Chapter], out: Path) -> Path:
    """The document, its plots and figures in a folder beside it."""
    folder = out / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    parts = [HEAD, machine(), "## Ratios\n", ratios(chapters)]
    for chapter in chapters:
        plot(chapter, folder / f"{chapter.name}.png")
        parts.append(_chapter_text(chapter))
    tried = folder / "tried.md"  # written by hand
    if tried.exists():
        parts.append(tried.read_text("utf-8"))
    with new_file(folder / "figures.json") as file:
        stored = [chapter.to_json() for chapter in chapters]
        file.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", "utf-8")
    with new_file(out / "benchmarks.md") as file:
        file.write_text("\n".join(parts), "utf-8")
    return out / "benchmarks.md"


def ratios(chapters: list[Chapter]) -> str:
    """All goals, as a table."""
    lines = ["| what | measured | goal | |", "| --- | ---: | ---: | --- |"]
    for chapter in chapters:
        for goal in chapter.goals:
            sign = "≥" if goal.at_least else "≤"
            lines.append(
                f"| {goal.what} | {_number(goal.value)}{goal.unit} |"
                f" {sign} {goal.limit:g}{goal.unit} | {'met' if goal.met else '**missed**'} |"
            )
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What it ran on."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"Machine: {usable_cpus()} cores of {_processor()}, {memory:.0f} GB, {platform.system()}"
        f" {platform.release()}; Python {platform.python_version()}, {versions}.\n"
    )


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "an unknown processor"


def _chapter_text(chapter: Chapter) -> str:
    lines = [
        f"## {chapter.title}\n",
        f"{chapter.how}\n",
        f"![{chapter.title}](benchmarks/{chapter.name}.png)\n",
        "| what | by | median | half of the rounds | CPU |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in chapter.rows:
        low, high = row.quartiles
        spread = f"{_number(low)}–{_number(high)}" if len(row.values) > 1 else ""
        cpu = f"{_number(row.cpu)} ms" if row.cpu is not None else ""
        lines.append(
            f"| {row.thing} | {row.engine} | {_number(row.median)} {row.unit} | {spread} | {cpu} |"
        )
    notes = [f"- {note}" for note in chapter.notes]
    return "\n".join([*lines, "", *notes, ""] if notes else [*lines, ""])


def _number(value: float) -> str:
    """Three figures."""
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def plot(chapter: Chapter, file: Path) -> None:
    """Medians as bars, with the spread; a panel for each unit of a chapter."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    units = list(dict.fromkeys(row.unit for row in chapter.rows))
    groups = [[row for row in chapter.rows if row.unit == unit] for unit in units]
    heights = [len(group) + 1 for group in groups]
    figure, panels = plt.subplots(
        len(groups),
        1,
        figsize=(9, 0.28 * sum(heights) + 0.6 * len(groups)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for panel, group, unit in zip(panels[:, 0], groups, units, strict=True):
        _bars(panel, group, unit)
    figure.savefig(file, dpi=100)
    plt.close(figure)


def _bars(panel, group: list[Row], unit: str) -> None:  # type: ignore[no-untyped-def]
    medians = [row.median for row in group]
    spread = [
        [max(0.0, row.median - row.quartiles[0]) for row in group],
        [max(0.0, row.quartiles[1] - row.median) for row in group],
    ]
    engines = list(dict.fromkeys(row.engine for row in group))
    colours = [f"C{engines.index(row.engine) % 10}" for row in group]
    names = [f"{row.thing}: {row.engine}" for row in group]
    places = range(len(group))
    panel.barh(places, medians, xerr=spread, color=colours, height=0.7)
    panel.set_yticks(places, names, fontsize=8)
    panel.invert_yaxis()
    panel.set_xlabel(unit)
    if min(medians) > 0 and max(medians) > 30 * min(medians):
        panel.set_xscale("log")
