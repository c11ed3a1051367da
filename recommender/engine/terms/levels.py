"""What terms share that compare songs by one number in whole points."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from recommender.engine.arrays import AnyArray, FloatArray, IntArray, Sparse, as_float32, as_int32, membership
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.listener import Listener
from recommender.engine.terms.base import Cause, LinearTerm, Progress, track_causes

SMOOTH = 0.01
"""Parts of the kernel of less than this share of the largest are left out of its basis."""


class LevelTerm(LinearTerm):
    """Signed mean of a Gaussian kernel over the difference in a song's level, centred on the catalogue.

    score[t] = sum over songs r: w_r / sum |w| * (K(level_t - level_r) - mean over all tracks of K(. - level_r)).

    Levels are 0..LEVELS-1, at most 255 of them; LEVELS itself stands for "unknown", which is neutral.
    """

    LEVELS: ClassVar[int]
    heavy_tailed: ClassVar[bool] = False
    needs_listeners: ClassVar[bool] = False

    def __init__(self, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> None:
        self._level = np.asarray(arrays["level"], dtype=np.uint8)
        self._kernel = as_float32(arrays["kernel"])

    @classmethod
    @abstractmethod
    def levels(cls, catalogue: Catalogue) -> IntArray:
        """The level of each track, int32[n]."""

    @classmethod
    @abstractmethod
    def bandwidth(cls, config: EngineConfig) -> float:
        """The deviation of the kernel, in levels."""

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: EngineConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        level = cls.levels(catalogue).astype(np.uint8)
        known = level < cls.LEVELS
        points = np.arange(cls.LEVELS)
        gauss = np.exp(-((points[:, None] - points[None, :]) ** 2) / (2.0 * cls.bandwidth(config) ** 2))
        share = np.bincount(level[known], minlength=cls.LEVELS) / max(int(known.sum()), 1)
        kernel = np.zeros((cls.LEVELS + 1, cls.LEVELS + 1), dtype=np.float32)
        kernel[:-1, :-1] = gauss - share @ gauss
        return cls({"level": level, "kernel": kernel}, catalogue, config)

    def score(self, listener: Listener) -> FloatArray:
        return self.direction(listener)[self._level]

    def direction(self, listener: Listener) -> FloatArray:
        levels = self._level[listener.rows]
        weight = np.bincount(levels, weights=self._weights(listener), minlength=self.LEVELS + 1)
        return self._kernel @ as_float32(weight)

    def coordinates(self, rows: IntArray) -> Sparse:
        return membership(np.arange(len(rows) + 1, dtype=np.int32), as_int32(self._level[rows]), self.LEVELS + 1)

    def basis(self, limit: int) -> FloatArray:
        # Every direction is a mixture of columns of the kernel, which is as smooth as its bandwidth. Where no song is,
        # nothing has to be told apart.
        is_used = np.bincount(self._level, minlength=self.LEVELS + 1) > 0
        left, sizes, _ = np.linalg.svd(self._kernel.astype(np.float64) * np.outer(is_used, is_used))
        # One that says nothing is left where nothing is known: no basis at all would be no space to look in.
        kept = min(max(int((sizes > SMOOTH * sizes[0]).sum()), 1), limit)
        return as_float32(left[:, :kept])

    def groups(self) -> IntArray:
        return as_int32(self._level)

    def explain(self, listener: Listener, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        values = self._kernel[self._level[rows]].take(self._level[listener.rows], axis=1) * self._weights(listener)
        return track_causes(listener.rows, values, limit)

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"level": self._level, "kernel": self._kernel}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: EngineConfig) -> Self:
        return cls(arrays, catalogue, config)

    def _weights(self, listener: Listener) -> FloatArray:
        total = float(np.abs(listener.weights).sum())
        return listener.weights / np.float32(total or 1.0)
