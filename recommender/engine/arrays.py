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
    """The same as a plain array; one that is plain already is not copied."""
    return as_float32(matrix if isinstance(matrix, np.ndarray) else matrix.toarray())


def membership(indptr: IntArray, indices: IntArray, n_columns: int) -> Sparse:
    """1 for each member of each row, (len(indptr) - 1) x n_columns; of copies, as scipy may reorder what it holds."""
    return csr(np.ones(len(indices), dtype=np.float32), indices.copy(), indptr.copy(), n_columns)


def matvec(matrix: Sparse, vector: FloatArray) -> FloatArray:
    """Product of a float32 sparse matrix (n, m) and a vector (m,), as float32[n]."""
    return np.asarray(matrix @ vector, dtype=np.float32)


def dense_matvec(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Product of a float32 matrix (n, m) in rows and a vector (m,), as float32[n].

    By einsum, on purpose: for one vector and long tables its loop takes 0.6 times as long as OpenBLAS's.
    """
    return np.asarray(np.einsum("ij,j->i", matrix, vector), dtype=np.float32)


def weighted_gram(matrix: FloatArray, weight: FloatArray) -> FloatArray:
    """X' W X of a matrix (m, d) and weights (m,) >= 0, as float32[d, d]."""
    # The product of one array with itself is known to be symmetric, and takes half as long.
    scaled = matrix * np.sqrt(weight)[:, None]
    return np.asarray(scaled.T @ scaled, dtype=np.float32)


def csr_slice(indptr: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Positions of all entries of `rows` in a CSR layout.

    Returns `(owner, position)`: entry `position[i]` belongs to `rows[owner[i]]`; the order within a row is kept.
    """
    starts = indptr[rows].astype(np.int64)
    lengths = indptr[rows + 1].astype(np.int64) - starts
    owner = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
    offsets = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return owner, (starts[owner] + offsets).astype(np.int32)


def csr_any(indptr: IntArray, indices: IntArray, flags: BoolArray) -> BoolArray:
    """For each CSR row, whether any of its members is flagged: bool[len(indptr) - 1]."""
    seen = np.zeros(len(indices) + 1, dtype=np.int32)
    np.cumsum(flags[indices], out=seen[1:])
    return seen[indptr[1:]] > seen[indptr[:-1]]


def sum_by_row(rows: IntArray, values: AnyArray, n: int) -> tuple[IntArray, FloatArray]:
    """The distinct ones of `rows` (each in 0..n-1), in no particular order, and the sum of the values of each.

    Does not sort, and goes through all n only where the rows are many.
    """
    if 4 * len(rows) > n:
        seen = np.zeros(n, dtype=np.bool_)
        seen[rows] = True
        found = as_int32(np.flatnonzero(seen))
        return found, np.bincount(rows, weights=values, minlength=n)[found].astype(np.float32)
    number = np.empty(n, dtype=np.int32)
    places = np.arange(len(rows), dtype=np.int32)
    number[rows] = places
    distinct = rows[number[rows] == places]
    number[distinct] = places[: len(distinct)]
    return distinct, np.bincount(number[rows], weights=values, minlength=len(distinct)).astype(np.float32)


def members(groups: IntArray, n_groups: int) -> tuple[IntArray, IntArray]:
    """Places of each group's members, increasing, in a CSR layout: indptr int32[n_groups + 1], places int32[m].

    groups: int32[m], the group of each member.
    """
    indptr = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=n_groups))])
    # Numbers of 16 bits are sorted by radix, in a fraction of the time.
    short = groups.astype(np.uint16) if n_groups <= 2**16 else groups
    return as_int32(indptr), as_int32(np.argsort(short, kind="stable"))


def keep_largest_per_row(matrix: Sparse, limit: int) -> Sparse:
    """The same matrix with only the `limit` largest entries of each row (ties by column order)."""
    row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, row_of))
    rank = np.arange(len(order)) - np.asarray(matrix.indptr)[row_of[order]]
    kept = np.sort(order[rank < limit])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row_of[kept], minlength=matrix.shape[0]))])
    return csr(as_float32(matrix.data[kept]), as_int32(matrix.indices[kept]), as_int32(indptr), matrix.shape[1])


def top_rows(scores: FloatArray, limit: int, allowed: BoolArray | None = None) -> IntArray:
    """Rows of the `limit` largest finite scores (of the `allowed` rows), best first, ties by row; linear in n."""
    limit = min(limit, len(scores))
    if limit <= 0:
        return np.empty(0, dtype=np.int32)
    rows = _promising(scores, limit, allowed)
    values = scores[rows]
    if len(rows) > limit:
        cutoff = np.partition(values, len(rows) - limit)[len(rows) - limit]
        above, level = rows[values > cutoff], rows[values == cutoff]
        # Which of the rows that tie at the cut-off get in must not depend on how partition moves them.
        rows = np.concatenate([above, level[: limit - len(above)]])
    rows = rows[np.isfinite(scores[rows])]
    return as_int32(rows[np.lexsort((rows, -scores[rows]))])


def _promising(scores: FloatArray, limit: int, allowed: BoolArray | None) -> NDArray[np.intp]:
    """Increasing rows with the `limit` largest scores among them; a sample tells above which score to look."""
    step = max(len(scores) // 1024, 1)
    sample = scores[::step] if allowed is None else scores[::step][allowed[::step]]
    # Twice as many as expected above the bound, and a few more for a small limit.
    place = len(sample) - (2 * limit // step + 8)
    if step > 1 and place > 0:
        rows = np.flatnonzero(scores >= np.partition(sample, place)[place])
        rows = rows if allowed is None else rows[allowed[rows]]
        if len(rows) >= limit:
            return rows
    return np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
