"""The sum of the terms: each one standardised per listener, times a weight that depends on how much is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from recommender.engine.arrays import FloatArray
from recommender.engine.config import EngineConfig
from recommender.engine.listener import Listener
from recommender.engine.terms import Term


@dataclass(frozen=True)
class BlendWeights:
    """Weight of each term at given amounts of feedback (in likes), linear in log(1 + amount) between them."""

    amounts: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]

    @classmethod
    def prior(cls, config: EngineConfig) -> BlendWeights:
        """The weights written down in the configuration."""
        return cls(amounts=config.amounts, weights=dict(config.term_weights))

    def at(self, amount: float) -> dict[str, float]:
        """Weight of each term for a listener with that much feedback; constant beyond the last amount."""
        grid = np.log1p(self.amounts)
        point = np.log1p(max(amount, 0.0))
        return {name: float(np.interp(point, grid, values)) for name, values in self.weights.items()}


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all tracks for one listener, float32[n] in `total`, and what each term contributed in `parts`.

    `total` is the sum of the parts, up to float32 rounding of the summation.
    """

    total: FloatArray
    parts: Mapping[str, FloatArray]

    def contributions(self, row: int) -> dict[str, float]:
        """Each term's share of the score of one track."""
        return {name: float(part[row]) for name, part in self.parts.items()}


def standardise(scores: FloatArray, heavy_tailed: bool) -> FloatArray:
    """Zero mean and unit deviation over the catalogue, in place; signed square root first if heavy-tailed.

    A term without an opinion (all scores equal) becomes 0 everywhere.
    """
    if not len(scores):
        return scores
    if heavy_tailed:
        np.copysign(np.sqrt(np.abs(scores)), scores, out=scores)
    scores -= scores.mean(dtype=np.float64).astype(np.float32)
    deviation = float(np.sqrt(np.dot(scores, scores) / len(scores)))
    if deviation < 1e-6:
        scores.fill(0.0)
        return scores
    scores /= np.float32(deviation)
    return scores


def blend(terms: Mapping[str, Term], weights: Mapping[str, float], listener: Listener) -> Scores:
    """Score all tracks by the weighted sum of the standardised terms that have a weight; O(n) per term.

    Raises ValueError if no term has a weight.
    """
    used = [(name, term, weights[name]) for name, term in terms.items() if weights.get(name)]
    if not used:
        raise ValueError("no term has a weight")
    parts = {}
    for name, term, weight in used:
        part = standardise(term.score(listener), term.heavy_tailed)
        part *= np.float32(weight)
        parts[name] = part
    total = next(iter(parts.values())).copy()
    for part in list(parts.values())[1:]:
        total += part
    return Scores(total=total, parts=parts)


def weights_without(weights: Mapping[str, float], left_out: Collection[str]) -> dict[str, float]:
    """The weights of all terms but some, for instance for the `content` blend."""
    return {name: weight for name, weight in weights.items() if name not in left_out}
