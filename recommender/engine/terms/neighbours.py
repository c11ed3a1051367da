"""`item_to_item` and `ease`: people who like your songs like these; sparse weights between songs."""

from __future__ import annotations

from collections.abc import Mapping
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
    csr_slice,
    sum_by_row,
)
from recommender.engine.config import EngineConfig
from recommender.engine.cooccurrence import ease, neighbours
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.observations import liked_matrix, with_short_lists
from recommender.engine.terms.base import Cause, Change, Opinions, Progress, SparseTerm, no_progress, track_causes


class SparseWeightsTerm(SparseTerm):
    """score[t] = sum over the listener's songs r of weight_r * W[r, t]; signed, so dislikes push neighbours down."""

    heavy_tailed: ClassVar[bool] = True
    needs_listeners: ClassVar[bool] = True

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._weight = as_float32(arrays["weight"])
        self._indices = as_int32(arrays["indices"])
        self._indptr = as_int32(arrays["indptr"])
        self._n_tracks = catalogue.n_tracks

    @classmethod
    def weights(cls, liked: Sparse, config: EngineConfig) -> Sparse:
        """Weights between the columns of a compact listeners x tracks matrix."""
        raise NotImplementedError

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        progress("neighbours", 0.0)
        liked = liked_matrix(interactions, catalogue.n_tracks)
        if np.count_nonzero(np.diff(liked.indptr)) < config.term_min_listeners:
            return cls(_spread(None, np.empty(0, np.int32), catalogue.n_tracks), catalogue, config)
        heard = np.flatnonzero(np.bincount(liked.indices, minlength=catalogue.n_tracks)).astype(np.int32)
        short = with_short_lists(liked[:, heard], config.neighbours.max_list, rng)
        found = cls.weights(short, config)
        progress("neighbours", 1.0)
        return cls(_spread(found, heard, catalogue.n_tracks), catalogue, config)

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
    ) -> Self:
        """The weights there are, with the tracks in their new rows; a fit where there are none."""
        if not len(self._weight):
            return self.fit(catalogue, interactions, config, rng, no_progress)
        return type(self)(_arrays(self._moved(change)), catalogue, config)

    def _moved(self, change: Change) -> Sparse:
        """The weights between the tracks in their new rows, n x n."""
        known = change.old_rows >= 0
        new_of = np.full(self._n_tracks, -1, dtype=np.int32)
        new_of[change.old_rows[known]] = np.flatnonzero(known)
        source = np.repeat(new_of, np.diff(self._indptr))
        target = new_of[self._indices]
        kept = (source >= 0) & (target >= 0)
        n = len(change.old_rows)
        return sp.csr_array((self._weight[kept], (source[kept], target[kept])), shape=(n, n))

    def opinions(self, listener: Listener) -> Opinions:
        owner, position = listener.once(self._entries)
        weights = listener.weights[owner] * self._weight[position]
        return Opinions(*sum_by_row(self._indices[position], weights, self._n_tracks), self._n_tracks)

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        source, target, weight = self.pairs(listener, rows)
        values = np.zeros((len(rows), len(listener.rows)), dtype=np.float32)
        values[target, source] = weight * listener.weights[source]
        return track_causes(listener.rows, values, limit)

    def pairs(self, listener: Listener, targets: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """The entries of W between the listener's songs and distinct `targets`: places in both, and the weights."""
        place = np.full(self._n_tracks, -1, dtype=np.int32)
        place[targets] = np.arange(len(targets), dtype=np.int32)
        owner, position = listener.once(self._entries)
        column = place[self._indices[position]]
        found = np.flatnonzero(column >= 0)
        return owner[found], column[found], self._weight[position[found]]

    def _entries(self, listener: Listener) -> tuple[IntArray, IntArray]:
        """Owner and position of the weights of the listener's songs, as `csr_slice` has them."""
        return csr_slice(self._indptr, listener.rows)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"weight": self._weight, "indices": self._indices, "indptr": self._indptr}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)


class ItemToItemTerm(SparseWeightsTerm):
    """Shrunk asymmetric cosine of the listeners two songs share, the nearest of each song."""

    name: ClassVar[str] = "item_to_item"

    @classmethod
    def weights(cls, liked: Sparse, config: EngineConfig) -> Sparse:
        return neighbours(liked, config.neighbours)

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
    ) -> Self:
        """Neighbours of the tracks whose listeners have changed are counted anew, those of the others kept."""
        if not len(self._weight):
            return self.fit(catalogue, interactions, config, rng, no_progress)
        liked = with_short_lists(liked_matrix(interactions, catalogue.n_tracks), config.neighbours.max_list, rng)
        touched = np.flatnonzero(change.touched | (change.old_rows < 0)).astype(np.int32)
        counted = neighbours(liked, config.neighbours, touched)
        kept = sp.csr_array(sp.diags_array((~change.touched).astype(np.float32)) @ self._moved(change))
        row = np.repeat(touched, np.diff(counted.indptr))
        fresh = sp.csr_array((counted.data, (row, counted.indices)), shape=kept.shape)
        return type(self)(_arrays(kept + fresh), catalogue, config)


class EaseTerm(SparseWeightsTerm):
    """Weights of a linear autoencoder among the most liked songs: what a song adds to what the others already say."""

    name: ClassVar[str] = "ease"

    @classmethod
    def weights(cls, liked: Sparse, config: EngineConfig) -> Sparse:
        return ease(liked, config.ease)


def _arrays(weights: Sparse) -> dict[str, AnyArray]:
    weights.eliminate_zeros()
    return {
        "weight": as_float32(weights.data),
        "indices": as_int32(weights.indices),
        "indptr": as_int32(weights.indptr),
    }


def _spread(found: Sparse | None, heard: IntArray, n_tracks: int) -> dict[str, AnyArray]:
    """Arrays over all tracks of weights between the tracks `heard`."""
    lengths = np.zeros(n_tracks, dtype=np.int64)
    if found is None:
        data, indices = np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int32)
    else:
        lengths[heard] = np.diff(found.indptr)
        data, indices = as_float32(found.data), heard[found.indices]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return {"weight": data, "indices": indices, "indptr": indptr}
