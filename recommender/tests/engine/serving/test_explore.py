from __future__ import annotations

import numpy as np
import pytest

from recommender.engine.data.arrays import FloatArray, unit_vectors
from recommender.engine.data.statistics import score_std
from recommender.engine.ranking.candidates import widened
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.serving.config import ExploringConfig
from recommender.engine.serving.explore import (
    PosteriorInputs,
    explored_mask,
    item_uncertainty,
    known_share,
    listener_draws,
    propensities,
    rarity,
    score_draws,
)

RNG = np.random.default_rng(0)
VECTORS = unit_vectors(RNG.normal(size=(12, 4)).astype(np.float32))


def evidence(heard: FloatArray | None = None, weight: list[float] | None = None) -> PosteriorInputs:
    heard = VECTORS[:0] if heard is None else heard
    observed = np.ones(len(heard), np.float32) if weight is None else np.array(weight, np.float32)
    return PosteriorInputs(VECTORS, heard, observed, np.full(12, 0.5, np.float32))


def test_draws_have_the_posteriors_covariance() -> None:
    heard, weight, ridge = VECTORS[:3], np.array([1.0, 2.0, 0.2]), 1.5
    draws = listener_draws(evidence(heard, weight.tolist()), ridge, 200_000, np.random.default_rng(1))
    precision = ridge * np.eye(4) + heard.T @ np.diag(weight) @ heard
    expected = ridge * VECTORS @ np.linalg.inv(precision) @ VECTORS.T
    assert np.cov(draws.T) == pytest.approx(expected, abs=0.02)
    assert draws.mean(axis=0) == pytest.approx(np.zeros(12), abs=0.01)


def test_an_unheard_direction_has_unit_deviation_and_a_heard_one_less() -> None:
    axes = np.eye(4, dtype=np.float32)
    known = PosteriorInputs(axes, np.repeat(axes[:1], 8, axis=0), np.ones(8, np.float32), np.zeros(4, np.float32))
    draws = listener_draws(known, 1.0, 100_000, np.random.default_rng(2))
    assert draws.std(axis=0) == pytest.approx([1 / 3, 1, 1, 1], abs=0.01)


def uncertainty(rarities: FloatArray, top_n: int) -> FloatArray:
    return item_uncertainty(rarities, known_share(rarities, top_n))


def test_a_songs_own_draw_counts_as_far_as_the_best_are_known() -> None:
    rarities = np.array([1, 0, 0, 0.5, 1], np.float32)
    assert uncertainty(rarities, 4).tolist() == [0.6875, 0, 0, 0.34375, 0.6875]
    assert uncertainty(rarities, 2).tolist() == [0.5, 0, 0, 0.25, 0.5]
    # Whatever is further down: unknown songs at the top are new enough, known ones at the top let all others in.
    assert uncertainty(rarities, 1).tolist() == [0, 0, 0, 0, 0]
    assert uncertainty(rarities[1:], 2).tolist() == rarities[1:].tolist()
    assert uncertainty(np.empty(0, np.float32), 2).tolist() == []


def test_among_songs_that_nobody_has_played_only_the_taste_is_drawn() -> None:
    unknown = PosteriorInputs(VECTORS, VECTORS[:2], np.ones(2, np.float32), np.ones(12, np.float32))
    settings, seed = ExploringConfig(item_share=0.75, n_samples=3), 8
    rng = np.random.default_rng(seed)
    rng.standard_normal((3, 12), dtype=np.float32)  # the songs' own draws, which do not count
    expected = listener_draws(unknown, settings.ridge, 3, rng)
    draws = score_draws(unknown, settings, 2.0, np.random.default_rng(seed))
    assert draws == pytest.approx(expected, rel=1e-5)


def test_a_song_of_its_own_varies_by_its_uncertainty_alone() -> None:
    rarities = np.linspace(0, 1, 12, dtype=np.float32)
    rare = PosteriorInputs(VECTORS, VECTORS[:0], np.empty(0, np.float32), rarities)
    own = rarities * (1 - np.mean(rarities**2))
    settings = ExploringConfig(item_share=1.0, n_samples=50_000)
    draws = score_draws(rare, settings, 3.0, np.random.default_rng(3))
    assert draws.std(axis=0) == pytest.approx(3.0 * own, abs=0.05)
    assert draws.mean(axis=0) == pytest.approx(np.zeros(12), abs=0.05)
    assert abs(np.corrcoef(draws[:, 3], draws[:, 4])[0, 1]) < 0.02


def test_taste_and_song_share_the_variance_as_set() -> None:
    unheard = PosteriorInputs(VECTORS, VECTORS[:0], np.empty(0, np.float32), np.full(12, 0.5, np.float32))
    draws = score_draws(unheard, ExploringConfig(item_share=0.36, n_samples=100_000), 2.0, np.random.default_rng(6))
    # Taste 0.64 as far as the best are unknown, the song itself 0.36 times its uncertainty squared.
    assert draws.var(axis=0) == pytest.approx(np.full(12, 4 * (0.64 * 0.25 + 0.36 * (0.5 * 0.75) ** 2)), rel=0.03)


def test_among_well_known_songs_the_taste_is_not_drawn() -> None:
    known = PosteriorInputs(VECTORS, VECTORS[:2], np.ones(2, np.float32), np.zeros(12, np.float32))
    assert (score_draws(known, ExploringConfig(item_share=0.5, n_samples=3), 2.0, np.random.default_rng(4)) == 0).all()


def test_the_same_seed_draws_the_same_and_amplitude_scales() -> None:
    first, again, double = (
        score_draws(
            evidence(VECTORS[:2]), ExploringConfig(item_share=0.5, n_samples=3), amplitude, np.random.default_rng(4)
        )
        for amplitude in (0.5, 0.5, 1.0)
    )
    assert first.tolist() == again.tolist()
    assert double == pytest.approx(2 * first, rel=1e-5)


def test_amplitude_zero_adds_nothing_and_draws_nothing() -> None:
    rng = np.random.default_rng(5)
    assert not score_draws(evidence(), ExploringConfig(), 0.0, rng).any()
    assert rng.random() == np.random.default_rng(5).random()


def test_rarity_falls_with_plays() -> None:
    assert rarity(np.array([0, 2, 6], np.float32)).tolist() == pytest.approx([1.0, 0.5**0.5, 0.5])


def test_the_pool_doubles_with_adventure() -> None:
    assert [widened(RankingConfig(candidates=300), dial).candidates for dial in (0.0, 0.3, 1.0)] == [300, 390, 600]


def test_spread_of_scores() -> None:
    assert score_std(np.array([1, 3], np.float32)) == 1.0
    assert score_std(np.empty(0, np.float32)) == 0.0


def test_propensity_is_the_share_of_pages_that_hold_the_song() -> None:
    pages = np.array([[0, 2], [0, 1], [0, -1], [3, 0]], dtype=np.int32)
    assert propensities(pages, 5).tolist() == [1.0, 0.25, 0.25, 0.25, 0.0]


def test_newly_found_is_what_the_greedy_page_lacks() -> None:
    page, greedy = np.array([4, 1, 9], np.int32), np.array([1, 2, 4], np.int32)
    assert explored_mask(page, greedy).tolist() == [False, False, True]
