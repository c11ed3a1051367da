"""`album`: another song of a release you like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from recommender.engine.data import UNKNOWN, Catalogue, Interactions
from recommender.engine.data.arrays import (
    AnyArray,
    IntArray,
    as_float32,
    as_int32,
    csr_slice,
    members,
    sum_by_row,
)
from recommender.engine.data.checks import check_csr, check_range
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.terms.base import (
    Cause,
    Progress,
    SparseScores,
    SparseTerm,
    TermsConfig,
    Weight,
    Wording,
    gettext_noop,
)
from recommender.engine.terms.causes import Naming


class AlbumTerm(SparseTerm):
    """score[t] = sum of the listener's weights on the release of t / (number of its tracks + 1); unknown releases 0."""

    name: ClassVar[str] = "album"
    label: ClassVar[str] = gettext_noop("Same album")
    wording: ClassVar[Wording | None] = dict.fromkeys(
        ("liked", "played"), gettext_noop("From the same album as %(title)s")
    )
    default_weight: ClassVar[Weight] = (0.3, 0.3, 0.5, 0.6, 0.6)
    similar_weight: ClassVar[float] = 0.3
    sqrt_transform: ClassVar[bool] = True
    is_collaborative: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> None:
        self._size_discount = as_float32(arrays["reach"])
        self._indptr, self._tracks = as_int32(arrays["indptr"]), as_int32(arrays["tracks"])
        self._album = catalogue.album
        # The last of them is "unknown".
        n_albums = len(self._size_discount)
        check_csr("album", self._indptr, self._tracks, n_albums, catalogue.n_tracks)
        check_range("album", self._album, UNKNOWN, n_albums)
        self._naming = Naming(catalogue)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        known = catalogue.album[catalogue.album != UNKNOWN]
        size = np.bincount(known, minlength=int(known.max(initial=-1)) + 1)
        # One more entry than there are releases, 0: "unknown" is -1 and so reads the last one.
        size_discount = np.append(1.0 / (size + 1.0), 0.0).astype(np.float32)
        # The last album is "unknown", here as well.
        indptr, tracks = members(catalogue.album % len(size_discount), len(size_discount))
        return cls({"reach": size_discount, "indptr": indptr, "tracks": tracks}, catalogue, config)

    def sparse_scores(self, listener: ListenerProfile) -> SparseScores:
        known = self._album[listener.rows] != UNKNOWN
        albums, affinity = sum_by_row(
            self._album[listener.rows[known]], listener.weights[known], len(self._size_discount)
        )
        owner, position = csr_slice(self._indptr, albums)
        return SparseScores(self._tracks[position], (affinity * self._size_discount[albums])[owner], len(self._album))

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        albums = self._album[listener.rows]
        shown = self._album[rows]
        same = (shown[:, None] == albums) & (albums != UNKNOWN)
        values = same * listener.weights * self._size_discount[shown, None]
        return self._naming.tracks(listener, listener.rows, rows, values, limit)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"reach": self._size_discount, "indptr": self._indptr, "tracks": self._tracks}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays, catalogue, config)
