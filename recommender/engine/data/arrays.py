"""Array types and the few array operations that several engine modules share."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float32]
IntArray: TypeAlias = NDArray[np.int32]
IdArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
AnyArray: TypeAlias = NDArray[np.generic]
Sparse: TypeAlias = "sp.csr_array[Any, tuple[int, int]]"


def as_int32(values: ArrayLike) -> IntArray:
    """View or convert `values` as int32; an int32 array (also a memory-mapped one) is not copied."""
    return np.asarray(values, dtype=np.int32)


def as_float32(values: ArrayLike) -> FloatArray:
    """View or convert `values` as float32; a float32 array is not copied."""
    return np.asarray(values, dtype=np.float32)


def csr(data: FloatArray, indices: IntArray, indptr: IntArray, n_columns: int) -> Sparse:
    """Wrap existing buffers as a sparse matrix of shape (len(indptr) - 1, n_columns) without copying them."""
    return sp.csr_array((data, indices, indptr), shape=(len(indptr) - 1, n_columns), copy=False)


def dense(matrix: FloatArray | Sparse) -> FloatArray:
    """Convert to a dense array; a dense array is not copied."""
    return as_float32(matrix if isinstance(matrix, np.ndarray) else matrix.toarray())


def membership(indptr: IntArray, indices: IntArray, n_columns: int) -> Sparse:
    """Return the indicator matrix of CSR members, (len(indptr) - 1) x n_columns; copied, as scipy may reorder."""
    return csr(np.ones(len(indices), dtype=np.float32), indices.copy(), indptr.copy(), n_columns)


def matvec(matrix: Sparse, vector: FloatArray) -> FloatArray:
    """Return the product of a float32 sparse matrix (n, m) and a vector (m,), as float32[n]."""
    return np.asarray(matrix @ vector, dtype=np.float32)


def dense_matvec(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Return the product of a float32 matrix (n, m) and a vector (m,), as float32[n]."""
    return np.asarray(matrix @ vector, dtype=np.float32)


def products_at(embeddings: FloatArray, vectors: FloatArray, rows: IntArray) -> list[FloatArray]:
    """Return the products of `rows` (n,) of embeddings (m, d) with each of the vectors (k, d), float32[n] each."""
    return [products.take(rows) for products in as_float32(vectors @ embeddings.T)]


def weighted_gram(matrix: FloatArray, weight: FloatArray) -> FloatArray:
    """Return X' W X of a matrix (m, d) and weights (m,) >= 0, as float32[d, d]."""
    # BLAS knows that the product of an array with itself is symmetric, and halves the work.
    scaled = matrix * np.sqrt(weight)[:, None]
    return np.asarray(scaled.T @ scaled, dtype=np.float32)


def csr_slice(indptr: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return the positions of all entries of `rows` in a CSR layout.

    Returns `(owner, position)`: entry `position[i]` belongs to `rows[owner[i]]`; the order within a row is kept.
    """
    starts = indptr[rows].astype(np.int64)
    lengths = indptr[rows + 1].astype(np.int64) - starts
    owner = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
    # The offset from each output position to its entry in the input.
    position = np.repeat((starts - (np.cumsum(lengths) - lengths)).astype(np.int32), lengths)
    position += np.arange(len(owner), dtype=np.int32)
    return owner, position


def csr_any(indptr: IntArray, indices: IntArray, flags: BoolArray) -> BoolArray:
    """Return for each CSR row whether any of its members is flagged: bool[len(indptr) - 1]."""
    seen = np.zeros(len(indices) + 1, dtype=np.int32)
    np.cumsum(flags.take(indices), out=seen[1:])
    return seen[indptr[1:]] > seen[indptr[:-1]]


def sum_by_row(rows: IntArray, values: AnyArray, n: int) -> tuple[IntArray, FloatArray]:
    """Return the distinct `rows` (each in 0..n-1), unordered, and the sum of the values of each.

    It does not sort, and scans all n only if the rows are many; then rows whose sum is 0 are left out.
    """
    if 4 * len(rows) > n:
        # One column of a sparse matrix gives the sums of `bincount` in a third of the time.
        ends = np.array([0, len(rows)], dtype=np.int32)
        column = sp.csc_array((values.astype(np.float64), rows, ends), shape=(n, 1))
        total = np.asarray(column @ np.ones(1))
        distinct_rows = as_int32(np.flatnonzero(total != 0.0))
        return distinct_rows, total.take(distinct_rows).astype(np.float32)
    number = np.empty(n, dtype=np.int32)
    positions = np.arange(len(rows), dtype=np.int32)
    number[rows] = positions
    distinct = rows[number[rows] == positions]
    number[distinct] = positions[: len(distinct)]
    return distinct, np.bincount(number[rows], weights=values, minlength=len(distinct)).astype(np.float32)


def members(groups: IntArray, n_groups: int) -> tuple[IntArray, IntArray]:
    """Return the indices of each group's members, increasing, as CSR: indptr int32[n_groups + 1], indices int32[m].

    groups: int32[m], the group of each member.
    """
    indptr = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=n_groups))])
    # Numpy sorts 16-bit integers by radix, in a fraction of the time.
    short = groups.astype(np.uint16) if n_groups <= 2**16 else groups
    return as_int32(indptr), as_int32(np.argsort(short, kind="stable"))


def keep_largest_per_row(matrix: Sparse, limit: int) -> Sparse:
    """Return the matrix with only the `limit` largest entries of each row (ties by column order)."""
    row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, row_of))
    rank = np.arange(len(order)) - np.asarray(matrix.indptr)[row_of[order]]
    largest = np.sort(order[rank < limit])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row_of[largest], minlength=matrix.shape[0]))])
    return csr(as_float32(matrix.data[largest]), as_int32(matrix.indices[largest]), as_int32(indptr), matrix.shape[1])


def top_rows(scores: FloatArray, limit: int, allowed: BoolArray | None = None) -> IntArray:
    """Return the rows of the `limit` largest finite scores (of the `allowed` rows), best first, ties by row; O(n)."""
    limit = min(limit, len(scores))
    if limit <= 0:
        return np.empty(0, dtype=np.int32)
    rows = _promising(scores, limit, allowed)
    values = scores[rows]
    if len(rows) > limit:
        cutoff = np.partition(values, len(rows) - limit)[len(rows) - limit]
        above, level = rows[values > cutoff], rows[values == cutoff]
        # Rows that tie at the cut-off are taken in order, whatever order partition leaves them in.
        rows = np.concatenate([above, level[: limit - len(above)]])
    rows = rows[np.isfinite(scores[rows])]
    return as_int32(rows[np.lexsort((rows, -scores[rows]))])


def _promising(scores: FloatArray, limit: int, allowed: BoolArray | None) -> NDArray[np.intp]:
    """Return increasing rows that contain the `limit` largest scores, by a bound estimated from a sample."""
    step = max(len(scores) // 1024, 1)
    sample = scores[::step] if allowed is None else scores[::step][allowed[::step]]
    # Twice as many as expected above the bound, and a few more for a small limit.
    rank = len(sample) - (2 * limit // step + 8)
    if step > 1 and rank > 0:
        rows = np.flatnonzero(scores >= np.partition(sample, rank)[rank])
        rows = rows if allowed is None else rows[allowed[rows]]
        if len(rows) >= limit:
            return rows
    return np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)


def unit_vectors(vectors: FloatArray) -> FloatArray:
    """Return `vectors` (float32[c, d]) scaled to length 1; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros(vectors.shape, dtype=np.float32), where=length > 0)
    return np.asarray(unit, dtype=np.float32)


def flags_of(members: IntArray | list[int], size: int) -> BoolArray:
    """Return which of 0..size-1 are members: bool[size]."""
    flags = np.zeros(size, dtype=np.bool_)
    flags[members if len(members) else np.empty(0, dtype=np.int32)] = True
    return flags
