"""Fits the weights of the first stage, which depend on the amount of evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.ranking.blend import BlendWeights

Parameters: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Examples:
    """m training examples, each a track for a query, ordered by query.

    standard: float32[m, terms], the terms' standard scores; labels: bool[m], whether the track was held out; weights:
    float32[m], the number of tracks for which a negative was sampled; evidence: float32[m], of the query; query:
    int32[m], increasing from 0; importance: float32[queries].
    """

    terms: tuple[str, ...]
    standard: FloatArray
    labels: BoolArray
    weights: FloatArray
    evidence: FloatArray
    query: IntArray
    importance: FloatArray


def learn_weights(examples: Examples, prior: BlendWeights, strength: float) -> BlendWeights:
    """Return weights that rank the held-out tracks first, shrunk towards the prior's proportions.

    Conditional logit (McFadden 1974) with sampled alternatives: each positive is chosen against all negatives of its
    query, which weighs the top of the list, as nDCG does. The scale of the prior carries no information, so it is
    fitted first. The penalty is strength / 2 * (distance from the scaled prior) ** 2 for each weight. No weight falls
    below 0, because a term's score never means its opposite. Terms that the prior does not name are left out.
    """
    names = [name for name in examples.terms if name in prior.weights]
    standard = examples.standard[:, [examples.terms.index(name) for name in names]].astype(np.float64)
    knot_shares = hat_functions(examples.evidence, prior.amounts)
    start = np.array([prior.weights[name] for name in names])
    blended = np.einsum("mt,mk,tk->m", standard, knot_shares, start, optimize=True)
    scale = max(float(_fit(blended[:, None], examples, np.ones(1), 1e-6)[0]), 1e-3)
    design = (standard[:, :, None] * knot_shares[:, None, :]).reshape(len(blended), -1)
    centre = start * scale
    learned = _fit(design, examples, centre.ravel(), strength).reshape(centre.shape)
    return BlendWeights(prior.amounts, {name: tuple(map(float, learned[i])) for i, name in enumerate(names)})


def hat_functions(evidence: FloatArray, amounts: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the share of each knot in the interpolation at `evidence`, float64[m, knots]; rows sum to 1."""
    grid, point = np.log1p(np.array(amounts)), np.log1p(evidence)
    unit = np.eye(len(grid))
    return np.stack([np.interp(point, grid, line) for line in unit], axis=1)


def _fit(design: Parameters, examples: Examples, centre: Parameters, strength: float) -> Parameters:
    """Return the parameters >= 0 of the conditional logit with a quadratic penalty around `centre`."""

    def loss(parameters: Parameters) -> tuple[float, Parameters]:
        away = parameters - centre
        value, slope = choice_loss(design @ parameters, examples)
        return value + 0.5 * strength * float(away @ away), design.T @ slope + strength * away

    bounds = [(0.0, None)] * len(centre)
    return np.asarray(minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds).x)


def choice_loss(scores: Parameters, examples: Examples) -> tuple[float, Parameters]:
    """Return minus the mean log-probability of the positives of each query, times its importance, and its gradient."""
    query, labels = examples.query, examples.labels
    n_queries = len(examples.importance)
    # All in logarithms: the optimiser tries weights whose scores differ by more than exp can represent.
    others = np.where(labels, -np.inf, scores + np.log(examples.weights))
    top = np.full(n_queries, -np.inf)
    np.maximum.at(top, query, others)
    top = np.where(np.isfinite(top), top, 0.0)
    risen = np.exp(others - top[query])
    total = np.bincount(query, weights=risen, minlength=n_queries)
    against = np.where(total > 0, np.log(np.maximum(total, 1e-300)) + top, -np.inf)
    number = np.maximum(np.bincount(query, weights=labels, minlength=n_queries), 1.0)
    share = np.where(labels, (examples.importance / number)[query], 0.0)
    behind = np.where(labels, against[query] - scores, -np.inf)
    value = float((share * np.logaddexp(0.0, behind)).sum())
    missed = share * expit(behind)
    pressed = np.bincount(query, weights=missed, minlength=n_queries) / np.maximum(total, 1e-300)
    return value, risen * pressed[query] - missed
