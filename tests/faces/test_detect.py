"""When the detector is run again: on real photos, and told what to find."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from core.faces.align import STANDARD_POINTS, roll
from core.faces.detect import (
    MOST_UPRIGHT,
    SMALL_SIDE,
    UPRIGHT_CROP,
    UPRIGHT_RUNS,
    UPRIGHT_SIDE,
    WAYS_UP,
    FaceDetector,
)
from core.faces.engine import FaceEngine
from core.faces.photo import Photo, read_photo
from core.settings import DetectionOptions
from tests.conftest import ASTRONAUT, SHARED, SIX_PEOPLE, needs_shared

Found = tuple[np.ndarray, np.ndarray]


class Counted(FaceDetector):
    """The engine's own detector, counting its runs by the side of what it is shown."""

    def __init__(self, engine: FaceEngine) -> None:
        self.sides: list[int] = []
        raw = engine._detector._detect

        def counted(fitted: np.ndarray) -> Found:
            self.sides.append(max(fitted.shape))
            return raw(fitted)

        super().__init__(counted, DetectionOptions())


@pytest.fixture
def counted(engine: FaceEngine) -> Counted:
    return Counted(engine)


def tilted(degrees: int) -> np.ndarray:
    image = Image.fromarray(read_photo(ASTRONAUT).pixels)
    return np.ascontiguousarray(np.asarray(image.rotate(degrees, expand=True)))


def test_an_upright_undoubted_face_is_detected_once(counted: Counted) -> None:
    assert len(counted.find(read_photo(ASTRONAUT).pixels).boxes) == 1
    assert counted.sides == [640]


def test_a_convincing_group_is_detected_once_and_its_doubted_faces_again(
    counted: Counted,
) -> None:
    first = counted.run(read_photo(SIX_PEOPLE).pixels, 640)
    counted.sides.clear()
    found = counted.find(read_photo(SIX_PEOPLE).pixels)
    assert counted.sides[0] == 640
    assert set(counted.sides[1:]) == {UPRIGHT_SIDE}
    assert len(found.boxes) == len(first.boxes) == 6
    assert np.all(found.scores >= first.scores)


def test_a_tilted_face_is_detected_again_upright(counted: Counted) -> None:
    once = counted.run(tilted(35), 640).faces()
    counted.sides.clear()
    (again,) = counted.find(tilted(35)).faces()
    assert 0 < counted.sides.count(UPRIGHT_SIDE) <= UPRIGHT_RUNS
    assert again.score > once[0].score
    assert abs(roll(once[0].landmarks)) < 15  # taken for nearly upright
    assert roll(again.landmarks) == pytest.approx(-30, abs=10)


def test_a_blank_photo_is_turned_every_way_and_no_more(counted: Counted) -> None:
    assert len(counted.find(np.full((500, 500, 3), 127, np.uint8)).boxes) == 0
    assert len(counted.sides) == 5  # fitted, padded, three turned; not larger than 640 itself


def told(answer: Callable[[int], list[tuple[float, float, float]]]) -> tuple[FaceDetector, list]:
    """A detector that finds what `answer` says on its n-th run: x, y of a face's centre, score."""
    runs: list[tuple[int, ...]] = []

    def detect(fitted: np.ndarray) -> Found:
        rows = answer(len(runs))
        runs.append(fitted.shape)
        boxes = [[x - 30, y - 30, x + 30, y + 30, score] for x, y, score in rows]
        points = [(STANDARD_POINTS - 56) / 2 + (x, y) for x, y, _ in rows]
        return (
            np.array(boxes, np.float32).reshape(-1, 5),
            np.array(points, np.float32).reshape(-1, 5, 2),
        )

    return FaceDetector(detect, DetectionOptions(min_face=1)), runs


PHOTO = np.zeros((640, 640, 3), np.uint8)


def test_an_unsure_face_keeps_its_first_landmarks_if_it_is_not_found_again() -> None:
    detector, runs = told(lambda run: [(200, 200, 0.85), (400, 400, 0.95)] if run == 0 else [])
    found = detector.find(PHOTO)
    assert found.scores.tolist() == pytest.approx([0.85, 0.95])
    assert [side for side, _, _ in runs] == [640, UPRIGHT_SIDE] + [SMALL_SIDE] * len(WAYS_UP)


def test_an_upright_run_counts_if_it_is_as_sure_and_the_face_is_in_its_middle() -> None:
    middle = UPRIGHT_SIDE / 2
    for second, expected in [
        ((middle, middle, 0.93), 0.93),
        ((middle, middle, 0.80), 0.85),  # less sure
        ((40, 40, 0.93), 0.85),  # somebody beside
    ]:
        detector, _ = told(
            lambda run, second=second: (
                [(200, 200, 0.85), (400, 400, 0.95)] if run == 0 else [second]
            )
        )
        assert detector.find(PHOTO).scores[0] == pytest.approx(expected), second


def test_upright_runs_end_when_they_win_nothing_more() -> None:
    middle = UPRIGHT_SIDE / 2
    scores = [0.5, 0.6, 0.605, *[0.0] * len(WAYS_UP)]
    detector, runs = told(
        lambda run: (
            [(200, 200, 0.4), (400, 400, 0.95)] if run == 0 else [(middle, middle, scores[run - 1])]
        )
    )
    assert detector.find(PHOTO).scores[0] == pytest.approx(0.605)
    assert len(runs) == 4 + len(WAYS_UP)


@pytest.mark.parametrize(("score", "expected"), [(0.87, 0.6), (0.9, 0.9)])
def test_another_way_up_counts_if_it_is_convincing(score: float, expected: float) -> None:
    """Turned anyhow, the back of a head is a little like a face."""
    middle = SMALL_SIDE / 2
    detector, _ = told(
        lambda run: {0: [(200, 200, 0.6), (400, 400, 0.95)], 5: [(middle, middle, score)]}.get(
            run, []
        )
    )
    assert detector.find(PHOTO).scores[0] == pytest.approx(expected)


def test_what_turns_out_to_be_the_same_face_counts_once() -> None:
    """A hand beside a face, found at 0.6, in whose own square the face is found."""
    middle, zoom = UPRIGHT_SIDE / 2, 2 * UPRIGHT_CROP / 112
    detector, _ = told(
        lambda run: {
            0: [(200, 200, 0.95), (220, 200, 0.6), (400, 400, 0.7)],
            1: [(middle - 20 * zoom, middle, 0.94)],
        }.get(run, [])
    )
    assert detector.find(PHOTO).scores.tolist() == pytest.approx([0.95, 0.7])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_beside_an_upright_face_one_on_its_side_or_upside_down_is_seen_so(
    quarters: int, engine: FaceEngine
) -> None:
    upright = read_photo(ASTRONAUT).pixels
    both = np.concatenate([upright, np.rot90(upright, quarters)], axis=1)
    rolls = sorted(roll(face.landmarks) % 360 for face in engine.detect(Photo(both, "both")))
    expected = sorted([roll_of(engine, upright), (roll_of(engine, upright) - 90 * quarters) % 360])
    assert rolls == pytest.approx(expected, abs=6)


def roll_of(engine: FaceEngine, pixels: np.ndarray) -> float:
    return roll(engine.detect(Photo(pixels, "one"))[0].landmarks) % 360


def test_a_crowd_gets_a_bounded_number_of_upright_runs() -> None:
    crowd = [(60.0 * column + 40, 60.0 * row + 40, 0.6) for column in range(9) for row in range(9)]
    detector, runs = told(lambda run: [*crowd, (600, 600, 0.95)] if run == 0 else [])
    assert len(detector.find(PHOTO).boxes) == 82
    assert len(runs) <= 1 + MOST_UPRIGHT * (1 + len(WAYS_UP))


def test_faces_lost_by_padding_are_kept(engine: FaceEngine) -> None:
    """A close-up with somebody small behind: padded, the close-up is sure; the other stays."""
    pixels = read_photo(ASTRONAUT).pixels
    close = cv2.resize(pixels[60:180, 175:275], (600, 720))
    small = cv2.resize(pixels[40:200, 150:300], (60, 64), interpolation=cv2.INTER_AREA)
    close[:64, :60] = small
    alone = engine._detector.run(close, 640, 0.5)
    found = engine._detector.find(close)
    assert len(found.boxes) >= len(alone.boxes)
    assert found.confidence >= alone.confidence


@needs_shared
def test_every_face_of_a_crowded_selfie_is_found(engine: FaceEngine) -> None:
    photo = read_photo(SHARED / "groups" / "selfie-many-people.jpg")
    assert len(engine.detect(photo)) == 6
