"""Draws the report's lines as PNG. matplotlib is a development requirement only."""

from __future__ import annotations

from pathlib import Path

from core.evaluation.chapter import Plot

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
