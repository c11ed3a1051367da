"""Symmetric matrices as packed upper triangles, which halves what is summed over listeners."""

from __future__ import annotations

import numpy as np

from recommender.engine.data.arrays import FloatArray, as_float32


def pairwise_products(vectors: FloatArray) -> FloatArray:
    """Return the pairwise products of the entries of each vector, float32[n, d (d + 1) / 2]."""
    row, column = np.triu_indices(vectors.shape[1])
    return vectors[:, row] * vectors[:, column]


def upper_triangles(matrices: FloatArray) -> FloatArray:
    """Return the upper triangles of symmetric matrices float32[n, d, d], in the order of `pairwise_products`."""
    row, column = np.triu_indices(matrices.shape[1])
    return as_float32(matrices[:, row, column])


def unpacked(packed: FloatArray, d: int) -> FloatArray:
    """Return the inverse of `upper_triangles`."""
    row, column = np.triu_indices(d)
    packed_index = np.empty((d, d), dtype=np.intp)
    packed_index[row, column] = packed_index[column, row] = np.arange(len(row))
    return packed.take(packed_index.ravel(), axis=1).reshape(len(packed), d, d)
