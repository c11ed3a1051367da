"""The best tracks of one linear term alone, so that a strong term is heard whatever the blend says.

Three ways, by what the term is like: where all listeners are of a few kinds, each kind's best are written down; where
the tracks fall into few groups of equals, the groups are gone through; else an index finds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import scipy.sparse as sp

from recommender.engine.arrays import AnyArray, FloatArray, IntArray, Sparse, as_int32, csr_slice, members, top_rows
from recommender.engine.shortlist.index import NearestIndex
from recommender.engine.terms import LinearTerm

FOUND = 5
"""An index is asked for so many times as many as are wanted, for it does not put them in exact order."""
EXACT_NUMBERS = 4_000_000
"""So many coordinates are gone through at every request; of more an index finds the best."""


class Best(Protocol):
    """The best tracks by their product with a direction."""

    def rows(self, direction: FloatArray, projected: FloatArray, limit: int, effort: float) -> IntArray:
        """About `limit` rows; `projected` is the direction in the basis of the term. effort: see NearestIndex."""

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored, besides the index."""


@dataclass(frozen=True, eq=False)
class Lists:
    """Of each kind of listener the best rows, best first: directions float32[k, d], best int32[k, m]."""

    directions: FloatArray
    best: IntArray

    @classmethod
    def of(cls, term: LinearTerm, limit: int) -> Self | None:
        """`limit` rows of each kind; None if the kinds are not few."""
        kinds = term.kinds()
        if kinds is None:
            return None
        best = [top_rows(term.score(kind), limit) for kind in kinds]
        return cls(np.stack([term.direction(kind) for kind in kinds]), np.stack(best))

    def rows(self, direction: FloatArray, projected: FloatArray, limit: int, effort: float) -> IntArray:
        """All that were written down."""
        return as_int32(self.best[(self.directions == direction).all(axis=1).argmax()])

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"directions": self.directions, "best": self.best}


@dataclass(frozen=True, eq=False)
class Groups:
    """Tracks with the same coordinates. indptr, tracks: those of each group, increasing, in a CSR layout.

    leaders: coordinates of each group, if they are few enough to go through. index: of the groups, if not.
    """

    indptr: IntArray
    tracks: IntArray
    leaders: FloatArray | Sparse | None
    index: NearestIndex | None = None

    @classmethod
    def of(cls, term: LinearTerm, n_tracks: int) -> Self:
        """Every track by itself if the term knows no groups."""
        numbers = term.groups()
        found = np.arange(n_tracks) if numbers is None else np.unique(numbers, return_inverse=True)[1]
        return cls.opened(term, *members(as_int32(found), int(found.max(initial=-1)) + 1))

    @classmethod
    def opened(cls, term: LinearTerm, indptr: IntArray, tracks: IntArray, index: NearestIndex | None = None) -> Self:
        """From what was stored."""
        first = tracks[indptr[:-1]]
        sample = term.coordinates(first[:1000])
        numbers = sample.nnz if sp.issparse(sample) else sample.size
        is_small = numbers * len(first) <= EXACT_NUMBERS * max(sample.shape[0], 1)
        return cls(indptr, tracks, term.coordinates(first) if is_small else None, index)

    @property
    def first_tracks(self) -> IntArray:
        """One track of each group."""
        return self.tracks[self.indptr[:-1]]

    def rows(self, direction: FloatArray, projected: FloatArray, limit: int, effort: float) -> IntArray:
        """Tracks of the best groups, of each only the first `limit`."""
        if self.leaders is not None:
            groups = top_rows(np.asarray(self.leaders @ direction, dtype=np.float32), limit)
        elif self.index is not None:
            groups = self.index.nearest(projected, FOUND * limit, effort)
            return self._tracks(groups, FOUND * limit)
        else:
            groups = np.empty(0, dtype=np.int32)
        return self._tracks(groups, limit)

    def _tracks(self, groups: IntArray, limit: int) -> IntArray:
        sizes = np.minimum(self.indptr[groups + 1] - self.indptr[groups], limit)
        enough = int(np.searchsorted(np.cumsum(sizes), limit)) + 1
        owner, position = csr_slice(self.indptr, groups[:enough])
        place = np.arange(len(owner)) - np.searchsorted(owner, owner)
        return self.tracks[position[place < limit]]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"indptr": self.indptr, "tracks": self.tracks}
