"""What a chapter of the report is, its figures, and how they are written.

A chapter is a module with `TITLE`, `measure(material) -> Figures` and `text(figures)`, named in
CHAPTERS of scripts/evaluation/report.py. Its text is made of its figures alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from scripts.evaluation.intervals import Interval

if TYPE_CHECKING:
    from scripts.evaluation.material import Material

# By name. A whole number is a count, two are a count and of how many; any other number is a
# share, 0-1, or a cosine; a list of those is a curve. Of the forms that figures.json keeps.
Figures = dict[str, Any]


class Chapter(Protocol):
    """What the modules offer."""

    TITLE: str

    def measure(self, material: Material) -> Figures:
        """Everything that the text says, each name beginning with a word of the chapter's own."""

    def text(self, figures: Figures) -> tuple[str | Plot, ...]:
        """Markdown paragraphs, tables and plots, in order."""


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

    def __str__(self) -> str:
        """Its place in the text."""
        return f"![{self.title}](evaluation/{self.file})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def count_of(figure: Sequence[int]) -> str:
    """`405 of 407 (99.5 %)`."""
    count, total = figure
    return f"{count:,} of {total:,} ({rate(count / total)})"


def rate(share: float, digits: int = 1) -> str:
    """0-1 as `99.5 %`."""
    return f"{share:.{digits}%}".replace("%", " %")


def share_of(figure: Sequence[int]) -> float:
    """0-1."""
    count, total = figure
    return count / total


def bounds(name: str, interval: Interval) -> Figures:
    """The ends of a figure's 95 % interval."""
    return {f"{name}.low": interval.low, f"{name}.high": interval.high}


def with_interval(figures: Figures, name: str, digits: int = 1) -> str:
    """A figure and its bounds as `99.5 % (98.9 % to 99.8 %)`."""
    low, high = (rate(figures[f"{name}.{end}"], digits) for end in ("low", "high"))
    return f"{rate(share_of(figures[name]), digits)} ({low} to {high})"
