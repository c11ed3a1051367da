"""Mean and deviation of a linear term over all tracks, without scoring them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.arrays import AnyArray, FloatArray, Sparse, as_int32, dense
from recommender.engine.terms.base import LinearTerm, Term

CHUNK = 50_000
"""Tracks looked at together."""
LEAST_DEVIATION = 1e-6
"""Below it all scores count as equal, as in the blend."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Of the coordinates of all tracks about the first one: mean float64[d], mean products float64 d x d; and that
    one's coordinates, float64[d], so that a large mean with a small deviation loses no digits.
    """

    mean: NDArray[np.float64]
    products: Sparse
    first: NDArray[np.float64]

    @classmethod
    def of(cls, term: LinearTerm, n_tracks: int) -> Self:
        """Go through all n tracks once."""
        sample = term.coordinates(np.zeros(1, dtype=np.int32))
        first, is_sparse = dense(sample)[0].astype(np.float64), sp.issparse(sample)
        total, products = np.zeros(len(first)), sp.csr_array((len(first), len(first)), dtype=np.float64)
        # Sparse coordinates are products of small numbers; shifting them would fill the zeros.
        first = np.zeros_like(first) if is_sparse else first
        for start in range(0, n_tracks, CHUNK):
            rows = np.arange(start, min(start + CHUNK, n_tracks), dtype=np.int32)
            found = term.coordinates(rows)
            away = found.astype(np.float64) if is_sparse else found - first
            total += np.asarray(away.sum(axis=0)).ravel()
            products = products + sp.csr_array(away.T @ away)
        return cls(total / n_tracks, sp.csr_array(products / n_tracks), first)

    def scale(self, direction: FloatArray) -> tuple[float, float]:
        """Mean and deviation of the term's score for a listener of this direction; 0 if all scores are equal."""
        asked = direction.astype(np.float64)
        shift = float(self.mean @ asked)
        deviation = float(np.sqrt(max(float(asked @ (self.products @ asked)) - shift**2, 0.0)))
        return float(self.first @ asked) + shift, deviation if deviation >= LEAST_DEVIATION else 0.0

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored."""
        parts = {"data": self.products.data, "indices": self.products.indices, "indptr": self.products.indptr}
        return {"mean": self.mean, "first": self.first} | {f"products_{name}": part for name, part in parts.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """The inverse of `arrays`. Raises KeyError if one is missing."""
        mean, first = (np.asarray(arrays[name], dtype=np.float64) for name in ("mean", "first"))
        data = np.asarray(arrays["products_data"], dtype=np.float64)
        indices, indptr = (as_int32(arrays[f"products_{name}"]) for name in ("indices", "indptr"))
        return cls(mean, sp.csr_array((data, indices, indptr), shape=(len(mean), len(mean))), first)


def moments_of(terms: Mapping[str, Term], n_tracks: int) -> dict[str, Moments]:
    """The moments of all linear terms, by name; none of an empty catalogue."""
    if not n_tracks:
        return {}
    return {name: Moments.of(term, n_tracks) for name, term in terms.items() if isinstance(term, LinearTerm)}
