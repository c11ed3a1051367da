"""`artist`: you like this artist, and artists credited together with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp

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
    members,
    sum_by_row,
)
from recommender.engine.data.checks import check_array, check_csr
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.terms.base import (
    STATED_WEIGHT,
    Cause,
    Progress,
    SparseScores,
    SparseTerm,
    TermsConfig,
    Weight,
    Wording,
    gettext_noop,
)
from recommender.engine.terms.causes import Naming, strongest

FEATURED_WEIGHT = 0.5
"""Credit weight of an artist credited second or later; the first has 1."""
SIZE_EXPONENT, SIZE_OFFSET = 0.5, 1.0
"""An artist's affinity is divided by (tracks + offset) ** exponent: one like among three songs says more than one
among three hundred."""
RELATED_WEIGHT, MAX_RELATED = 0.3, 20
"""Weight of artists credited together with a liked one, times the cosine of their common credits; the number kept."""


class ArtistTerm(SparseTerm):
    """score[t] = sum over artists j of t: credit[t, j] * size_discount[j] * sum over a: related[j, a] * affinity[a].

    affinity[a] sums the listener's weights of tracks by a, times the credit weight, and stated favourites. related is 1
    for the artist itself and RELATED_WEIGHT * cosine of common credits for others. size_discount[j] = (tracks of j +
    SIZE_OFFSET) ** -SIZE_EXPONENT. A collaboration therefore counts for each of its artists, most for the first. The
    listener's adjustment of an artist is a factor of that affinity.
    """

    name: ClassVar[str] = "artist"
    label: ClassVar[str] = gettext_noop("The song's artists")
    wording: ClassVar[Wording | None] = {}
    default_weight: ClassVar[Weight] = 1.0
    similar_weight: ClassVar[float] = 0.5
    is_adjustable: ClassVar[bool] = True
    sqrt_transform: ClassVar[bool] = True
    is_collaborative: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._credit_weight = as_float32(arrays["role"])
        self._size_discount = as_float32(arrays["reach"])
        self._related_indptr = as_int32(arrays["related_indptr"])
        self._related_indices = as_int32(arrays["related_indices"])
        self._related_weight = as_float32(arrays["related_weight"])
        self._indptr, self._indices = catalogue.artist_indptr, catalogue.artist_indices
        self._n_artists = catalogue.n_artists
        self._n_tracks = catalogue.n_tracks
        self._naming = Naming(catalogue)
        self._credit_indptr = as_int32(arrays["credit_indptr"])
        self._credit_track = as_int32(arrays["credit_track"])
        self._weight_of_credit = as_float32(arrays["credit_role"])
        self._check()

    def _check(self) -> None:
        n_artists = self._n_artists
        check_csr("artist.related", self._related_indptr, self._related_indices, n_artists, n_artists)
        check_csr("artist.credit", self._credit_indptr, self._credit_track, n_artists, self._n_tracks)
        check_array("artist.role", self._credit_weight, np.float32, self._indices.shape)
        check_array("artist.reach", self._size_discount, np.float32, (n_artists,))
        check_array("artist.related_weight", self._related_weight, np.float32, self._related_indices.shape)
        check_array("artist.credit_role", self._weight_of_credit, np.float32, self._credit_track.shape)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        credit_weight = _credit_weights(catalogue)
        # Copies: scipy may reorder what it holds, and the order of credits matters.
        credited = csr(
            credit_weight.copy(), catalogue.artist_indices.copy(), catalogue.artist_indptr.copy(), catalogue.n_artists
        )
        progress("related artists", 0.0)
        related = _related_artists(credited)
        progress("related artists", 1.0)
        active = credit_weight * np.repeat(catalogue.active, np.diff(catalogue.artist_indptr))
        tracks = np.bincount(catalogue.artist_indices, weights=active, minlength=catalogue.n_artists)
        size_discount = (tracks + SIZE_OFFSET) ** -SIZE_EXPONENT
        credit_indptr, credit = members(catalogue.artist_indices, catalogue.n_artists)
        track = np.repeat(np.arange(catalogue.n_tracks, dtype=np.int32), np.diff(catalogue.artist_indptr))
        arrays = {
            "role": credit_weight,
            "reach": size_discount.astype(np.float32),
            "related_indptr": related.indptr.astype(np.int32),
            "related_indices": related.indices.astype(np.int32),
            "related_weight": related.data.astype(np.float32),
            # Every credit once more, artist by artist.
            "credit_indptr": credit_indptr,
            "credit_track": track[credit],
            "credit_role": credit_weight[credit],
        }
        return cls(arrays, catalogue, config)

    def sparse_scores(self, listener: ListenerProfile) -> SparseScores:
        artists, affinity = self.affinity(listener)
        owner, position = csr_slice(self._related_indptr, artists)
        spread = affinity[owner] * self._related_weight[position]
        reached, liked = sum_by_row(self._related_indices[position], spread, self._n_artists)
        owner, position = csr_slice(self._credit_indptr, reached)
        values = (liked * self._size_discount[reached])[owner] * self._weight_of_credit[position]
        return SparseScores(*sum_by_row(self._credit_track[position], values, self._n_tracks), self._n_tracks)

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        artists, affinity = self.affinity(listener)
        sources = self._sources(artists, rows)
        credit_owner, credit = csr_slice(self._indptr, listener.rows)
        credited, added = self._indices[credit], listener.weights[credit_owner] * self._credit_weight[credit]
        chosen = set(listener.artists.tolist())

        @cache  # songs of one page share their artists
        def behind(artist: int, is_for: bool) -> list[int]:
            owned = np.flatnonzero(credited == artist)
            return self._naming.behind(listener, credit_owner[owned], added[owned], is_for)

        def named(cause: Cause, row: int) -> Cause:
            songs = behind(cause.index, cause.value > 0)
            return self._naming.backed(cause, listener, songs, row, cause.index in chosen)

        return [
            strongest(self._causes(row, artists, affinity, sources), limit, partial(named, row=row))
            for row in map(int, rows)
        ]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {
            "role": self._credit_weight,
            "reach": self._size_discount,
            "related_indptr": self._related_indptr,
            "related_indices": self._related_indices,
            "related_weight": self._related_weight,
            "credit_indptr": self._credit_indptr,
            "credit_track": self._credit_track,
            "credit_role": self._weight_of_credit,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays, catalogue, config)

    def affinity(self, listener: ListenerProfile) -> tuple[IntArray, FloatArray]:
        """Return the artists with feedback of the listener, int32[a], and how much each is liked, float32[a]."""
        return listener.cached(self._affinity)

    def _affinity(self, listener: ListenerProfile) -> tuple[IntArray, FloatArray]:
        owner, position = csr_slice(self._indptr, listener.rows)
        everyone = np.concatenate([self._indices[position], listener.artists])
        stated = np.full(len(listener.artists), STATED_WEIGHT, dtype=np.float32)
        weights = np.concatenate([listener.weights[owner] * self._credit_weight[position], stated])
        artists, inverse = np.unique(everyone, return_inverse=True)
        affinity = np.bincount(inverse, weights=weights, minlength=len(artists)).astype(np.float32)
        adjusted = listener.adjustments
        if len(adjusted.artists):
            _known, adjusted_index, which = np.intersect1d(artists, adjusted.artists, return_indices=True)
            affinity[adjusted_index] *= adjusted.artist_factors[which]
        return artists.astype(np.int32), affinity

    def _sources(self, artists: IntArray, rows: IntArray) -> dict[int, list[tuple[int, float]]]:
        """Return for each artist credited on `rows` the related `artists` (their index) and the weights."""
        credited = np.zeros(self._n_artists, dtype=np.bool_)
        credited[self._indices[csr_slice(self._indptr, rows)[1]]] = True
        owner, position = csr_slice(self._related_indptr, artists)
        # A listener with a thousand likes is related to most artists, a page has few.
        is_credited = credited[self._related_indices[position]]
        owner, position = owner[is_credited], position[is_credited]
        sources: dict[int, list[tuple[int, float]]] = {}
        entries = zip(owner, self._related_indices[position], self._related_weight[position], strict=True)
        for source, reached, weight in entries:
            sources.setdefault(int(reached), []).append((int(source), float(weight)))
        return sources

    def _causes(
        self, row: int, artists: IntArray, affinity: FloatArray, sources: dict[int, list[tuple[int, float]]]
    ) -> list[Cause]:
        """Return what each of the listener's artists added to the score of one track."""
        values: dict[int, float] = {}
        for position in range(self._indptr[row], self._indptr[row + 1]):
            credited = int(self._indices[position])
            strength = float(self._credit_weight[position] * self._size_discount[credited])
            for source, weight in sources.get(credited, ()):
                values[source] = values.get(source, 0.0) + strength * weight * float(affinity[source])
        return [Cause("artist", int(artists[source]), value) for source, value in values.items()]


def _credit_weights(catalogue: Catalogue) -> FloatArray:
    credit_weight = np.full(len(catalogue.artist_indices), FEATURED_WEIGHT, dtype=np.float32)
    starts = catalogue.artist_indptr[:-1][np.diff(catalogue.artist_indptr) > 0]
    credit_weight[starts] = 1.0
    return credit_weight


def _related_artists(credited: Sparse) -> Sparse:
    """Return weights from each artist to related ones: 1 for itself, else RELATED_WEIGHT * cosine of common credits.

    Tracks with more than 20 artists are ignored off the diagonal: the credits of a sampler say little about its artists
    and would cost their square.
    """
    n_artists = credited.shape[1]
    together = np.diff(credited.indptr)
    shared = sp.csr_array(credited[(together > 1) & (together <= 20)])
    common = sp.csr_array(shared.T @ shared)
    norm = np.sqrt(np.bincount(credited.indices, weights=credited.data.astype(np.float64) ** 2, minlength=n_artists))
    scale = sp.diags_array(1.0 / np.maximum(norm, 1e-9))
    cosine = sp.coo_array(scale @ common @ scale)
    off = cosine.row != cosine.col
    values = (RELATED_WEIGHT * cosine.data[off]).astype(np.float32)
    others = sp.csr_array((values, (cosine.row[off], cosine.col[off])), shape=(n_artists, n_artists))
    related = keep_largest_per_row(others, MAX_RELATED)
    return sp.csr_array(related + sp.eye_array(n_artists, dtype=np.float32, format="csr"))
