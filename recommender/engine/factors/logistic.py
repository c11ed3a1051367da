"""Factors of a matrix of ones and zeros: principal components of log-odds instead of values.

    y_ut ~ Bernoulli(sigmoid(a_t + w_t . x_u)),    x_u ~ N(0, I),    w_t ~ N(0, deviation^2 I)

(Collins, Dasgupta & Schapire 2001, A Generalization of Principal Component Analysis to the Exponential Family; the
priors make it a MAP estimate.) Newton steps take turns: one of every listener's x, one of every song's w and a.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from recommender.engine.arrays import FloatArray, Sparse, as_float32
from recommender.engine.observations import column_counts

CHUNK = 500
"""Listeners whose likes are written out at a time."""


def fit_log_odds(likes: Sparse, start: FloatArray, deviation: float, rounds: int) -> tuple[FloatArray, FloatArray]:
    """a float32[m] and w float32[m, d] of each song, for x that are standard normal over these listeners.

    likes: listeners x m, ones; start: float32[m, d], what the share of the listeners who like a song rises by with x.
    O(rounds x listeners x m x d^2); memory for CHUNK of the listeners.
    """
    listeners, directions = likes.shape[0], start.shape[1]
    share = (column_counts(likes) + 0.5) / (listeners + 1.0)
    # The slope of the sigmoid at its offset is p (1 - p).
    songs = as_float32(np.column_stack([start / (share * (1.0 - share))[:, None], logit(share)]))
    tastes = np.zeros((listeners, directions), dtype=np.float32)
    one, ridge = np.ones(directions, np.float32), np.full(directions + 1, deviation**-2.0, np.float32)
    ridge[-1] = 1e-3
    for _round in range(rounds):
        slope, curve = np.zeros_like(songs), np.zeros_like(_pairs(songs))
        by_song = _pairs(songs[:, :-1])
        for low in range(0, listeners, CHUNK):
            part = slice(low, low + CHUNK)
            liked = as_float32(likes[part].toarray())
            surprise, doubt = _seen(liked, tastes[part], songs)
            tastes[part] = _stepped(tastes[part], surprise @ songs[:, :-1], doubt @ by_song, one)
            surprise, doubt = _seen(liked, tastes[part], songs)
            with_offset = np.column_stack([tastes[part], np.ones(len(liked), dtype=np.float32)])
            slope += surprise.T @ with_offset
            curve += doubt.T @ _pairs(with_offset)
        songs = _stepped(songs, slope, curve, ridge)
    return _standardised(songs, tastes)


def _seen(liked: FloatArray, tastes: FloatArray, songs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """y - p and p (1 - p) of a chunk of listeners, float32[c, m] each; p the chance of a like."""
    expected = expit(as_float32(tastes @ songs[:, :-1].T + songs[:, -1]))
    return liked - expected, expected * (1.0 - expected)


def _pairs(vectors: FloatArray) -> FloatArray:
    """Products of the entries of each vector, float32[n, d (d + 1) / 2]."""
    first, second = np.triu_indices(vectors.shape[1])
    return vectors[:, first] * vectors[:, second]


def _stepped(at: FloatArray, slope: FloatArray, curve: FloatArray, ridge: FloatArray) -> FloatArray:
    """`at` (float32[n, d]) after a Newton step that moves no entry by more than 1.

    slope, curve: first and, negative, second derivatives (see `_pairs`) of the log-likelihood; ridge: of the prior.
    """
    directions = at.shape[1]
    first, second = np.triu_indices(directions)
    full = np.empty((len(at), directions, directions), dtype=np.float32)
    full[:, first, second] = full[:, second, first] = curve
    full[:, np.arange(directions), np.arange(directions)] += ridge
    move = np.linalg.solve(full, (slope - ridge * at)[:, :, None])[:, :, 0]
    largest = np.abs(move).max(axis=1, keepdims=True, initial=1.0)
    return as_float32(at + move / largest)


def _standardised(songs: FloatArray, tastes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Offsets and loadings that say of standard normal tastes what `songs` say of these."""
    offset, loadings = songs[:, -1], songs[:, :-1]
    spread = np.cov(tastes.T).reshape(loadings.shape[1], -1) + 1e-6 * np.eye(loadings.shape[1])
    return as_float32(offset + loadings @ tastes.mean(axis=0)), as_float32(loadings @ np.linalg.cholesky(spread))
