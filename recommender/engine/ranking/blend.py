"""The blend: the sum of the terms, each standardised per listener, times a weight that depends on the evidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

import numpy as np

from recommender.engine.data.arrays import FloatArray, IntArray, as_int32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.ranking.config import BlendConfig
from recommender.engine.ranking.score_statistics import MIN_DEVIATION, ScoreStatistics
from recommender.engine.terms import LinearTerm, SparseScores, SparseTerm, Term
from recommender.engine.terms import Weight as TermWeight

Weight = TypeVar("Weight")
NO_STATISTICS: Mapping[str, ScoreStatistics] = {}
BATCH_SCORES, MAX_BATCH = 800_000, 32
"""Scores of one term, and listeners, that are computed together at most."""


def curve(weight: TermWeight, n_points: int) -> tuple[float, ...]:
    """Return the weight at each of the points; a single number is the same at all."""
    return weight if isinstance(weight, tuple) else (weight,) * n_points


@dataclass(frozen=True)
class BlendWeights:
    """Weight of each term at given amounts of feedback (in likes), linear in log(1 + amount) between them."""

    amounts: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]

    @classmethod
    def prior(cls, config: BlendConfig, trust: Mapping[str, float] | None = None) -> BlendWeights:
        """Return the weights of the configuration, times `trust` for the terms named there (0 removes them)."""
        factor = trust or {}
        curves = {name: curve(weight, len(config.amounts)) for name, weight in config.term_weights.items()}
        weights = {name: tuple(w * factor.get(name, 1.0) for w in ws) for name, ws in curves.items()}
        return cls(config.amounts, {name: ws for name, ws in weights.items() if factor.get(name, 1.0) > 0})

    def without(self, left_out: Collection[str]) -> BlendWeights:
        """Return the weights of all terms but some."""
        return BlendWeights(self.amounts, weights_without(self.weights, left_out))

    def at(self, amount: float) -> dict[str, float]:
        """Return the weight of each term for a listener with that much feedback; constant beyond the last amount."""
        grid = np.log1p(self.amounts)
        point = np.log1p(max(amount, 0.0))
        return {name: float(np.interp(point, grid, values)) for name, values in self.weights.items()}


@dataclass(frozen=True, eq=False)
class Scores:
    """One listener's scores of all n tracks, or of c of them, by the weighted sum of the terms' standard scores.

    total: float32[n]. raw: float32[n] of each term, before it is standardised (after the square root, where a term is
    transformed). scales: mean and deviation of each over the catalogue; the deviation is 0 where a term has no opinion.
    weights: of each term. nonzero: positions outside of which a sparse term's raw score is 0, int32[m], distinct.
    `total` is the sum of weight * (raw - mean) / deviation, up to float32 rounding.

    rows_scored: int32[c], increasing, the tracks that were scored; None: all. All arrays are then of these only, and
    `positions_of` finds a row in them. Means and deviations are over the whole catalogue in either case.
    """

    total: FloatArray
    raw: Mapping[str, FloatArray]
    scales: Mapping[str, tuple[float, float]]
    weights: Mapping[str, float]
    nonzero: Mapping[str, IntArray]
    rows_scored: IntArray | None = None

    def positions_of(self, rows: IntArray) -> IntArray:
        """Return the positions of `rows` in the arrays. All of them must have been scored."""
        return rows if self.rows_scored is None else as_int32(np.searchsorted(self.rows_scored, rows))

    def rows_at(self, positions: IntArray) -> IntArray:
        """Return the rows at some positions."""
        return positions if self.rows_scored is None else self.rows_scored[positions]

    @cached_property
    def parts(self) -> dict[str, FloatArray]:
        """Return what each term contributes to every track that was scored."""
        return {name: self._part(name, slice(None)) for name in self.raw}

    def parts_at(self, rows: IntArray) -> dict[str, FloatArray]:
        """Return what each term contributes to `rows`."""
        positions = self.positions_of(rows)
        return {name: self._part(name, positions) for name in self.raw}

    def standard(self, name: str, rows: IntArray) -> FloatArray:
        """Return a term's standard scores of `rows`, which have mean 0 and deviation 1 over the catalogue."""
        mean, deviation = self.scales[name]
        if not deviation:
            return np.zeros(len(rows), dtype=np.float32)
        return (self.raw[name][self.positions_of(rows)] - np.float32(mean)) * np.float32(1.0 / deviation)

    def contributions(self, row: int) -> dict[str, float]:
        """Return each term's share of the score of one track."""
        return {name: float(part[0]) for name, part in self.parts_at(np.array([row], dtype=np.int32)).items()}

    def _part(self, name: str, positions: IntArray | slice) -> FloatArray:
        mean, deviation = self.scales[name]
        if not deviation:
            return np.zeros_like(self.raw[name][positions])
        return (self.raw[name][positions] - np.float32(mean)) * np.float32(self.weights[name] / deviation)


def standardise(scores: FloatArray, sqrt_transform: bool) -> FloatArray:
    """Shift and scale scores in place to mean 0 and deviation 1; take the signed root first if asked.

    A term without an opinion (all scores equal) becomes 0 everywhere.
    """
    mean, deviation = _scale(scores, sqrt_transform)
    scores -= np.float32(mean)
    scores *= np.float32(1.0 / deviation if deviation else 0.0)
    return scores


def _scale(scores: FloatArray, sqrt_transform: bool) -> tuple[float, float]:
    """Take the signed root in place if asked; return mean and deviation, which is 0 if all scores are equal."""
    if not len(scores):
        return 0.0, 0.0
    if sqrt_transform:
        _signed_root(scores)
    # About the first value, so that a term with a large mean and a small deviation loses no digits.
    away = scores - scores[0]
    shift = float(away.mean())
    deviation = float(np.sqrt(max(float(np.dot(away, away)) / len(away) - shift**2, 0.0)))
    return float(scores[0]) + shift, deviation if deviation >= MIN_DEVIATION else 0.0


def _signed_root(scores: FloatArray) -> None:
    """Replace each x by sign(x) * sqrt(|x|), in place."""
    if scores.min(initial=0.0) >= 0:
        np.sqrt(scores, out=scores)
    else:
        np.copysign(np.sqrt(np.abs(scores)), scores, out=scores)


def blend(
    terms: Mapping[str, Term],
    weights: Mapping[str, float],
    listener: ListenerProfile,
    statistics: Mapping[str, ScoreStatistics] = NO_STATISTICS,
) -> Scores:
    """Score all tracks by the weighted sum of the standardised terms that have a weight; O(n) per term.

    statistics: of linear terms, whose means and deviations then need not be computed from all scores.
    Adjusted terms are standardised on the scale of the unadjusted ones, so that turning one artist, genre or feature up
    or down changes its own part of the score and nothing else. Raise ValueError if no term has a weight.
    """
    weighted = {name: term for name, term in terms.items() if name in weights}
    scored = {name: score_term(term, listener, statistics.get(name)) for name, term in weighted.items()}
    return weighted_sum(scored, weights)


def weighted_sum(
    by_term: Mapping[str, TermScores], weights: Mapping[str, float], rows_scored: IntArray | None = None
) -> Scores:
    """Return the weighted sum of the terms' scores of `rows_scored` (None: all). Raise ValueError without a term."""
    if not by_term:
        raise ValueError("no term has a weight")
    raw = {name: scores.raw for name, scores in by_term.items()}
    scales = {name: scores.scale for name, scores in by_term.items()}
    nonzero = {name: scores.nonzero for name, scores in by_term.items() if scores.nonzero is not None}
    total = _total(raw, scales, nonzero, weights)
    return Scores(total, raw, scales, {name: weights[name] for name in by_term}, nonzero, rows_scored)


def _total(
    raw: Mapping[str, FloatArray],
    scales: Mapping[str, tuple[float, float]],
    nonzero: Mapping[str, IntArray],
    weights: Mapping[str, float],
) -> FloatArray:
    """Return the weighted sum of the standard scores, float32[n]."""
    total = np.zeros_like(next(iter(raw.values())))
    part, constant = np.empty_like(total), 0.0
    for name, (mean, deviation) in scales.items():
        factor = weights[name] / deviation if deviation else 0.0
        constant += factor * mean
        if name in nonzero:
            total[nonzero[name]] += raw[name][nonzero[name]] * np.float32(factor)
        elif factor:
            total += np.multiply(raw[name], np.float32(factor), out=part)
    total -= np.float32(constant)
    return total


@dataclass(frozen=True, eq=False)
class TermScores:
    """A term's raw scores with their mean and deviation before adjustments; the fields are those of `Scores`."""

    raw: FloatArray
    scale: tuple[float, float]
    nonzero: IntArray | None = None


def batch_size(n_tracks: int) -> int:
    """Return how many listeners to score together: enough to share the work, few enough to keep their scores."""
    return min(max(BATCH_SCORES // max(n_tracks, 1), 1), MAX_BATCH)


def score_term_for_many(
    term: LinearTerm, listeners: Sequence[ListenerProfile], statistics: ScoreStatistics | None = None
) -> list[TermScores]:
    """Score all tracks by one term for several listeners."""
    unadjusted = term.score_many([listener.without_adjustments() for listener in listeners])
    pairs = zip(listeners, unadjusted, strict=True)
    return [score_term(cast(Term, term), listener, statistics, scores) for listener, scores in pairs]


def score_term(
    term: Term,
    listener: ListenerProfile,
    statistics: ScoreStatistics | None = None,
    unadjusted_scores: FloatArray | None = None,
) -> TermScores:
    """Score all tracks by one term. statistics: of a linear one; unadjusted_scores: without adjustments, if known."""
    if isinstance(term, SparseTerm):
        scale, sparse = score_sparse_term(term, listener)
        return TermScores(sparse.of_all(), scale, sparse.rows)
    unadjusted, is_adjusted = listener.without_adjustments(), _is_adjusted(term, listener)
    scores = term.score(unadjusted) if unadjusted_scores is None else unadjusted_scores
    if statistics is not None and isinstance(term, LinearTerm):
        scale = statistics.scale(term.user_vector(unadjusted))
    else:
        scale = _scale(scores, term.sqrt_transform)
    if is_adjusted:
        scores = term.score(listener)
        if term.sqrt_transform:
            _signed_root(scores)
    return TermScores(scores, scale)


def score_sparse_term(term: SparseTerm, listener: ListenerProfile) -> tuple[tuple[float, float], SparseScores]:
    """Return mean and deviation over all tracks before adjustments, and the scores (both after the square root)."""
    sparse = _sqrt_transformed(term, listener.without_adjustments())
    scale = _sparse_scale(sparse)
    return scale, _sqrt_transformed(term, listener) if _is_adjusted(term, listener) else sparse


def _sqrt_transformed(term: SparseTerm, listener: ListenerProfile) -> SparseScores:
    sparse = term.sparse_scores(listener)
    if term.sqrt_transform:
        _signed_root(sparse.values)
    return sparse


def _is_adjusted(term: Term | SparseTerm, listener: ListenerProfile) -> bool:
    return term.is_adjustable and not listener.adjustments.is_empty


def _sparse_scale(sparse: SparseScores) -> tuple[float, float]:
    """Return mean and deviation over all tracks of scores that are 0 for most of them, as `_scale`."""
    n, values = max(sparse.n_tracks, 1), sparse.values.astype(np.float64)
    mean = float(values.sum()) / n
    deviation = float(np.sqrt(max(float(values @ values) / n - mean**2, 0.0)))
    return mean, deviation if deviation >= MIN_DEVIATION else 0.0


def weights_without(weights: Mapping[str, Weight], left_out: Collection[str]) -> dict[str, Weight]:
    """Return the weights of all terms but some."""
    return {name: weight for name, weight in weights.items() if name not in left_out}
