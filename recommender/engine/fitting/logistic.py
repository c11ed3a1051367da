"""Logistic matrix factorisation of likes and dislikes, in log-odds.

    eta_ut = a_t + w_t . x_u,    P(u likes t) = sigmoid(eta_ut),    x_u ~ N(0, I),    w_tk ~ N(0, s_k^2)

An answer restricts eta to an interval, up to logistic noise: a plain yes is (0, inf), a plain no (-inf, 0), a graded
answer a narrower interval (the proportional-odds model, McCullagh 1980, "Regression Models for Ordinal Data"). An
unanswered song counts as a no of weight `unrated_weight`. (For the binary case: Collins, Dasgupta & Schapire 2001, "A
Generalization of Principal Component Analysis to the Exponential Family"; Johnson 2014, "Logistic Matrix Factorization
for Implicit Feedback Data".)

The fit is expectation maximisation with a normal approximation of each listener's x about its mode (Laplace): Newton
steps of the listeners and of the songs alternate, and the posterior covariance S_u of x enters the songs' step, which
would otherwise treat the modes as certain. The deviations s_k are learned as well (empirical Bayes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.linalg
from scipy.special import logit

from recommender.engine.data.arrays import FloatArray, IntArray, Sparse, as_float32
from recommender.engine.fitting.ordinal import YES, Scale, interval_derivatives, sigmoid
from recommender.engine.fitting.symmetric import pairwise_products, unpacked, upper_triangles

CHUNK = 500
"""Listeners whose answers are made dense at a time."""
PRIOR_ANSWERS = 10.0
"""Pseudo-answers of average kind that every song gets, so that the share of a song with one like is below 1."""
START_ANSWERS = 20.0
"""Answers two songs must share before their covariance counts half at the start."""
LARGEST_DEVIATION = 0.8
MANY_ANSWERS = 200_000
"""Sample of answers from which the bounds of strong answers are estimated."""


@dataclass(frozen=True, eq=False)
class LogisticFactors:
    """Factors of m songs, for standard normal user factors.

    songs: float32[m, d + 1], w and a of each; deviations: float32[d], of the loadings on each factor; scale: of the
    answers.
    """

    songs: FloatArray
    deviations: FloatArray
    scale: Scale


def fit_item_factors(answers: Sparse, unrated_weight: float, n_factors: int, n_iterations: int) -> LogisticFactors:
    """Fit answers (see `Scale`), listeners x m. There are at most as many factors as songs.

    O(n_iterations x listeners x m x d^2); memory for CHUNK of the listeners and for m x m.
    """
    prior = SongPrior.of(answers, unrated_weight)
    songs = _initial_loadings(answers, unrated_weight, prior, n_factors)
    user_factors = np.zeros((answers.shape[0], songs.shape[1] - 1), dtype=np.float32)
    deviations = np.full(songs.shape[1] - 1, LARGEST_DEVIATION, dtype=np.float32)
    # Bounds of 0 would force eta of every plain answer to 0.
    scale = Scale.learned(*_some_etas(answers, songs, user_factors))
    for number in range(n_iterations):
        user_factors, sums = _expect(answers, unrated_weight, scale, songs, user_factors, steps=2 if number == 0 else 1)
        scale = Scale.learned(*_some_etas(answers, songs, user_factors))
        songs, factor_variance = _maximise(songs, sums, prior, deviations)
        if number:
            spread = np.sqrt((np.square(songs[:, :-1]) + factor_variance).mean(axis=0))
            deviations = np.minimum(spread, np.float32(LARGEST_DEVIATION))
        songs, user_factors = _standardised(songs, user_factors, as_float32(sums.spread / len(user_factors)))
    return LogisticFactors(songs, deviations, scale)


def fit_user_factors(answers: Sparse, unrated_weight: float, learned: LogisticFactors) -> FloatArray:
    """Return the MAP estimate of each listener's x, float32[listeners, d], given w and a of the songs."""
    user_factors, loading_products = (
        np.zeros((answers.shape[0], len(learned.deviations)), np.float32),
        pairwise_products(learned.songs[:, :-1]),
    )
    for low in range(0, len(user_factors), CHUNK):
        chunk = slice(low, low + CHUNK)
        user_factors[chunk] = _map_factors(
            answers[chunk], unrated_weight, learned.scale, learned.songs, loading_products, user_factors[chunk], steps=5
        )
    return user_factors


def _some_etas(answers: Sparse, songs: FloatArray, user_factors: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return eta of about MANY_ANSWERS entries, float32[m], and the answers."""
    step = max(answers.nnz // MANY_ANSWERS, 1)
    rows, columns = (part[::step] for part in _entries(answers))
    eta = np.einsum("md,md->m", user_factors[rows], songs[columns, :-1]) + songs[columns, -1]
    return as_float32(eta), answers.data[::step].astype(np.int32)


@dataclass(frozen=True, eq=False)
class SongPrior:
    """The prior of a song. centre: log-odds of a like; ridge: its precision."""

    share: FloatArray
    centre: float
    ridge: float

    @classmethod
    def of(cls, answers: Sparse, unrated_weight: float) -> Self:
        """Estimate the prior; share: float32[m], likes among the answers of each song, shrunk towards that of all."""
        listeners, m = answers.shape
        likes = np.bincount(answers.indices[answers.data >= YES], minlength=m).astype(np.float64)
        weight = np.bincount(answers.indices, minlength=m) * (1.0 - unrated_weight) + unrated_weight * listeners
        # Half a like more keeps the share above 0 if nothing is liked.
        mean = float((likes.sum() + 0.5) / (weight.sum() + 1.0))
        share = (likes + PRIOR_ANSWERS * mean) / (weight + PRIOR_ANSWERS)
        return cls(as_float32(share), float(logit(mean)), max(PRIOR_ANSWERS * mean * (1.0 - mean), 1e-3))


def _initial_loadings(answers: Sparse, unrated_weight: float, prior: SongPrior, n_factors: int) -> FloatArray:
    """Return principal components of the answers less each song's share: float32[m, at most n_factors + 1]."""
    listeners, m = answers.shape
    products, co_weights = np.zeros((m, m), dtype=np.float32), np.zeros((m, m), dtype=np.float32)
    for low in range(0, listeners, CHUNK):
        chunk = answers[low : low + CHUNK]
        answered = as_float32(chunk.toarray())
        weight = np.where(answered > 0, np.float32(1.0), np.float32(unrated_weight))
        residual = weight * ((answered >= YES) - prior.share)
        products += residual.T @ residual
        co_weights += weight.T @ weight
    covariance = products / (co_weights + np.float32(START_ANSWERS))
    np.fill_diagonal(covariance, 0.0)
    first = max(m - n_factors, 0)
    values, vectors = scipy.linalg.eigh(covariance.astype(np.float64), subset_by_index=(first, m - 1))
    slopes = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1]
    # The slope of the sigmoid at its offset is p (1 - p).
    steepness = (prior.share * (1.0 - prior.share))[:, None]
    return as_float32(np.column_stack([slopes / steepness, logit(prior.share)]))


def _entries(chunk: Sparse) -> tuple[IntArray, IntArray]:
    return np.repeat(np.arange(chunk.shape[0], dtype=np.int32), np.diff(chunk.indptr)), chunk.indices


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over listeners for the songs' step.

    gradient: float32[m, d + 1], and hessian, negated: float32[m, pairs of d + 1], of the log-likelihood at the modes;
    factor_variance: float32[m, pairs of d], what the posterior covariance of x adds to it; spread: float32[d, d], the
    sum of these covariances.
    """

    gradient: FloatArray
    hessian: FloatArray
    factor_variance: FloatArray
    spread: FloatArray


def _expect(
    answers: Sparse, unrated_weight: float, scale: Scale, songs: FloatArray, user_factors: FloatArray, steps: int
) -> tuple[FloatArray, Sums]:
    """Return the modes of the user factors after some Newton steps, and the sums for the songs' step."""
    m, d = len(songs), songs.shape[1] - 1
    new_factors, loading_products = np.empty_like(user_factors), pairwise_products(songs[:, :-1])
    ridge = np.ones(d, dtype=np.float32)
    gradient, hessian = np.zeros_like(songs), np.zeros((m, (d + 1) * (d + 2) // 2), dtype=np.float32)
    factor_variance, spread = np.zeros_like(loading_products), np.zeros((d, d), dtype=np.float32)
    for low in range(0, len(user_factors), CHUNK):
        chunk, modes = answers[low : low + CHUNK], user_factors[low : low + CHUNK]
        modes = _map_factors(chunk, unrated_weight, scale, songs, loading_products, modes, steps)
        new_factors[low : low + CHUNK] = modes
        residual, curvature = _residuals(chunk, modes, songs, unrated_weight, scale)
        with_offset = np.column_stack([modes, np.ones(len(modes), dtype=np.float32)])
        gradient += residual.T @ with_offset
        hessian += curvature.T @ pairwise_products(with_offset)
        covariance = np.linalg.inv(unpacked(curvature @ loading_products, d) + np.diag(ridge))
        factor_variance += curvature.T @ upper_triangles(covariance)
        spread += covariance.sum(axis=0)
    return new_factors, Sums(gradient, hessian, factor_variance, spread)


def _map_factors(
    chunk: Sparse,
    unrated_weight: float,
    scale: Scale,
    songs: FloatArray,
    loading_products: FloatArray,
    modes: FloatArray,
    steps: int,
) -> FloatArray:
    """Return the user factors of some listeners after Newton steps; loading_products: those of each song."""
    ridge = np.ones(modes.shape[1], dtype=np.float32)
    for _step in range(steps):
        residual, curvature = _residuals(chunk, modes, songs, unrated_weight, scale)
        modes = _newton_step(modes, residual @ songs[:, :-1] - modes, curvature @ loading_products, ridge)
    return modes


def _residuals(
    chunk: Sparse, user_factors: FloatArray, songs: FloatArray, unrated_weight: float, scale: Scale
) -> tuple[FloatArray, FloatArray]:
    """Return the first and the negated second derivative of the log-likelihood by eta, float32[c, m] each."""
    eta = as_float32(user_factors @ songs[:, :-1].T)
    eta += songs[:, -1]
    probability = sigmoid(eta)
    residual = np.float32(-unrated_weight) * probability
    curvature = np.multiply(probability, residual, out=probability)
    curvature -= residual
    answered = _entries(chunk)
    residual[answered], curvature[answered] = interval_derivatives(eta[answered], chunk.data.astype(np.int32), scale)
    return residual, curvature


def _maximise(songs: FloatArray, sums: Sums, prior: SongPrior, deviations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the songs after a Newton step, and the posterior variance of each loading, float32[m, d]."""
    d = songs.shape[1] - 1
    factor_variance, hessian = unpacked(sums.factor_variance, d), unpacked(sums.hessian, d + 1)
    ridge = np.append(deviations ** np.float32(-2.0), np.float32(prior.ridge))
    hessian[:, :d, :d] += factor_variance
    gradient = sums.gradient.copy()
    gradient[:, :d] -= np.einsum("mij,mj->mi", factor_variance, songs[:, :d])
    centre = np.append(np.zeros(d, dtype=np.float32), np.float32(prior.centre))
    hessian[:, np.arange(d + 1), np.arange(d + 1)] += ridge
    inverse = np.linalg.inv(hessian)
    move = np.einsum("mij,mj->mi", inverse, gradient - ridge * (songs - centre))
    return songs + _short(move), inverse[:, np.arange(d), np.arange(d)]


def _newton_step(modes: FloatArray, gradient: FloatArray, hessian: FloatArray, ridge: FloatArray) -> FloatArray:
    """Return `modes` (float32[n, d]) after a Newton step; hessian: packed, negated, without the prior's `ridge`."""
    full = unpacked(hessian, modes.shape[1]) + np.diag(ridge)
    return modes + _short(np.linalg.solve(full, gradient[:, :, None])[:, :, 0])


def _short(move: FloatArray) -> FloatArray:
    """Scale the steps so that no entry exceeds 1."""
    return as_float32(move / np.abs(move).max(axis=1, keepdims=True, initial=1.0))


def _standardised(songs: FloatArray, user_factors: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Reparametrise so that user factors have zero mean and identity covariance."""
    offset, loadings, mean = songs[:, -1], songs[:, :-1], user_factors.mean(axis=0)
    covariance = np.cov(user_factors.T).reshape(len(mean), -1) + spread
    root = np.linalg.cholesky(covariance + 1e-6 * np.eye(len(mean)))
    turned = np.column_stack([loadings @ root, offset + loadings @ mean])
    return as_float32(turned), as_float32(np.linalg.solve(root, (user_factors - mean).T).T)
