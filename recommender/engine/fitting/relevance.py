"""Bayesian logistic regression on one listener's answers, with automatic relevance determination.

    y_r ~ Bernoulli(sigmoid(b + phi_r . x)),    x_k ~ N(0, tau_g(k) variance_k),    b ~ N(0, offset_variance)

phi_r are the sound columns of song r, y_r says whether it was liked. tau of each group (the columns of one feature, or
the product of two features) maximises the evidence: most tastes depend on few features, and the answers alone tell
which (MacKay 1992, Bayesian Interpolation; Tipping 2001, Sparse Bayesian Learning and the Relevance Vector Machine).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, as_float32, weighted_gram

Values = NDArray[np.float64]
LAST_STEPS, LEAST_MOVE = 8, 1e-2
"""Newton steps after tau is fixed, and the change of the log-odds below which they end."""
PRIOR_RELEVANCE, PRIOR_STRENGTH = 0.05, 1.0
"""Expected tau of a group, and the number of columns that this expectation is worth."""
MIN_RELEVANCE = 1e-4
"""Smallest tau; a group at this value is practically off."""


@dataclass(frozen=True)
class AudioConfig:
    """How a taste for sound is learned (`audio`); see `terms.sound` for the columns.

    The numbers were chosen on the choosing half of the invented tastes of `benchmarks.accuracy.sound_tastes`; the
    development half of the playlists of `benchmarks.accuracy.quality` was checked for losses.

    degree: of the polynomials of each feature's rank; AUC is .002 to .007 lower with 3 and .001 higher with 5.
    decay: variance of a curve against the next simpler one. products: variance of the product of two features, against
    that of a straight line. nominal: variance of key, mode and metre.
    n_iterations: of learning tau; 6 instead of 3 gain .001.
    background: songs of the catalogue that count as dislikes for each like where there are no dislikes, and the other
    way round. offset_variance: of the log-odds of a like of any song. max_answers: limit of the answers from which tau
    is learned.
    """

    degree: int = 4
    decay: float = 0.5
    products: float = 0.1
    nominal: float = 0.1
    n_iterations: int = 3
    background: float = 0.3
    offset_variance: float = 4.0
    max_answers: int = 300


@dataclass(frozen=True, eq=False)
class Prior:
    """The prior of x. variance: float64[D], of each entry for tau = 1;
    group: int32[D], numbers 0..G-1; covariance: float64[D, D], of the columns over the catalogue, whose mean is 0.
    """

    variance: Values
    group: IntArray
    covariance: Values


@dataclass(frozen=True, eq=False)
class SoundTaste:
    """columns: float32[m, D], of the answered songs; residual: float32[m], confidence * (y - p) of each; precision:
    float64[D, D], of x before the answers; relevance: float64[G], tau of each group.

    precision @ x = sum over answers of residual_r phi_r, exactly: so phi_t . precision^-1 . residual_r phi_r is what
    answer r adds to the score of song t.
    """

    columns: FloatArray
    residual: FloatArray
    precision: Values
    relevance: Values

    def coefficients(self) -> FloatArray:
        """Return x, float32[D]."""
        return as_float32(np.linalg.solve(self.precision, self.residual @ self.columns))

    def contributions(self, columns: FloatArray) -> FloatArray:
        """Return what each answer adds to the scores of songs with these columns (float32[c, D]): float32[c, m]."""
        return as_float32(np.linalg.solve(self.precision, columns.T).T @ self.columns.T * self.residual)


def fit_sound_taste(
    columns: FloatArray,
    liked: BoolArray,
    confidence: Values,
    prior: Prior,
    settings: AudioConfig,
    relevance: Values | None = None,
) -> SoundTaste:
    """Return the most probable taste after m answers.

    columns: float32[m, D]; liked: bool[m]; confidence: float64[m] in 0..1; relevance: float64[G], tau if it is
    known already.
    """
    problem = _Problem.of(columns, liked, confidence, prior, settings)
    step = -(-len(liked) // settings.max_answers)
    few = problem
    if step > 1:
        few = _Problem.of(columns[::step], liked[::step], confidence[::step] * step, prior, settings)
    at, tau = np.zeros(len(prior.variance) + 1), np.ones(int(prior.group.max(initial=-1)) + 1)
    if relevance is not None:
        tau = relevance
    for _round in range(settings.n_iterations if relevance is None else 0):
        precision = few.precision(prior, tau)
        covariance = np.linalg.inv(few.posterior(at, precision))
        at = few.newton_step(at, precision, np.asarray(covariance @ few.slope(at, precision)))
        tau = _relevance(at[:-1], np.diag(covariance)[:-1], prior, tau)
    precision = problem.precision(prior, tau)
    posterior = few.posterior(at, precision)
    for number in range(LAST_STEPS):
        # With very many answers, the sample determines the step size; steps are taken more often instead.
        if few is problem and number:
            posterior = problem.posterior(at, precision)
        before = at
        move = np.asarray(np.linalg.solve(posterior, problem.slope(at, precision)), dtype=np.float64)
        at = problem.newton_step(at, precision, move)
        if np.abs(problem.log_odds(at - before)).max(initial=0.0) < LEAST_MOVE:
            break
    return SoundTaste(columns, as_float32(problem.residual(at)), precision[:-1, :-1], tau)


def _relevance(taste: Values, posterior: Values, prior: Prior, tau: Values) -> Values:
    """Return the next tau of each group by MacKay's fixed point; posterior: float64[D], posterior variances of x."""
    size = np.bincount(prior.group)
    determined = size - np.bincount(prior.group, posterior / prior.variance) / tau
    squares = np.bincount(prior.group, taste**2 / prior.variance)
    learned = (squares + PRIOR_STRENGTH * PRIOR_RELEVANCE) / (np.maximum(determined, 0.0) + PRIOR_STRENGTH)
    return np.maximum(learned, MIN_RELEVANCE)


@dataclass(frozen=True, eq=False)
class _Problem:
    """columns: float32[m, D + 1], the last one 1, for b; weight and background_slope (on b): of the background."""

    columns: FloatArray
    liked: BoolArray
    confidence: Values
    weight: float
    background_slope: float
    offset_precision: float

    @classmethod
    def of(
        cls, columns: FloatArray, liked: BoolArray, confidence: Values, prior: Prior, settings: AudioConfig
    ) -> _Problem:
        yes, no = float(confidence[liked].sum()), float(confidence[~liked].sum())
        # It grows with the square of the imbalance: with a third of likes there are enough opposites.
        weight = settings.background * (yes - no) ** 2 / max(yes + no, 1e-9)
        with_offset = np.column_stack([columns, np.ones(len(columns), dtype=np.float32)])
        background_slope = -0.5 * weight * np.sign(yes - no)
        return cls(with_offset, liked, confidence, weight, background_slope, 1.0 / settings.offset_variance)

    def precision(self, prior: Prior, tau: Values) -> Values:
        """Return the prior precision of x and b; the background counts to second order about x = 0: p (1 - p) = 1/4."""
        size = len(prior.variance)
        precision = np.zeros((size + 1, size + 1))
        precision[:-1, :-1] = 0.25 * self.weight * prior.covariance
        precision[-1, -1] = 0.25 * self.weight + self.offset_precision
        places = np.arange(size)
        precision[places, places] += 1.0 / (prior.variance * tau[prior.group])
        return precision

    def log_odds(self, at: Values) -> Values:
        """Return the log-odds of a like for each answer, float64[m]."""
        return np.asarray(self.columns @ as_float32(at), dtype=np.float64)

    def residual(self, at: Values) -> Values:
        """Return confidence * (y - p), float64[m]."""
        return np.asarray(self.confidence * (self.liked - expit(self.log_odds(at))))

    def log_posterior(self, at: Values, precision: Values) -> float:
        """Return the log posterior of x and b up to a constant."""
        log_odds = self.log_odds(at)
        answers = self.confidence @ (self.liked * log_odds - np.logaddexp(0.0, log_odds))
        return float(answers + self.background_slope * at[-1] - 0.5 * at @ precision @ at)

    def posterior(self, at: Values, precision: Values) -> Values:
        """Return the posterior precision of x and b, linearised at this point: float64[D + 1, D + 1]."""
        chance = expit(self.log_odds(at))
        return precision + weighted_gram(self.columns, as_float32(self.confidence * chance * (1.0 - chance)))

    def slope(self, at: Values, precision: Values) -> Values:
        """Return the gradient of the log posterior, float64[D + 1]."""
        slope = self.columns.T @ as_float32(self.residual(at)) - precision @ at
        slope[-1] += self.background_slope
        return np.asarray(slope)

    def newton_step(self, at: Values, precision: Values, move: Values) -> Values:
        """Return x and b after a Newton step, halved while it overshoots."""
        reached = self.log_posterior(at, precision)
        # A full step may overshoot the maximum.
        while self.log_posterior(at + move, precision) < reached and np.abs(move).max() > LEAST_MOVE:
            move = 0.5 * move
        return at + move
