"""Mean and deviation of a linear term over all tracks, without scoring them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.data.arrays import AnyArray, FloatArray, Sparse, as_int32, dense
from recommender.engine.data.checks import check_csr, check_rows
from recommender.engine.terms.base import LinearTerm, Term

CHUNK = 50_000
"""Tracks that are read together."""
MIN_DEVIATION = 1e-6
"""Below this deviation all scores count as equal, as in the blend."""


@dataclass(frozen=True, eq=False)
class ScoreStatistics:
    """Moments of the item vectors of all tracks, minus the first one: mean float64[d], mean products float64 d x d.

    first: float64[d], the vector of the first track, so that a large mean with a small deviation loses no digits.
    """

    mean: NDArray[np.float64]
    products: Sparse
    first: NDArray[np.float64]

    @classmethod
    def of(cls, term: LinearTerm, n_tracks: int) -> Self:
        """Return the moments of all n tracks, in one pass."""
        sample = term.item_vectors(np.zeros(1, dtype=np.int32))
        first, is_sparse = dense(sample)[0].astype(np.float64), sp.issparse(sample)
        total, products = np.zeros(len(first)), sp.csr_array((len(first), len(first)), dtype=np.float64)
        # Sparse vectors have small values; shifting them would fill the zeros.
        first = np.zeros_like(first) if is_sparse else first
        for start in range(0, n_tracks, CHUNK):
            rows = np.arange(start, min(start + CHUNK, n_tracks), dtype=np.int32)
            vectors = term.item_vectors(rows)
            away = vectors.astype(np.float64) if is_sparse else vectors - first
            total += np.asarray(away.sum(axis=0)).ravel()
            products = products + sp.csr_array(away.T @ away)
        return cls(total / n_tracks, sp.csr_array(products / n_tracks), first)

    def scale(self, user_vector: FloatArray) -> tuple[float, float]:
        """Return mean and deviation of the term's scores for a user vector; deviation 0 if all scores are equal."""
        vector = user_vector.astype(np.float64)
        shift = float(self.mean @ vector)
        deviation = float(np.sqrt(max(float(vector @ (self.products @ vector)) - shift**2, 0.0)))
        return float(self.first @ vector) + shift, deviation if deviation >= MIN_DEVIATION else 0.0

    def arrays(self) -> Mapping[str, AnyArray]:
        """Return the arrays to store."""
        parts = {"data": self.products.data, "indices": self.products.indices, "indptr": self.products.indptr}
        return {"mean": self.mean, "first": self.first} | {f"products_{name}": part for name, part in parts.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Return the statistics that were stored. Raise KeyError if an array is missing."""
        mean, first = (np.asarray(arrays[name], dtype=np.float64) for name in ("mean", "first"))
        data = np.asarray(arrays["products_data"], dtype=np.float64)
        indices, indptr = (as_int32(arrays[f"products_{name}"]) for name in ("indices", "indptr"))
        check_csr("products", indptr, indices, len(mean), len(mean))
        check_rows("moments", len(mean), mean=mean, first=first)
        check_rows("moments", len(indices), products_data=data)
        return cls(mean, sp.csr_array((data, indices, indptr), shape=(len(mean), len(mean))), first)


def fit_score_statistics(terms: Mapping[str, Term], n_tracks: int) -> dict[str, ScoreStatistics]:
    """Return the statistics of all linear terms, by name; none for an empty catalogue."""
    if not n_tracks:
        return {}
    return {name: ScoreStatistics.of(term, n_tracks) for name, term in terms.items() if isinstance(term, LinearTerm)}
