"""`item_to_item`: people who like your songs like these; sparse weights between songs."""

from __future__ import annotations

from collections.abc import Mapping
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
    sum_by_row,
)
from recommender.engine.data.checks import check_array, check_csr
from recommender.engine.data.interaction_matrix import liked_matrix, with_short_lists
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fitting.cooccurrence import neighbours
from recommender.engine.terms.base import (
    MIN_LISTENERS,
    Cause,
    Change,
    Progress,
    SparseScores,
    SparseTerm,
    TermsConfig,
    Weight,
    Wording,
    gettext_noop,
    no_progress,
)
from recommender.engine.terms.causes import Naming


class ItemSimilarityTerm(SparseTerm):
    """score[t] = sum over the listener's songs r of weight_r * W[r, t], W being the shrunk asymmetric cosine of the
    listeners two songs share, of the nearest of each song.

    Skips lower neighbours. Dislikes are ignored, because tracks that share lists with a disliked track are liked more
    than the average track, not less.
    """

    name: ClassVar[str] = "item_to_item"
    label: ClassVar[str] = gettext_noop("Often liked with your songs")
    wording: ClassVar[Wording | None] = {
        "liked": gettext_noop("Often liked along with %(title)s"),
        "played": gettext_noop("Often played together with %(title)s"),
    }
    default_weight: ClassVar[Weight] = 2.0
    sqrt_transform: ClassVar[bool] = True
    is_collaborative: ClassVar[bool] = True
    uses_implicit_negatives: ClassVar[bool] = True

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._weight = as_float32(arrays["weight"])
        self._indices = as_int32(arrays["indices"])
        self._indptr = as_int32(arrays["indptr"])
        self._n_tracks = catalogue.n_tracks
        check_csr("item_similarity", self._indptr, self._indices, self._n_tracks, self._n_tracks)
        check_array("item_similarity.weight", self._weight, np.float32, self._indices.shape)
        self._naming = Naming(catalogue)
        self._weights = csr(self._weight, self._indices, self._indptr, self._n_tracks)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        progress("neighbours", 0.0)
        liked = liked_matrix(interactions, catalogue.n_tracks)
        if np.count_nonzero(np.diff(liked.indptr)) < MIN_LISTENERS:
            return cls(_spread(None, np.empty(0, np.int32), catalogue.n_tracks), catalogue, config)
        heard = np.flatnonzero(np.bincount(liked.indices, minlength=catalogue.n_tracks)).astype(np.int32)
        short = with_short_lists(liked[:, heard], config.neighbours.max_list, rng)
        weights = neighbours(short, config.neighbours)
        progress("neighbours", 1.0)
        return cls(_spread(weights, heard, catalogue.n_tracks), catalogue, config)

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
    ) -> Self:
        """Recount the neighbours of tracks whose listeners have changed; keep those of the others."""
        if not len(self._weight):
            return self.fit(catalogue, interactions, config, rng, no_progress)
        liked = with_short_lists(liked_matrix(interactions, catalogue.n_tracks), config.neighbours.max_list, rng)
        touched = np.flatnonzero(change.touched | (change.old_rows < 0)).astype(np.int32)
        counted = neighbours(liked, config.neighbours, touched)
        unchanged = sp.csr_array(sp.diags_array((~change.touched).astype(np.float32)) @ self._moved(change))
        row = np.repeat(touched, np.diff(counted.indptr))
        fresh = sp.csr_array((counted.data, (row, counted.indices)), shape=unchanged.shape)
        return type(self)(_arrays(unchanged + fresh), catalogue, config)

    def _moved(self, change: Change) -> Sparse:
        """Return the weights between the tracks in their new rows, n x n."""
        known = change.old_rows >= 0
        new_of = np.full(self._n_tracks, -1, dtype=np.int32)
        new_of[change.old_rows[known]] = np.flatnonzero(known)
        source = np.repeat(new_of, np.diff(self._indptr))
        target = new_of[self._indices]
        is_known = (source >= 0) & (target >= 0)
        n = len(change.old_rows)
        return sp.csr_array((self._weight[is_known], (source[is_known], target[is_known])), shape=(n, n))

    def sparse_scores(self, listener: ListenerProfile) -> SparseScores:
        listener = listener.without_dislikes()
        entries = listener.cached(self._entries)
        values = np.repeat(listener.weights, np.diff(entries.indptr)) * entries.data
        return SparseScores(*sum_by_row(entries.indices, values, self._n_tracks), self._n_tracks)

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        heard = listener.without_dislikes()
        source, target, weight = self.pairs(heard, rows)
        values = np.zeros((len(rows), len(heard.rows)), dtype=np.float32)
        values[target, source] = weight * heard.weights[source]
        return self._naming.tracks(listener, heard.rows, rows, values, limit)

    def pairs(self, listener: ListenerProfile, targets: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Return the entries of W from the listener's songs to distinct `targets`: indices into both, and weights."""
        column_of = np.full(self._n_tracks, -1, dtype=np.int32)
        column_of[targets] = np.arange(len(targets), dtype=np.int32)
        entries = listener.cached(self._entries)
        column = column_of.take(entries.indices)
        entry = np.flatnonzero(column >= 0)
        source = np.searchsorted(entries.indptr, entry, side="right") - 1
        return as_int32(source), column[entry], entries.data[entry]

    def _entries(self, listener: ListenerProfile) -> Sparse:
        """Return the weights of the listener's songs, m x n."""
        return self._weights[listener.rows]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"weight": self._weight, "indices": self._indices, "indptr": self._indptr}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays, catalogue, config)


def _arrays(weights: Sparse) -> dict[str, AnyArray]:
    weights.eliminate_zeros()
    return {
        "weight": as_float32(weights.data),
        "indices": as_int32(weights.indices),
        "indptr": as_int32(weights.indptr),
    }


def _spread(weights: Sparse | None, heard: IntArray, n_tracks: int) -> dict[str, AnyArray]:
    """Return the stored arrays over all tracks of weights between the tracks `heard`."""
    lengths = np.zeros(n_tracks, dtype=np.int64)
    if weights is None:
        data, indices = np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int32)
    else:
        lengths[heard] = np.diff(weights.indptr)
        data, indices = as_float32(weights.data), heard[weights.indices]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return {"weight": data, "indices": indices, "indptr": indptr}
