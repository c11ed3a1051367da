"""Factors of a matrix of ones and zeros: principal components of log-odds instead of values.

    y_ut ~ Bernoulli(sigmoid(a_t + w_t . x_u)),    x_u ~ N(0, I),    w_t ~ N(0, deviation^2 I)

(Collins, Dasgupta & Schapire 2001, A Generalization of Principal Component Analysis to the Exponential Family; Johnson
2014, Logistic Matrix Factorization for Implicit Feedback Data; the priors make it a MAP estimate.) Newton steps take
turns: one of every listener's x, one of every song's w and a.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.special import expit, logit

from recommender.engine.arrays import BoolArray, FloatArray, Sparse, as_float32, weighted_gram
from recommender.engine.observations import column_counts

CHUNK = 500
"""Listeners whose likes are written out at a time."""
NEWTON_STEPS, LEAST_MOVE, LEAST_GAIN = 20, 1e-3, 1e-6


@dataclass(frozen=True, eq=False)
class LogOdds:
    """offset: float32[m], a of each song; loadings: float32[m, d], w of each; tastes: float32[listeners, d], x of each
    listener, of mean 0 and the identity as covariance.
    """

    offset: FloatArray
    loadings: FloatArray
    tastes: FloatArray


def fit_log_odds(likes: Sparse, directions: int, deviation: float, rounds: int) -> LogOdds:
    """Learn from likes, listeners x m, ones. There are at most as many directions as songs.

    O(rounds x listeners x m x d^2); memory for CHUNK of the listeners and for m x m.
    """
    listeners, start = likes.shape[0], _slopes(likes, directions)
    directions = start.shape[1]
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


def _slopes(likes: Sparse, directions: int) -> FloatArray:
    """By how much likes of each song rise along their principal components, float32[m, at most `directions`]."""
    listeners, songs = likes.shape
    share = column_counts(likes).astype(np.float64) / listeners
    covariance = (likes.T @ likes).toarray().astype(np.float64) / listeners - np.outer(share, share)
    first = max(songs - directions, 0)
    values, vectors = scipy.linalg.eigh(covariance, subset_by_index=(first, songs - 1))
    return as_float32((vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1])


def _standardised(songs: FloatArray, tastes: FloatArray) -> LogOdds:
    """What `songs` say of these tastes, said of standard normal ones."""
    offset, loadings, mean = songs[:, -1], songs[:, :-1], tastes.mean(axis=0)
    root = np.linalg.cholesky(np.cov(tastes.T).reshape(len(mean), -1) + 1e-6 * np.eye(len(mean)))
    standard = np.linalg.solve(root, (tastes - mean).T).T
    return LogOdds(as_float32(offset + loadings @ mean), as_float32(loadings @ root), as_float32(standard))


def rare_songs(
    counts: FloatArray, sums: FloatArray, listeners: int, deviation: float, mean: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """a float32[m] and w float32[m, d] of songs that few like, without a step of Newton's.

    counts: float32[m], of n listeners; sums: float32[m, d], of their tastes; mean: float32[m, d], expected of w.
    Where likes are rare they are as good as Poisson, so that over standard normal tastes the log-likelihood is
    sum over likes of (a + w . x) - listeners exp(a + |w|^2 / 2). Its maximum with the prior of w is
    w = (sums + mean / deviation^2) / (n + 1 / deviation^2), a = log(n / listeners) - |w|^2 / 2; half a like is added.
    """
    prior = np.float32(deviation**-2.0)
    loadings = (sums + prior * mean) / (counts + prior)[:, None]
    offset = np.log((counts + 0.5) / (listeners + 1.0)) - 0.5 * np.square(loadings).sum(axis=1)
    return as_float32(offset), as_float32(loadings)


@dataclass(frozen=True, eq=False)
class Belief:
    """A normal distribution of x before a listener's answers. pull: float64[d], precision @ mean; precision: float64
    d x d.
    """

    pull: NDArray[np.float64]
    precision: NDArray[np.float64]

    def scaled(self, share: float) -> Belief:
        """The same with what it departs from N(0, I) by, times `share`."""
        identity = np.eye(len(self.pull))
        return Belief(share * self.pull, identity + share * (self.precision - identity))

    @classmethod
    def after_silence(cls, offset: FloatArray, loadings: FloatArray, weight: float) -> Self:
        """N(0, I) and that none of these songs is liked, each counted `weight` times; to second order about x = 0."""
        chance = expit(offset)
        curve = weighted_gram(loadings, chance * (1.0 - chance)).astype(np.float64)
        silence = -(chance @ loadings).astype(np.float64)
        return cls(weight * silence, np.eye(loadings.shape[1]) + weight * curve)


def most_probable(
    belief: Belief, offset: FloatArray, loadings: FloatArray, liked: BoolArray, sureness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """x of a listener who gave m answers to songs of these a and w, float64[d].

    The mode of Bayesian logistic regression (Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 3.4),
    found by Newton's method; liked: bool[m]; sureness: float64[m] >= 0, how often an answer counts.
    """

    def plausibility(taste: NDArray[np.float64]) -> float:
        log_odds = offset + loadings @ taste
        answers = sureness @ (liked * log_odds - np.logaddexp(0.0, log_odds))
        return float(answers + (belief.pull - 0.5 * belief.precision @ taste) @ taste)

    taste = np.zeros(len(belief.pull))
    reached = plausibility(taste)
    for _step in range(NEWTON_STEPS):
        chance = expit(offset + loadings @ taste)
        slope = loadings.T @ (sureness * (liked - chance)) + belief.pull - belief.precision @ taste
        curve = belief.precision + weighted_gram(loadings, as_float32(sureness * chance * (1.0 - chance)))
        move = np.linalg.solve(curve, slope)
        # A whole step may lead beyond the top.
        while (gained := plausibility(taste + move) - reached) < 0.0 and np.abs(move).max() > LEAST_MOVE:
            move *= 0.5
        if gained > 0.0:
            taste, reached = taste + move, reached + gained
        if gained <= LEAST_GAIN:
            break
    return taste
