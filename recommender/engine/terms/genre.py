"""`genre`: artist-level genre profiles against the listener's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import (
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
from recommender.engine.data.checks import check_array, check_csr
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.terms.base import (
    STATED_WEIGHT,
    Cause,
    LinearTerm,
    Progress,
    TermsConfig,
    Weight,
    Wording,
    gettext_noop,
)
from recommender.engine.terms.causes import Naming, strongest

ARTIST_SHARE = 0.5
"""Share of a track's genre profile that comes from its artists' other tracks."""
MAX_GENRES = 8
"""Strongest genres kept per track."""


@dataclass(frozen=True, eq=False)
class GenreAffinity:
    """How much a listener likes each genre. own, float32[n_genres], by their songs and stated genres; chosen,
    float32[stated artists, n_genres], by each stated artist; total: their sum, of unit length before adjustments.
    """

    own: FloatArray
    chosen: FloatArray
    total: FloatArray


class GenreTerm(LinearTerm):
    """Cosine of a track's TF-IDF genre profile and the listener's signed sum of profiles, stated genres and artists.

    A track's profile mixes its own genres with the mean of its artists' (ARTIST_SHARE), so that a song
    without genres still has its artists'. TF-IDF with smoothed idf = ln((1 + n) / (1 + df)) + 1 and unit length, as
    scikit-learn's TfidfTransformer. A stated artist counts as STATED_WEIGHT likes of the mean of their songs. The
    listener's adjustment of a genre or artist is a factor of that genre or stated artist in their profile.
    """

    name: ClassVar[str] = "genre"
    label: ClassVar[str] = gettext_noop("The song's genres")
    wording: ClassVar[Wording | None] = {}
    default_weight: ClassVar[Weight] = (1.0, 0.5, 0.3, 0.2, 0.2)
    similar_weight: ClassVar[float] = 1.0
    is_adjustable: ClassVar[bool] = True
    sqrt_transform: ClassVar[bool] = False
    is_collaborative: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._weight = as_float32(arrays["weight"])
        self._indices = as_int32(arrays["indices"])
        self._indptr = as_int32(arrays["indptr"])
        self._n_genres = catalogue.n_genres
        check_csr("genre", self._indptr, self._indices, catalogue.n_tracks, catalogue.n_genres)
        check_array("genre.weight", self._weight, np.float32, self._indices.shape)
        self._credits = catalogue.artist_indptr, catalogue.artist_indices
        self._naming = Naming(catalogue)
        self._profiles = csr(self._weight, self._indices, self._indptr, self._n_genres)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        progress("genre profiles", 0.0)
        profiles = genre_profiles(catalogue)
        progress("genre profiles", 1.0)
        arrays = {
            "weight": profiles.data.astype(np.float32),
            "indices": profiles.indices.astype(np.int32),
            "indptr": profiles.indptr.astype(np.int32),
        }
        return cls(arrays, catalogue, config)

    def score_all(self, listener: ListenerProfile) -> FloatArray:
        return matvec(self._profiles, self.listener_profile(listener))

    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        return self.listener_profile(listener)

    def item_vectors(self, rows: IntArray) -> Sparse:
        owner, position = csr_slice(self._indptr, rows)
        indptr = np.searchsorted(owner, np.arange(len(rows) + 1)).astype(np.int32)
        return csr(self._weight[position], self._indices[position], indptr, self._n_genres)

    def projection(self, limit: int) -> FloatArray | None:
        if self._n_genres <= limit:
            return None
        together = sp.csr_array(self._profiles.T @ self._profiles).astype(np.float64)
        start = np.ones(self._n_genres)
        return as_float32(eigsh(together, k=limit, v0=start)[1])

    def item_groups(self) -> IntArray:
        """Return one number per distinct profile."""
        width = int(np.diff(self._indptr).max(initial=0))
        column = np.arange(len(self._indices)) - np.repeat(self._indptr[:-1], np.diff(self._indptr))
        owner = np.repeat(np.arange(len(self._indptr) - 1), np.diff(self._indptr))
        # Genres and weights side by side as bytes, so that equal profiles compare equal when sorted.
        padded = np.full((len(self._indptr) - 1, 2 * width + 1), -1, dtype=np.int32)
        padded[owner, column] = self._indices
        padded[owner, width + column] = self._weight.view(np.int32)
        lines = padded.view(np.dtype((np.void, padded.itemsize * padded.shape[1]))).ravel()
        return as_int32(np.unique(lines, return_inverse=True)[1])

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        affinity = listener.cached(self._affinity)
        owner, position = csr_slice(self._indptr, listener.rows)
        added = self._weight[position] * listener.weights[owner]
        indptr, entries_of = members(self._indices[position], self._n_genres)
        stated = set(listener.genres.tolist())

        @cache  # songs of one page share their genres
        def behind(genre: int, is_for: bool) -> list[int]:
            entries = entries_of[indptr[genre] : indptr[genre + 1]]
            return self._naming.behind(listener, owner[entries], added[entries], is_for)

        def named(cause: Cause, row: int) -> Cause:
            if cause.kind == "artist":
                return self._naming.backed(cause, listener, (), row, is_chosen=True)
            songs = behind(cause.index, cause.value > 0)
            return self._naming.backed(cause, listener, songs, row, cause.index in stated)

        causes = [self._causes(row, affinity, listener.artists) for row in map(int, rows)]
        return [
            strongest(row_causes, limit, partial(named, row=int(row)))
            for row, row_causes in zip(rows, causes, strict=True)
        ]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"weight": self._weight, "indices": self._indices, "indptr": self._indptr}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays, catalogue, config)

    def listener_profile(self, listener: ListenerProfile) -> FloatArray:
        """Return how much the listener likes each genre, float32[n_genres], of unit length before adjustments."""
        return listener.cached(self._affinity).total

    def _affinity(self, listener: ListenerProfile) -> GenreAffinity:
        owner, position = csr_slice(self._indptr, listener.rows)
        own = np.bincount(
            self._indices[position],
            weights=listener.weights[owner] * self._weight[position],
            minlength=self._n_genres,
        ).astype(np.float32)
        own[listener.genres] += np.float32(STATED_WEIGHT)
        chosen = self._profiles_of(listener.artists) * np.float32(STATED_WEIGHT)
        length = np.float32(np.linalg.norm(own + chosen.sum(axis=0)))
        # Adjustments apply after normalisation, so that the other genres keep their values.
        factor, by_artist = self._factors(listener)
        factor /= length or np.float32(1.0)
        own, chosen = own * factor, chosen * factor * by_artist[:, None]
        return GenreAffinity(own, chosen, own + chosen.sum(axis=0))

    def _factors(self, listener: ListenerProfile) -> tuple[FloatArray, FloatArray]:
        """Return the listener's factors of all genres and of their stated artists."""
        adjusted = listener.adjustments
        by_genre = np.ones(self._n_genres, dtype=np.float32)
        by_genre[adjusted.genres] = adjusted.genre_factors
        by_artist = np.ones(len(listener.artists), dtype=np.float32)
        _artists, stated_index, which = np.intersect1d(listener.artists, adjusted.artists, return_indices=True)
        by_artist[stated_index] = adjusted.artist_factors[which]
        return by_genre, by_artist

    def _profiles_of(self, artists: IntArray) -> FloatArray:
        """Return the mean profile of each artist's songs, float32[len(artists), n_genres]."""
        profiles = np.zeros((len(artists), self._n_genres), dtype=np.float32)
        indptr, indices = self._credits
        for position, artist in enumerate(artists):
            # Few artists are stated: a search for each costs less than keeping all credits sorted by artist.
            songs = np.searchsorted(indptr, np.flatnonzero(indices == artist), side="right") - 1
            if len(songs):
                profiles[position] = self._profiles[songs].mean(axis=0)
        return profiles

    def _causes(self, row: int, affinity: GenreAffinity, artists: IntArray) -> list[Cause]:
        """Return what each genre of one track, and each stated artist, added to its score."""
        entries = slice(int(self._indptr[row]), int(self._indptr[row + 1]))
        weight, genres = self._weight[entries], self._indices[entries]
        by_genre, by_artist = weight * affinity.own[genres], affinity.chosen[:, genres] @ weight
        return [
            *(Cause("genre", int(genre), float(value)) for genre, value in zip(genres, by_genre, strict=True) if value),
            *(Cause("artist", int(who), float(value)) for who, value in zip(artists, by_artist, strict=True) if value),
        ]


def genre_profiles(catalogue: Catalogue) -> Sparse:
    """Return the TF-IDF genre profiles of all tracks, rows of unit length, tracks x genres."""
    own = _row_normalised(membership(catalogue.genre_indptr, catalogue.genre_indices, catalogue.n_genres))
    credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)
    artists = _row_normalised(sp.csr_array(credited.T @ own))
    by_artist = _row_normalised(sp.csr_array(credited @ artists))
    share = np.float32(ARTIST_SHARE)
    mixed = keep_largest_per_row(sp.csr_array((1 - share) * own + share * by_artist), MAX_GENRES)
    document_frequency = np.bincount(mixed.indices, minlength=catalogue.n_genres)
    idf = np.log((1.0 + catalogue.n_tracks) / (1.0 + document_frequency)) + 1.0
    weighted = sp.csr_array((mixed.data * idf[mixed.indices], mixed.indices, mixed.indptr), shape=mixed.shape)
    return _row_normalised(weighted, order=2)


def _row_normalised(matrix: Sparse, order: int = 1) -> Sparse:
    """Return the matrix with rows of unit sum (order 1) or unit length (order 2); empty rows stay empty."""
    length = np.asarray((matrix.power(order)).sum(axis=1), dtype=np.float64).ravel() ** (1.0 / order)
    inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    data = matrix.data * np.repeat(inverse, np.diff(matrix.indptr))
    return sp.csr_array((data.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
