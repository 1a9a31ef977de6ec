"""The live mode's answer: steady while a face moves, quick when another one sits down."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.index.actor_index import ActorIndex
from core.page.live import FORGOTTEN_AFTER, FRAMES_TO_TAKE_OVER, LEAD, STEP, Steady
from core.settings import Settings
from tests.conftest import rebuilt

FACE = np.eye(8, dtype=np.float32)[0]
NOBODY_KNOWN = np.eye(8, dtype=np.float32)[1]  # another face: cosine 0
ANN, BOB, CID = range(3)


@pytest.fixture(scope="module")
def index() -> ActorIndex:
    """The starter gallery, of real embeddings."""
    settings = Settings()
    return rebuilt(settings.starter_path, settings).index


def after(steady: Steady, *frames: Iterable[float], face: NDArray[np.float32] = FACE) -> Steady:
    """The memory after frames of one face with these similarities."""
    for frame in frames:
        steady = steady.after(face, np.array(list(frame)))
    return steady


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def test_nobody_is_named_before_a_face_is_seen() -> None:
    assert (Steady().actor, Steady().similarity) == (None, None)
    assert Steady().after(None, None).actor is None


def test_the_first_face_is_named_at_once() -> None:
    steady = after(Steady(), [0.2, 0.5, 0.1])
    assert (steady.actor, steady.similarity) == (BOB, 0.5)


def test_one_outlying_frame_changes_nothing() -> None:
    steady = after(Steady(), [0.5, 0.3, 0.1], [0.5, 0.3, 0.1], [0.1, 0.9, 0.1])
    assert steady.actor == ANN
    assert after(steady, [0.5, 0.3, 0.1]).actor == ANN


def test_a_new_name_must_lead_for_several_frames_in_a_row() -> None:
    steady = after(Steady(), [0.5, 0.3, 0.1])
    named = []
    for _ in range(8):
        steady = after(steady, [0.3, 0.6, 0.1])
        named.append(steady.actor)
    ahead = next(n for n in range(1, 9) if 0.2 * 0.75**n - 0.3 * (1 - 0.75**n) <= -LEAD)
    assert FRAMES_TO_TAKE_OVER > 1
    assert named.index(BOB) == ahead + FRAMES_TO_TAKE_OVER - 2
    assert named == [ANN] * named.index(BOB) + [BOB] * (8 - named.index(BOB))


def test_at_twice_the_frames_a_name_changes_no_sooner_and_is_forgotten_no_sooner() -> None:
    steady = often = after(Steady(), [0.5, 0.3, 0.1])
    changed = []
    for _ in range(8):
        steady = after(steady, [0.3, 0.6, 0.1])
        for _ in range(2):
            often = often.after(FACE, np.array([0.3, 0.6, 0.1]), STEP / 2)
        changed.append((steady.actor, often.actor))
    assert abs((steady.similarity or 0) - (often.similarity or 0)) < 0.001
    assert set(changed) == {(ANN, ANN), (BOB, BOB)}
    for _ in range(round(2 * FORGOTTEN_AFTER / STEP) - 1):
        often = often.after(None, None, STEP / 2)
        assert often.actor == BOB
    assert often.after(None, None, STEP / 2).actor is None


def test_a_lead_below_the_margin_never_takes_over() -> None:
    steady = after(Steady(), [0.5, 0.4, 0.1])
    for _ in range(200):
        steady = after(steady, [0.5, 0.5 + 0.9 * LEAD, 0.1])
    assert steady.actor == ANN
    for _ in range(40):
        steady = after(steady, [0.5, 0.5 + 1.5 * LEAD, 0.1])
    assert steady.actor == BOB


def test_challengers_in_turn_do_not_add_up() -> None:
    steady = Steady(np.array([0.30, 0.40, 0.40]), FACE, ANN)
    bob, cid = [0.3, 0.6, 0.3], [0.3, 0.3, 0.7]
    steady = after(steady, bob)
    assert (steady.actor, steady.challenger, steady.streak) == (ANN, BOB, 1)
    steady = after(steady, cid)
    assert (steady.actor, steady.challenger, steady.streak) == (ANN, CID, 1)
    assert after(steady, cid).actor == CID


def test_the_similarity_told_is_the_named_actors_smoothed() -> None:
    steady = after(Steady(), [0.40, 0.1, 0.1], [0.60, 0.1, 0.1])
    assert 0.40 < (steady.similarity or 0) < 0.50


def test_somebody_else_is_named_at_once() -> None:
    steady = after(Steady(), *[[0.9, 0.1, 0.1]] * 20)
    steady = after(steady, [0.2, 0.1, 0.4], face=NOBODY_KNOWN)
    assert (steady.actor, steady.similarity) == (CID, 0.4)


def test_a_face_lost_for_a_moment_keeps_its_name_and_then_is_forgotten() -> None:
    steady = after(Steady(), [0.5, 0.3, 0.1])
    for _ in range(round(FORGOTTEN_AFTER / STEP) - 1):
        steady = steady.after(None, None)
        assert steady.actor == ANN
    assert after(steady, [0.5, 0.3, 0.1]).missed == 0  # seen again: counted anew
    gone = steady.after(None, None)
    assert (gone.actor, gone.face, gone.similarities) == (None, None, None)


def test_a_challengers_frames_do_not_count_across_a_gap() -> None:
    steady = after(Steady(np.array([0.3, 0.5, 0.1]), FACE, ANN), [0.3, 0.5, 0.1])
    assert steady.streak == FRAMES_TO_TAKE_OVER - 1
    steady = steady.after(None, None)
    assert after(steady, [0.3, 0.5, 0.1]).actor == ANN


@pytest.mark.parametrize("seed", range(5))
def test_two_actors_that_are_nearly_as_close_do_not_flicker(index: ActorIndex, seed: int) -> None:
    """A real face halfway between two actors, through a noisy camera, for a minute."""
    random = np.random.default_rng(seed)
    first, second = random.choice(len(index.actors), 2, replace=False)
    between = unit(index.templates[first] + index.templates[second])
    steady, named, raw = Steady(), [], []
    for _ in range(240):
        face = unit(between + random.normal(0, 0.02, between.size))  # cosine of 0.95 to the next
        similarities = index.actor_similarities(face[None])[0]
        steady = steady.after(face, similarities)
        named.append(steady.actor)
        raw.append(int(similarities.argmax()))
    assert set(named) <= {first, second}
    changes = [int((np.diff(names) != 0).sum()) for names in (raw, named)]
    assert changes[0] > 60  # single frames do flicker
    assert changes[1] <= 3  # once in twenty seconds at most


def test_another_real_person_is_named_in_the_first_frame(index: ActorIndex) -> None:
    steady = Steady()
    for actor in ("Brad Pitt", "Zendaya", "Kim Mu-yeol"):
        row = index.actors.index(actor)
        face = index.templates[row]
        for frame in range(5):
            steady = steady.after(face, index.actor_similarities(face[None])[0])
            assert steady.actor == row, frame
