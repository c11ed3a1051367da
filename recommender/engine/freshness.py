"""Letting songs rest that were shown several times and never got a reaction."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recommender.engine.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.config import EngineConfig
from recommender.engine.errors import InvalidDataError


@dataclass(frozen=True, eq=False)
class Shown:
    """Songs that were shown to a listener without any reaction since, m distinct rows. Raises InvalidDataError.

    rows: int32[m]; times: int32[m], how often (>= 1); days: float32[m], since the last time (>= 0).
    """

    rows: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    times: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    days: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))

    def __post_init__(self) -> None:
        m = len(self.rows)
        for name, dtype, low in (("rows", np.int32, 0), ("times", np.int32, 1), ("days", np.float32, 0)):
            array = getattr(self, name)
            if array.shape != (m,) or array.dtype != dtype:
                raise InvalidDataError(f"{name}: expected {np.dtype(dtype)} of shape ({m},)")
            if not np.all(array >= low):
                raise InvalidDataError(f"{name}: must be >= {low}")


def rest_days(times: IntArray, ignored: int, first: float, longest: float) -> FloatArray:
    """How long songs rest after having been shown `times` times in vain: float32[m] days.

    Nothing before `ignored` times, `first` days then, twice as long after every further time, at most `longest`.
    """
    # Beyond 2^30 the limit has long been reached; it keeps the power finite.
    doublings = np.clip(times - ignored, 0, 30)
    rest = np.minimum(first * np.exp2(doublings), longest)
    return np.where(times >= ignored, rest, 0.0).astype(np.float32)


def resting(shown: Shown, config: EngineConfig) -> BoolArray:
    """Which of the songs shown should be left out now: bool[m]."""
    rest = rest_days(shown.times, config.ignored_times, config.ignored_rest_days, config.ignored_longest_days)
    return np.asarray(shown.days < rest)
