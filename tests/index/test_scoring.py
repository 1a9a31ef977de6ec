"""The score is the one that scoring.md defines, recomputed here the slow way."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import binom

from core.files import sha256_of
from core.index.embeddings_cache import EmbeddingsCache, load_cache
from core.index.scoring import ROUGH_BELOW, Calibration, calibrate, calibrate_rows
from core.index.templates import build_index
from core.settings import Settings
from tests.conftest import SHARED, needs_shared


def random_gallery(seed: int, actors: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, A) similarities of portraits to actors, with ties, and (N,) whose portrait each is."""
    random = np.random.default_rng(seed)
    shows = np.repeat(np.arange(actors), random.integers(1, 6, actors))
    similarities = random.normal(0.12, 0.1, (len(shows), actors)).round(2).clip(-1, 1)
    similarities[np.arange(len(shows)), shows] = random.uniform(0.6, 1, len(shows))
    return similarities, shows


def slow_score(s: float, similarities: np.ndarray, shows: np.ndarray) -> float:
    """100 F(s) straight from the definition, capped and rounded down."""
    portraits, actors = similarities.shape
    shown = min(5, actors - 1)
    n = [int((shows == i).sum()) for i in range(actors)]
    closest, everything = [], []
    for j in range(portraits):
        weight = 1 / (actors * n[shows[j]])
        others = [float(similarities[j, a]) for a in range(actors) if a != shows[j]]
        closest += [(value, weight / shown) for value in sorted(others)[-shown:]]
        everything += [(value, weight / (actors - 1)) for value in others]

    def mid_rank(at: float) -> float:
        return sum(w for m, w in closest if m < at) + sum(w for m, w in closest if m == at) / 2

    mu = sum(w * value for value, w in everything)
    sigma = math.sqrt(sum(w * (value - mu) ** 2 for value, w in everything))
    knots = sorted({m for m, _ in closest})
    if s < knots[0]:
        g = 0.0
    elif s > knots[-1]:
        g = 1.0
    elif s in knots:
        g = mid_rank(s)
    else:
        low = max(knot for knot in knots if knot < s)
        high = min(knot for knot in knots if knot > s)
        g = mid_rank(low) + (mid_rank(high) - mid_rank(low)) * (s - low) / (high - low)
    share = actors / (actors + 20)
    at_most = binom.cdf(np.arange(shown), actors, 1 - NormalDist(mu, sigma).cdf(s))
    f = share * g + (1 - share) * float(at_most.mean())
    return min(99.9, math.floor(1000 * f + 1e-9) / 10)


@pytest.mark.parametrize(("seed", "actors"), [(1, 3), (2, 7), (3, 20), (4, 60)])
def test_score_is_the_defined_one(seed: int, actors: int) -> None:
    similarities, shows = random_gallery(seed, actors)
    calibration = calibrate(similarities, shows)
    random = np.random.default_rng(seed)
    probes = [*random.uniform(-0.3, 0.8, 40), *similarities.max(axis=1)[:5], -1.0, 1.0]
    probes += list(calibration.similarities[:20])  # on the knots too
    for s in probes:
        assert calibration.score(s) == pytest.approx(slow_score(s, similarities, shows), abs=1e-9)


def test_score_never_falls_as_similarity_rises() -> None:
    calibration = calibrate(*random_gallery(5, 30))
    scores = [calibration.score(s) for s in np.linspace(-1, 1, 2001)]
    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (0.0, 99.9)


def test_score_is_rounded_down_to_a_tenth_and_stays_below_100() -> None:
    calibration = calibrate(*random_gallery(6, 30))
    scores = [calibration.score(s) for s in np.linspace(-0.2, 1, 997)]
    assert max(scores) == 99.9
    assert all(score == round(score, 1) for score in scores)
    scale = Calibration(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 9.0, 1.0, 10**15)
    assert scale.score(0.83456) == 83.4  # F(s) = s here
    assert scale.score(0.8) == 80.0  # and not 79.9


def test_an_actor_with_many_portraits_weighs_as_much_as_one_with_few() -> None:
    similarities, shows = random_gallery(7, 12)
    rows = np.concatenate([np.arange(len(shows)), *[np.flatnonzero(shows == 4)] * 9])
    rows = rows[np.argsort(shows[rows], kind="stable")]
    once, often = calibrate(similarities, shows), calibrate(similarities[rows], shows[rows])
    for s in np.linspace(-0.2, 0.8, 50):
        assert often.score(s) == pytest.approx(once.score(s), abs=0.1001)  # rounding apart


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_calibration_block_by_block_is_the_same(size: int) -> None:
    similarities, shows = random_gallery(11, 25)
    whole = calibrate(similarities, shows)
    blocks = [similarities[start : start + size] for start in range(0, len(shows), size)]
    assert whole
    parts = calibrate_rows(iter(blocks), shows, np.bincount(shows))
    assert parts
    assert np.array_equal(parts.similarities, whole.similarities)
    for name in ("ranks", "mean", "deviation", "actors"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-12)


def test_fewer_than_three_actors_have_no_score() -> None:
    for actors in (1, 2):
        assert calibrate(*random_gallery(8, actors)) is None
    assert calibrate(*random_gallery(8, 3)) is not None


@pytest.mark.parametrize("similarity", [0.0, 0.1, 0.3, 1.0])
def test_a_gallery_without_spread_has_no_score(similarity: float) -> None:
    shows = np.array([0, 0, 0, 1, 2, 2, 3])
    assert calibrate(np.full((7, 4), similarity), shows) is None


def test_fewer_than_twenty_actors_are_rough() -> None:
    assert ROUGH_BELOW == 20
    assert calibrate(*random_gallery(9, 19)).is_rough
    assert not calibrate(*random_gallery(9, 20)).is_rough


@needs_shared
def test_scores_of_the_development_gallery_are_the_measured_ones() -> None:
    """By the committed embeddings of its photos (test_starter_gallery.py proves them)."""
    starter = load_cache(Settings().starter_path)
    photos = {sha256_of(path) for path in (SHARED / "gallery").glob("*/*.*")}
    rows = {
        name: [portrait for portrait in portraits if portrait.sha256 in photos]
        for name, portraits in starter.actors.items()
    }
    cache = EmbeddingsCache({name: row for name, row in rows.items() if row}, starter.packs)
    index = build_index(cache, starter.packs["sface"], source="gallery", listing="")
    assert len(index.actors) == 80
    assert len(index.portraits) == 398  # two people stand close together in one
    measured = {0.25: 9.0, 0.30: 35.2, 0.35: 70.4, 0.40: 89.7, 0.45: 98.0, 0.50: 99.7}
    scores = {s: index.calibration.score(s) for s in measured}
    assert scores == pytest.approx(measured, abs=2)
