"""Exact least squares for many rows at once, the inner step of alternating least squares.

For a row with entries j of confidence w_j (beyond the 1 that every cell has) and preference p_j, the factors x minimise

    sum over all columns (x.y_j)^2  +  sum over entries [(1 + w_j) (p_j - x.y_j)^2 - (x.y_j)^2]  +  lambda |x - m|^2

(Hu, Koren & Volinsky 2008, with a Gaussian prior of mean m). A row with fewer entries than factors is solved in the
dual by the Woodbury identity, in the eigenbasis of Y'Y: n^2 f instead of f^3 operations for n entries.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.engine.data.arrays import FloatArray, IdArray, IntArray, Sparse, weighted_gram

BATCH_FLOATS = 1_500_000
"""Numbers gathered at a time and thread: 6 MB stay in a processor's cache."""


@dataclass(frozen=True, eq=False)
class GramEigen:
    """Eigen-decomposition of Y'Y, shared by all rows of a half-step. rotated: float32[m, f] = Y @ vectors."""

    values: FloatArray
    vectors: FloatArray
    rotated: FloatArray

    @classmethod
    def of(cls, factors: FloatArray) -> Self:
        """Decompose the Gram matrix of factors float32[m, f]."""
        values, vectors = np.linalg.eigh((factors.T @ factors).astype(np.float64))
        basis = vectors.astype(np.float32)
        return cls(np.maximum(values, 0.0).astype(np.float32), basis, factors @ basis)


@dataclass(frozen=True, eq=False)
class Observations:
    """Entries of some rows in CSR layout: confidence float32, positive, and preference float32, of each entry."""

    confidence: FloatArray
    preference: FloatArray
    indices: IntArray
    indptr: IdArray

    @classmethod
    def of(cls, weights: Sparse, alpha: float) -> Self:
        """Convert signed weights: confidence alpha * |w|, preference 1 for positive, max(w, -1) for negative ones."""
        data = np.asarray(weights.data, dtype=np.float32)
        confidence = np.float32(alpha) * np.maximum(np.abs(data), np.float32(1e-3))
        return cls(confidence, preference(data), weights.indices, weights.indptr.astype(np.int64))


def preference(weights: FloatArray) -> FloatArray:
    """Return the preference of each observation: 1 for any positive weight, down to -1 for a full dislike."""
    return np.where(weights > 0, np.float32(1.0), np.maximum(weights, np.float32(-1.0))).astype(np.float32)


def solve_rows(
    observed: Observations, gram: GramEigen, regularisation: FloatArray, prior: FloatArray | None = None
) -> FloatArray:
    """Solve for the factors of each row, float32[rows, f]. regularisation: float32[rows]; prior: float32[rows, f].

    A row without entries gets its prior (zero without one).
    """
    rows = len(observed.indptr) - 1
    rotated_prior = np.zeros((rows, len(gram.values)), np.float32) if prior is None else prior @ gram.vectors
    out = rotated_prior.copy()

    def solve(batch: tuple[IdArray, int]) -> None:
        ids, width = batch
        out[ids] = _solve_batch(observed, gram, regularisation[ids], rotated_prior[ids], ids, width)

    # BLAS threads only slow each other down on matrices this small.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for _ in pool.map(solve, _batches(observed.indptr, len(gram.values))):
            pass
    return np.asarray(out @ gram.vectors.T, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class FoldIn:
    """One row's normal equations: matrix float64[f, f]; observed float32[m, f], the factors of the observed columns;
    rhs float32[m], the coefficient of each of them on the right-hand side.
    """

    matrix: NDArray[np.float64]
    observed: FloatArray
    rhs: FloatArray

    @classmethod
    def of(
        cls, observed: FloatArray, weights: FloatArray, gram: FloatArray, alpha: float, regularisation: float
    ) -> Self:
        """Set up the equations of a row with signed weights float32[m]; gram: Y'Y, float32[f, f]."""
        confidence = np.float32(alpha) * np.abs(weights)
        matrix = gram + weighted_gram(observed, confidence)
        matrix[np.diag_indices(len(matrix))] += np.float32(regularisation)
        rhs = (np.float32(1.0) + confidence) * preference(weights) * (weights != 0)
        return cls(matrix.astype(np.float64), observed, np.asarray(rhs, dtype=np.float32))

    def factors(self) -> FloatArray:
        """Return the factors of the row, float32[f]."""
        right = (self.rhs @ self.observed).astype(np.float64)
        return np.asarray(np.linalg.solve(self.matrix, right), dtype=np.float32)

    def contributions(self, columns: FloatArray) -> FloatArray:
        """Return the share of each observation in the row's products with `columns` (float32[k, f]): float32[k, m].

        They sum to the products with `factors`, because the solution is linear in the preferences for given weights
        (Hu, Koren & Volinsky 2008, section 5). As the matrix is symmetric, k right-hand sides are solved instead of
        the m of a long history.
        """
        solved = np.linalg.solve(self.matrix, columns.T.astype(np.float64)).astype(np.float32)
        return np.asarray(solved.T @ self.observed.T * self.rhs, dtype=np.float32)


def _batches(indptr: IdArray, n_factors: int) -> Iterator[tuple[IdArray, int]]:
    """Yield batches of rows of similar length (ids, longest length), to limit padding; empty rows are left out."""
    lengths = np.diff(indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    sizes = lengths[order]
    start = 0
    while start < len(order):
        limit = max(int(sizes[start]) + 4, int(sizes[start] * 1.15))
        stop = int(np.searchsorted(sizes, limit, side="right"))
        stop = min(stop, start + max(1, BATCH_FLOATS // (limit * n_factors)))
        yield order[start:stop], int(sizes[stop - 1])
        start = stop


def _solve_batch(
    observed: Observations, gram: GramEigen, regularisation: FloatArray, prior: FloatArray, ids: IdArray, width: int
) -> FloatArray:
    """In the eigenbasis, with coordinates scaled so that Y'Y + lambda becomes the identity."""
    starts, offsets = observed.indptr[ids], np.arange(width)
    valid = offsets < (observed.indptr[ids + 1] - starts)[:, None]
    where = np.minimum(starts[:, None] + offsets, len(observed.indices) - 1)
    scale = 1.0 / np.sqrt(gram.values + regularisation[:, None])
    z = gram.rotated[observed.indices[where]]
    z *= scale[:, None, :]
    z *= valid[:, :, None]
    w = np.where(valid, observed.confidence[where], np.float32(1.0))
    target = np.where(valid, (1.0 + w) * observed.preference[where], np.float32(0.0))
    rhs = prior * regularisation[:, None] * scale
    solved = _dual(z, w, target, rhs) if width <= len(gram.values) else _primal(z, w * valid, target, rhs)
    return np.asarray(solved * scale, dtype=np.float32)


def _dual(z: FloatArray, w: FloatArray, target: FloatArray, rhs: FloatArray) -> FloatArray:
    kernel = z @ z.transpose(0, 2, 1)
    diagonal = np.arange(z.shape[1])
    kernel[:, diagonal, diagonal] += 1.0 / w
    right = target / w - (z @ rhs[:, :, None])[:, :, 0]
    solved = np.linalg.solve(kernel, right[:, :, None])
    return np.asarray((z.transpose(0, 2, 1) @ solved)[:, :, 0] + rhs, dtype=np.float32)


def _primal(z: FloatArray, w: FloatArray, target: FloatArray, rhs: FloatArray) -> FloatArray:
    system = (z * w[:, :, None]).transpose(0, 2, 1) @ z
    diagonal = np.arange(z.shape[2])
    system[:, diagonal, diagonal] += 1.0
    right = (z.transpose(0, 2, 1) @ target[:, :, None])[:, :, 0] + rhs
    return np.asarray(np.linalg.solve(system, right[:, :, None])[:, :, 0])
