from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recommender.engine.arrays import FloatArray
from recommender.engine.factors import logistic
from recommender.engine.factors.logistic import Belief, LogOdds, fit_log_odds, most_probable, rare_songs


def drawn(listeners: int, songs: int, directions: int) -> tuple[FloatArray, NDArray[np.float64], NDArray[np.float64]]:
    """Likes drawn from the model, with the offsets and loadings they were drawn from."""
    rng = np.random.default_rng(1)
    offset, loadings = rng.uniform(-2.0, 0.0, songs), rng.standard_normal((songs, directions))
    chance = expit(rng.standard_normal((listeners, directions)) @ loadings.T + offset)
    return (rng.random(chance.shape) < chance).astype(np.float32), offset, loadings


def test_finds_what_likes_were_drawn_from() -> None:
    likes, offset, loadings = drawn(1500, 60, 2)
    found = fit_log_odds(sp.csr_array(likes), 2, deviation=1.0, rounds=8)
    # Directions may be turned, their products may not.
    off = ~np.eye(60, dtype=np.bool_)
    products = found.loadings @ found.loadings.T
    assert np.corrcoef((loadings @ loadings.T)[off], products[off])[0, 1] > 0.95
    assert np.corrcoef(offset, found.offset)[0, 1] > 0.9
    np.testing.assert_allclose(found.tastes.mean(axis=0), np.zeros(2), atol=1e-4)
    np.testing.assert_allclose(np.cov(found.tastes.T), np.eye(2), atol=1e-3)


def test_rounds_do_not_lower_the_posterior() -> None:
    likes, _offset, _loadings = drawn(400, 30, 3)
    fits = [fit_log_odds(sp.csr_array(likes), 3, deviation=0.8, rounds=rounds) for rounds in (1, 2, 4)]
    surprise = [_surprise(likes, fit) for fit in fits]
    assert surprise[0] > surprise[1] > surprise[2]


def _surprise(likes: FloatArray, fit: LogOdds) -> float:
    """Mean cross-entropy after each listener's most probable taste, of plain gradient ascent."""
    tastes = np.zeros((len(likes), fit.loadings.shape[1]))
    for _step in range(400):
        tastes += 0.05 * ((likes - expit(tastes @ fit.loadings.T + fit.offset)) @ fit.loadings - tastes)
    chance = expit(tastes @ fit.loadings.T + fit.offset)
    return -float(np.mean(likes * np.log(chance) + (1 - likes) * np.log(1 - chance)))


def test_chunks_of_listeners_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    likes, _offset, _loadings = drawn(97, 20, 2)
    whole = fit_log_odds(sp.csr_array(likes), 2, deviation=0.8, rounds=3)
    monkeypatch.setattr(logistic, "CHUNK", 10)
    parts = fit_log_odds(sp.csr_array(likes), 2, deviation=0.8, rounds=3)
    for name in ("offset", "loadings", "tastes"):
        np.testing.assert_allclose(getattr(whole, name), getattr(parts, name), rtol=1e-3, atol=1e-3)


def test_a_song_that_everybody_or_nobody_likes_stays_finite() -> None:
    likes, _offset, _loadings = drawn(60, 10, 2)
    likes[:, 0], likes[:, 1] = 1.0, 0.0
    found = fit_log_odds(sp.csr_array(likes), 2, deviation=0.8, rounds=6)
    assert np.isfinite(found.offset).all()
    assert np.isfinite(found.loadings).all()
    assert found.offset[0] > found.offset[2:].max()
    assert found.offset[1] < found.offset[2:].min()


def test_there_are_no_more_directions_than_songs() -> None:
    likes, _offset, _loadings = drawn(80, 3, 2)
    assert fit_log_odds(sp.csr_array(likes), 16, deviation=0.8, rounds=2).loadings.shape == (3, 3)


def test_a_rare_song_is_the_maximum_of_its_likelihood() -> None:
    """With as many tastes as it takes to be as good as normal, against a numerical search."""
    rng = np.random.default_rng(3)
    liking, mean = rng.normal([1.0, 0.0], 1.0, (7, 2)), np.array([0.3, -0.2])
    listeners, deviation = 4000, 0.7

    def improbability(song: NDArray[np.float64]) -> float:
        a, w = song[0], song[1:]
        likelihood = (a + liking @ w).sum() - listeners * np.exp(a + 0.5 * w @ w)
        return float(0.5 * np.square(w - mean).sum() / deviation**2 - likelihood)

    best = minimize(improbability, np.array([-6.0, 0.0, 0.0]), tol=1e-10).x
    counts, sums = np.array([7.0], np.float32), liking.sum(axis=0, keepdims=True).astype(np.float32)
    offset, loadings = rare_songs(counts, sums, listeners, deviation, mean[None, :].astype(np.float32))
    np.testing.assert_allclose(loadings[0], best[1:], atol=1e-3)
    # Half a like is added, so that a song nobody likes has an offset too.
    assert offset[0] == pytest.approx(best[0] + np.log(7.5 / 7.0), abs=1e-3)


def test_a_rare_song_has_what_newtons_method_finds() -> None:
    likes, _offset, _loadings = drawn(3000, 40, 2)
    rng = np.random.default_rng(0)
    likes[:, :5] *= rng.random((3000, 5)) < 0.1
    found = fit_log_odds(sp.csr_array(likes), 2, deviation=0.8, rounds=6)
    sums = likes[:, :5].T @ found.tastes
    nothing = np.zeros((5, 2), dtype=np.float32)
    _offset_of_rare, loadings = rare_songs(likes[:, :5].sum(axis=0), sums, 3000, 0.8, nothing)
    assert np.corrcoef(loadings.ravel(), found.loadings[:5].ravel())[0, 1] > 0.97


def test_the_most_probable_taste_is_the_mode() -> None:
    rng = np.random.default_rng(0)
    offset, loadings = rng.standard_normal(3).astype(np.float32), rng.standard_normal((3, 2)).astype(np.float32)
    belief = Belief(np.array([0.3, -0.4]), np.array([[2.0, 0.5], [0.5, 1.5]]))
    liked, sureness = np.array([True, False, False]), np.array([1.0, 0.25, 1.0])

    def improbability(taste: NDArray[np.float64]) -> float:
        odds = offset + loadings @ taste
        answers = sureness @ (np.log1p(np.exp(odds)) - liked * odds)
        return float(answers - belief.pull @ taste + 0.5 * taste @ belief.precision @ taste)

    best = minimize(improbability, np.zeros(2), tol=1e-10).x
    np.testing.assert_allclose(most_probable(belief, offset, loadings, liked, sureness), best, atol=2e-3)


def test_answers_that_no_taste_explains_still_lead_to_one() -> None:
    """Loadings so large that a whole Newton step from the middle leads far beyond the solution."""
    offset, loadings, sure = np.full(3, -9.0, np.float32), np.full((3, 1), 30.0, np.float32), np.ones(3)
    belief = Belief(np.zeros(1), np.eye(1))
    all_liked = most_probable(belief, offset, loadings, np.array([True, True, True]), sure)
    assert 0.99 < expit(-9.0 + 30.0 * all_liked[0]) <= 1.0
    mixed = most_probable(belief, offset, loadings, np.array([True, False, False]), sure)
    assert expit(-9.0 + 30.0 * mixed[0]) == pytest.approx(1 / 3, abs=0.02)


def test_silence_pulls_away_from_what_many_like() -> None:
    offset, loadings = np.array([0.0, -6.0], np.float32), np.eye(2, dtype=np.float32)
    belief = Belief.after_silence(offset, loadings, 0.5)
    np.testing.assert_allclose(belief.pull, -0.5 * expit(offset), rtol=1e-6)
    np.testing.assert_allclose(np.diag(belief.precision), 1.0 + 0.5 * expit(offset) * (1.0 - expit(offset)), rtol=1e-6)
    nothing = np.empty(0)
    taste = most_probable(belief, offset[:0], loadings[:0], nothing.astype(np.bool_), nothing)
    np.testing.assert_allclose(taste, np.linalg.solve(belief.precision, belief.pull), atol=1e-6)
    assert taste[0] < taste[1] < 0.0
