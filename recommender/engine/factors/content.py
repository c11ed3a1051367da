"""Factors of items that nobody has interacted with, from their artists, genres and sound."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, Sparse, as_float32
from recommender.engine.config import FactorConfig


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


def unheard_factors(
    factors: FloatArray, counts: FloatArray, first_artist: IntArray, content: FloatArray, settings: FactorConfig
) -> FloatArray:
    """Factors for songs that nobody has heard, by their first artist: float32[artists + 1, f], last for "no artist".

    factors: float32[m, f], counts: float32[m] and first_artist: int32[m] (-1 = none) of the heard songs; content:
    float32[artists + 1, D], mean content of each artist's songs. An artist somebody has heard has the mean of the heard
    songs, by count and drawn towards 0; another what a ridge regression of those means on content predicts.
    """
    artists = len(content)
    by_artist = sp.csr_array((counts, (first_artist % artists, np.arange(len(counts)))), shape=(artists, len(counts)))
    total = np.asarray(by_artist.sum(axis=1), dtype=np.float32).ravel()
    means = as_float32((by_artist @ factors) / np.maximum(total + settings.artist_prior, 1e-9)[:, None])
    heard = total > 0
    if not heard.all():
        means[~heard] = content[~heard] @ _ridge(content[heard], means[heard], total[heard], settings.content_ridge)
    return means


def _ridge(content: FloatArray, factors: FloatArray, counts: FloatArray, ridge: float) -> FloatArray:
    weighted = content * np.sqrt(counts)[:, None]
    system = (weighted.T @ weighted).astype(np.float64) + ridge * np.eye(content.shape[1])
    right = (content * counts[:, None]).T @ factors
    return np.asarray(np.linalg.solve(system, right.astype(np.float64)), dtype=np.float32)


def artist_content(genres: Sparse, sound: FloatArray, first_artist: IntArray, n_artists: int, kept: int) -> FloatArray:
    """Mean content of the songs of each first artist, float32[n_artists + 1, D]; last: of songs without one.

    Content of a song: a constant, its sound (float32[n, S]), its square, and the `kept` commonest genres (n x genres).
    """
    common = np.sort(np.argsort(-np.bincount(genres.indices, minlength=genres.shape[1]), kind="stable")[:kept])
    number = np.bincount(first_artist % (n_artists + 1), minlength=n_artists + 1)
    of_artist = songs_of_artists(first_artist, n_artists)
    by_artist = [of_artist @ sound, of_artist @ sound**2, sp.csr_array(of_artist @ genres[:, common]).toarray()]
    means = np.concatenate(by_artist, axis=1) / np.maximum(number, 1)[:, None]
    return np.concatenate([np.ones((len(means), 1)), means], axis=1, dtype=np.float32)


def songs_of_artists(first_artist: IntArray, n_artists: int) -> Sparse:
    """1 for each song of each first artist (int32[n], -1 = none): (n_artists + 1) x n, last: of songs without one."""
    pairs = np.ones(len(first_artist), np.float32), (first_artist % (n_artists + 1), np.arange(len(first_artist)))
    return sp.csr_array(pairs, shape=(n_artists + 1, len(first_artist)))


def lines_of_songs(
    heard_lines: FloatArray, heard: BoolArray, artist_lines: FloatArray, first_artist: IntArray
) -> tuple[FloatArray, IntArray]:
    """A table of lines float32[k, d] and each song's place in it, int32[n]: a heard song has its own, the others share
    their first artist's.

    heard_lines: float32[m, d] of the m `heard` (bool[n]) songs, which come first; artist_lines: float32[artists + 1,
    d], last of songs without an artist; first_artist: int32[n], -1 = none. Only the artists' lines in use are kept.
    """
    needed, number = np.unique(first_artist[~heard] % len(artist_lines), return_inverse=True)
    place = np.empty(len(heard), dtype=np.int32)
    place[heard] = np.arange(len(heard_lines), dtype=np.int32)
    place[~heard] = len(heard_lines) + number
    return np.concatenate([heard_lines, artist_lines[needed]]), place
