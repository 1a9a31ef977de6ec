"""What counts as the same report."""

from __future__ import annotations

import pytest

from scripts.evaluation.report import differing_lines, same_line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("| 405 of 407 (99.5 %) |", "| 406 of 407 (99.8 %) |"),
        ("98.8 % (97.2 % to 99.5 %)", "98.9 % (97.4 % to 99.4 %)"),
        ("| -2.7 | +0.1 |", "| -2.6 | -0.1 |"),
        ("threshold 0.312", "threshold 0.318"),
        ("2,700 photos", "2,701 photos"),
        ("no number", "no number"),
    ],
)
def test_one_photo_and_0_2_points_do_not_matter(one: str, other: str) -> None:
    assert same_line(one, other)
    assert same_line(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("| 405 of 407 (99.5 %) |", "| 403 of 407 (99.0 %) |"),
        ("98.8 %", "98.5 %"),
        ("| +0.4 |", "| +0.1 |"),
        ("threshold 0.31", "threshold 0.33"),
        ("2,700 photos", "2,702 photos"),
        ("three faces", "four faces"),
        ("405 of 407", "405 of 407 (99.5 %) and more"),
        ("1 2", "1"),
    ],
)
def test_anything_more_does(one: str, other: str) -> None:
    assert not same_line(one, other)
    assert not same_line(other, one)


def test_differing_lines_are_shown_as_a_diff() -> None:
    old = "# Report\nrank-1 99.5 %\nsame\n"
    assert differing_lines(old, old) == []
    assert differing_lines(old, "# Report\nrank-1 98.5 %\nsame\n") == [
        "- rank-1 99.5 %",
        "+ rank-1 98.5 %",
    ]
    assert differing_lines(old, old + "one more\n") == ["- ", "+ one more"]
