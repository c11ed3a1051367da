"""`album`: another song of a release you like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from recommender.engine.arrays import AnyArray, FloatArray, IntArray, as_float32
from recommender.engine.config import EngineConfig
from recommender.engine.data import UNKNOWN, Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms.base import Cause, Progress, track_causes


class AlbumTerm:
    """score[t] = sum of the listener's weights on the release of t / (number of its tracks + 1); unknown releases 0."""

    name: ClassVar[str] = "album"
    heavy_tailed: ClassVar[bool] = True
    needs_listeners: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._reach = as_float32(arrays["reach"])
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
        return cls({"reach": reach}, catalogue, config)

    def score(self, listener: Listener) -> FloatArray:
        albums = self._album[listener.rows]
        known = albums != UNKNOWN
        affinity = np.bincount(albums[known], weights=listener.weights[known], minlength=len(self._reach))
        return (affinity.astype(np.float32) * self._reach)[self._album]

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        albums = self._album[listener.rows]
        shown = self._album[rows]
        same = (shown[:, None] == albums) & (albums != UNKNOWN)
        return track_causes(listener.rows, same * listener.weights * self._reach[shown, None], limit)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"reach": self._reach}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)
