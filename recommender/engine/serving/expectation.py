"""How probable it is that a listener who hears a recommended song likes or finishes it.

    logit P(yes | heard) = a + b * z + u_listener,    z = (score - mean) / deviation,    u ~ N(0, LISTENER_VARIANCE)

The map from scores to probabilities is Platt's (1999, "Probabilistic Outputs for Support Vector Machines"); u is a
random intercept, because some listeners like much of what they hear and others little. All of it is the posterior mode
under the normal priors below (MAP), by Newton's method. Songs that were not heard say nothing and are not in the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

LISTENER_VARIANCE = 1.0
"""Prior variance of u, in squared log-odds: two of three listeners lie within a factor of e of the average odds."""
SLOPE_VARIANCE = 4.0
"""Prior variance of a and b: it keeps them finite where scores part all answers, and is worth about one answer."""
LEAST_ANSWERS = 200
"""Below so many answers, or LEAST_OF_EACH of either kind, nothing is fitted."""
LEAST_OF_EACH = 20
PRIOR_SHARE = 0.5
"""Stated prior where nothing is fitted: every second song that is heard. It is a starting value, not a measurement."""
_STEPS, _LEAST_MOVE = 50, 1e-8


@dataclass(frozen=True, eq=False)
class AnswerModel:
    """Probabilities of a yes. listeners: int64[l], ascending ids, and their u: float64[l].

    answers: how many it was fitted on; 0: none, every probability is PRIOR_SHARE.
    """

    answers: int = 0
    intercept: float = 0.0
    slope: float = 0.0
    mean: float = 0.0
    deviation: float = 1.0
    listeners: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    offsets: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def is_fitted(self) -> bool:
        """Whether the probabilities were learned from answers."""
        return self.answers > 0

    def probability(self, listener: int, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of a yes of each song that the listener hears, float64[len(scores)] in 0..1."""
        if not self.is_fitted:
            return np.full(len(scores), PRIOR_SHARE)
        position = int(np.searchsorted(self.listeners, listener))
        is_known = position < len(self.listeners) and int(self.listeners[position]) == listener
        log_odds = self.intercept + self.slope * (scores - self.mean) / self.deviation
        if is_known:
            return np.asarray(expit(log_odds + self.offsets[position]), dtype=np.float64)
        # They may be like any of the others: the mean over these, not the probability of the median one.
        return np.asarray(expit(log_odds[:, None] + self.offsets).mean(axis=1), dtype=np.float64)


def fit_answers(listener: NDArray[np.int64], scores: NDArray[np.float64], is_yes: NDArray[np.bool_]) -> AnswerModel:
    """Fit m answers: ids of listeners int64[m], scores float64[m], is_yes bool[m].

    Return a model that is not fitted where there are too few answers.
    """
    yes = int(is_yes.sum())
    if len(is_yes) < LEAST_ANSWERS or min(yes, len(is_yes) - yes) < LEAST_OF_EACH:
        return AnswerModel()
    listeners, owner = np.unique(listener, return_inverse=True)
    mean, deviation = float(scores.mean()), float(scores.std()) or 1.0
    design = np.stack([np.ones(len(scores)), (scores - mean) / deviation], axis=1)
    shared, offsets = _posterior_mode(design, owner, len(listeners), is_yes.astype(np.float64))
    return AnswerModel(len(is_yes), float(shared[0]), float(shared[1]), mean, deviation, listeners, offsets)


def _posterior_mode(
    design: NDArray[np.float64], owner: NDArray[np.intp], n_listeners: int, yes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (a, b) and u of each listener.

    The Hessian is an arrow: u of different listeners meet in a and b alone, so each step solves a system of two
    unknowns (the Schur complement of the listeners' diagonal). The log-posterior is concave; a step that overshoots is
    halved.
    """
    shared, offsets = np.zeros(design.shape[1]), np.zeros(n_listeners)

    def log_posterior(shared: NDArray[np.float64], offsets: NDArray[np.float64]) -> float:
        log_odds = design @ shared + offsets[owner]
        likelihood = float((yes * log_odds - np.logaddexp(0.0, log_odds)).sum())
        return likelihood - 0.5 * float(shared @ shared / SLOPE_VARIANCE + offsets @ offsets / LISTENER_VARIANCE)

    for _step in range(_STEPS):
        by_shared, by_offset = _newton_step(design, owner, yes, shared, offsets)
        best, share = log_posterior(shared, offsets), 1.0
        while log_posterior(shared + share * by_shared, offsets + share * by_offset) < best and share > _LEAST_MOVE:
            share *= 0.5
        shared, offsets = shared + share * by_shared, offsets + share * by_offset
        if share * max(np.abs(by_shared).max(), np.abs(by_offset).max()) < _LEAST_MOVE:
            break
    return shared, offsets


def _newton_step(
    design: NDArray[np.float64],
    owner: NDArray[np.intp],
    yes: NDArray[np.float64],
    shared: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n = len(offsets)
    chance = expit(design @ shared + offsets[owner])
    weight, error = chance * (1.0 - chance), yes - chance
    gradient = design.T @ error - shared / SLOPE_VARIANCE
    gradient_offsets = np.bincount(owner, error, n) - offsets / LISTENER_VARIANCE
    diagonal = np.bincount(owner, weight, n) + 1.0 / LISTENER_VARIANCE
    cross = np.stack([np.bincount(owner, weight * column, n) for column in design.T])
    corner = design.T @ (design * weight[:, None]) + np.eye(len(shared)) / SLOPE_VARIANCE
    schur = corner - (cross / diagonal) @ cross.T
    by_shared = np.linalg.solve(schur, gradient - (cross / diagonal) @ gradient_offsets)
    by_offset = (gradient_offsets - by_shared @ cross) / diagonal
    return np.asarray(by_shared, dtype=np.float64), np.asarray(by_offset, dtype=np.float64)
