"""Learning how much each term counts in the first stage, per amount of feedback."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recommender.engine.arrays import BoolArray, FloatArray
from recommender.engine.blend import BlendWeights


@dataclass(frozen=True, eq=False)
class Examples:
    """m tracks beside revealed lists: standard float32[m, terms]; labels bool[m]; weights, amount float32[m]."""

    terms: tuple[str, ...]
    standard: FloatArray
    labels: BoolArray
    weights: FloatArray
    amount: FloatArray


Parameters = NDArray[np.float64]


def learn_weights(examples: Examples, prior: BlendWeights, strength: float) -> BlendWeights:
    """Weights that make the blend the log-odds of a like: logistic regression, drawn towards the prior's proportions.

    The prior knows proportions only, so its scale is fitted first. Each weight then pays strength / 2 * (its distance
    from the scaled prior) ** 2; none falls below 0, for no term says the opposite of what it means. Terms that the
    prior does not name stay out.
    """
    names = [name for name in examples.terms if name in prior.weights]
    standard = examples.standard[:, [examples.terms.index(name) for name in names]]
    knots = hat_functions(examples.amount, prior.amounts)
    start = np.array([prior.weights[name] for name in names])
    blended = np.einsum("mt,mk,tk->m", standard, knots, start, optimize=True)
    scale = _fit_scale(blended, knots, examples)
    centre = start * scale
    design = (standard[:, :, None] * knots[:, None, :]).reshape(len(blended), -1).astype(np.float64)
    fitted = _fit(np.hstack([design, knots]), examples, centre.ravel(), strength)
    learned = fitted[: centre.size].reshape(centre.shape)
    return BlendWeights(prior.amounts, {name: tuple(map(float, learned[i])) for i, name in enumerate(names)})


def hat_functions(amount: FloatArray, amounts: tuple[float, ...]) -> NDArray[np.float64]:
    """Share of each knot in the interpolation at each amount, float64[m, knots]; rows sum to 1."""
    grid, point = np.log1p(np.array(amounts)), np.log1p(amount)
    unit = np.eye(len(grid))
    return np.stack([np.interp(point, grid, line) for line in unit], axis=1)


def _fit_scale(blended: NDArray[np.float64], knots: NDArray[np.float64], examples: Examples) -> float:
    fitted = _fit(np.hstack([blended[:, None], knots]), examples, np.ones(1), 1e-6)
    return max(float(fitted[0]), 1e-3)


def _fit(design: Parameters, examples: Examples, centre: Parameters, strength: float) -> Parameters:
    """Weighted log-loss with a quadratic pull of the first len(centre) parameters to `centre`, those >= 0."""
    size, labels = len(centre), examples.labels.astype(np.float64)
    weights = examples.weights.astype(np.float64)

    def loss(parameters: Parameters) -> tuple[float, Parameters]:
        logit = design @ parameters
        away = parameters[:size] - centre
        value = float(weights @ (np.logaddexp(0.0, logit) - labels * logit)) + 0.5 * strength * float(away @ away)
        slope = design.T @ (weights * (expit(logit) - labels))
        slope[:size] += strength * away
        return value, slope

    free = design.shape[1] - size
    start = np.concatenate([centre, np.full(free, -3.0)])
    bounds = [(0.0, None)] * size + [(None, None)] * free
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)
