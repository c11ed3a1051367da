"""Cooldown of songs that were shown several times without a reaction."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recommender.engine.config import EngineConfig
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.errors import InvalidDataError


@dataclass(frozen=True, eq=False)
class Impressions:
    """Songs shown to a listener without a reaction since, m distinct rows. Raise InvalidDataError.

    rows: int32[m]; times: int32[m], number of impressions (>= 1); days: float32[m], since the last one (>= 0).
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


def cooldown_days(times: IntArray, limit: int, first: float, longest: float) -> FloatArray:
    """Return the cooldown after `times` impressions without a reaction: float32[m] days.

    None before `limit` impressions, `first` days then, twice as long after every further one, at most `longest`.
    """
    # Beyond 2^30 the limit has long been reached; it keeps the power finite.
    doublings = np.clip(times - limit, 0, 30)
    days = np.minimum(first * np.exp2(doublings), longest)
    return np.where(times >= limit, days, 0.0).astype(np.float32)


def in_cooldown(shown: Impressions, config: EngineConfig) -> BoolArray:
    """Return which of the songs shown are in cooldown now: bool[m]."""
    days = cooldown_days(
        shown.times, config.page.impression_limit, config.page.cooldown_days, config.page.max_cooldown_days
    )
    return np.asarray(shown.days < days)
