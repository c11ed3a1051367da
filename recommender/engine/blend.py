"""The sum of the terms: each one standardised per listener, times a weight that depends on how much is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray, as_int32
from recommender.engine.config import EngineConfig
from recommender.engine.listener import Listener
from recommender.engine.terms import Opinions, SparseTerm, Term

Weight = TypeVar("Weight")
ADJUSTABLE = ("artist", "genre", "audio")
"""Terms with parts that a listener can turn up and down."""


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

    def without(self, left_out: Collection[str]) -> BlendWeights:
        """The weights of all terms but some."""
        return BlendWeights(self.amounts, weights_without(self.weights, left_out))

    def at(self, amount: float) -> dict[str, float]:
        """Weight of each term for a listener with that much feedback; constant beyond the last amount."""
        grid = np.log1p(self.amounts)
        point = np.log1p(max(amount, 0.0))
        return {name: float(np.interp(point, grid, values)) for name, values in self.weights.items()}


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all n tracks, or `among` a few, for one listener by the weighted sum of the terms' standard scores.

    total: float32[n]; plain: float32[n] of each term (after the root, if it is heavy-tailed); scales: (mean, deviation)
    of each over the catalogue, deviation 0 where a term has no opinion; weights: of each term. `total` is the sum of
    weight * (plain - mean) / deviation, up to float32 rounding of the summation. rows: distinct places outside of which
    a sparse term's plain is 0, int32[m].

    among: int32[c], increasing, None = all: the tracks that were scored. All arrays are then of these only, and a place
    in them is no row; `places` tells. Means and deviations are over all tracks all the same.
    """

    total: FloatArray
    plain: Mapping[str, FloatArray]
    scales: Mapping[str, tuple[float, float]]
    weights: Mapping[str, float]
    rows: Mapping[str, IntArray]
    among: IntArray | None = None

    def places(self, rows: IntArray) -> IntArray:
        """Places of `rows` in the arrays. Only of tracks that were scored."""
        return rows if self.among is None else as_int32(np.searchsorted(self.among, rows))

    def rows_at(self, places: IntArray) -> IntArray:
        """The inverse of `places`."""
        return places if self.among is None else self.among[places]

    @cached_property
    def parts(self) -> dict[str, FloatArray]:
        """What each term contributes to every track that was scored."""
        return {name: self._part(name, slice(None)) for name in self.plain}

    def parts_at(self, rows: IntArray) -> dict[str, FloatArray]:
        """What each term contributes to `rows`."""
        places = self.places(rows)
        return {name: self._part(name, places) for name in self.plain}

    def standard(self, name: str, rows: IntArray) -> FloatArray:
        """A term's standard scores of `rows`: mean 0 and deviation 1 over the catalogue."""
        mean, deviation = self.scales[name]
        if not deviation:
            return np.zeros(len(rows), dtype=np.float32)
        return (self.plain[name][self.places(rows)] - np.float32(mean)) * np.float32(1.0 / deviation)

    def contributions(self, row: int) -> dict[str, float]:
        """Each term's share of the score of one track."""
        return {name: float(part[0]) for name, part in self.parts_at(np.array([row], dtype=np.int32)).items()}

    def _part(self, name: str, places: IntArray | slice) -> FloatArray:
        mean, deviation = self.scales[name]
        if not deviation:
            return np.zeros_like(self.plain[name][places])
        return (self.plain[name][places] - np.float32(mean)) * np.float32(self.weights[name] / deviation)


def standardise(scores: FloatArray, heavy_tailed: bool) -> FloatArray:
    """Zero mean and unit deviation over the catalogue, in place; signed square root first if heavy-tailed.

    A term without an opinion (all scores equal) becomes 0 everywhere.
    """
    mean, deviation = _scale(scores, heavy_tailed)
    scores -= np.float32(mean)
    scores *= np.float32(1.0 / deviation if deviation else 0.0)
    return scores


def _scale(scores: FloatArray, heavy_tailed: bool) -> tuple[float, float]:
    """Take the signed root in place if heavy-tailed; mean and deviation, which is 0 if all scores are equal."""
    if not len(scores):
        return 0.0, 0.0
    if heavy_tailed:
        _signed_root(scores)
    # About the first value, so that a term with a large mean and a small deviation loses no digits.
    away = scores - scores[0]
    shift = float(away.mean())
    deviation = float(np.sqrt(max(float(np.dot(away, away)) / len(away) - shift**2, 0.0)))
    return float(scores[0]) + shift, deviation if deviation >= 1e-6 else 0.0


def _signed_root(scores: FloatArray) -> None:
    """sign(x) * sqrt(|x|), in place."""
    if scores.min(initial=0.0) >= 0:
        np.sqrt(scores, out=scores)
    else:
        np.copysign(np.sqrt(np.abs(scores)), scores, out=scores)


def blend(terms: Mapping[str, Term], weights: Mapping[str, float], listener: Listener) -> Scores:
    """Score all tracks by the weighted sum of the standardised terms that are given a weight; O(n) per term.

    What the listener adjusted is standardised on the scale of what was learned, so that turning one artist, genre or
    feature up or down changes its own part of the score and nothing else. Raises ValueError if no term has a weight.
    """
    return summed({name: said_of_all(term, listener) for name, term in terms.items() if name in weights}, weights)


def summed(said: Mapping[str, Said], weights: Mapping[str, float], among: IntArray | None = None) -> Scores:
    """The weighted sum of what the terms have said, `among` a few tracks or of all. Raises ValueError if none has."""
    if not said:
        raise ValueError("no term has a weight")
    plain = {name: one.plain for name, one in said.items()}
    scales = {name: one.scale for name, one in said.items()}
    rows = {name: one.rows for name, one in said.items() if one.rows is not None}
    total = _total(plain, scales, rows, weights)
    return Scores(total, plain, scales, {name: weights[name] for name in said}, rows, among)


def _total(
    plain: Mapping[str, FloatArray],
    scales: Mapping[str, tuple[float, float]],
    rows: Mapping[str, IntArray],
    weights: Mapping[str, float],
) -> FloatArray:
    """The weighted sum of the standard scores, float32[n]."""
    total = np.zeros_like(next(iter(plain.values())))
    share, constant = np.empty_like(total), 0.0
    for name, (mean, deviation) in scales.items():
        factor = weights[name] / deviation if deviation else 0.0
        constant += factor * mean
        if name in rows:
            total[rows[name]] += plain[name][rows[name]] * np.float32(factor)
        elif factor:
            total += np.multiply(plain[name], np.float32(factor), out=share)
    total -= np.float32(constant)
    return total


@dataclass(frozen=True, eq=False)
class Said:
    """A term's scores (after the root, if heavy-tailed) with their mean and deviation as learned; see Scores."""

    plain: FloatArray
    scale: tuple[float, float]
    rows: IntArray | None = None


def said_of_all(term: Term, listener: Listener) -> Said:
    """Ask one term about all tracks."""
    if isinstance(term, SparseTerm):
        scale, opinions = sparse_opinions(term, listener)
        return Said(opinions.of_all(), scale, opinions.rows)
    learned, is_adjusted = listener.as_learned(), _is_adjusted(term.name, listener)
    scores = term.score(learned)
    scale = _scale(scores, term.heavy_tailed)
    if is_adjusted:
        scores = term.score(listener)
        if term.heavy_tailed:
            _signed_root(scores)
    return Said(scores, scale)


def _rooted(term: SparseTerm, listener: Listener) -> Opinions:
    opinions = term.opinions(listener)
    if term.heavy_tailed:
        _signed_root(opinions.values)
    return opinions


def _is_adjusted(name: str, listener: Listener) -> bool:
    return name in ADJUSTABLE and not listener.adjustments.is_empty


def sparse_opinions(term: SparseTerm, listener: Listener) -> tuple[tuple[float, float], Opinions]:
    """Mean and deviation over all tracks of what was learned, and what the term says (both after the root)."""
    opinions = _rooted(term, listener.as_learned())
    scale = _sparse_scale(opinions)
    return scale, _rooted(term, listener) if _is_adjusted(term.name, listener) else opinions


def _sparse_scale(opinions: Opinions) -> tuple[float, float]:
    """Mean and deviation over all tracks of what was said of a few, as `_scale`."""
    n, values = max(opinions.n_tracks, 1), opinions.values.astype(np.float64)
    mean = float(values.sum()) / n
    deviation = float(np.sqrt(max(float(values @ values) / n - mean**2, 0.0)))
    return mean, deviation if deviation >= 1e-6 else 0.0


def weights_without(weights: Mapping[str, Weight], left_out: Collection[str]) -> dict[str, Weight]:
    """The weights of all terms but some, for instance for the `content` blend."""
    return {name: weight for name, weight in weights.items() if name not in left_out}
