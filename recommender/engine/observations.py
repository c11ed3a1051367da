"""All listeners' interactions as one sparse matrix."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recommender.engine.arrays import FloatArray, IntArray, Sparse, as_float32, as_int32, csr
from recommender.engine.data import Interactions


def weight_matrix(interactions: Interactions, n_tracks: int) -> Sparse:
    """Signed weights, listeners x tracks, repeated pairs added up and cut to -1..1; pairs that cancel out are gone.

    Beyond one full like, how often something was played says more about the habit than about the taste.
    """
    shape = (interactions.n_listeners, n_tracks)
    summed = sp.coo_array((interactions.weight, (interactions.listener, interactions.row)), shape=shape).tocsr()
    data = np.clip(summed.data, -1.0, 1.0)
    matrix = sp.csr_array((as_float32(data), summed.indices, summed.indptr), shape=shape)
    matrix.eliminate_zeros()
    return matrix


def liked_matrix(interactions: Interactions, n_tracks: int) -> Sparse:
    """The positive part of `weight_matrix`."""
    matrix = weight_matrix(interactions, n_tracks)
    matrix.data = np.maximum(matrix.data, np.float32(0.0))
    matrix.eliminate_zeros()
    return matrix


def liked_pairs(interactions: Interactions) -> tuple[IntArray, IntArray]:
    """Distinct listeners and rows of positive weight, in the order of listener and row: int32[pairs] each."""
    liked = interactions.weight > 0
    # One number for both: a sort by two columns takes ten times as long.
    numbers = np.unique((interactions.listener[liked].astype(np.int64) << 32) + interactions.row[liked])
    return as_int32(numbers >> 32), as_int32(numbers & 0xFFFFFFFF)


def with_short_lists(matrix: Sparse, limit: int, rng: np.random.Generator) -> Sparse:
    """The matrix with at most `limit` entries in each row, a random sample of the longer ones."""
    lengths = np.diff(matrix.indptr)
    if not (lengths > limit).any():
        return matrix
    row = np.repeat(np.arange(matrix.shape[0]), lengths)
    order = np.lexsort((rng.random(len(row)), row))
    rank = np.arange(len(row)) - matrix.indptr[row]
    kept = np.sort(order[rank < limit])
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, limit))])
    return csr(as_float32(matrix.data[kept]), as_int32(matrix.indices[kept]), as_int32(indptr), matrix.shape[1])


def column_counts(matrix: Sparse) -> FloatArray:
    """Number of entries of each column, float32[columns]."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float32)


def row_lengths(matrix: Sparse) -> IntArray:
    """Number of entries of each row, int32[rows]."""
    return as_int32(np.diff(matrix.indptr))
