"""Factors of items that nobody has interacted with, from their artists, genres and sound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from recommender.engine.arrays import BoolArray, FloatArray, Sparse


def artist_means(factors: FloatArray, counts: FloatArray, credits_: Sparse, shrinkage: float) -> FloatArray:
    """Mean factors of each item's artists, float32[n, f]: over their items by count, drawn towards 0.

    factors: float32[n, f]; counts: float32[n], interactions of each item; credits_: n x artists; shrinkage:
    interactions an artist needs for half of the mean to be believed.
    """
    total = credits_.T @ counts
    weighted = credits_.T @ (factors * counts[:, None])
    means = weighted / (total + shrinkage)[:, None]
    share = np.maximum(np.asarray(credits_.sum(axis=1)).ravel(), 1e-9)
    return np.asarray((credits_ @ means) / share[:, None], dtype=np.float32)


def content_factors(
    factors: FloatArray,
    counts: FloatArray,
    credits_: Sparse,
    content: Callable[[BoolArray], FloatArray],
    shrinkage: float,
    ridge: float,
) -> FloatArray:
    """`factors` with the rows of items without interactions predicted: float32[n, f].

    An item of an artist somebody has heard gets the mean of its artists' items; the others what a ridge regression of
    the fitted factors, weighted by their counts, makes of their content (float32[rows, D] of the rows flagged).
    """
    heard: BoolArray = counts > 0
    out = factors.copy()
    if not heard.any() or heard.all():
        return out
    means = artist_means(factors, counts, credits_, shrinkage)
    familiar = np.asarray(credits_ @ (credits_.T @ counts)) > 0
    out[~heard] = means[~heard]
    unfamiliar = ~heard & ~familiar
    if unfamiliar.any():
        out[unfamiliar] = content(unfamiliar) @ _ridge(content(heard), factors[heard], counts[heard], ridge)
    return out


def _ridge(content: FloatArray, factors: FloatArray, counts: FloatArray, ridge: float) -> FloatArray:
    weighted = content * np.sqrt(counts)[:, None]
    system = (weighted.T @ weighted).astype(np.float64) + ridge * np.eye(content.shape[1])
    right = (content * counts[:, None]).T @ factors
    return np.asarray(np.linalg.solve(system, right.astype(np.float64)), dtype=np.float32)


def dense_content(genres: Sparse, sound: FloatArray, kept: int) -> Callable[[BoolArray], FloatArray]:
    """Content of flagged items as float32[rows, D]: a constant, sound, its square, the `kept` commonest genres."""
    size = np.bincount(genres.indices, minlength=genres.shape[1])
    common = sp.csr_array(sp.csc_array(genres)[:, np.sort(np.argsort(-size, kind="stable")[:kept])])

    def of(flags: BoolArray) -> FloatArray:
        heard = sound[flags]
        constant = np.ones((len(heard), 1), dtype=np.float32)
        return np.concatenate([constant, heard, heard**2, common[flags].toarray()], axis=1, dtype=np.float32)

    return of
