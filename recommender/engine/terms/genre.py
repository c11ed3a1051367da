"""`genre`: artist-level genre profiles against the listener's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from recommender.engine.arrays import (
    AnyArray,
    FloatArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    csr,
    csr_slice,
    keep_largest_per_row,
    matvec,
    members,
    membership,
)
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms.base import Cause, LinearTerm, Progress, strongest, strongest_tracks


class GenreTerm(LinearTerm):
    """Cosine of a track's TF-IDF genre profile and the listener's signed sum of profiles and stated genres.

    A track's profile mixes its own genres with the mean of its artists' (share `genre_from_artist`), so that a song
    without genres still has its artists'. TF-IDF with smoothed idf = ln((1 + n) / (1 + df)) + 1 and unit length, as
    scikit-learn's TfidfTransformer. The listener's adjustment of a genre is a factor of that genre in their profile.
    """

    name: ClassVar[str] = "genre"
    heavy_tailed: ClassVar[bool] = False
    needs_listeners: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._weight = as_float32(arrays["weight"])
        self._indices = as_int32(arrays["indices"])
        self._indptr = as_int32(arrays["indptr"])
        self._n_genres = catalogue.n_genres
        self._stated = config.stated_genre
        self._profiles = csr(self._weight, self._indices, self._indptr, self._n_genres)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        progress("genre profiles", 0.0)
        profiles = genre_profiles(catalogue, config)
        progress("genre profiles", 1.0)
        arrays = {
            "weight": profiles.data.astype(np.float32),
            "indices": profiles.indices.astype(np.int32),
            "indptr": profiles.indptr.astype(np.int32),
        }
        return cls(arrays, catalogue, config)

    def score(self, listener: Listener) -> FloatArray:
        return matvec(self._profiles, self.listener_profile(listener))

    def direction(self, listener: Listener) -> FloatArray:
        return self.listener_profile(listener)

    def coordinates(self, rows: IntArray) -> Sparse:
        owner, position = csr_slice(self._indptr, rows)
        indptr = np.searchsorted(owner, np.arange(len(rows) + 1)).astype(np.int32)
        return csr(self._weight[position], self._indices[position], indptr, self._n_genres)

    def basis(self, limit: int) -> FloatArray | None:
        if self._n_genres <= limit:
            return None
        together = sp.csr_array(self._profiles.T @ self._profiles).astype(np.float64)
        start = np.ones(self._n_genres)
        return as_float32(eigsh(together, k=limit, v0=start)[1])

    def groups(self) -> IntArray:
        """Tracks of one profile have one number."""
        width = int(np.diff(self._indptr).max(initial=0))
        place = np.arange(len(self._indices)) - np.repeat(self._indptr[:-1], np.diff(self._indptr))
        owner = np.repeat(np.arange(len(self._indptr) - 1), np.diff(self._indptr))
        # Genres and weights side by side as bytes, so that equal profiles are equal numbers to the sorting.
        padded = np.full((len(self._indptr) - 1, 2 * width + 1), -1, dtype=np.int32)
        padded[owner, place] = self._indices
        padded[owner, width + place] = self._weight.view(np.int32)
        lines = padded.view(np.dtype((np.void, padded.itemsize * padded.shape[1]))).ravel()
        return as_int32(np.unique(lines, return_inverse=True)[1])

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        profile = self.listener_profile(listener)
        owner, position = csr_slice(self._indptr, listener.rows)
        weight_of = self._weight[position] * listener.weights[owner]
        indptr, entries_of = members(self._indices[position], self._n_genres)

        @cache  # songs of one page share their genres
        def behind(genre: int) -> tuple[int, ...]:
            chosen = entries_of[indptr[genre] : indptr[genre + 1]]
            return strongest_tracks(listener.rows[owner[chosen]], weight_of[chosen])

        causes = []
        for row in rows:
            entries = slice(int(self._indptr[row]), int(self._indptr[row + 1]))
            genres = self._indices[entries]
            values = self._weight[entries] * profile[genres]
            found = strongest([(int(g), float(v)) for g, v in zip(genres, values, strict=True) if v], limit)
            causes.append([Cause("genre", genre, value, behind(genre)) for genre, value in found])
        return causes

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"weight": self._weight, "indices": self._indices, "indptr": self._indptr}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def listener_profile(self, listener: Listener) -> FloatArray:
        """How much the listener likes each genre, float32[n_genres], of unit length before adjustments."""
        return listener.once(self._listener_profile)

    def _listener_profile(self, listener: Listener) -> FloatArray:
        owner, position = csr_slice(self._indptr, listener.rows)
        profile = np.bincount(
            self._indices[position],
            weights=listener.weights[owner] * self._weight[position],
            minlength=self._n_genres,
        ).astype(np.float32)
        profile[listener.genres] += np.float32(self._stated)
        length = np.float32(np.linalg.norm(profile))
        profile = profile / length if length else profile
        # After the length was taken, so that the other genres keep what they say.
        profile[listener.adjustments.genres] *= listener.adjustments.genre_factors
        return profile


def genre_profiles(catalogue: Catalogue, config: EngineConfig) -> Sparse:
    """TF-IDF genre profiles of all tracks, rows of unit length, tracks x genres."""
    own = _row_normalised(membership(catalogue.genre_indptr, catalogue.genre_indices, catalogue.n_genres))
    credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
    artists = _row_normalised(sp.csr_array(credited.T @ own))
    by_artist = _row_normalised(sp.csr_array(credited @ artists))
    share = np.float32(config.genre_from_artist)
    mixed = keep_largest_per_row(sp.csr_array((1 - share) * own + share * by_artist), config.genre_profile_kept)
    document_frequency = np.bincount(mixed.indices, minlength=catalogue.n_genres)
    idf = np.log((1.0 + catalogue.n_tracks) / (1.0 + document_frequency)) + 1.0
    weighted = sp.csr_array((mixed.data * idf[mixed.indices], mixed.indices, mixed.indptr), shape=mixed.shape)
    return _row_normalised(weighted, order=2)


def _row_normalised(matrix: Sparse, order: int = 1) -> Sparse:
    """The matrix with rows of unit sum (order 1) or unit length (order 2); empty rows stay empty."""
    length = np.asarray((matrix.power(order)).sum(axis=1), dtype=np.float64).ravel() ** (1.0 / order)
    inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    data = matrix.data * np.repeat(inverse, np.diff(matrix.indptr))
    return sp.csr_array((data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
