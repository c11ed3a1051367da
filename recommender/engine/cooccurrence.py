"""Sparse weights between items, from the lists they share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from recommender.engine.arrays import FloatArray, IntArray, Sparse, as_float32, as_int32, csr
from recommender.engine.config import EaseConfig, NeighbourConfig
from recommender.engine.observations import column_counts, row_lengths

BLOCK_PRODUCTS = 4_000_000
"""Co-occurrences counted at a time and thread, which bounds the memory."""


def neighbours(liked: Sparse, config: NeighbourConfig, wanted: IntArray | None = None) -> Sparse:
    """Row: a liked item, columns: its `kept` nearest, float32 > 0. liked: lists x items, lists of bounded length.

    wanted: the items to find neighbours of, in the order of the rows; by default all.

    weight(i, j) = sum over lists with both of n ** -length_power / (size_i size_j) ** power * s / (s + shrinkage), with
    the sizes counted in the same way and s the number of lists of the rarer one: an asymmetric cosine (Aiolli 2013,
    "Efficient Top-N Recommendation for Very Large Scale Binary Rated Datasets") with significance weighting.
    """
    weight = np.maximum(row_lengths(liked), 1).astype(np.float32) ** -config.length_power
    left = sp.csr_array(sp.diags_array(weight) @ liked)
    size = np.maximum(np.bincount(left.indices, weights=left.data, minlength=liked.shape[1]), 1e-9)
    scale = sp.diags_array((size**-config.power).astype(np.float32))
    right = sp.csr_array(liked @ scale)
    items = np.arange(liked.shape[1], dtype=np.int32) if wanted is None else wanted
    rows = sp.csr_array((left @ scale).T)[items]
    counts = column_counts(liked)
    trust = counts / (counts + np.float32(config.shrinkage))

    def block(bounds: tuple[int, int]) -> Sparse:
        part = sp.csr_array(rows[bounds[0] : bounds[1]] @ right)
        row = np.repeat(items[bounds[0] : bounds[1]], np.diff(part.indptr))
        part.data *= np.minimum(trust[row], trust[part.indices])
        part.data[row == part.indices] = 0.0
        return _largest(part, config.kept)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        blocks = list(pool.map(block, _blocks(liked, items)))
    return _stacked(blocks, liked.shape[1])


def ease(liked: Sparse, config: EaseConfig) -> Sparse:
    """Weights of the linear autoencoder EASE (Steck 2019) among the most liked items, the largest of each row kept.

    Row: a liked item. Lists of n items count n ** -length_power. Items outside the `items` most liked have none.
    """
    counts = column_counts(liked)
    most = np.sort(np.argsort(-counts, kind="stable")[: min(config.items, int((counts > 0).sum()))])
    weight = np.maximum(row_lengths(liked), 1).astype(np.float32) ** (-config.length_power / 2)
    chosen = sp.csr_array(sp.diags_array(weight) @ liked[:, most])
    gram = sp.csr_array(chosen.T @ chosen).toarray().astype(np.float32)
    gram[np.diag_indices(len(most))] += np.float32(config.regularisation)
    inverse = _inverse(gram)
    weights = np.divide(inverse, -np.diag(inverse)[None, :], out=inverse)
    np.fill_diagonal(weights, 0.0)
    kept = min(config.kept, len(most))
    columns = _largest_columns(np.abs(weights), kept)
    data = np.take_along_axis(weights, columns, axis=1).ravel()
    row = np.repeat(most, kept)
    return sp.csr_array((data, (row, most[columns.ravel()])), shape=(liked.shape[1], liked.shape[1]))


def _largest_columns(values: FloatArray, kept: int) -> NDArray[np.intp]:
    """Columns of the `kept` largest of each row, in no particular order."""
    first = values.shape[1] - kept
    return np.argpartition(values, first, axis=1)[:, first:] if kept else np.empty((len(values), 0), np.intp)


def _inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of a symmetric positive definite matrix, by its Cholesky factor."""
    if not len(matrix):
        return matrix
    factor, _ = scipy.linalg.lapack.spotrf(matrix, lower=1)
    lower, _ = scipy.linalg.lapack.spotri(factor, lower=1)
    # Above the diagonal are the zeros of `spotrf`; the diagonal is there once.
    diagonal = lower.diagonal().copy()
    inverse = lower + lower.T
    np.fill_diagonal(inverse, diagonal)
    return as_float32(inverse)


def _stacked(blocks: list[Sparse], n_columns: int) -> Sparse:
    """The rows of all blocks, one below the other."""
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(np.diff(block.indptr) for block in blocks)])
    indptr = as_int32(np.concatenate([[0], np.cumsum(lengths)]))
    data = np.concatenate([np.empty(0, dtype=np.float32), *(block.data for block in blocks)])
    indices = np.concatenate([np.empty(0, dtype=np.int32), *(block.indices for block in blocks)])
    return csr(data, indices, indptr, n_columns)


def _blocks(liked: Sparse, items: IntArray) -> Iterator[tuple[int, int]]:
    """Ranges of places in `items` whose co-occurrences are about BLOCK_PRODUCTS, at most 1,024 items each."""
    row_of = np.repeat(np.arange(liked.shape[0]), np.diff(liked.indptr))
    work = np.bincount(liked.indices, weights=np.diff(liked.indptr)[row_of], minlength=liked.shape[1])
    done = np.concatenate([[0.0], np.cumsum(work[items])])
    start = 0
    while start < len(items):
        stop = int(np.searchsorted(done, done[start] + BLOCK_PRODUCTS, side="right")) - 1
        stop = min(max(stop, start + 1), start + 1024, len(items))
        yield start, stop
        start = stop


def _largest(part: Sparse, kept: int) -> Sparse:
    """The `kept` largest positive entries of each row; a partition per row is linear, sorting all entries is not."""
    counts = np.diff(part.indptr)
    keep = part.data > 0
    for row in np.flatnonzero(counts > kept):
        start, stop = part.indptr[row], part.indptr[row + 1]
        surplus = counts[row] - kept
        keep[start + np.argpartition(part.data[start:stop], surplus)[:surplus]] = False
    row_of: IntArray = np.repeat(np.arange(part.shape[0], dtype=np.int32), counts)[keep]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row_of, minlength=part.shape[0]))])
    return csr(as_float32(part.data[keep]), as_int32(part.indices[keep]), as_int32(indptr), part.shape[1])
