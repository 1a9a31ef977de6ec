"""Choices of face and rules for mislabels, where the right one is known."""

from __future__ import annotations

import numpy as np

from core.index.templates import MISLABEL_CEILING, MISLABEL_GAP
from scripts.evaluation.galleries import Portraits
from scripts.evaluation.tried import GALLERIES, SWAPPED, face_choices, mislabel_rule
from tests.evaluation.conftest import measured


def test_each_choice_takes_the_face_it_is_called_after() -> None:
    boxes = [[0, 0, 60, 60], [40, 40, 60, 60], [70, 70, 95, 95], [25, 25, 75, 75]]
    group = measured(["Ann"], np.eye(4), photo=[0] * 4, boxes=boxes, scores=[0.7, 0.8, 0.95, 0.9])
    chosen = {name: int(group.first_by(key)[0]) for name, key in face_choices(group).items()}
    assert chosen["largest"] == 0
    assert chosen["most central"] == 1
    assert chosen["highest detection score"] == 2
    assert chosen["size × nearness × detection score (used)"] == 3


def test_the_used_choice_is_the_engines_own() -> None:
    boxes = [[0, 0, 60, 60], [40, 40, 60, 60], [70, 70, 95, 95], [25, 25, 75, 75]]
    group = measured(["Ann"], np.eye(4), photo=[0] * 4, boxes=boxes)
    key = face_choices(group)["size × nearness × detection score (used)"]
    for face, value in enumerate(key):
        x1, y1, x2, y2 = boxes[face]
        off = np.hypot((x1 + x2) / 2 - 50, (y1 + y2) / 2 - 50) / np.hypot(50, 50)
        assert np.isclose(value, np.sqrt((x2 - x1) * (y2 - y1)) * (1 - off) * 0.9)


def test_a_lax_rule_finds_nothing_and_a_strict_one_accuses(portraits: Portraits) -> None:
    lax, used, strict = (
        mislabel_rule(portraits, ceiling, gap)
        for ceiling, gap in ((-0.9, 0.5), (MISLABEL_CEILING, MISLABEL_GAP), (0.9, 0.0))
    )
    assert lax.found == lax.accused == 0
    assert used.found / used.swapped > 0.9
    assert used.accused / used.clean < 0.005
    assert strict.accused > 50 * max(1, used.accused)
    assert used.swapped == GALLERIES * SWAPPED
    assert used.clean == GALLERIES * len(portraits.embeddings) - used.swapped
