"""The sum of the terms: each one standardised per listener, times a weight that depends on how much is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray
from recommender.engine.config import EngineConfig
from recommender.engine.listener import Listener
from recommender.engine.terms import Term


@dataclass(frozen=True)
class BlendWeights:
    """Weight of each term at given amounts of feedback (in likes), linear in log(1 + amount) between them."""

    amounts: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]

    @classmethod
    def prior(cls, config: EngineConfig, trust: Mapping[str, float] | None = None) -> BlendWeights:
        """The weights written down in the configuration, times `trust` for the terms named there (0 takes them out)."""
        factor = trust or {}
        weights = {name: tuple(w * factor.get(name, 1.0) for w in ws) for name, ws in config.term_weights.items()}
        return cls(config.amounts, {name: ws for name, ws in weights.items() if factor.get(name, 1.0) > 0})

    def at(self, amount: float) -> dict[str, float]:
        """Weight of each term for a listener with that much feedback; constant beyond the last amount."""
        grid = np.log1p(self.amounts)
        point = np.log1p(max(amount, 0.0))
        return {name: float(np.interp(point, grid, values)) for name, values in self.weights.items()}


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all tracks for one listener by the weighted sum of the terms' standard scores.

    total: float32[n]; standard: float32[n] of each term, mean 0 and deviation 1 over the catalogue; weights: of each
    term; scales: (mean, deviation) that were taken out of each term. `total` is the sum of weight * standard, up to
    float32 rounding of the summation.
    """

    total: FloatArray
    standard: Mapping[str, FloatArray]
    weights: Mapping[str, float]
    scales: Mapping[str, tuple[float, float]]

    @cached_property
    def parts(self) -> dict[str, FloatArray]:
        """What each term contributes to every track, float32[n]."""
        return {name: standard * np.float32(self.weights[name]) for name, standard in self.standard.items()}

    def parts_at(self, rows: IntArray) -> dict[str, FloatArray]:
        """What each term contributes to `rows`."""
        return {name: standard[rows] * np.float32(self.weights[name]) for name, standard in self.standard.items()}

    def plain(self, name: str, rows: IntArray) -> FloatArray:
        """A term's scores of `rows` before they were standardised (after the root, if it is heavy-tailed)."""
        mean, deviation = self.scales[name]
        return self.standard[name][rows] * np.float32(deviation) + np.float32(mean)

    def contributions(self, row: int) -> dict[str, float]:
        """Each term's share of the score of one track."""
        return {name: float(part[row] * np.float32(self.weights[name])) for name, part in self.standard.items()}


def standardise(scores: FloatArray, heavy_tailed: bool) -> FloatArray:
    """Zero mean and unit deviation over the catalogue, in place; signed square root first if heavy-tailed.

    A term without an opinion (all scores equal) becomes 0 everywhere.
    """
    _take_out_scale(scores, heavy_tailed)
    return scores


def _take_out_scale(scores: FloatArray, heavy_tailed: bool) -> tuple[float, float]:
    """Standardise in place; the mean and deviation that were taken out."""
    if not len(scores):
        return 0.0, 0.0
    if heavy_tailed:
        np.copysign(np.sqrt(np.abs(scores)), scores, out=scores)
    mean = float(scores.mean(dtype=np.float64))
    scores -= np.float32(mean)
    deviation = float(np.sqrt(np.dot(scores, scores) / len(scores)))
    if deviation < 1e-6:
        scores.fill(0.0)
        return mean, 0.0
    scores *= np.float32(1.0 / deviation)
    return mean, deviation


def blend(terms: Mapping[str, Term], weights: Mapping[str, float], listener: Listener) -> Scores:
    """Score all tracks by the weighted sum of the standardised terms that are given a weight; O(n) per term.

    Raises ValueError if no term has a weight.
    """
    names = [name for name in terms if name in weights]
    if not names:
        raise ValueError("no term has a weight")
    standard, scales = {}, {}
    total = np.zeros(0, dtype=np.float32)
    for name in names:
        standard[name] = terms[name].score(listener)
        scales[name] = _take_out_scale(standard[name], terms[name].heavy_tailed)
        share = standard[name] * np.float32(weights[name])
        total = np.add(total, share, out=total) if len(total) else share
    return Scores(total, standard, {name: weights[name] for name in names}, scales)


def weights_without(weights: Mapping[str, float], left_out: Collection[str]) -> dict[str, float]:
    """The weights of all terms but some, for instance for the `content` blend."""
    return {name: weight for name, weight in weights.items() if name not in left_out}
