"""Sparse weights between items, from the lists they share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recommender.engine.data.arrays import IntArray, Sparse, as_float32, as_int32, csr
from recommender.engine.data.interaction_matrix import column_counts, row_lengths

BLOCK_PRODUCTS = 4_000_000
"""Co-occurrences counted at a time and thread, which bounds the memory."""


@dataclass(frozen=True)
class CooccurrenceConfig:
    """Item-to-item weights (`item_to_item`).

    n_neighbours: weights kept per song. power: exponent of both counts (0.5 = cosine; less favours popular songs).
    length_power: a list of n songs counts n ** -length_power. shrinkage: listeners of the rarer song that halve the
    distance to its unshrunk weight. max_list: size of the sample that is taken of a longer list, so that the work
    stays linear.

    All are first choices, and no search for better ones is on record; what the term as a whole finds is in
    benchmarks/results/2026-11.md.
    """

    n_neighbours: int = 200
    power: float = 0.4
    length_power: float = 0.5
    shrinkage: float = 3.0
    max_list: int = 300


def neighbours(liked: Sparse, config: CooccurrenceConfig, wanted: IntArray | None = None) -> Sparse:
    """Return the weights of each item's `n_neighbours` nearest, items x items, float32 > 0.

    liked: lists x items, lists of bounded length.

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
        return _largest(part, config.n_neighbours)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        blocks = list(pool.map(block, _blocks(liked, items)))
    return _stacked(blocks, liked.shape[1])


def _stacked(blocks: list[Sparse], n_columns: int) -> Sparse:
    """Return the rows of all blocks, stacked."""
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


def _largest(part: Sparse, limit: int) -> Sparse:
    """Return the `limit` largest positive entries of each row, by a partition, which is linear."""
    counts = np.diff(part.indptr)
    keep = part.data > 0
    for row in np.flatnonzero(counts > limit):
        start, stop = part.indptr[row], part.indptr[row + 1]
        surplus = counts[row] - limit
        keep[start + np.argpartition(part.data[start:stop], surplus)[:surplus]] = False
    row_of: IntArray = np.repeat(np.arange(part.shape[0], dtype=np.int32), counts)[keep]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row_of, minlength=part.shape[0]))])
    return csr(as_float32(part.data[keep]), as_int32(part.indices[keep]), as_int32(indptr), part.shape[1])
