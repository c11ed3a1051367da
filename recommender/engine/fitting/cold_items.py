"""Factors of cold items (without interactions), from their artists, genres and sound."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, Sparse, as_float32

CONTENT_RIDGE = 50.0
"""Regularisation of the factors that are predicted from content."""


def artist_means(factors: FloatArray, counts: FloatArray, credits_: Sparse, shrinkage: float) -> FloatArray:
    """Return the mean factors of each item's artists, float32[n, f]: weighted by count, shrunk towards 0.

    factors: float32[n, f]; counts: float32[n], interactions of each item; credits_: n x artists; shrinkage:
    interactions of an artist at which the mean is shrunk by half.
    """
    total = credits_.T @ counts
    weighted = credits_.T @ (factors * counts[:, None])
    means = weighted / (total + shrinkage)[:, None]
    share = np.maximum(np.asarray(credits_.sum(axis=1)).ravel(), 1e-9)
    return np.asarray((credits_ @ means) / share[:, None], dtype=np.float32)


def cold_item_factors(
    factors: FloatArray,
    counts: FloatArray,
    first_artist: IntArray,
    content: FloatArray,
    artist_prior: float,
    ridge: float = CONTENT_RIDGE,
) -> FloatArray:
    """Return factors of cold songs by their first artist: float32[artists + 1, f], the last row for "no artist".

    factors: float32[m, f], counts: float32[m] and first_artist: int32[m] (-1 = none) of the warm songs; content:
    float32[artists + 1, D], mean content of each artist's songs. An artist with warm songs gets their mean, weighted by
    count and shrunk towards 0; another artist gets the prediction of a ridge regression of those means on content.
    """
    artists = len(content)
    by_artist = sp.csr_array((counts, (first_artist % artists, np.arange(len(counts)))), shape=(artists, len(counts)))
    total = np.asarray(by_artist.sum(axis=1), dtype=np.float32).ravel()
    means = as_float32((by_artist @ factors) / np.maximum(total + artist_prior, 1e-9)[:, None])
    heard = total > 0
    if not heard.all():
        means[~heard] = content[~heard] @ _ridge(content[heard], means[heard], total[heard], ridge)
    return means


def _ridge(content: FloatArray, factors: FloatArray, counts: FloatArray, ridge: float) -> FloatArray:
    weighted = content * np.sqrt(counts)[:, None]
    system = (weighted.T @ weighted).astype(np.float64) + ridge * np.eye(content.shape[1])
    right = (content * counts[:, None]).T @ factors
    return np.asarray(np.linalg.solve(system, right.astype(np.float64)), dtype=np.float32)


def artist_content(
    genres: Sparse, sound: FloatArray, first_artist: IntArray, n_artists: int, n_genres: int
) -> FloatArray:
    """Return the mean content of the songs of each first artist, float32[n_artists + 1, D]; the last row has no artist.

    The content of a song is a constant, its sound (float32[n, S]), its square, and the `n_genres` commonest genres.
    """
    common = np.sort(np.argsort(-np.bincount(genres.indices, minlength=genres.shape[1]), kind="stable")[:n_genres])
    number = np.bincount(first_artist % (n_artists + 1), minlength=n_artists + 1)
    of_artist = artist_item_matrix(first_artist, n_artists)
    by_artist = [of_artist @ sound, of_artist @ sound**2, sp.csr_array(of_artist @ genres[:, common]).toarray()]
    means = np.concatenate(by_artist, axis=1) / np.maximum(number, 1)[:, None]
    return np.concatenate([np.ones((len(means), 1)), means], axis=1, dtype=np.float32)


def artist_item_matrix(first_artist: IntArray, n_artists: int) -> Sparse:
    """Return indicators of songs by first artist (int32[n], -1 = none): (n_artists + 1) x n, the last row for none."""
    pairs = np.ones(len(first_artist), np.float32), (first_artist % (n_artists + 1), np.arange(len(first_artist)))
    return sp.csr_array(pairs, shape=(n_artists + 1, len(first_artist)))


def embedding_lookup(
    warm_vectors: FloatArray, is_warm: BoolArray, artist_vectors: FloatArray, first_artist: IntArray
) -> tuple[FloatArray, IntArray]:
    """Return an embedding table float32[k, d] and the row of each song in it, int32[n].

    Warm songs have their own row, cold songs share that of their first artist. warm_vectors: float32[m, d] of the m
    songs with `is_warm` (bool[n]), which come first; artist_vectors: float32[artists + 1, d], the last for songs of no
    artist; first_artist: int32[n], -1 = none. Only rows in use are stored.
    """
    needed, number = np.unique(first_artist[~is_warm] % len(artist_vectors), return_inverse=True)
    row_index = np.empty(len(is_warm), dtype=np.int32)
    row_index[is_warm] = np.arange(len(warm_vectors), dtype=np.int32)
    row_index[~is_warm] = len(warm_vectors) + number
    return np.concatenate([warm_vectors, artist_vectors[needed]]), row_index
