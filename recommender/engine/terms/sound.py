"""The sound of a song as columns of a linear model: curves of every feature, and products of every two.

A straight line expresses "the faster, the better", a curve "about this fast" or "very fast or very slow", a product
"fast if it is loud, else slow". The curves are polynomials of the feature's rank among the songs, so that no scale has
to be chosen and an outlier counts no more than being last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, as_float32
from recommender.engine.fitting.relevance import AudioConfig, Prior

Values: TypeAlias = NDArray[np.float64]
NOMINAL = ("key", "mode", "time_signature")
"""Features without a meaningful order; they have no curves and no products."""
MIN_DEVIATION = 1e-6


@dataclass(frozen=True, eq=False)
class SoundColumns:
    """The layout of the D columns. The first `stored` are stored for every song: a straight line of each of the C
    features that can be ranked, then their curves, then nominal features as they are. The others are products of two
    of the first C, computed on demand.

    features: the one or two feature names of each of the D columns. degree: of each column's polynomial, 0 of nominal
    features and products. first, second: int32[P], the straight lines that products are made of.
    """

    features: tuple[tuple[str, ...], ...]
    degree: IntArray
    stored: int
    first: IntArray
    second: IntArray

    @classmethod
    def of(cls, columns: tuple[str, ...], degree: int) -> Self:
        """Return the layout for these features, with `degree` curves each."""
        ranked = [name for name in columns if name not in NOMINAL]
        nominal = [name for name in columns if name in NOMINAL for _ in range(2 if name == "key" else 1)]
        first, second = np.triu_indices(len(ranked), 1)
        curves = [(name,) for _ in range(degree) for name in ranked] + [(name,) for name in nominal]
        pairs = [(ranked[i], ranked[j]) for i, j in zip(first, second, strict=True)]
        degrees = np.zeros(len(curves) + len(pairs), dtype=np.int32)
        degrees[: degree * len(ranked)] = np.repeat(np.arange(1, degree + 1), len(ranked))
        return cls((*curves, *pairs), degrees, len(curves), first.astype(np.int32), second.astype(np.int32))

    @property
    def lines(self) -> int:
        """C, the number of features with a straight line."""
        return int((self.degree == 1).sum())

    def prior(self, covariance: Values, config: AudioConfig) -> Prior:
        """Return the prior of a taste; covariance: float64[D, D], of the columns over the catalogue."""
        variance = np.full(len(self.features), config.nominal)
        variance[self.stored :] = config.products
        curved = self.degree > 0
        variance[curved] = config.decay ** (self.degree[curved] - 1.0)
        numbers: dict[tuple[str, ...], int] = {}
        keys = [NOMINAL if names[0] in NOMINAL else names for names in self.features]
        group = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int32)
        return Prior(variance, group, covariance)

    def products(self, vectors: FloatArray) -> FloatArray:
        """Return the products of the straight lines, float32[n, P], of stored columns float32[n, `stored`]."""
        return vectors[:, self.first] * vectors[:, self.second]

    def moments(self, vectors: FloatArray, certainty: FloatArray) -> tuple[FloatArray, Values]:
        """Return the means of the products, float32[P], and the covariance of all columns, float64[D, D].

        vectors: float32[n, `stored`], of a sample of songs; certainty: float32[n]. Estimated songs count less.
        """
        products, weight = self.products(vectors), np.square(certainty, dtype=np.float64)
        total = max(float(weight.sum()), 1.0)
        means = products.sum(axis=0, dtype=np.float64) / total
        columns = np.hstack([vectors, products - np.outer(weight, means)])
        return as_float32(means), columns.T @ columns / total


def curves(values: FloatArray, known: BoolArray, certainty: FloatArray, degree: int) -> FloatArray:
    """Return Legendre polynomials of degree 1.. of the ranks of a feature, float32[degree, n], 0 if it is unknown.

    They have mean 0 and deviation 1 over the songs, weighted by `certainty` (float32[n]).
    """
    out = np.zeros((degree, len(values)), dtype=np.float32)
    weight = certainty[known].astype(np.float64)
    if weight.sum() <= 0.0:
        return out
    _, level = np.unique(values[known], return_inverse=True)
    share = np.bincount(level, weights=weight) / weight.sum()
    # Songs of equal value share the middle of their ranks, which run from -1 to 1.
    rank = 2.0 * np.cumsum(share) - share - 1.0
    basis = legendre.legvander(rank, degree)[:, 1:]
    basis -= share @ basis
    deviation = np.sqrt(share @ basis**2)
    basis = np.divide(basis, deviation, out=np.zeros_like(basis), where=deviation > MIN_DEVIATION)
    out[:, known] = basis[level].T
    return out


def stored_columns(
    scaled: FloatArray, dimensions: NDArray[np.str_], missing: BoolArray, certainty: FloatArray, degree: int
) -> FloatArray:
    """Return the stored columns of `SoundColumns` as rows, float32[S, n], times each song's certainty.

    scaled: float32[n, D'], features of comparable scales; dimensions: the feature behind each of its columns; missing:
    bool[n, D']; certainty: float32[n] in 0..1.
    """
    ranked = np.flatnonzero(~np.isin(dimensions, NOMINAL))
    nominal = np.flatnonzero(np.isin(dimensions, NOMINAL))
    lines = degree * len(ranked)
    out = np.empty((lines + len(nominal), len(scaled)), dtype=np.float32)
    for number, column in enumerate(ranked):
        out[number : lines : len(ranked)] = curves(scaled[:, column], ~missing[:, column], certainty, degree)
    # A key's two columns form a circle whose centre means no key; the others are centred on 0 already.
    out[lines:] = scaled[:, nominal].T
    out *= certainty
    return out
