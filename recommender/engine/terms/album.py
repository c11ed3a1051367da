"""`album`: another song of a release you like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from recommender.engine.arrays import (
    AnyArray,
    IntArray,
    as_float32,
    as_int32,
    csr_slice,
    members,
    sum_by_row,
)
from recommender.engine.config import EngineConfig
from recommender.engine.data import UNKNOWN, Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms.base import Cause, Opinions, Progress, SparseTerm, track_causes


class AlbumTerm(SparseTerm):
    """score[t] = sum of the listener's weights on the release of t / (number of its tracks + 1); unknown releases 0."""

    name: ClassVar[str] = "album"
    heavy_tailed: ClassVar[bool] = True
    needs_listeners: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._reach = as_float32(arrays["reach"])
        self._indptr, self._tracks = as_int32(arrays["indptr"]), as_int32(arrays["tracks"])
        self._album = catalogue.album

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        known = catalogue.album[catalogue.album != UNKNOWN]
        size = np.bincount(known, minlength=int(known.max(initial=-1)) + 1)
        # One more entry than there are releases, 0: "unknown" is -1 and so reads the last one.
        reach = np.append(1.0 / (size + 1.0), 0.0).astype(np.float32)
        # The last album is "unknown", here as well.
        indptr, tracks = members(catalogue.album % len(reach), len(reach))
        return cls({"reach": reach, "indptr": indptr, "tracks": tracks}, catalogue, config)

    def opinions(self, listener: Listener) -> Opinions:
        known = self._album[listener.rows] != UNKNOWN
        albums, affinity = sum_by_row(self._album[listener.rows[known]], listener.weights[known], len(self._reach))
        owner, position = csr_slice(self._indptr, albums)
        return Opinions(self._tracks[position], (affinity * self._reach[albums])[owner], len(self._album))

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        albums = self._album[listener.rows]
        shown = self._album[rows]
        same = (shown[:, None] == albums) & (albums != UNKNOWN)
        return track_causes(listener.rows, same * listener.weights * self._reach[shown, None], limit)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"reach": self._reach, "indptr": self._indptr, "tracks": self._tracks}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)
