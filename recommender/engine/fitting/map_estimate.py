"""The MAP estimate of one listener's user factor, from their own answers and a normal prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.data.arrays import BoolArray, FloatArray, as_float32, weighted_gram

NEWTON_STEPS, LEAST_MOVE, LEAST_GAIN = 30, 1e-5, 1e-10
"""Newton's method: most steps, and the largest entry of a step and the gain in log-posterior below which it ends."""


@dataclass(frozen=True, eq=False)
class GaussianPrior:
    """A normal distribution of x before a listener's answers. rhs: float64[d], precision @ mean; precision: float64
    d x d.
    """

    rhs: NDArray[np.float64]
    precision: NDArray[np.float64]

    def scaled(self, share: float) -> GaussianPrior:
        """Return the prior with its difference from N(0, I) scaled by `share`."""
        identity = np.eye(len(self.rhs))
        return GaussianPrior(share * self.rhs, identity + share * (self.precision - identity))

    def of_likes(self, likes: float, half: float) -> GaussianPrior:
        """Return the prior of a listener with so many likes; it is scaled by half after `half` likes.

        The more a listener likes, the more songs were available and not chosen. A dislike adds nothing: it would lower
        popular songs merely because one more song was answered.
        """
        return self.scaled(likes / (likes + half))

    @classmethod
    def from_unobserved(cls, songs: FloatArray, weight: float) -> Self:
        """Return N(0, I) updated with "none of these songs is liked" at this weight, to second order about x = 0."""
        offset, loadings = songs[:, -1], songs[:, :-1]
        probability = expit(offset)
        hessian = weighted_gram(loadings, probability * (1.0 - probability)).astype(np.float64)
        gradient = -(probability @ loadings).astype(np.float64)
        return cls(weight * gradient, np.eye(loadings.shape[1]) + weight * hessian)


def map_user_factor(
    prior: GaussianPrior, songs: FloatArray, liked: BoolArray, confidence: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the MAP estimate of x, float64[d], from m answers to songs of these w and a (float32[m, d + 1]).

    The mode of Bayesian logistic regression (Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, 3.4),
    found by Newton's method; liked: bool[m]; confidence: float64[m] >= 0, the weight of an answer.
    """
    loadings, offset = songs[:, :-1], songs[:, -1]

    def log_posterior(factor: NDArray[np.float64]) -> float:
        log_odds = offset + loadings @ factor
        answers = confidence @ (liked * log_odds - np.logaddexp(0.0, log_odds))
        return float(answers + (prior.rhs - 0.5 * prior.precision @ factor) @ factor)

    factor = np.zeros(len(prior.rhs))
    best = log_posterior(factor)
    for _step in range(NEWTON_STEPS):
        probability = expit(offset + loadings @ factor)
        gradient = loadings.T @ (confidence * (liked - probability)) + prior.rhs - prior.precision @ factor
        hessian = prior.precision + weighted_gram(loadings, as_float32(confidence * probability * (1.0 - probability)))
        step = np.linalg.solve(hessian, gradient)
        # A full step may overshoot the maximum.
        while (gain := log_posterior(factor + step) - best) < 0.0 and np.abs(step).max() > LEAST_MOVE:
            step *= 0.5
        if gain > 0.0:
            factor, best = factor + step, best + gain
        if gain <= LEAST_GAIN:
            break
    return factor
