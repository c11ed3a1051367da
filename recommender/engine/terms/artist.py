"""`artist`: you like this artist, and artists credited together with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp

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
    members,
    sum_by_row,
)
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms.base import Cause, Opinions, Progress, SparseTerm, Valued, strongest, strongest_tracks


class ArtistTerm(SparseTerm):
    """score[t] = sum over artists j of t: role[t, j] * reach[j] * sum over a: related[j, a] * affinity[a].

    affinity[a] sums the listener's weights of tracks by a (times the role there) and stated favourites; related is 1
    for the artist itself and related_artist * cosine of common credits for others; reach[j] = (tracks of j + offset) **
    -exponent. A collaboration therefore counts for each of its artists, most for the first. The listener's adjustment
    of an artist is a factor of that affinity.
    """

    name: ClassVar[str] = "artist"
    heavy_tailed: ClassVar[bool] = True
    needs_listeners: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._role = as_float32(arrays["role"])
        self._reach = as_float32(arrays["reach"])
        self._related_indptr = as_int32(arrays["related_indptr"])
        self._related_indices = as_int32(arrays["related_indices"])
        self._related_weight = as_float32(arrays["related_weight"])
        self._indptr, self._indices = catalogue.artist_indptr, catalogue.artist_indices
        self._n_artists = catalogue.n_artists
        self._n_tracks = catalogue.n_tracks
        self._stated = config.stated_artist
        self._credit_indptr = as_int32(arrays["credit_indptr"])
        self._credit_track = as_int32(arrays["credit_track"])
        self._credit_role = as_float32(arrays["credit_role"])

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        role = _roles(catalogue, config)
        # Copies: scipy may reorder what it holds, and the order of credits matters.
        credited = csr(
            role.copy(), catalogue.artist_indices.copy(), catalogue.artist_indptr.copy(), catalogue.n_artists
        )
        progress("related artists", 0.0)
        related = _related_artists(credited, config)
        progress("related artists", 1.0)
        active = role * np.repeat(catalogue.active, np.diff(catalogue.artist_indptr))
        tracks = np.bincount(catalogue.artist_indices, weights=active, minlength=catalogue.n_artists)
        reach = (tracks + config.artist_size_offset) ** -config.artist_size_exponent
        credit_indptr, credit = members(catalogue.artist_indices, catalogue.n_artists)
        track = np.repeat(np.arange(catalogue.n_tracks, dtype=np.int32), np.diff(catalogue.artist_indptr))
        arrays = {
            "role": role,
            "reach": reach.astype(np.float32),
            "related_indptr": related.indptr.astype(np.int32),
            "related_indices": related.indices.astype(np.int32),
            "related_weight": related.data.astype(np.float32),
            # Every credit once more, artist by artist.
            "credit_indptr": credit_indptr,
            "credit_track": track[credit],
            "credit_role": role[credit],
        }
        return cls(arrays, catalogue, config)

    def opinions(self, listener: Listener) -> Opinions:
        artists, affinity = self.affinity(listener)
        owner, position = csr_slice(self._related_indptr, artists)
        spread = affinity[owner] * self._related_weight[position]
        reached, liked = sum_by_row(self._related_indices[position], spread, self._n_artists)
        owner, position = csr_slice(self._credit_indptr, reached)
        values = (liked * self._reach[reached])[owner] * self._credit_role[position]
        return Opinions(*sum_by_row(self._credit_track[position], values, self._n_tracks), self._n_tracks)

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        artists, affinity = self.affinity(listener)
        sources = self._sources(artists, rows)
        credit_owner, credit = csr_slice(self._indptr, listener.rows)
        credited = self._indices[credit]

        @cache  # songs of one page share their artists
        def behind(artist: int) -> tuple[int, ...]:
            owned = credit_owner[credited == artist]
            return strongest_tracks(listener.rows[owned], listener.weights[owned])

        found = [strongest(self._values(int(row), artists, affinity, sources), limit) for row in rows]
        return [[Cause("artist", artist, value, behind(artist)) for artist, value in values] for values in found]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {
            "role": self._role,
            "reach": self._reach,
            "related_indptr": self._related_indptr,
            "related_indices": self._related_indices,
            "related_weight": self._related_weight,
            "credit_indptr": self._credit_indptr,
            "credit_track": self._credit_track,
            "credit_role": self._credit_role,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def affinity(self, listener: Listener) -> tuple[IntArray, FloatArray]:
        """The artists of whom the listener has shown something, int32[a], and how much they are liked, float32[a]."""
        return listener.once(self._affinity)

    def _affinity(self, listener: Listener) -> tuple[IntArray, FloatArray]:
        owner, position = csr_slice(self._indptr, listener.rows)
        everyone = np.concatenate([self._indices[position], listener.artists])
        stated = np.full(len(listener.artists), self._stated, dtype=np.float32)
        weights = np.concatenate([listener.weights[owner] * self._role[position], stated])
        artists, inverse = np.unique(everyone, return_inverse=True)
        affinity = np.bincount(inverse, weights=weights, minlength=len(artists)).astype(np.float32)
        adjusted = listener.adjustments
        if len(adjusted.artists):
            _known, place, which = np.intersect1d(artists, adjusted.artists, return_indices=True)
            affinity[place] *= adjusted.artist_factors[which]
        return artists.astype(np.int32), affinity

    def _sources(self, artists: IntArray, rows: IntArray) -> dict[int, list[tuple[int, float]]]:
        """Which of `artists`, by place, reach an artist credited on `rows`, and with what weight."""
        credited = np.zeros(self._n_artists, dtype=np.bool_)
        credited[self._indices[csr_slice(self._indptr, rows)[1]]] = True
        owner, position = csr_slice(self._related_indptr, artists)
        # Who has liked a thousand songs reaches most artists; a page has few.
        kept = credited[self._related_indices[position]]
        owner, position = owner[kept], position[kept]
        sources: dict[int, list[tuple[int, float]]] = {}
        entries = zip(owner, self._related_indices[position], self._related_weight[position], strict=True)
        for source, reached, weight in entries:
            sources.setdefault(int(reached), []).append((int(source), float(weight)))
        return sources

    def _values(
        self, row: int, artists: IntArray, affinity: FloatArray, sources: dict[int, list[tuple[int, float]]]
    ) -> list[Valued]:
        """What each of the listener's artists added to the score of one track."""
        values: dict[int, float] = {}
        for position in range(self._indptr[row], self._indptr[row + 1]):
            credited = int(self._indices[position])
            strength = float(self._role[position] * self._reach[credited])
            for source, weight in sources.get(credited, ()):
                values[source] = values.get(source, 0.0) + strength * weight * float(affinity[source])
        return [(int(artists[source]), value) for source, value in values.items()]


def _roles(catalogue: Catalogue, config: EngineConfig) -> FloatArray:
    role = np.full(len(catalogue.artist_indices), config.featured_artist, dtype=np.float32)
    starts = catalogue.artist_indptr[:-1][np.diff(catalogue.artist_indptr) > 0]
    role[starts] = 1.0
    return role


def _related_artists(credited: Sparse, config: EngineConfig) -> Sparse:
    """Row a: the artists that a like of a reaches. 1 for itself, else related_artist * cosine of common credits.

    Only tracks with several artists matter off the diagonal; tracks with very many are left out, as a sampler's credits
    say little about its artists and would cost their square.
    """
    n_artists = credited.shape[1]
    together = np.diff(credited.indptr)
    shared = sp.csr_array(credited[(together > 1) & (together <= 20)])
    common = sp.csr_array(shared.T @ shared)
    norm = np.sqrt(np.bincount(credited.indices, weights=credited.data.astype(np.float64) ** 2, minlength=n_artists))
    scale = sp.diags_array(1.0 / np.maximum(norm, 1e-9))
    cosine = sp.coo_array(scale @ common @ scale)
    off = cosine.row != cosine.col
    values = (config.related_artist * cosine.data[off]).astype(np.float32)
    others = sp.csr_array((values, (cosine.row[off], cosine.col[off])), shape=(n_artists, n_artists))
    kept = keep_largest_per_row(others, config.related_artists_kept)
    return sp.csr_array(kept + sp.eye_array(n_artists, dtype=np.float32, format="csr"))
