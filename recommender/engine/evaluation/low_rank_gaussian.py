"""A low-rank Gaussian model of ratings, a baseline on ratings of songs shown at random.

    y_ut ~ N(m_t + w_t . x_u, noise),    x_u ~ N(0, I),    w_t ~ N(0, deviation^2 I),

where y are the observed ratings, and m the songs' mean ratings, shrunk towards the overall mean. This is probabilistic
principal component analysis with missing data (Tipping & Bishop 1999), fitted by expectation maximisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.data.arrays import FloatArray, IntArray, Sparse, as_float32

Doubles = NDArray[np.float64]
SHRINKAGE = 10.0
"""Number of ratings at the overall mean that are added to each song."""


@dataclass(frozen=True)
class GaussianConfig:
    """dimensions: of x. noise: variance of a rating in 0..1. deviation: of a loading. rounds: of the fit."""

    dimensions: int = 4
    noise: float = 0.16
    deviation: float = 0.07
    rounds: int = 80


# Chosen on every second person with ratings of songs shown at random, fitted on the people of the other folds.
BINARY = GaussianConfig()
GRADED = GaussianConfig(noise=0.07, deviation=0.1, rounds=20)


@dataclass(frozen=True, eq=False)
class LowRankGaussian:
    """A fitted model. mean: float64[n]; loadings: float64[n, d]."""

    mean: Doubles
    loadings: Doubles
    config: GaussianConfig

    @classmethod
    def fit(cls, answers: Sparse, config: GaussianConfig, rng: np.random.Generator) -> Self:
        """Fit ratings in 0..1, people x n; every stored entry is a rating, zeros too."""
        mean = shrunk_means(answers.indices, answers.data, answers.shape[1])
        rest = sp.csr_array(
            (answers.data - mean[answers.indices], answers.indices, answers.indptr), shape=answers.shape
        )
        seen = sp.csr_array((np.ones(len(rest.data)), rest.indices, rest.indptr), shape=rest.shape)
        turned, turned_seen = sp.csr_array(rest.T), sp.csr_array(seen.T)
        prior = np.eye(config.dimensions)
        loadings = rng.normal(0.0, config.deviation, (answers.shape[1], config.dimensions))
        for _ in range(config.rounds):
            tastes, spread = _posterior(seen @ _squares(loadings), rest @ loadings, prior, config.noise)
            moments = _squares(tastes) + spread.reshape(len(spread), -1)
            narrow = prior / config.deviation**2
            loadings, _ = _posterior(turned_seen @ moments, turned @ tastes, narrow, config.noise)
        return cls(mean, loadings, config)

    def score(self, rows: IntArray, values: FloatArray) -> FloatArray:
        """Return the expected ratings of all songs, float32[n], after ratings `values` in 0..1 of distinct `rows`."""
        taste, _ = self._taste(rows, values)
        return as_float32(self.mean + self.loadings @ taste)

    def draw_taste(self, rows: IntArray, values: FloatArray, rng: np.random.Generator) -> Doubles:
        """Return a draw from the posterior of the taste given these ratings: float64[d]."""
        taste, covariance = self._taste(rows, values)
        return np.asarray(taste + np.linalg.cholesky(covariance) @ rng.standard_normal(len(taste)))

    def chances(self, rows: IntArray, taste: Doubles) -> Doubles:
        """Return the probability of liking `rows` with this taste, float64[len(rows)]: the rating expected, clipped."""
        return np.clip(self.mean[rows] + self.loadings[rows] @ taste, 0.0, 1.0)

    def _taste(self, rows: IntArray, values: FloatArray) -> tuple[Doubles, Doubles]:
        """Return posterior mean float64[d] and covariance float64[d, d] of a taste."""
        revealed = self.loadings[rows]
        products, rhs = revealed.T @ revealed, revealed.T @ (values - self.mean[rows])
        taste, covariance = _posterior(products.reshape(1, -1), rhs[None], np.eye(len(rhs)), self.config.noise)
        return taste[0], covariance[0]


def shrunk_means(rows: IntArray, values: NDArray[np.floating], n: int, strength: float = SHRINKAGE) -> Doubles:
    """Return the mean value of each of n rows, with `strength` values at the overall mean added; 0.5 without any."""
    overall = float(values.mean(dtype=np.float64)) if len(values) else 0.5
    total, count = np.bincount(rows, weights=values, minlength=n), np.bincount(rows, minlength=n)
    return np.asarray((total + strength * overall) / (count + strength))


def _squares(vectors: Doubles) -> Doubles:
    """Return the outer product of each vector with itself, float64[m, d * d]."""
    return (vectors[:, :, None] * vectors[:, None, :]).reshape(len(vectors), -1)


def _posterior(products: Any, rhs: Any, prior: Doubles, noise: float) -> tuple[Doubles, Doubles]:
    """Return posterior means float64[m, d] and covariances float64[m, d, d] of m Bayesian linear regressions.

    products: sums of outer products of the regressors, float64[m, d * d]; rhs: sums of regressors times observations,
    float64[m, d]; prior: precision of the coefficients.
    """
    d = rhs.shape[1]
    covariance = np.linalg.inv(prior + products.reshape(-1, d, d) / noise)
    return np.asarray(np.einsum("mij,mj->mi", covariance, rhs / noise)), np.asarray(covariance)
