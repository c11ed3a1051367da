"""`mainstream`: about as well known as your songs.

The listener's level of mainstreaminess as a property of taste follows Schedl & Hauger, "Tailoring Music Recommendations
to Users by Considering Diversity, Mainstreaminess, and Novelty" (SIGIR 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from recommender.engine.arrays import AnyArray, FloatArray, IntArray, Sparse, as_float32, as_int32, membership
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms.base import Cause, LinearTerm, Progress, track_causes

LEVELS = 101
UNKNOWN_LEVEL = LEVELS
"""Popularity 0..100 in whole points, and one more level for "unknown", which is neutral."""
SMOOTH = 0.01
"""Parts of the kernel of less than this share of the largest are left out of its basis."""


class MainstreamTerm(LinearTerm):
    """Signed mean of a Gaussian kernel over the difference in the catalogue's popularity, centred on the catalogue.

    score[t] = sum over songs r: w_r / sum |w| * (K(pop_t - pop_r) - mean over all tracks of K(. - pop_r)).
    """

    name: ClassVar[str] = "mainstream"
    heavy_tailed: ClassVar[bool] = False
    needs_listeners: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._level = np.asarray(arrays["level"], dtype=np.uint8)
        self._kernel = as_float32(arrays["kernel"])

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        known = ~np.isnan(catalogue.popularity)
        level = np.where(known, np.rint(np.nan_to_num(catalogue.popularity)), UNKNOWN_LEVEL).astype(np.uint8)
        points = np.arange(LEVELS)
        gauss = np.exp(-((points[:, None] - points[None, :]) ** 2) / (2.0 * config.mainstream_bandwidth**2))
        share = np.bincount(level[known], minlength=LEVELS) / max(int(known.sum()), 1)
        kernel = np.zeros((LEVELS + 1, LEVELS + 1), dtype=np.float32)
        kernel[:LEVELS, :LEVELS] = gauss - share @ gauss
        return cls({"level": level, "kernel": kernel}, catalogue, config)

    def score(self, listener: Listener) -> FloatArray:
        return self.direction(listener)[self._level]

    def direction(self, listener: Listener) -> FloatArray:
        return as_float32(self._kernel[:, self._level[listener.rows]] @ self._weights(listener))

    def coordinates(self, rows: IntArray) -> Sparse:
        return membership(np.arange(len(rows) + 1, dtype=np.int32), as_int32(self._level[rows]), LEVELS + 1)

    def basis(self, limit: int) -> FloatArray:
        # Every direction is a mixture of columns of the kernel, which is as smooth as its bandwidth.
        left, sizes, _ = np.linalg.svd(self._kernel.astype(np.float64))
        return as_float32(left[:, sizes > SMOOTH * sizes[0]][:, :limit])

    def groups(self) -> IntArray:
        return as_int32(self._level)

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        values = self._kernel[np.ix_(self._level[rows], self._level[listener.rows])] * self._weights(listener)
        return track_causes(listener.rows, values, limit)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"level": self._level, "kernel": self._kernel}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _weights(self, listener: Listener) -> FloatArray:
        total = float(np.abs(listener.weights).sum())
        return listener.weights / np.float32(total or 1.0)
