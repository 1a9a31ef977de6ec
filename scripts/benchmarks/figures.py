"""What was measured: samples with their spread, goals as ratios, chapters of the report."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """One engine at one thing."""

    thing: str
    engine: str
    values: tuple[float, ...]  # in `unit`, round by round
    unit: str
    cpu: float | None = None  # median of all cores, ms

    @property
    def median(self) -> float:
        """Of the rounds."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between which half of the rounds lie."""
        low, high = np.percentile(self.values, [25, 75])
        return float(low), float(high)


@dataclass(frozen=True)
class Goal:
    """A ratio, or a number, and what it should be."""

    what: str
    value: float
    limit: float
    at_least: bool = False  # else at most
    unit: str = "×"

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Chapter:
    """One part of the benchmark."""

    name: str  # of --only
    title: str
    how: str
    goals: list[Goal] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def row(self, thing: str, engine: str) -> Row:
        """The one of this thing and engine."""
        return next(row for row in self.rows if (row.thing, row.engine) == (thing, engine))

    def add(
        self,
        thing: str,
        engine: str,
        seconds: list[float],
        unit: str = "ms",
        cpu: list[float] | None = None,
    ) -> Row:
        """Seconds of each round, kept as milliseconds unless another unit says so."""
        factor = {"ms": 1000.0, "µs": 1e6}.get(unit, 1.0)
        values = tuple(factor * value for value in seconds)
        row = Row(thing, engine, values, unit, 1000 * statistics.median(cpu) if cpu else None)
        self.rows.append(row)
        return row

    def to_json(self) -> dict[str, Any]:
        """For figures.json."""
        return asdict(self)

    @staticmethod
    def from_json(stored: dict[str, Any]) -> Chapter:
        """As it was."""
        rows = [Row(**{**row, "values": tuple(row["values"])}) for row in stored["rows"]]
        goals = [Goal(**goal) for goal in stored["goals"]]
        return Chapter(**{**stored, "rows": rows, "goals": goals})


def paired(first: Row, second: Row) -> float:
    """Median of the ratios round by round: what slows the machine slows both of a round."""
    ratios = [one / other for one, other in zip(first.values, second.values, strict=True)]
    return statistics.median(ratios)
