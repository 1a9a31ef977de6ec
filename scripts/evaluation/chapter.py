"""A chapter of the report, and how its numbers are written.

scripts/evaluation/report.py reads these forms back: a count is whole, a rate has one decimal or
a percent sign, a similarity has two decimals or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.evaluation.intervals import Interval


@dataclass(frozen=True)
class Plot:
    """Lines to be drawn."""

    file: str  # PNG
    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    diagonal: bool = False  # where a calibrated score would lie
    log_x: bool = False
    y_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chapter:
    """Text, figures for the regression test, plots."""

    title: str
    blocks: tuple[str, ...]  # Markdown paragraphs and tables
    figures: dict[str, float] = field(default_factory=dict)
    plots: tuple[Plot, ...] = ()

    @property
    def markdown(self) -> str:
        """With its plots at the end."""
        pictures = (f"![{plot.title}](evaluation/{plot.file})" for plot in self.plots)
        return "\n\n".join([f"## {self.title}", *self.blocks, *pictures])


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def count_of(count: int, total: int) -> str:
    """`405 of 407 (99.5 %)`."""
    return f"{count:,} of {total:,} ({count / total:.1%})".replace("%", " %")


def rate(share: float, digits: int = 1) -> str:
    """0-1 as `99.5 %`."""
    return f"{share:.{digits}%}".replace("%", " %")


def with_interval(interval: Interval, digits: int = 1) -> str:
    """`99.5 % (98.9 % to 99.8 %)`."""
    value, low, high = (
        rate(part, digits) for part in (interval.value, interval.low, interval.high)
    )
    return f"{value} ({low} to {high})"
