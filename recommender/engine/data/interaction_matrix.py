"""All listeners' interactions as one sparse matrix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from recommender.engine.data import Interactions
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, Sparse, as_float32, as_int32, csr

STRONG = 0.75
"""Smallest absolute weight of a like or dislike; a play or skip alone weighs less."""


def weight_matrix(interactions: Interactions, n_tracks: int) -> Sparse:
    """Return signed weights, listeners x tracks: sums per pair, clipped to -1..1, without zeros.

    The clip is there because play counts beyond one full like measure habit rather than taste.
    """
    shape = (interactions.n_listeners, n_tracks)
    summed = sp.coo_array((interactions.weight, (interactions.listener, interactions.row)), shape=shape).tocsr()
    data = np.clip(summed.data, -1.0, 1.0)
    matrix = sp.csr_array((as_float32(data), summed.indices, summed.indptr), shape=shape)
    matrix.eliminate_zeros()
    return matrix


def liked_matrix(interactions: Interactions, n_tracks: int) -> Sparse:
    """Return the positive part of `weight_matrix`."""
    matrix = weight_matrix(interactions, n_tracks)
    matrix.data = np.maximum(matrix.data, np.float32(0.0))
    matrix.eliminate_zeros()
    return matrix


def rating_matrix(interactions: Interactions, n_tracks: int) -> Sparse:
    """Return ordinal ratings, listeners x tracks: 1 = disliked, 2 = skipped, 3 = played, 4 = liked."""
    matrix = weight_matrix(interactions, n_tracks)
    strong = np.abs(matrix.data) >= STRONG
    matrix.data = np.where(matrix.data > 0, np.where(strong, 4, 3), np.where(strong, 1, 2)).astype(np.float32)
    return matrix


def liked_pairs(interactions: Interactions) -> tuple[IntArray, IntArray]:
    """Return distinct (listener, row) pairs of positive weight, sorted: int32[pairs] each."""
    return _pairs(interactions, interactions.weight > 0)


def rows_by_listener(interactions: Interactions, chosen: BoolArray) -> list[IntArray]:
    """Return each listener's distinct rows among the `chosen` observations (bool[m])."""
    listener, row = _pairs(interactions, chosen)
    bounds = np.searchsorted(listener, np.arange(interactions.n_listeners + 1))
    return [row[low:high] for low, high in pairwise(bounds)]


def _pairs(interactions: Interactions, chosen: BoolArray) -> tuple[IntArray, IntArray]:
    # Both are packed into one number, because sorting by two columns takes ten times as long.
    numbers = np.sort((interactions.listener[chosen].astype(np.int64) << 32) + interactions.row[chosen])
    numbers = numbers[np.append(True, numbers[1:] != numbers[:-1])] if len(numbers) else numbers
    return as_int32(numbers >> 32), as_int32(numbers & 0xFFFFFFFF)


def with_short_lists(matrix: Sparse, limit: int, rng: np.random.Generator) -> Sparse:
    """Return the matrix with at most `limit` entries per row; longer rows are sampled at random."""
    lengths = np.diff(matrix.indptr)
    if not (lengths > limit).any():
        return matrix
    row = np.repeat(np.arange(matrix.shape[0]), lengths)
    order = np.lexsort((rng.random(len(row)), row))
    rank = np.arange(len(row)) - matrix.indptr[row]
    sampled = np.sort(order[rank < limit])
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, limit))])
    return csr(as_float32(matrix.data[sampled]), as_int32(matrix.indices[sampled]), as_int32(indptr), matrix.shape[1])


def column_counts(matrix: Sparse) -> FloatArray:
    """Return the number of entries of each column, float32[columns]."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float32)


def row_lengths(matrix: Sparse) -> IntArray:
    """Return the number of entries of each row, int32[rows]."""
    return as_int32(np.diff(matrix.indptr))
