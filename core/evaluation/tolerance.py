"""Whether two reports say the same: one photo in a count and 0.2 in a rate do not matter."""

from __future__ import annotations

import re
from itertools import zip_longest

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
