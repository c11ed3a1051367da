from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.arrays import FloatArray, as_float32
from recommender.engine.factors import logistic
from recommender.engine.factors.logistic import fit_log_odds


def drawn(listeners: int, songs: int, directions: int) -> tuple[FloatArray, NDArray[np.float64], NDArray[np.float64]]:
    """Likes drawn from the model, with the offsets and loadings they were drawn from."""
    rng = np.random.default_rng(1)
    offset, loadings = rng.uniform(-2.0, 0.0, songs), rng.standard_normal((songs, directions))
    chance = expit(rng.standard_normal((listeners, directions)) @ loadings.T + offset)
    return (rng.random(chance.shape) < chance).astype(np.float32), offset, loadings


def start_of(likes: FloatArray, directions: int) -> FloatArray:
    """Slopes of the likes along their first principal components."""
    away = likes - likes.mean(axis=0)
    _left, size, right = np.linalg.svd(away, full_matrices=False)
    return as_float32(right[:directions].T * size[:directions] / np.sqrt(len(likes)))


def test_finds_what_likes_were_drawn_from() -> None:
    likes, offset, loadings = drawn(1500, 60, 2)
    found_offset, found = fit_log_odds(sp.csr_array(likes), start_of(likes, 2), deviation=1.0, rounds=8)
    # Directions may be turned, their products may not.
    off = ~np.eye(60, dtype=np.bool_)
    assert np.corrcoef((loadings @ loadings.T)[off], (found @ found.T)[off])[0, 1] > 0.95
    assert np.corrcoef(offset, found_offset)[0, 1] > 0.9


def test_rounds_do_not_lower_the_posterior() -> None:
    likes, _offset, _loadings = drawn(400, 30, 3)
    fits = [fit_log_odds(sp.csr_array(likes), start_of(likes, 3), deviation=0.8, rounds=rounds) for rounds in (1, 2, 4)]
    surprise = [_surprise(likes, *fit) for fit in fits]
    assert surprise[0] > surprise[1] > surprise[2]


def _surprise(likes: FloatArray, offset: FloatArray, loadings: FloatArray) -> float:
    """Mean cross-entropy after each listener's most probable taste, of plain gradient ascent."""
    tastes = np.zeros((len(likes), loadings.shape[1]))
    for _step in range(400):
        tastes += 0.05 * ((likes - expit(tastes @ loadings.T + offset)) @ loadings - tastes)
    chance = expit(tastes @ loadings.T + offset)
    return -float(np.mean(likes * np.log(chance) + (1 - likes) * np.log(1 - chance)))


def test_chunks_of_listeners_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    likes, _offset, _loadings = drawn(97, 20, 2)
    whole = fit_log_odds(sp.csr_array(likes), start_of(likes, 2), deviation=0.8, rounds=3)
    monkeypatch.setattr(logistic, "CHUNK", 10)
    parts = fit_log_odds(sp.csr_array(likes), start_of(likes, 2), deviation=0.8, rounds=3)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_a_song_that_everybody_or_nobody_likes_stays_finite() -> None:
    likes, _offset, _loadings = drawn(60, 10, 2)
    likes[:, 0], likes[:, 1] = 1.0, 0.0
    offset, loadings = fit_log_odds(sp.csr_array(likes), start_of(likes, 2), deviation=0.8, rounds=6)
    assert np.isfinite(offset).all()
    assert np.isfinite(loadings).all()
    assert offset[0] > offset[2:].max()
    assert offset[1] < offset[2:].min()
