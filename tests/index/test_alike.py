"""What carries a likeness: the part whose covering costs more than it usually does."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces.parts import PARTS
from core.index.actor_index import ActorIndex
from core.index.alike import Alike, tells_parts, what_is_alike
from tests.index.test_actor_index import gallery_of, unit

ACTOR = "Actor 7"


@pytest.fixture(scope="module")
def index() -> ActorIndex:
    return gallery_of({f"Actor {n}": [unit(n)] for n in range(40)})


def alike(index: ActorIndex, **losses: float) -> Alike:
    """A face that loses so much of its similarity of 0.5 to the actor by a covered part."""
    theirs = unit(7)
    face = unit(99)
    face += (0.5 - face @ theirs) * theirs
    rows = [face, *(face - losses.get(part, 0.0) * theirs for part in PARTS)]
    return what_is_alike(index, np.stack(rows).astype(np.float32), ACTOR)


def test_the_part_that_costs_most_is_told(index: ActorIndex) -> None:
    found = alike(index, mouth=0.2)
    assert found.told == ("mouth",)
    assert found.first == "mouth"
    assert found.falls["mouth"] == pytest.approx(0.2, abs=1e-4)
    assert found.falls["nose"] == pytest.approx(0.0, abs=1e-4)
    assert sum(found.shares.values()) == pytest.approx(1)


def test_two_parts_that_cost_nearly_as_much_are_told_together(index: ActorIndex) -> None:
    assert set(alike(index, mouth=0.2, shape=0.2).told) == {"mouth", "shape"}


@pytest.mark.parametrize("losses", [{}, {"nose": 0.01}, dict.fromkeys(PARTS, 0.2)], ids=str)
def test_nothing_is_told_where_no_part_stands_out(
    index: ActorIndex, losses: dict[str, float]
) -> None:
    assert alike(index, **losses).told == ()


def test_what_costs_as_much_towards_everybody_does_not_stand_out(index: ActorIndex) -> None:
    """Covered eyes make a face less like anyone."""
    face = unit(99) + 0.4 * unit(7)
    rows = np.stack([face, 0.5 * face, face, face - 0.1 * unit(7), face]).astype(np.float32)
    found = what_is_alike(index, rows, ACTOR)
    assert found.falls["eyes"] > found.falls["mouth"]
    assert found.told == ("mouth",)


def test_a_small_gallery_does_not_tell() -> None:
    assert not tells_parts(gallery_of({f"Actor {n}": [unit(n)] for n in range(19)}))
    assert tells_parts(gallery_of({f"Actor {n}": [unit(n)] for n in range(20)}))
