"""The best tracks of one linear term, so that a strong term yields candidates whatever the blend says.

There are three ways. If there are only a few possible user vectors, the best tracks of each are stored. If the tracks
fall into a few groups with the same vector, all groups are scored. Otherwise an index finds the best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import scipy.sparse as sp

from recommender.engine.data.arrays import (
    AnyArray,
    FloatArray,
    IntArray,
    Sparse,
    as_int32,
    csr_slice,
    members,
    top_rows,
)
from recommender.engine.retrieval.index import NearestIndex
from recommender.engine.terms import LinearTerm

OVERFETCH = 5
"""Over-fetch factor: the approximate index does not return results in exact order."""
EXACT_NUMBERS = 4_000_000
"""Up to so many coordinates are multiplied at every request; beyond that an index is used."""


class TermTopN(Protocol):
    """Finds the best tracks by their product with a user vector."""

    def rows(self, user_vector: FloatArray, projected: FloatArray, limit: int, probe_share: float) -> IntArray:
        """Return about `limit` rows. projected: the user vector in the index. probe_share: see NearestIndex."""

    def arrays(self) -> Mapping[str, AnyArray]:
        """Return the arrays to store besides the index."""


@dataclass(frozen=True, eq=False)
class PrecomputedTop:
    """The best rows of each possible user vector: user_vectors float32[k, d], best int32[k, m], best first."""

    user_vectors: FloatArray
    best: IntArray

    @classmethod
    def of(cls, term: LinearTerm, limit: int) -> Self | None:
        """`limit` rows of each kind; None if the kinds are not few."""
        kinds = term.user_archetypes()
        if kinds is None:
            return None
        best = [top_rows(term.score(kind), limit) for kind in kinds]
        return cls(np.stack([term.user_vector(kind) for kind in kinds]), np.stack(best))

    def rows(self, user_vector: FloatArray, projected: FloatArray, limit: int, probe_share: float) -> IntArray:
        """Return all stored rows of the user vector."""
        return as_int32(self.best[(self.user_vectors == user_vector).all(axis=1).argmax()])

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"directions": self.user_vectors, "best": self.best}


@dataclass(frozen=True, eq=False)
class GroupedItems:
    """Tracks grouped by equal item vectors. indptr, tracks: those of each group, increasing, in a CSR layout.

    leaders: item vector of each group, if they are few enough to score. index: of the groups, if not.
    """

    indptr: IntArray
    tracks: IntArray
    leaders: FloatArray | Sparse | None
    index: NearestIndex | None = None

    @classmethod
    def of(cls, term: LinearTerm, n_tracks: int) -> Self:
        """Group the tracks of a term; each is a group of its own where the term has no groups."""
        numbers = term.item_groups()
        group_of = np.arange(n_tracks) if numbers is None else np.unique(numbers, return_inverse=True)[1]
        return cls.opened(term, *members(as_int32(group_of), int(group_of.max(initial=-1)) + 1))

    @classmethod
    def opened(cls, term: LinearTerm, indptr: IntArray, tracks: IntArray, index: NearestIndex | None = None) -> Self:
        """Return the groups from stored arrays."""
        first = tracks[indptr[:-1]]
        sample = term.item_vectors(first[:1000])
        numbers = sample.nnz if sp.issparse(sample) else sample.size
        is_small = numbers * len(first) <= EXACT_NUMBERS * max(sample.shape[0], 1)
        return cls(indptr, tracks, term.item_vectors(first) if is_small else None, index)

    @property
    def first_tracks(self) -> IntArray:
        """Return one track of each group."""
        return self.tracks[self.indptr[:-1]]

    def rows(self, user_vector: FloatArray, projected: FloatArray, limit: int, probe_share: float) -> IntArray:
        """Return the tracks of the best groups, at most `limit` of each."""
        if self.leaders is not None:
            groups = top_rows(np.asarray(self.leaders @ user_vector, dtype=np.float32), limit)
        elif self.index is not None:
            groups = self.index.nearest(projected, OVERFETCH * limit, probe_share)
            return self._tracks(groups, OVERFETCH * limit)
        else:
            groups = np.empty(0, dtype=np.int32)
        return self._tracks(groups, limit)

    def _tracks(self, groups: IntArray, limit: int) -> IntArray:
        sizes = np.minimum(self.indptr[groups + 1] - self.indptr[groups], limit)
        enough = int(np.searchsorted(np.cumsum(sizes), limit)) + 1
        owner, position = csr_slice(self.indptr, groups[:enough])
        nth = np.arange(len(owner)) - np.searchsorted(owner, owner)
        return self.tracks[position[nth < limit]]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"indptr": self.indptr, "tracks": self.tracks}
